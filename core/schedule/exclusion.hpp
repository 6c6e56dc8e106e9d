// EXCLUSION: when a schedule must not fire: dates, quiet hours (also over midnight), a calendar of holidays.
//
// An instant inside is skipped, or postponed to the end of the excluded time; that is said per exclusion.
// What is skipped or postponed is planned all the same and gets its record (core/schedule/plan.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/errors/result.hpp"
#include "core/schedule/day_set.hpp"
#include "core/schedule/zone.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

enum class excluded_are : std::uint8_t { skipped = 0, postponed = 1 };

// Whole days, from midnight to midnight by the schedule's clock. Sorted, 1..1000.
struct excluded_dates {
  std::vector<local_days> days;
  friend bool operator==(const excluded_dates&, const excluded_dates&) = default;
};

// From `from` until `to`, `to` not included. `to` at or before `from` means the next day; 0:00 to 24:00 is
// the whole day. `on` are the weekdays on which the time begins.
struct excluded_times {
  std::chrono::seconds from{0};
  std::chrono::seconds to{0};
  weekday_bits on = every_weekday;
  friend bool operator==(const excluded_times&, const excluded_times&) = default;
};

struct local_period {
  local_seconds begin;
  local_seconds end;  // not included
  friend bool operator==(const local_period&, const local_period&) = default;
};
struct fixed_period {
  instant begin;
  instant end;  // not included
  friend bool operator==(const fixed_period&, const fixed_period&) = default;
};

// What a calendar file or a list of holidays came to. Each list is sorted and free of overlaps.
struct calendar {
  std::vector<local_period> local;  // whole days and times without a zone: by the schedule's clock
  std::vector<fixed_period> fixed;  // times in UTC or in a zone of their own
  friend bool operator==(const calendar&, const calendar&) = default;
};
void normalise(calendar& c);

struct excluded_calendar {
  std::string name;
  std::shared_ptr<const calendar> content;  // never null in a schedule that was checked
  // The content follows the name: a calendar that was changed is still the same exclusion.
  friend bool operator==(const excluded_calendar& a, const excluded_calendar& b) { return a.name == b.name; }
};

struct exclusion {
  excluded_are instants = excluded_are::skipped;
  std::variant<excluded_dates, excluded_times, excluded_calendar> what;
  friend bool operator==(const exclusion&, const exclusion&) = default;
};

std::vector<field_problem> check(const exclusion& e, const std::string& base);

// The excluded time that t lies in, or nothing.
std::optional<fixed_period> period_around(const exclusion& e, const zone& z, instant t);
// The first excluded time that begins at t or later.
std::optional<fixed_period> period_from(const exclusion& e, const zone& z, instant t);

}  // namespace belfry::core
