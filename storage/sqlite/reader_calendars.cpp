// Calendars with who uses them, and maintenance windows.
#include <algorithm>
#include <string>

#include "core/schedule/canonical.hpp"
#include "storage/sqlite/reader_parts.hpp"
#include "storage/sqlite/row_mapping.hpp"

namespace belfry::storage::sqlite {
namespace {

std::vector<core::window> windows_of(SQLite::Database& db) {
  query q{db, "select " + std::string{window_columns} + " from windows order by name"};
  std::vector<core::window> all;
  while (q.step()) all.push_back(read_window(q));
  return all;
}

}  // namespace

core::result<std::vector<core::calendar_facts>> sqlite_reader::list_calendars(
    const std::vector<std::string>& names, bool content) {
  return reading<std::vector<core::calendar_facts>>(
      "list calendars", [&]() -> core::result<std::vector<core::calendar_facts>> {
        std::vector<core::calendar_facts> all;
        query q{*db_, "select " + std::string{calendar_columns} + " from calendars order by name"};
        while (q.step()) {
          core::calendar_facts f;
          f.calendar = read_calendar(q, false);
          if (!names.empty() && std::find(names.begin(), names.end(), f.calendar.name) == names.end())
            continue;
          if (content) f.calendar = read_calendar(q, true);
          all.push_back(std::move(f));
        }
        const auto windows = windows_of(*db_);
        for (auto& f : all) {
          query count{*db_,
                      "select count(*), coalesce(sum(revision < ?2), 0) from calendar_uses where calendar = "
                      "?1"};
          count.bind(1, f.calendar.name);
          count.bind(2, std::int64_t{f.calendar.revision});
          if (count.step()) {
            f.used_by = static_cast<std::size_t>(count.number(0));
            f.planning = static_cast<std::size_t>(count.number(1));
          }
          query users{*db_,
                      "select u.job, j.name from calendar_uses u join jobs j on j.id = u.job where "
                      "u.calendar = ?1 order by u.job limit ?2"};
          users.bind(1, f.calendar.name);
          users.bind(2, static_cast<std::int64_t>(calendar_users_told));
          while (users.step()) f.jobs.push_back({core::job_id{users.number(0)}, std::string{users.text(1)}});
          for (const auto& w : windows)
            if (core::names_calendar(w.schedule, f.calendar.name)) f.windows.push_back(w.name);
        }
        return all;
      });
}

core::result<std::vector<core::window>> sqlite_reader::list_windows() {
  return reading<std::vector<core::window>>(
      "list windows", [&]() -> core::result<std::vector<core::window>> { return windows_of(*db_); });
}

}  // namespace belfry::storage::sqlite
