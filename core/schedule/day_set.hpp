// DAY SET: which days of a month are meant: by number, the last one, by weekday, the second Monday, the last
// Friday. Shared by cron expressions and calendar recurrences. A month becomes one word of 31 bits, so that a
// search goes month by month.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace belfry::core {

// Bit 0 is Sunday, as std::chrono::weekday::c_encoding.
using weekday_bits = std::uint8_t;
inline constexpr weekday_bits every_weekday = 0x7F;
inline constexpr std::uint32_t every_month_day = 0xFFFFFFFE;  // bits 1..31

struct day_set {
  std::uint32_t month_days = 0;  // bits 1..31
  bool last_day = false;
  weekday_bits weekdays = 0;
  std::array<std::uint8_t, 7> nth{};  // per weekday, bits 1..5: the first to fifth of the month
  weekday_bits last_weekdays = 0;
  friend bool operator==(const day_set&, const day_set&) = default;
};

// What is said twice is kept once: two sets that mean the same days of every month are equal afterwards.
void normalise(day_set& days);
bool any_weekday(const day_set& days);  // says something by weekday
bool any_month_day(const day_set& days);

// The days 1..n of a month that are meant by number (bits 1..31), or by weekday.
std::uint32_t by_number(const day_set& days, std::chrono::year_month month);
std::uint32_t by_weekday(const day_set& days, std::chrono::year_month month);
unsigned length_of(std::chrono::year_month month);
std::uint32_t all_days_of(std::chrono::year_month month);

}  // namespace belfry::core
