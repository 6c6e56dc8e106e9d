// ICS: a calendar of holidays out of the text of an iCalendar file (RFC 5545).
//
// Read: VEVENT with DTSTART, and DTEND or DURATION; whole days, local times, UTC, TZID; RRULE with FREQ DAILY
// to YEARLY and INTERVAL, COUNT, UNTIL, BYDAY of a week, BYMONTH and BYMONTHDAY with one value; EXDATE.
// Events with STATUS:CANCELLED or TRANSP:TRANSPARENT are counted and left out. A rule of another kind is
// refused by its name: a holiday that is silently missing would be noticed on the day itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/schedule/exclusion.hpp"
#include "core/schedule/problem.hpp"
#include "core/schedule/recurrence.hpp"

namespace belfry::core {

struct ics_context {
  // Rules without an end are followed until here.
  local_days horizon = local_days{std::chrono::year{2100} / 1 / 1};
};

struct parsed_calendar {
  calendar content;
  std::size_t events = 0;    // that were read
  std::size_t left_out = 0;  // cancelled or transparent
};

// At most 4 MiB, 20,000 events and 100,000 periods. Never throws on any bytes.
parsed<parsed_calendar> parse_ics(std::string_view text, const ics_context& context = {});
// Of each period an event, in whole seconds: what parse_ics makes the same calendar of, up to its 20,000.
std::string to_ics(const calendar& c);

}  // namespace belfry::core
