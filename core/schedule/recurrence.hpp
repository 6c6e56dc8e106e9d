// RECURRENCE: what a calendar on the wall says: every second day, every third week on Monday and Thursday,
// the last day of every month, 29 February each year; at one or several times of the day.
//
// It counts from a date, unlike cron, so that "every 2 days" goes on over the end of a month. A month that
// has no such day is passed over, or its last day is taken: that is said, never guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/schedule/day_set.hpp"
#include "core/schedule/zone.hpp"

namespace belfry::core {

enum class calendar_unit : std::uint8_t { day = 0, week = 1, month = 2, year = 3 };
std::string_view to_text(calendar_unit u);
enum class month_end_rule : std::uint8_t { skip = 0, last_day = 1 };

struct recurrence {
  calendar_unit unit = calendar_unit::day;
  std::uint32_t every = 1;  // 1..1000 units, counted from the one that `from` lies in; weeks begin on Monday
  local_days from{};        // nothing happens before; years 1970 to 9999
  std::uint16_t months = 0x1FFE;  // year: bits 1..12
  // week: weekdays only. month, year: by number, by weekday, or both, joined by "or". day: empty.
  day_set days;
  month_end_rule month_end = month_end_rule::skip;  // for days 29, 30 and 31 by number
  std::vector<std::chrono::seconds> times;          // of the day, below 24 h, ascending, 1..48
  std::optional<local_days> until;                  // the last date on which it happens
  friend bool operator==(const recurrence&, const recurrence&) = default;
};

inline constexpr std::uint32_t most_units = 1'000;
inline constexpr std::size_t most_times = 48;

// Everything that is wrong; empty when it is fine. A recurrence that would never happen is wrong.
std::vector<field_problem> check(const recurrence& r, const std::string& base);
// The least local time that belongs to it and is greater than `after`.
std::optional<local_seconds> next_local(const recurrence& r, local_seconds after);

}  // namespace belfry::core
