#include <algorithm>
#include <bit>

#include "core/schedule/names.hpp"
#include "core/schedule/phrase.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono;

constexpr weekday_bits working_days = 0x3E;
constexpr weekday_bits weekend_days = 0x41;
// More than these are given as a list of numbers.
constexpr int most_times_said = 6;
constexpr int most_days_said = 4;
constexpr int most_months_said = 4;

std::string list_of(const std::vector<std::string>& items, std::string_view last = " and ") {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() ? last : ", ";
    out += items[i];
  }
  return out;
}

std::string months_text(std::uint16_t months) {
  if (std::popcount(months) > most_months_said) return "in months " + field_text(months, 1, 12);
  std::vector<std::string> names;
  for (unsigned m = 1; m <= 12; ++m)
    if ((months >> m & 1U) != 0) names.emplace_back(month_words[m - 1]);
  return "in " + list_of(names);
}

std::vector<std::string> number_items(const day_set& days) {
  std::vector<std::string> items;
  if (std::popcount(days.month_days) > most_days_said) {
    items.push_back("days " + field_text(days.month_days, 1, 31) + (days.last_day ? ",L" : "") +
                    " of the month");
    return items;
  }
  for (unsigned d = 1; d <= 31; ++d)
    if ((days.month_days >> d & 1U) != 0) items.push_back("the " + ordinal_text(d));
  if (days.last_day) items.emplace_back("the last day of the month");
  return items;
}

std::vector<std::string> weekday_items(const day_set& days) {
  std::vector<std::string> items;
  if (days.weekdays == working_days || days.weekdays == weekend_days)
    items.emplace_back(days.weekdays == working_days ? "weekdays" : "weekends");
  for (unsigned n = 1; n <= 7; ++n) {
    const auto w = n % 7;
    const std::string name{weekday_words[w]};
    if ((days.weekdays >> w & 1U) != 0 && days.weekdays != working_days && days.weekdays != weekend_days)
      items.push_back(name);
    for (unsigned k = 1; k <= 5; ++k)
      if ((days.nth[w] >> k & 1U) != 0)
        items.push_back("the " + std::string{ordinal_words[k - 1]} + ' ' + name + " of the month");
    if ((days.last_weekdays >> w & 1U) != 0) items.push_back("the last " + name + " of the month");
  }
  return items;
}

std::string either_text(const day_set& days) {
  auto items = number_items(days);
  const auto more = weekday_items(days);
  items.insert(items.end(), more.begin(), more.end());
  return "on " + list_of(items, any_month_day(days) && any_weekday(days) ? " or " : " and ");
}

std::string days_said(const cron_expression& c) {
  std::string out;
  switch (c.rule) {
    case day_rule::every: return {};
    case day_rule::by_number: out = "on " + list_of(number_items(c.days)); break;
    case day_rule::by_weekday: out = "on " + list_of(weekday_items(c.days)); break;
    case day_rule::either: out = either_text(c.days); break;
    case day_rule::both:
      out = "on " + list_of(number_items(c.days)) + " but only on " + list_of(weekday_items(c.days));
      break;
  }
  return out;
}

// The n of "every n", for bits that are 0, n, 2n, … and fill the field; 0 for none.
unsigned even_step(std::uint64_t bits, unsigned size) {
  for (unsigned n = 1; n < size; ++n) {
    if (size % n != 0) continue;
    std::uint64_t all = 0;
    for (unsigned v = 0; v < size; v += n) all |= std::uint64_t{1} << v;
    if (all == bits) return n;
  }
  return 0;
}

std::string every_text(unsigned n, std::string_view unit) {
  if (n == 1) return "every " + std::string{unit};
  return "every " + std::to_string(n) + ' ' + std::string{unit} + 's';
}

// " between 09:00 and 17:00" for hours without a hole; nothing when they have one.
std::optional<std::string> between_text(std::uint32_t hours) {
  if (hours == every_hour) return std::string{};
  const auto low = static_cast<unsigned>(std::countr_zero(hours));
  const auto count = static_cast<unsigned>(std::countr_one(hours >> low));
  if (hours >> low >> count != 0) return std::nullopt;
  return " between " + time_text(seconds{low * 3600}) + " and " + time_text(seconds{(low + count) * 3600});
}

// "every 5 minutes between 09:00 and 17:00", or nothing.
std::optional<std::string> rhythm_text(const cron_expression& c) {
  const auto second = even_step(c.seconds, 60);
  const auto minute = even_step(c.minutes, 60);
  const auto hour = even_step(c.hours, 24);
  if (second != 0 && c.minutes == every_minute) {
    if (const auto between = between_text(c.hours)) return every_text(second, "second") + *between;
    return std::nullopt;
  }
  if (c.seconds != 1) return std::nullopt;
  if (minute != 0) {
    if (const auto between = between_text(c.hours)) return every_text(minute, "minute") + *between;
    return std::nullopt;
  }
  if (hour == 0) return std::nullopt;
  auto out = every_text(hour, "hour");
  if (c.minutes != 1)
    out += (std::popcount(c.minutes) == 1 ? " at minute " : " at minutes ") + field_text(c.minutes, 0, 60);
  return out;
}

std::string times_said(const std::vector<seconds>& times) {
  std::vector<std::string> items;
  for (const auto t : times) items.push_back(time_text(t));
  return "at " + list_of(items);
}

std::optional<std::string> few_times(const cron_expression& c) {
  if (std::popcount(c.seconds) != 1 || std::popcount(c.minutes) * std::popcount(c.hours) > most_times_said)
    return std::nullopt;
  std::vector<seconds> times;
  for (unsigned h = 0; h < 24; ++h)
    for (unsigned m = 0; m < 60; ++m)
      if ((c.hours >> h & 1U) != 0 && (c.minutes >> m & 1U) != 0)
        times.push_back(seconds{h * 3600 + m * 60 + static_cast<unsigned>(std::countr_zero(c.seconds))});
  return times_said(times);
}

std::string lists_text(const cron_expression& c) {
  std::string out = "at ";
  if (c.seconds != 1) out += "seconds " + field_text(c.seconds, 0, 60) + " of ";
  return out + "minutes " + field_text(c.minutes, 0, 60) + " past hours " + field_text(c.hours, 0, 24);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& p : parts) {
    if (p.empty()) continue;
    if (!out.empty()) out += ' ';
    out += p;
  }
  return out;
}

struct describer {
  std::string operator()(const once_trigger& t) const { return "at " + to_rfc3339(t.at); }

  std::string operator()(const interval_trigger& t) const {
    const auto whole = [&](span unit, std::string_view name,
                           std::int64_t divided) -> std::optional<std::string> {
      if (t.period % unit != span{0}) return std::nullopt;
      const auto n = t.period / unit;
      auto out = every_text(static_cast<unsigned>(n), name);
      // What divides an hour or a day would be read as times of the clock.
      const auto phase = t.anchor.time_since_epoch() % t.period;
      if (phase != span{0} || (n < divided && divided % n == 0))
        out += " counted from " + to_rfc3339(instant{phase});
      return out;
    };
    if (const auto text = whole(hours{1}, "hour", 24)) return *text;
    if (const auto text = whole(minutes{1}, "minute", 60)) return *text;
    if (const auto text = whole(seconds{1}, "second", 60)) return *text;
    const auto phase = t.anchor.time_since_epoch() % t.period;
    auto out = "every " + to_text(t.period);
    if (phase != span{0}) out += " counted from " + to_rfc3339(instant{phase});
    return out;
  }

  std::string operator()(const cron_expression& c) const {
    const auto days = days_said(c);
    const auto months = c.months == every_month ? std::string{} : months_text(c.months);
    if (const auto rhythm = rhythm_text(c)) return joined({*rhythm, days, months});
    if (const auto times = few_times(c)) return joined({days.empty() ? "every day" : days, months, *times});
    return joined({lists_text(c), days, months});
  }

  std::string operator()(const recurrence& r) const {
    std::string months = r.unit == calendar_unit::year ? "in months " + field_text(r.months, 1, 12) : "";
    if (r.unit == calendar_unit::year && std::popcount(r.months) <= most_months_said)
      months = months_text(r.months);
    return joined({every_text(r.every, to_text(r.unit)), months,
                   r.unit == calendar_unit::day ? "" : either_text(r.days), times_said(r.times),
                   "counted from " + date_text(r.from), r.until ? "until " + date_text(*r.until) : "",
                   r.month_end == month_end_rule::last_day ? "using the last day of shorter months" : ""});
  }

  std::string operator()(const event_trigger& t) const {
    auto out = "when event " + t.name + " arrives";
    if (!t.filters.empty()) out += " with " + filters_text(t.filters);
    if (t.debounce != span{0}) {
      out += " after " + to_text(t.debounce) + " of quiet";
      if (t.longest_hold != span{0}) out += " within " + to_text(t.longest_hold);
    }
    if (t.most_depth != event_trigger{}.most_depth) out += " up to " + std::to_string(t.most_depth) + " deep";
    return out;
  }
};

std::string describe_exclusion(const exclusion& e) {
  std::string out = e.instants == excluded_are::skipped ? ", not " : ", postponed ";
  if (const auto* dates = std::get_if<excluded_dates>(&e.what)) {
    std::vector<std::string> items;
    for (const auto d : dates->days) items.push_back(date_text(d));
    return out + "on " + list_of(items);
  }
  if (const auto* times = std::get_if<excluded_times>(&e.what)) {
    out += "between " + time_text(times->from) + " and " + time_text(times->to);
    day_set on;
    on.weekdays = times->on & every_weekday;
    if (on.weekdays != every_weekday) out += " on " + list_of(weekday_items(on));
    return out;
  }
  return out + "during " + std::get<excluded_calendar>(e.what).name;
}

}  // namespace

std::string describe(const trigger& t) { return std::visit(describer{}, t); }

std::string describe(const schedule& s) {
  std::string out;
  for (const auto& t : s.any_of) out += (out.empty() ? "" : "; or ") + describe(t);
  for (const auto& e : s.not_during) out += describe_exclusion(e);
  if (s.starts != never) out += ", starting " + to_rfc3339(s.starts);
  if (s.ends != end_of_time) out += ", ending " + to_rfc3339(s.ends);
  if (s.gap == gap_rule::skip) out += ", skipping times that do not exist";
  if (s.overlap == overlap_rule::both) out += ", both times when the clock goes back";
  if (s.jitter != span{0}) out += ", spread over " + to_text(s.jitter);
  return out + ", in " + s.in.name();
}

}  // namespace belfry::core
