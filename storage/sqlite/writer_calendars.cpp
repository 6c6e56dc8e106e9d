// Calendars, their uses, maintenance windows.
#include "storage/codec/calendar.hpp"
#include "storage/sqlite/row_mapping.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {

std::optional<core::named_calendar> writer::find_calendar(const std::string& name) {
  auto& q = s_.find_calendar;
  const using_query use{q};
  q.bind(1, name);
  if (!q.step()) return std::nullopt;
  return read_calendar(q, true);
}

void writer::put_calendar(const core::named_calendar& c) {
  auto& q = s_.put_calendar;
  const auto content = codec::encode_calendar(*c.content);
  const auto previous = c.previous ? codec::encode_calendar(*c.previous) : std::string{};
  q.bind(1, c.name);
  q.bind(2, static_cast<std::int64_t>(c.source));
  q.bind(3, std::int64_t{c.revision});
  q.bind_blob(4, content.data(), content.size());
  if (c.previous)
    q.bind_blob(5, previous.data(), previous.size());
  else
    q.bind_null(5);
  q.bind(6, static_cast<std::int64_t>(c.periods));
  q.bind(7, static_cast<std::int64_t>(c.left_out));
  q.bind(8, core::micros(c.created_at));
  q.bind_or_null(9, c.created_by);
  q.bind(10, core::micros(c.changed_at));
  q.bind_or_null(11, c.changed_by);
  q.run();
}

void writer::remove_calendar(const std::string& name) {
  s_.remove_calendar.bind(1, name);
  s_.remove_calendar.run();
}

std::size_t writer::count_calendars() {
  auto& q = s_.count_calendars;
  const using_query use{q};
  return q.step() ? static_cast<std::size_t>(q.number(0)) : 0;
}

std::optional<std::uint32_t> writer::calendar_use(const std::string& name, core::job_id job) {
  auto& q = s_.calendar_use;
  const using_query use{q};
  q.bind(1, name);
  q.bind(2, job.value);
  if (!q.step()) return std::nullopt;
  return q.as<std::uint32_t>(0);
}

void writer::put_calendar_use(const std::string& name, core::job_id job, std::uint32_t revision) {
  auto& q = s_.put_calendar_use;
  q.bind(1, name);
  q.bind(2, job.value);
  q.bind(3, std::int64_t{revision});
  q.run();
}

void writer::remove_calendar_uses(core::job_id job) {
  s_.remove_calendar_uses.bind(1, job.value);
  s_.remove_calendar_uses.run();
}

std::vector<core::job_id> writer::calendar_users(const std::string& name, std::uint32_t below,
                                                 std::size_t limit) {
  auto& q = s_.calendar_users;
  const using_query use{q};
  q.bind(1, name);
  q.bind(2, std::int64_t{below});
  q.bind(3, static_cast<std::int64_t>(limit));
  std::vector<core::job_id> found;
  while (q.step()) found.push_back(core::job_id{q.number(0)});
  return found;
}

std::optional<core::window> writer::find_window(const std::string& name) {
  auto& q = s_.find_window;
  const using_query use{q};
  q.bind(1, name);
  if (!q.step()) return std::nullopt;
  return read_window(q);
}

void writer::put_window(const core::window& w) {
  auto& q = s_.put_window;
  q.bind(1, w.name);
  q.bind(2, w.schedule);
  q.bind(3, std::int64_t{w.length.count()});
  q.bind(4, static_cast<std::int64_t>(w.on.scope));
  q.bind(5, w.on.name);
  q.bind(6, std::int64_t{w.drain});
  q.bind_or_null(7, w.text);
  q.bind(8, std::int64_t{w.revision});
  q.bind(9, core::micros(w.created_at));
  q.bind_or_null(10, w.created_by);
  q.bind(11, core::micros(w.changed_at));
  q.bind_or_null(12, w.changed_by);
  q.bind_or_null(13, core::micros(w.opens));
  q.bind_or_null(14, core::micros(w.closes));
  q.run();
}

void writer::remove_window(const std::string& name) {
  s_.remove_window.bind(1, name);
  s_.remove_window.run();
}

std::vector<core::window> writer::all_windows() {
  auto& q = s_.all_windows;
  const using_query use{q};
  std::vector<core::window> found;
  while (q.step()) found.push_back(read_window(q));
  return found;
}

}  // namespace belfry::storage::sqlite
