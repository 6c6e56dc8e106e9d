#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {

std::optional<core::starvation> writer::find_starvation(core::run_id run) {
  auto& q = s_.find_starvation;
  const using_query use{q};
  q.bind(1, run.value);
  if (!q.step()) return std::nullopt;
  return read_starvation(q);
}

void writer::put_starvation(const core::starvation& row) {
  auto& q = s_.put_starvation;
  q.bind(1, row.run.value);
  q.bind(2, static_cast<std::int64_t>(row.episode));
  q.bind(3, core::micros(row.began));
  q.bind(4, static_cast<std::int64_t>(row.base));
  q.bind(5, static_cast<std::int64_t>(row.fired));
  q.bind(6, std::int64_t{row.spawned ? 1 : 0});
  if (row.held)
    q.bind(7, static_cast<std::int64_t>(*row.held));
  else
    q.bind_null(7);
  q.run();
}

void writer::remove_starvation(core::run_id run) {
  s_.remove_starvation.bind(1, run.value);
  s_.remove_starvation.run();
}

std::vector<core::run_id> writer::starving() {
  auto& q = s_.starving;
  const using_query use{q};
  std::vector<core::run_id> all;
  while (q.step()) all.push_back(core::run_id{q.number(0)});
  return all;
}

std::string writer::find_note(const std::string& name) {
  auto& q = s_.find_setting;
  const using_query use{q};
  q.bind(1, name);
  return q.step() ? std::string{q.text(0)} : std::string{};
}

void writer::put_note(const std::string& name, const std::string& text) {
  s_.put_setting.bind(1, name);
  s_.put_setting.bind(2, text);
  s_.put_setting.run();
}

}  // namespace belfry::storage::sqlite
