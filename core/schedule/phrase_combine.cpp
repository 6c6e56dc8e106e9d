#include <algorithm>
#include <bit>
#include <map>

#include "core/schedule/phrase_parts.hpp"

namespace belfry::core::phrases {
namespace {

using namespace std::chrono;

constexpr seconds usual_time = hours{9};
constexpr seconds weekend_time = hours{10};
constexpr weekday_bits weekend_days = 0x41;
constexpr std::uint32_t first_of_month = 1U << 1U;
constexpr weekday_bits monday_bit = 1U << 1U;

std::uint64_t steps(unsigned size, std::uint32_t n) {
  std::uint64_t bits = 0;
  for (unsigned v = 0; v < size; v += n) bits |= std::uint64_t{1} << v;
  return bits;
}

bool weekend_only(const day_set& days) {
  return days.weekdays == weekend_days && !any_month_day(days) && days.last_weekdays == 0 &&
         std::all_of(days.nth.begin(), days.nth.end(), [](auto bits) { return bits == 0; });
}

class combiner {
 public:
  combiner(const phrase_parts& all, const token_cursor& in, const schedule_context& context)
      : all_{all}, in_{in}, context_{context} {}

  parsed<schedule> run() {
    out_.in = all_.in.value_or(context_.in);
    out_.gap = all_.gap;
    out_.overlap = all_.overlap;
    out_.not_during = all_.not_during;
    out_.jitter = all_.jitter;
    for (const auto& p : all_.triggers)
      if (!one(p)) return problem_;
    if (all_.starts && !start_used_) out_.starts = begin_of(all_.starts->value);
    if (all_.ends && !put_end(*all_.ends)) return problem_;
    if (out_.any_of.size() > most_triggers) return at_place(0, "there are more than 16 triggers in it");
    if (const auto wrong = check(out_, ""); !wrong.empty())
      return at_place(0, wrong.front().detail, wrong.front().allowed);
    return out_;
  }

 private:
  text_problem at_place(std::size_t place, std::string why, std::string expected = {}) const {
    text_problem p;
    p.offset = in_.offset(place);
    p.length = in_.length(place);
    p.why = std::move(why);
    if (!expected.empty()) p.expected.push_back(std::move(expected));
    return p;
  }
  bool no(std::size_t place, std::string why, std::string expected = {}) {
    problem_ = at_place(place, std::move(why), std::move(expected));
    return false;
  }
  template <class... Parts>
  bool none_of(std::string_view beside, const Parts&... parts) {
    bool good = true;
    const auto look = [&](const auto& p) {
      if (p && good) good = no(p->place, "this does not go together with " + std::string{beside});
    };
    (look(parts), ...);
    return good;
  }

  instant begin_of(const date_or_instant& d) const {
    if (const auto* t = std::get_if<instant>(&d)) return *t;
    return out_.in.at_or_after(local_seconds{std::get<local_days>(d)});
  }
  bool put_end(const part<date_or_instant>& p) {
    if (out_.ends != end_of_time) return no(p.place, "the end was said already");
    // A date is meant as a whole.
    if (const auto* d = std::get_if<local_days>(&p.value))
      out_.ends = out_.in.at_or_after(local_seconds{*d + days{1}}) - span{1};
    else
      out_.ends = std::get<instant>(p.value);
    return true;
  }
  local_days today() const { return floor<days>(out_.in.local(context_.now)); }

  bool one(const trigger_parts& p) {
    if (p.event)
      return none_of("an event", p.times, p.every, p.calendar, p.lists, p.minutes, p.between, p.days,
                     p.months, p.counted, p.day, p.next_weekday, p.in, p.at, p.until) &&
             put(p.event->value, p.event->place);
    if (p.in) return in_a_while(p);
    if (p.at)
      return none_of("an instant", p.times, p.every, p.calendar, p.lists, p.minutes, p.between, p.days,
                     p.months, p.counted, p.day, p.next_weekday, p.until) &&
             put(once_trigger{p.at->value}, p.at->place);
    if (p.day || p.next_weekday) return on_a_day(p);
    if (const bool daily = p.days && p.days->value.all; p.calendar || (daily && (p.counted || p.month_end)))
      return by_calendar(p);
    if (p.every || p.lists) return by_clock(p);
    if (p.minutes) return no(p.minutes->place, "a minute needs an hour", "every hour at minute 15");
    if (p.between)
      return no(p.between->place, "a time from … to … needs how often",
                "every 15 minutes between 9:00 and 17:00");
    if (p.counted)
      return no(p.counted->place, "this needs how often", "every 2 weeks counted from 2026-01-05");
    if (p.month_end)
      return no(p.place, "this needs how often",
                "every month on the 31st using the last day of shorter months");
    if (p.times && !p.days && !p.months && !p.until) return next_such_time(p);
    if (!p.times && !p.days && !p.months) return no(p.place, "it says no time", "at 9am, every day");
    return by_days(p, p.days ? p.days->value.days : day_set{});
  }

  bool put(trigger t, std::size_t place) {
    if (const auto wrong = check(t, ""); !wrong.empty())
      return no(place, wrong.front().detail, wrong.front().allowed);
    out_.any_of.push_back(std::move(t));
    return true;
  }

  bool in_a_while(const trigger_parts& p) {
    if (!none_of("a time from now", p.times, p.every, p.calendar, p.lists, p.minutes, p.between, p.days,
                 p.months, p.counted, p.day, p.next_weekday, p.at, p.until))
      return false;
    if (p.in->value <= span{0}) return no(p.in->place, "this is now already", "in 5 minutes");
    return put(once_trigger{later(context_.now, p.in->value)}, p.in->place);
  }

  bool on_a_day(const trigger_parts& p) {
    if (!none_of("one date", p.every, p.calendar, p.lists, p.minutes, p.between, p.days, p.months, p.counted,
                 p.until))
      return false;
    if (p.day && p.next_weekday) return no(p.next_weekday->place, "there are two dates");
    auto date = today();
    if (p.next_weekday) {
      do date += days{1};
      while (weekday{date}.c_encoding() != p.next_weekday->value);
    } else if (const auto* d = std::get_if<local_days>(&p.day->value)) {
      date = *d;
    } else {
      date += days{std::get<int>(p.day->value)};
    }
    const auto place = p.day ? p.day->place : p.next_weekday->place;
    for (const auto t : p.times ? p.times->value : std::vector<seconds>{usual_time})
      if (!put(once_trigger{out_.in.at_or_after(date + t)}, place)) return false;
    return true;
  }

  // "at 17:30": today, or tomorrow when that is over; strictly after now.
  bool next_such_time(const trigger_parts& p) {
    for (const auto t : p.times->value) {
      schedule daily;
      daily.in = out_.in;
      daily.gap = out_.gap;
      recurrence every_day;
      every_day.from = today() - days{1};
      if (every_day.from < local_days{}) every_day.from = local_days{};
      every_day.times = {t};
      daily.any_of.emplace_back(every_day);
      const auto at = next(daily, context_.now);
      if (!at || !put(once_trigger{at->at}, p.times->place))
        return no(p.times->place, "there is no such time to come");
    }
    return true;
  }

  bool months_of(const trigger_parts& p, std::uint16_t usual, std::uint16_t& into) {
    const auto inner = p.days ? p.days->value.months : std::uint16_t{0};
    if (inner != 0 && p.months) return no(p.months->place, "the months were said already");
    into = inner != 0 ? inner : p.months ? p.months->value : usual;
    return true;
  }

  bool put_cron(cron_expression cron, const trigger_parts& p, const day_set& days) {
    day_fields fields{days, false};
    const bool number = any_month_day(days);
    const bool wday = any_weekday(days);
    fields.both = !number || !wday || (p.days && p.days->value.both);
    if (!number) fields.days.month_days = every_month_day;
    if (!wday) fields.days.weekdays = every_weekday;
    set_days(cron, fields);
    const auto place = p.days ? p.days->place : p.place;
    if (!possible(cron)) return no(place, "there is no such day in any year");
    if (p.until && !until_used_) {
      until_used_ = true;
      if (!put_end(*p.until)) return false;
    }
    return put(cron, place);
  }

  std::vector<seconds> times_of(const trigger_parts& p, const day_set& days) const {
    if (p.times) return p.times->value;
    return {weekend_only(days) ? weekend_time : usual_time};
  }

  // Times of the day on days: one cron expression when the times are all combinations of some hours and
  // minutes, otherwise one for each minute.
  bool by_days(const trigger_parts& p, const day_set& days) {
    cron_expression base;
    base.seconds = 0;
    if (!months_of(p, every_month, base.months)) return false;
    auto whole = base;
    std::map<std::pair<unsigned, unsigned>, std::uint32_t> hours_of;
    const auto times = times_of(p, days);
    for (const auto t : times) {
      const auto s = static_cast<unsigned>(t.count());
      whole.seconds |= std::uint64_t{1} << s % 60;
      whole.minutes |= std::uint64_t{1} << s / 60 % 60;
      whole.hours |= 1U << s / 3600;
      hours_of[{s / 60 % 60, s % 60}] |= 1U << s / 3600;
    }
    const auto combinations =
        std::popcount(whole.seconds) * std::popcount(whole.minutes) * std::popcount(whole.hours);
    if (static_cast<std::size_t>(combinations) == times.size()) return put_cron(whole, p, days);
    for (const auto& [minute, hours] : hours_of) {
      auto cron = base;
      cron.minutes = std::uint64_t{1} << minute.first;
      cron.seconds = std::uint64_t{1} << minute.second;
      cron.hours = hours;
      if (!put_cron(cron, p, days)) return false;
    }
    return true;
  }

  bool hours_between(const trigger_parts& p, std::uint32_t& into) {
    const auto [from, to] = p.between->value;
    if (from % hours{1} != seconds{0} || to % hours{1} != seconds{0} || from == to)
      return no(p.between->place, "both times must be full hours, and differ", "between 9:00 and 17:00");
    into = 0;
    const auto end = to > from ? to : to + hours{24};
    for (auto h = from; h < end; h += hours{1}) into |= 1U << static_cast<unsigned>(h / hours{1}) % 24;
    return true;
  }

  bool by_clock(const trigger_parts& p) {
    if (!none_of("how often within a day", p.times, p.calendar)) return false;
    if (p.month_end) return no(p.place, "shorter months need a calendar", "every month on the 31st");
    cron_expression cron;
    cron.hours = every_hour;
    if (!months_of(p, every_month, cron.months)) return false;
    const auto& chosen = p.days ? p.days->value.days : day_set{};
    if (p.lists) {
      if (!none_of("lists of hours and minutes", p.every, p.minutes, p.between, p.counted)) return false;
      cron.seconds = p.lists->value.seconds;
      cron.minutes = p.lists->value.minutes;
      cron.hours = p.lists->value.hours;
      return put_cron(cron, p, chosen);
    }
    const auto& e = p.every->value;
    constexpr std::uint32_t sizes[] = {60, 60, 24};
    const auto size = sizes[static_cast<std::size_t>(e.unit)];
    if (e.n == 0) return no(p.every->place, "a period of zero never ends", "every 5 minutes");
    if (e.exact || p.counted || e.n >= size || size % e.n != 0) return by_interval(p);
    cron.minutes = every_minute;
    if (e.unit == clock_unit::second) cron.seconds = steps(60, e.n);
    if (e.unit == clock_unit::minute) cron.minutes = steps(60, e.n);
    if (e.unit == clock_unit::hour) {
      cron.minutes = p.minutes ? p.minutes->value : 1;
      cron.hours = static_cast<std::uint32_t>(steps(24, e.n));
    } else if (p.minutes) {
      return no(p.minutes->place, "a minute goes with hours only", "every hour at minute 15");
    }
    std::uint32_t within = every_hour;
    if (p.between && !hours_between(p, within)) return false;
    cron.hours &= within;
    if (cron.hours == 0) return no(p.between->place, "none of these hours is meant");
    return put_cron(cron, p, chosen);
  }

  bool by_interval(const trigger_parts& p) {
    if (p.days && !p.days->value.all)
      return no(p.days->place, "this period does not divide a day, so it has no days");
    if (!none_of("a period that does not divide an hour or a day", p.months, p.minutes, p.between))
      return false;
    constexpr span units[] = {seconds{1}, minutes{1}, hours{1}};
    const auto& e = p.every->value;
    interval_trigger t;
    if (e.n > 1'000'000'000) return no(p.every->place, "it is out of range", "1s to 3653d");
    t.period = e.exact ? *e.exact : units[static_cast<std::size_t>(e.unit)] * static_cast<std::int64_t>(e.n);
    if (p.counted) t.anchor = begin_of(p.counted->value);
    if (p.until) {
      until_used_ = true;
      if (!put_end(*p.until)) return false;
    }
    return put(t, p.every->place);
  }

  bool by_calendar(const trigger_parts& p) {
    if (!none_of("days of a calendar", p.every, p.lists, p.minutes, p.between)) return false;
    const auto place = p.calendar ? p.calendar->place : p.days->place;
    const auto unit = p.calendar ? p.calendar->value.unit : calendar_unit::day;
    const auto n = p.calendar ? p.calendar->value.n : 1U;
    if (p.days && p.days->value.both) return no(p.days->place, "a calendar joins days by 'or' only");
    auto days = p.days ? p.days->value.days : day_set{};
    const bool chosen = any_month_day(days) || any_weekday(days);
    auto usual_months = every_month;
    if (unit == calendar_unit::day && chosen)
      return no(p.days->place, "days are counted, so they have no names");
    if (unit == calendar_unit::week) {
      if (!chosen) days.weekdays = monday_bit;
      auto rest = days;
      rest.weekdays = 0;
      if (any_month_day(rest) || any_weekday(rest))
        return no(p.days->place, "a week has weekdays only", "monday");
    }
    if ((unit == calendar_unit::month || unit == calendar_unit::year) && !chosen)
      days.month_days = first_of_month;
    if (unit == calendar_unit::year && !chosen && !p.months) usual_months = 1U << 1U;
    const bool divides = unit == calendar_unit::month && 12 % n == 0;
    if (!p.counted && !p.month_end && !all_.starts && (n == 1 || (divides && !p.months))) {
      auto q = p;
      if (unit == calendar_unit::month && n > 1) {
        std::uint16_t months = 0;
        for (unsigned m = 1; m <= 12; m += n) months |= static_cast<std::uint16_t>(1U << m);
        q.months = part<std::uint16_t>{months, place};
      } else if (usual_months != every_month) {
        q.months = part<std::uint16_t>{usual_months, place};
      }
      return by_days(q, days);
    }
    recurrence r;
    r.unit = unit;
    r.every = n;
    r.days = days;
    normalise(r.days);
    r.times = times_of(p, days);
    if (p.month_end) r.month_end = month_end_rule::last_day;
    if (!months_of(p, usual_months, r.months)) return false;
    if (r.months != every_month && unit != calendar_unit::year)
      return no(p.months ? p.months->place : place, "months go with years or with plain days",
                "every year in february");
    r.from = std::max(today(), local_days{});
    if (p.counted) {
      r.from = date_of(p.counted->value);
    } else if (all_.starts && all_.triggers.size() == 1) {
      r.from = date_of(all_.starts->value);
      start_used_ = true;
    }
    if (p.until) {
      const auto* d = std::get_if<local_days>(&p.until->value);
      if (d != nullptr)
        r.until = *d;
      else if (!put_end(*p.until))
        return false;
    }
    return put(std::move(r), place);
  }

  local_days date_of(const date_or_instant& d) const {
    if (const auto* date = std::get_if<local_days>(&d)) return *date;
    return floor<days>(out_.in.local(std::get<instant>(d)));
  }

  const phrase_parts& all_;
  const token_cursor& in_;
  const schedule_context& context_;
  schedule out_;
  text_problem problem_;
  bool start_used_ = false;
  bool until_used_ = false;
};

}  // namespace

parsed<schedule> combine(const phrase_parts& all, const token_cursor& in, const schedule_context& context) {
  return combiner{all, in, context}.run();
}

}  // namespace belfry::core::phrases

namespace belfry::core {

parsed<schedule> parse_phrase(std::string_view text, const schedule_context& context) {
  if (text.size() > longest_expression)
    return text_problem{longest_expression, 0, "it is longer than 2000 bytes", {}};
  const auto tokens = tokens_of(text);
  token_cursor in{text, tokens};
  const auto parts = phrases::take_phrase(in, context);
  if (!parts) return in.problem();
  return phrases::combine(*parts, in, context);
}

parsed<understanding> understand(std::string_view text, const schedule_context& context, std::size_t count) {
  auto read = parse_schedule(text, context);
  if (!read) return read.problem();
  understanding u{*read, canonical(*read), describe(*read), timing_label(*read),
                  preview(*read, context.now, count)};
  return u;
}

}  // namespace belfry::core
