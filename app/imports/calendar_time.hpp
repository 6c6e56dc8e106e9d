// CALENDAR TIME: OnCalendar= and time spans of systemd.time(7), as schedules.
//
// Everything that the manual page says is read. What belfry has no word for is refused with a reason: years
// that do not follow each other, days counted from the end of the month other than the last one or a last
// weekday, parts of a second.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/errors/result.hpp"
#include "core/schedule/schedule.hpp"

namespace belfry::app {

struct year_range {
  int first = 0, last = 0;  // 0: every year
  explicit operator bool() const { return first != 0; }
  friend bool operator==(const year_range&, const year_range&) = default;
};

struct calendar_time {
  core::trigger fires;
  std::string zone;  // empty: none was named
  year_range years;
};
// errc::invalid says why not.
core::result<calendar_time> read_calendar_time(std::string_view text);

// "1h 30min", "90", "2 weeks"; nothing when it is none. "infinity" is no span.
std::optional<core::span> read_unit_span(std::string_view text);

}  // namespace belfry::app
