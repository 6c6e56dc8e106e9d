#include "core/schedule/recurrence.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace belfry::core {
namespace {

using namespace std::chrono;

constexpr local_days first_day = local_days{year{1970} / 1 / 1};
constexpr local_days last_date = local_days{year{9999} / 12 / 31};

std::int64_t round_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

local_days monday_of(local_days d) { return d - days{(weekday{d}.c_encoding() + 6) % 7}; }
std::int64_t months_of(local_days d) {
  const year_month_day date{d};
  return static_cast<int>(date.year()) * 12LL + static_cast<unsigned>(date.month()) - 1;
}
year_month month_at(std::int64_t n) {
  return year{static_cast<int>(n / 12)} / month{static_cast<unsigned>(n % 12 + 1)};
}

std::uint32_t days_in(const recurrence& r, year_month month) {
  auto bits = by_number(r.days, month) | by_weekday(r.days, month);
  const auto length = length_of(month);
  if (r.month_end == month_end_rule::last_day && (r.days.month_days & ~all_days_of(month)) != 0)
    bits |= 1U << length;
  return bits;
}

std::optional<local_days> week_day_from(const recurrence& r, local_days from) {
  const auto base = monday_of(r.from);
  auto week = (monday_of(from) - base).count() / 7;
  auto day = from;
  for (int tries = 0; tries < 2; ++tries) {
    const auto due = round_up(week, r.every);
    if (due > week) day = base + days{due * 7};
    const auto end = base + days{due * 7 + 7};
    for (; day < end; day += days{1})
      if ((r.days.weekdays >> weekday{day}.c_encoding() & 1U) != 0) return day;
    week = due + 1;
  }
  return std::nullopt;
}

std::optional<local_days> month_day_from(const recurrence& r, local_days from) {
  const bool yearly = r.unit == calendar_unit::year;
  const auto base_month = months_of(r.from);
  const auto base_year = base_month / 12;
  // Every kind of year has been met after 40 hits of a year, and of a month after as many.
  constexpr int most_hits = 500;
  auto n = months_of(from);
  for (int hits = 0; hits < most_hits;) {
    if (n > months_of(last_date)) return std::nullopt;
    if (yearly) {
      const auto due_year = base_year + round_up(n / 12 - base_year, r.every);
      if (due_year * 12 > n) n = due_year * 12;
      const auto m = static_cast<unsigned>(n % 12) + 1;
      const auto rest = static_cast<unsigned>(r.months) >> m << m;
      if (rest == 0) {
        n = (n / 12 + 1) * 12;
        continue;
      }
      n = n / 12 * 12 + std::countr_zero(rest) - 1;
    } else {
      n = base_month + round_up(n - base_month, r.every);
    }
    const auto month = month_at(n);
    auto bits = days_in(r, month);
    if (const year_month_day start{from}; start.year() / start.month() == month) {
      const auto d = static_cast<unsigned>(start.day());
      bits = bits >> d << d;
    }
    if (bits != 0) return local_days{month / std::countr_zero(bits)};
    ++n;
    ++hits;
  }
  return std::nullopt;
}

std::optional<local_days> day_from(const recurrence& r, local_days from) {
  from = std::max(from, r.from);
  std::optional<local_days> found;
  switch (r.unit) {
    case calendar_unit::day: found = r.from + days{round_up((from - r.from).count(), r.every)}; break;
    case calendar_unit::week: found = week_day_from(r, from); break;
    case calendar_unit::month:
    case calendar_unit::year: found = month_day_from(r, from); break;
  }
  if (found && (*found > last_date || (r.until && *found > *r.until))) return std::nullopt;
  return found;
}

bool time_of_day(seconds s) { return s >= seconds{0} && s < hours{24}; }

}  // namespace

std::string_view to_text(calendar_unit u) {
  constexpr std::array<std::string_view, 4> names{"day", "week", "month", "year"};
  const auto i = static_cast<std::size_t>(u);
  return i < names.size() ? names[i] : std::string_view{"unknown"};
}

std::vector<field_problem> check(const recurrence& r, const std::string& base) {
  std::vector<field_problem> found;
  const auto no = [&](std::string_view field, std::string value, std::string allowed, std::string why) {
    found.push_back({base + std::string{field}, std::move(value), std::move(allowed), std::move(why)});
  };
  if (static_cast<unsigned>(r.unit) > static_cast<unsigned>(calendar_unit::year))
    no("/unit", std::to_string(static_cast<unsigned>(r.unit)), "day, week, month, year",
       "there is no such unit");
  if (r.every < 1 || r.every > most_units)
    no("/every", std::to_string(r.every), "1 to 1000", "it is out of range");
  if (r.from < first_day || r.from > last_date)
    no("/from", "", "a date of the years 1970 to 9999", "it is out of range");
  if (r.until && (*r.until < r.from || *r.until > last_date))
    no("/until", "", "a date that is not before the first one", "it is out of range");
  if (r.times.empty() || r.times.size() > most_times ||
      !std::all_of(r.times.begin(), r.times.end(), time_of_day) ||
      !std::is_sorted(r.times.begin(), r.times.end()))
    no("/times", std::to_string(r.times.size()) + " times", "1 to 48 times of the day, ascending",
       "they cannot be used");
  if (r.unit == calendar_unit::week && r.days.weekdays == 0)
    no("/days", "", "at least one weekday", "a week needs weekdays");
  if ((r.unit == calendar_unit::month || r.unit == calendar_unit::year) && !any_month_day(r.days) &&
      !any_weekday(r.days))
    no("/days", "", "at least one day", "a month needs days");
  if (r.unit == calendar_unit::year && (r.months & 0x1FFE) == 0)
    no("/months", "", "at least one month", "a year needs months");
  if (found.empty() && !next_local(r, local_seconds{r.from} - seconds{1}))
    no("", "", "a day that exists", "it would never happen");
  return found;
}

std::optional<local_seconds> next_local(const recurrence& r, local_seconds after) {
  const auto from = std::max(after + seconds{1}, local_seconds{r.from});
  const auto day = floor<days>(from);
  auto found = day_from(r, day);
  if (found && *found == day) {
    const auto time = std::lower_bound(r.times.begin(), r.times.end(), seconds{from - day});
    if (time != r.times.end()) return day + *time;
    found = day_from(r, day + days{1});
  }
  if (!found) return std::nullopt;
  return *found + r.times.front();
}

}  // namespace belfry::core
