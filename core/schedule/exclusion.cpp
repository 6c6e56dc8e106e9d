#include "core/schedule/exclusion.hpp"

#include <algorithm>

#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono;

constexpr std::size_t most_dates = 1'000;
constexpr std::size_t longest_name = 100;
constexpr seconds whole_day = hours{24};

template <class Period>
void merge(std::vector<Period>& all) {
  std::erase_if(all, [](const Period& p) { return p.end <= p.begin; });
  std::sort(all.begin(), all.end(), [](const Period& a, const Period& b) { return a.begin < b.begin; });
  std::vector<Period> merged;
  for (const auto& p : all)
    if (!merged.empty() && p.begin <= merged.back().end)
      merged.back().end = std::max(merged.back().end, p.end);
    else
      merged.push_back(p);
  all = std::move(merged);
}

fixed_period fixed(const zone& z, local_period p) { return {z.at_or_after(p.begin), z.at_or_after(p.end)}; }
bool inside(const fixed_period& p, instant t) { return p.begin <= t && t < p.end; }
local_period whole(local_days d) { return {d, d + days{1}}; }

// Of sorted periods in local time, the one around t or the first from t on.
template <class At>
std::optional<fixed_period> search(std::size_t count, At&& at, const zone& z, instant t, bool around) {
  // A clock differs from another by less than two days: what ends earlier cannot matter.
  const auto l = z.local(t) - days{2};
  std::size_t low = 0;
  std::size_t high = count;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (at(middle).end < l)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < count; ++low) {
    const auto p = fixed(z, at(low));
    if (p.end <= p.begin) continue;  // it lies in a gap of the clock
    if (around ? inside(p, t) : p.begin >= t) return p;
    if (around && p.begin > t) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<fixed_period> of_dates(const excluded_dates& e, const zone& z, instant t, bool around) {
  return search(
      e.days.size(), [&](std::size_t i) { return whole(e.days[i]); }, z, t, around);
}

std::optional<fixed_period> of_times(const excluded_times& e, const zone& z, instant t, bool around) {
  const auto today = floor<days>(z.local(t));
  const auto to = e.to > e.from ? e.to : e.to + whole_day;
  for (int d = -2; d <= (around ? 1 : 9); ++d) {
    const auto day = today + days{d};
    if ((e.on >> weekday{day}.c_encoding() & 1U) == 0) continue;
    const auto p = fixed(z, {day + e.from, day + to});
    if (p.end > p.begin && (around ? inside(p, t) : p.begin >= t)) return p;
  }
  return std::nullopt;
}

std::optional<fixed_period> of_calendar(const excluded_calendar& e, const zone& z, instant t, bool around) {
  if (!e.content) return std::nullopt;
  const auto& c = *e.content;
  auto found = search(
      c.local.size(), [&](std::size_t i) { return c.local[i]; }, z, t, around);
  auto it = std::upper_bound(c.fixed.begin(), c.fixed.end(), t,
                             [](instant at, const fixed_period& p) { return at < p.end; });
  if (!around)
    while (it != c.fixed.end() && it->begin < t) ++it;
  if (it == c.fixed.end() || (around && it->begin > t)) return found;
  if (!found) return *it;
  if (around) return fixed_period{std::min(found->begin, it->begin), std::max(found->end, it->end)};
  return found->begin <= it->begin ? *found : *it;
}

std::optional<fixed_period> find(const exclusion& e, const zone& z, instant t, bool around) {
  if (const auto* dates = std::get_if<excluded_dates>(&e.what)) return of_dates(*dates, z, t, around);
  if (const auto* times = std::get_if<excluded_times>(&e.what)) return of_times(*times, z, t, around);
  return of_calendar(std::get<excluded_calendar>(e.what), z, t, around);
}

}  // namespace

void normalise(calendar& c) {
  merge(c.local);
  merge(c.fixed);
}

std::vector<field_problem> check(const exclusion& e, const std::string& base) {
  std::vector<field_problem> found;
  if (const auto* dates = std::get_if<excluded_dates>(&e.what)) {
    if (dates->days.empty() || dates->days.size() > most_dates)
      found.push_back({base + "/dates", std::to_string(dates->days.size()), "1 to 1000 dates",
                       "their number is out of range"});
    else if (!std::is_sorted(dates->days.begin(), dates->days.end()))
      found.push_back({base + "/dates", "", "dates in order", "they are not sorted"});
  } else if (const auto* times = std::get_if<excluded_times>(&e.what)) {
    if (times->from < seconds{0} || times->from >= whole_day || times->to < seconds{0} ||
        times->to > whole_day || times->from == times->to)
      found.push_back(
          {base + "/times", "", "two different times of the day", "they are out of range or equal"});
    if ((times->on & every_weekday) == 0)
      found.push_back({base + "/on", "", "at least one weekday", "there is no day on which it would begin"});
  } else {
    const auto& calendar = std::get<excluded_calendar>(e.what);
    const bool plain = calendar.name.find_first_of(" \t\r\n,;|") == std::string::npos;
    if (calendar.name.empty() || calendar.name.size() > longest_name || !plain)
      found.push_back({base + "/calendar", shown(calendar.name, 60),
                       "1 to 100 characters, without blanks , ; and |", "it is no name of a calendar"});
    else if (!calendar.content)
      found.push_back({base + "/calendar", shown(calendar.name, 60), "a calendar that is known",
                       "there is no such calendar"});
  }
  return found;
}

std::optional<fixed_period> period_around(const exclusion& e, const zone& z, instant t) {
  return find(e, z, t, true);
}
std::optional<fixed_period> period_from(const exclusion& e, const zone& z, instant t) {
  return find(e, z, t, false);
}

}  // namespace belfry::core
