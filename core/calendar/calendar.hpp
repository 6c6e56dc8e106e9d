// CALENDAR: excluded time under a name, such as the holidays of a country: kept by the store, named by
// schedules (core/schedule/exclusion.hpp), and corrected in one place.
//
// It comes from a list of dates or from the text of an iCalendar file; what is kept are the periods that
// either came to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/schedule/exclusion.hpp"
#include "core/schedule/problem.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Numbers stand in rows: append only.
enum class calendar_source : std::uint8_t { dates = 0, ics = 1 };
std::string_view to_text(calendar_source s);

struct named_calendar {
  std::string name;  // as a job's: letters, digits, "-_.", 1..60; case is kept and matters
  calendar_source source = calendar_source::dates;
  std::uint32_t revision = 1;
  std::shared_ptr<const calendar> content;   // null where only the facts were asked for
  std::shared_ptr<const calendar> previous;  // while jobs are planned by it; else null
  std::size_t periods = 0;
  std::size_t left_out = 0;  // events of the file that were cancelled or transparent
  instant created_at = never, changed_at = never;
  std::string created_by, changed_by;
};

inline constexpr std::size_t most_calendars = 200;
inline constexpr std::size_t most_calendar_periods = 50'000;

// What a calendar is used by.
struct calendar_user {
  job_id job;
  std::string name;
  friend bool operator==(const calendar_user&, const calendar_user&) = default;
};
struct calendar_facts {
  named_calendar calendar;
  std::vector<calendar_user> jobs;   // the first few, by id
  std::size_t used_by = 0;           // jobs
  std::size_t planning = 0;          // of them: still planned by the content before
  std::vector<std::string> windows;  // maintenance windows that name it
};

// Of calendars and of maintenance windows.
std::vector<field_problem> check_plan_name(const std::string& name, const std::string& pointer);
std::vector<field_problem> check(const named_calendar& c);

// Dates, and ranges such as 2026-12-24..2027-01-01, separated by blanks, commas or lines; what follows a # is
// a remark. At most 400 days in a range.
parsed<calendar> parse_dates(std::string_view text);
// Which line of the text a byte of it is in, from 1.
std::size_t line_at(std::string_view text, std::size_t offset);

}  // namespace belfry::core
