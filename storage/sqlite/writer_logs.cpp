#include "storage/sqlite/row_mapping.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {

bool writer::insert_log(const core::log_line& line) {
  auto& q = s_.insert_log;
  q.bind(1, line.run.value);
  q.bind(2, std::int64_t{line.attempt});
  q.bind(3, static_cast<std::int64_t>(line.number));
  q.bind(4, core::micros(line.at));
  q.bind(5, static_cast<std::int64_t>(line.stream));
  q.bind(6, line.text);
  q.bind_or_null(7, static_cast<std::int64_t>(line.level));
  q.run();
  return q.changes() == 1;
}

log_size writer::find_log_size(core::run_id run, std::uint32_t attempt) {
  auto& q = s_.find_log_size;
  const using_query use{q};
  q.bind(1, run.value);
  q.bind(2, std::int64_t{attempt});
  if (!q.step()) return {};
  return {q.as<std::uint64_t>(0), q.as<std::uint64_t>(1), q.as<std::uint64_t>(2)};
}

void writer::put_log_size(core::run_id run, std::uint32_t attempt, const log_size& size) {
  auto& q = s_.put_log_size;
  q.bind(1, run.value);
  q.bind(2, std::int64_t{attempt});
  q.bind(3, static_cast<std::int64_t>(size.bytes));
  q.bind(4, static_cast<std::int64_t>(size.lines));
  q.bind(5, static_cast<std::int64_t>(size.dropped));
  q.run();
}

std::vector<line_size> writer::oldest_lines(core::run_id run, std::uint32_t attempt, std::size_t limit) {
  auto& q = s_.oldest_lines;
  const using_query use{q};
  q.bind(1, run.value);
  q.bind(2, std::int64_t{attempt});
  q.bind(3, static_cast<std::int64_t>(limit));
  std::vector<line_size> lines;
  while (q.step()) lines.push_back({q.as<std::uint64_t>(0), q.as<std::uint64_t>(1) + 1});
  return lines;
}

void writer::remove_lines(core::run_id run, std::uint32_t attempt, std::uint64_t up_to) {
  auto& q = s_.remove_lines;
  q.bind(1, run.value);
  q.bind(2, std::int64_t{attempt});
  q.bind(3, static_cast<std::int64_t>(up_to));
  q.run();
}

}  // namespace belfry::storage::sqlite
