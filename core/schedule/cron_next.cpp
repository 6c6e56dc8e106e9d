#include <bit>

#include "core/schedule/cron.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono;

constexpr int last_year = 9999;

unsigned lowest(std::uint64_t bits) { return static_cast<unsigned>(std::countr_zero(bits)); }
bool has(std::uint64_t bits, unsigned at) { return (bits >> at & 1U) != 0; }
// The bits above `at`; `at` is below 63.
std::uint64_t above(std::uint64_t bits, unsigned at) { return bits >> (at + 1) << (at + 1); }

seconds time_of(unsigned h, unsigned m, unsigned s) { return hours{h} + minutes{m} + seconds{s}; }

// Days of the month that fit, as bits 1..31.
std::uint32_t days_in(const cron_expression& cron, year_month month) {
  switch (cron.rule) {
    case day_rule::every: return all_days_of(month);
    case day_rule::by_number: return by_number(cron.days, month);
    case day_rule::by_weekday: return by_weekday(cron.days, month);
    case day_rule::either: return by_number(cron.days, month) | by_weekday(cron.days, month);
    case day_rule::both: return by_number(cron.days, month) & by_weekday(cron.days, month);
  }
  return 0;
}

// The first time of the day that is `from` or later.
std::optional<seconds> time_from(const cron_expression& cron, seconds from) {
  const auto sod = static_cast<unsigned>(from.count());
  const auto h = sod / 3600;
  const auto m = sod / 60 % 60;
  const auto s = sod % 60;
  if (has(cron.hours, h)) {
    if (has(cron.minutes, m))
      if (const auto rest = cron.seconds >> s << s; rest != 0) return time_of(h, m, lowest(rest));
    if (const auto rest = above(cron.minutes, m); rest != 0)
      return time_of(h, lowest(rest), lowest(cron.seconds));
  }
  const auto rest = above(cron.hours, h);
  if (rest == 0) return std::nullopt;
  return time_of(lowest(rest), lowest(cron.minutes), lowest(cron.seconds));
}

// The first day that is `from` or later, not after the last year.
std::optional<local_days> day_from(const cron_expression& cron, local_days from, int until_year) {
  const year_month_day start{from};
  auto month = start.year() / start.month();
  unsigned before = static_cast<unsigned>(start.day()) - 1;
  while (static_cast<int>(month.year()) <= until_year) {
    const auto m = static_cast<unsigned>(month.month());
    if (!has(cron.months, m)) {
      const auto rest = above(cron.months, m);
      month = rest != 0 ? month.year() / std::chrono::month{lowest(rest)}
                        : (month.year() + years{1}) / std::chrono::month{lowest(cron.months)};
      before = 0;
      continue;
    }
    if (const auto bits = above(days_in(cron, month), before); bits != 0)
      return local_days{month / static_cast<int>(lowest(bits))};
    month += std::chrono::months{1};
    before = 0;
  }
  return std::nullopt;
}

}  // namespace

std::optional<local_seconds> next_local(const cron_expression& cron, local_seconds after) {
  const auto from = after + seconds{1};
  const auto day = floor<days>(from);
  const year_month_day date{day};
  if (has(cron.months, static_cast<unsigned>(date.month())) &&
      has(days_in(cron, date.year() / date.month()), static_cast<unsigned>(date.day())))
    if (const auto time = time_from(cron, from - day)) return day + *time;
  const auto next = day_from(cron, day + days{1}, last_year);
  if (!next) return std::nullopt;
  return *next + time_of(lowest(cron.hours), lowest(cron.minutes), lowest(cron.seconds));
}

bool fits(const cron_expression& cron, local_seconds l) {
  const auto next = next_local(cron, l - seconds{1});
  return next && *next == l;
}

bool possible(const cron_expression& cron) {
  if (cron.seconds == 0 || cron.minutes == 0 || cron.hours == 0 || cron.months == 0) return false;
  // Every kind of year (leap or not, beginning on each weekday) is among these 28.
  return day_from(cron, local_days{year{2001} / 1 / 1}, 2028).has_value();
}

}  // namespace belfry::core
