#include "core/schedule/day_set.hpp"

#include <algorithm>
#include <bit>

namespace belfry::core {
namespace {

using namespace std::chrono;

constexpr std::uint32_t each_week = 1U << 1U | 1U << 8U | 1U << 15U | 1U << 22U | 1U << 29U;

unsigned first_weekday(year_month month) { return weekday{local_days{month / 1}}.c_encoding(); }
// The first day of the month that is this weekday, 1..7.
unsigned first_of(unsigned wday, unsigned weekday_of_1st) { return 1 + (wday + 7 - weekday_of_1st) % 7; }

}  // namespace

unsigned length_of(year_month month) {
  constexpr std::array<unsigned, 13> lengths{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const auto m = static_cast<unsigned>(month.month());
  return m == 2 && month.year().is_leap() ? 29 : lengths[m];
}

std::uint32_t all_days_of(year_month month) {
  return every_month_day >> (31 - length_of(month)) & every_month_day;
}

std::uint32_t by_number(const day_set& days, year_month month) {
  auto bits = days.month_days & all_days_of(month);
  if (days.last_day) bits |= 1U << length_of(month);
  return bits;
}

std::uint32_t by_weekday(const day_set& days, year_month month) {
  const auto all = all_days_of(month);
  if (days.weekdays == every_weekday) return all;
  const auto start = first_weekday(month);
  const auto length = length_of(month);
  std::uint32_t bits = 0;
  for (unsigned w = 0; w < 7; ++w) {
    const auto first = first_of(w, start);
    const auto nth = days.nth[w];
    if ((days.weekdays >> w & 1U) != 0) {
      bits |= each_week << (first - 1);
      continue;
    }
    for (unsigned n = 1; nth >> n != 0; ++n)
      if ((nth >> n & 1U) != 0 && first + 7 * (n - 1) <= length) bits |= 1U << (first + 7 * (n - 1));
    if ((days.last_weekdays >> w & 1U) != 0) bits |= 1U << (first + (length - first) / 7 * 7);
  }
  return bits & all;
}

bool any_weekday(const day_set& days) {
  return days.weekdays != 0 || days.last_weekdays != 0 ||
         std::any_of(days.nth.begin(), days.nth.end(), [](auto bits) { return bits != 0; });
}

bool any_month_day(const day_set& days) { return days.month_days != 0 || days.last_day; }

void normalise(day_set& days) {
  constexpr std::uint8_t first_to_fifth = 0x3E;
  constexpr std::uint8_t fourth_and_fifth = 0x30;
  constexpr std::uint32_t ends = 0xFU << 28U;  // 28 to 31: one of them is the last day of any month
  for (unsigned w = 0; w < 7; ++w) {
    const auto bit = static_cast<weekday_bits>(1U << w);
    auto& nth = days.nth[w];
    // The fourth or the fifth is the last one: together with both, "last" adds nothing.
    if ((nth & fourth_and_fifth) == fourth_and_fifth) days.last_weekdays &= static_cast<weekday_bits>(~bit);
    if (nth == first_to_fifth) days.weekdays |= bit;
    if ((days.weekdays & bit) != 0) {
      nth = 0;
      days.last_weekdays &= static_cast<weekday_bits>(~bit);
    }
  }
  if ((days.month_days & ends) == ends) days.last_day = false;
}

}  // namespace belfry::core
