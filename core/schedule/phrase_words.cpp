#include <algorithm>

#include "core/schedule/names.hpp"
#include "core/schedule/phrase_parts.hpp"

namespace belfry::core::phrases {
namespace {

using namespace std::chrono;

std::optional<calendar_unit> calendar_word(std::string_view word) {
  if (word == "day" || word == "days") return calendar_unit::day;
  if (word == "week" || word == "weeks") return calendar_unit::week;
  if (word == "month" || word == "months") return calendar_unit::month;
  if (word == "year" || word == "years") return calendar_unit::year;
  return std::nullopt;
}

std::optional<clock_unit> clock_word(std::string_view word) {
  const auto length = unit_length(word);
  if (length == span{seconds{1}}) return clock_unit::second;
  if (length == span{minutes{1}}) return clock_unit::minute;
  if (length == span{hours{1}}) return clock_unit::hour;
  return std::nullopt;
}

std::optional<date_or_instant> take_date_or_instant(token_cursor& in) {
  if (const auto d = take_date(in)) return date_or_instant{*d};
  if (const auto t = take_instant(in)) return date_or_instant{*t};
  return std::nullopt;
}

class words {
 public:
  words(token_cursor& in, const schedule_context& context) : in_{in}, context_{context} {}

  bool whole() {
    begin();
    while (!in_.done()) {
      if (in_.peek() == "," && some_) {
        in_.advance();
        if (in_.done()) return false;
        continue;
      }
      if (in_.peek() == ";" && some_) {
        in_.advance();
        if (!in_.take("or")) return false;
        begin();
        continue;
      }
      if (!one()) return false;
      in_.forgive();
      some_ = true;
    }
    if (!some_) in_.wanted("a phrase such as weekdays at 9am, every 5 minutes or in 2 hours");
    return some_;
  }

  phrase_parts out;

 private:
  void begin() {
    out.triggers.emplace_back();
    out.triggers.back().place = in_.place();
    some_ = false;
  }
  trigger_parts& now() { return out.triggers.back(); }

  template <class T>
  bool put(std::optional<part<T>>& into, std::optional<T> value, std::size_t place) {
    if (!value) return false;
    if (into) {
      in_.insist(place, "this was said already in another way");
      in_.back_to(place);
      return false;
    }
    into = part<T>{std::move(*value), place};
    return true;
  }

  // The next part of any kind. Alternatives that fail leave the cursor where it was.
  bool one() {
    const auto start = in_.place();
    const auto attempt = [&](bool good) {
      if (!good) in_.back_to(start);
      return good;
    };
    return attempt(clock()) || attempt(frequency()) || attempt(dates()) || attempt(limits()) ||
           attempt(clauses()) || attempt(days());
  }

  bool days() {
    const auto start = in_.place();
    return put(now().days, take_days(in_), start);
  }

  std::optional<std::vector<seconds>> times() {
    std::vector<seconds> found;
    for (;;) {
      const auto end = in_.place();
      if (!found.empty()) {
        bool more = in_.take(",");
        if (in_.peek() == "and") {
          in_.advance();
          more = true;
        }
        if (!more) break;
        in_.take("at");
      }
      const auto t = found.size() < most_times ? take_time(in_) : std::nullopt;
      if (!t) {
        in_.back_to(end);
        break;
      }
      found.push_back(*t);
    }
    if (found.empty()) return std::nullopt;
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  std::optional<std::uint64_t> list(unsigned size) {
    const auto bits = in_.done() ? std::nullopt : bits_from(in_.peek(), 0, size);
    if (bits)
      in_.advance();
    else
      in_.wanted("numbers such as 0-20/5,40");
    return bits;
  }

  // at 9am · at minute 15 · at minutes 5,35 past hours 8-17 · at seconds … of minutes … past hours …
  bool clock() {
    const auto start = in_.place();
    if (!in_.take("at")) {
      const auto word = in_.peek();
      const bool bare = word.find(':') != std::string_view::npos || word.ends_with("am") ||
                        word.ends_with("pm") || word == "noon" || word == "midnight" || in_.peek(1) == "am" ||
                        in_.peek(1) == "pm";
      if (word.size() > 10 || !bare) return false;
      return put(now().times, times(), start);
    }
    if (in_.peek().size() > 10)
      if (const auto t = take_instant(in_)) return put(now().at, std::optional{*t}, start);
    clock_lists lists;
    const bool by_second = in_.take_any({"seconds", "second"});
    if (by_second) {
      const auto s = list(60);
      if (!s || !in_.take("of")) return false;
      lists.seconds = *s;
    }
    if (in_.take_any({"minutes", "minute"})) {
      const auto m = list(60);
      if (!m) return false;
      lists.minutes = *m;
      if (!in_.take("past")) return !by_second && put(now().minutes, std::optional{*m}, start);
      if (!in_.take_any({"hours", "hour"})) return false;
      const auto h = list(24);
      if (!h) return false;
      lists.hours = static_cast<std::uint32_t>(*h);
      return put(now().lists, std::optional{lists}, start);
    }
    if (by_second) return false;
    in_.wanted("an instant such as 2026-12-24T09:00:00Z");
    return put(now().times, times(), start);
  }

  bool put_calendar(std::uint32_t n, calendar_unit unit, std::size_t start) {
    return put(now().calendar, std::optional{every_calendar{n, unit}}, start);
  }
  bool put_clock(std::uint32_t n, clock_unit unit, std::size_t start) {
    return put(now().every, std::optional{every_clock{n, unit, {}}}, start);
  }
  bool put_every_day(std::size_t start) {
    day_words every_day;
    every_day.all = true;
    return put(now().days, std::optional{every_day}, start);
  }

  // every … · hourly · daily · weekly · monthly · yearly
  bool frequency() {
    const auto start = in_.place();
    if (in_.take("hourly")) return put_clock(1, clock_unit::hour, start);
    if (in_.take("daily")) return put_every_day(start);
    if (in_.take("weekly")) return put_calendar(1, calendar_unit::week, start);
    if (in_.take("monthly")) return put_calendar(1, calendar_unit::month, start);
    if (in_.take_any({"yearly", "annually"})) return put_calendar(1, calendar_unit::year, start);
    if (!in_.take_any({"every", "each"})) return false;
    const auto after = in_.place();
    auto n = in_.take("other") ? std::optional{2U} : take_number(in_);
    const bool counted = n.has_value();
    if (!counted) n = 1;
    // "every second monday" is not a second.
    const bool nth =
        !counted && in_.peek() == "second" && (weekday_from(in_.peek(1)) || calendar_word(in_.peek(1)));
    if (const auto unit = nth ? std::nullopt : clock_word(in_.peek())) {
      in_.advance();
      return put_clock(*n, *unit, start);
    }
    if (const auto unit = calendar_word(in_.peek())) {
      in_.advance();
      if (!counted && *unit == calendar_unit::day) return put_every_day(start);
      if (*n < 1 || *n > most_units) {
        in_.reject(after, "the number is out of range", "1 to 1000");
        return false;
      }
      return put_calendar(*n, *unit, start);
    }
    if (counted) {
      in_.wanted("seconds, minutes, hours, days, weeks, months or years");
      return false;
    }
    in_.wanted("second, minute, hour, day, week, month or year");
    if (const auto exact = take_span(in_))
      return put(now().every, std::optional{every_clock{1, clock_unit::minute, *exact}}, start);
    if (const auto months = take_months(in_)) return put(now().months, std::optional{*months}, start);
    return false;  // every monday: a list of days
  }

  // in 5 minutes · tomorrow · on 2026-12-24 · on event NAME · when event NAME arrives · next monday · in
  // january
  bool dates() {
    const auto start = in_.place();
    if (in_.take("in")) {
      if (const auto months = take_months(in_)) return put(now().months, std::optional{*months}, start);
      if (const auto s = take_span(in_)) return put(now().in, std::optional{*s}, start);
      return false;
    }
    if (in_.take("today")) return put(now().day, std::optional{a_day{0}}, start);
    if (in_.take("tomorrow")) return put(now().day, std::optional{a_day{1}}, start);
    if (in_.take("next")) {
      const auto w = take_weekday(in_);
      return put(now().next_weekday, w, start);
    }
    if (in_.take("on event") || in_.take("when event")) return event(start);
    const bool on = in_.take("on");
    if (const auto d = take_date(in_)) return put(now().day, std::optional{a_day{*d}}, start);
    if (on) return false;
    if (const auto t = take_instant(in_)) return put(now().at, std::optional{*t}, start);
    return false;
  }

  bool event(std::size_t start) {
    event_trigger t;
    if (in_.done()) {
      in_.wanted("the name of an event");
      return false;
    }
    t.name = in_.raw();
    in_.advance();
    in_.take("arrives");
    if (in_.take_any({"with", "where"})) {
      const auto filters = in_.done() ? std::nullopt : filters_from(in_.raw());
      if (!filters) {
        in_.wanted("conditions such as env=prod,user!=ci");
        return false;
      }
      t.filters = *filters;
      in_.advance();
    }
    if (!gathering(t)) return false;
    if (in_.take("up to")) {
      const auto n = take_number(in_);
      if (!n || !in_.take("deep")) return false;
      t.most_depth = static_cast<std::uint16_t>(std::min(*n, 1'000U));
    }
    return put(now().event, std::optional{std::move(t)}, start);
  }

  // after 5m of quiet within 10m · debounce 30s hold 5m
  bool gathering(event_trigger& t) {
    const auto span_into = [&](span& into) {
      const auto s = take_span(in_);
      if (s) into = *s;
      return s.has_value();
    };
    const auto short_form = [&](std::string_view word) {
      const auto place = in_.place();
      in_.take(",");
      if (in_.take(word)) return true;
      in_.back_to(place);
      return false;
    };
    if (short_form("debounce"))
      return span_into(t.debounce) && (!short_form("hold") || span_into(t.longest_hold));
    if (!in_.take("after")) return true;
    if (!span_into(t.debounce) || !in_.take("of quiet")) return false;
    return !in_.take("within") || span_into(t.longest_hold);
  }

  // between 9:00 and 17:00 · counted from … · until … · using the last day of shorter months
  bool limits() {
    const auto start = in_.place();
    const bool from = in_.take("from");
    if (from || in_.take("between")) {
      const auto a = take_time(in_);
      if (a) {
        if (!(from ? in_.take("to") : in_.take("and"))) return false;
        const auto b = take_time_or_24(in_);
        return b && put(now().between, std::optional{std::pair{*a, *b}}, start);
      }
      if (from) {
        const auto t = take_date_or_instant(in_);
        return put(out.starts, t, start);
      }
      return false;
    }
    if (in_.take("counted from")) {
      const auto t = take_date_or_instant(in_);
      return put(now().counted, t, start);
    }
    if (in_.take("until")) {
      const auto t = take_date_or_instant(in_);
      return put(now().until, t, start);
    }
    if (in_.take("using the last day of shorter months")) return now().month_end = true;
    return false;
  }

  bool clauses() {
    const auto start = in_.place();
    if (in_.take("starting")) {
      const auto t = take_date_or_instant(in_);
      return put(out.starts, t, start);
    }
    if (in_.take("ending")) {
      const auto t = take_date_or_instant(in_);
      return put(out.ends, t, start);
    }
    if (in_.take("skipping times that do not exist")) {
      out.gap = gap_rule::skip;
      return true;
    }
    if (in_.take("both times when the clock goes back")) {
      out.overlap = overlap_rule::both;
      return true;
    }
    if (in_.take("spread over")) {
      const auto s = take_span(in_);
      if (s) out.jitter = *s;
      return s.has_value();
    }
    // Of the exclusion that was said last.
    const bool or_else = in_.peek() == "or" && in_.peek(1) == "postponed";
    const bool at_end = in_.peek() == "postponed" && in_.peek(1) == "to";
    if ((or_else && in_.take("or postponed to the end")) || (at_end && in_.take("postponed to the end"))) {
      if (out.not_during.empty()) {
        in_.insist(start, "there is no excluded time that it could be postponed to the end of");
        in_.back_to(start);
        return false;
      }
      out.not_during.back().instants = excluded_are::postponed;
      return true;
    }
    if (in_.take_any({"not", "except"})) return excluded(excluded_are::skipped);
    if (in_.take("postponed")) return excluded(excluded_are::postponed);
    const bool in = in_.take("in");
    const auto utc = in_.peek() == "utc";
    if ((in || utc) && !out.in) {
      const auto z = take_zone(in_);
      if (z) out.in = *z;
      return z.has_value();
    }
    return false;
  }

  bool excluded(excluded_are kind) {
    if (in_.take_any({"between", "from"})) {
      excluded_times times;
      const auto a = take_time(in_);
      if (!a || !in_.take_any({"and", "to"})) return false;
      const auto b = take_time_or_24(in_);
      if (!b) return false;
      times.from = *a;
      times.to = *b;
      const auto end = in_.place();
      if (in_.peek() == "on") {
        const auto on = take_days(in_);
        if (!on || any_month_day(on->days) || on->days.weekdays == 0 || on->both)
          in_.back_to(end);
        else
          times.on = on->days.weekdays;
      }
      out.not_during.push_back({kind, times});
      return true;
    }
    if (in_.take("during")) {
      // "during calendar holidays" too, and "calendar" may be the name.
      if (in_.peek() == "calendar" && plain_word(in_.peek(1))) in_.advance();
      return excluded_by_name(kind);
    }
    if (in_.take("calendar") || in_.take("in calendar") || in_.take("on calendar"))
      return excluded_by_name(kind);
    in_.take("on");
    if (in_.peek() == "holidays") return excluded_by_name(kind);
    excluded_dates dates;
    for (;;) {
      const auto end = in_.place();
      if (!dates.days.empty()) {
        bool more = in_.take(",");
        more = in_.take("and") || more;
        if (!more) break;
      }
      const auto d = take_date(in_);
      if (!d) {
        in_.back_to(end);
        break;
      }
      dates.days.push_back(*d);
    }
    if (dates.days.empty()) return excluded_weekdays(kind);
    std::sort(dates.days.begin(), dates.days.end());
    dates.days.erase(std::unique(dates.days.begin(), dates.days.end()), dates.days.end());
    out.not_during.push_back({kind, std::move(dates)});
    return true;
  }

  static bool plain_word(std::string_view w) { return !w.empty() && w != "," && w != ";" && w != "|"; }

  bool excluded_by_name(excluded_are kind) {
    if (!plain_word(in_.peek())) {
      in_.wanted("the name of a calendar");
      return false;
    }
    const auto content = context_.calendars ? context_.calendars(in_.raw()) : nullptr;
    if (!content) {
      in_.reject(in_.place(), "there is no such calendar", "a name that belfry calendar ls shows");
      return false;
    }
    out.not_during.push_back({kind, excluded_calendar{std::string{in_.raw()}, content}});
    in_.advance();
    return true;
  }

  // "except weekends": the whole days.
  bool excluded_weekdays(excluded_are kind) {
    const auto days = take_days(in_);
    if (!days || days->both || any_month_day(days->days) || days->days.weekdays == 0 || days->months != 0)
      return false;
    excluded_times times;
    times.to = hours{24};
    times.on = days->days.weekdays;
    out.not_during.push_back({kind, times});
    return true;
  }

  token_cursor& in_;
  const schedule_context& context_;
  bool some_ = false;
};

}  // namespace

std::optional<phrase_parts> take_phrase(token_cursor& in, const schedule_context& context) {
  words w{in, context};
  if (!w.whole()) return std::nullopt;
  return std::move(w.out);
}

}  // namespace belfry::core::phrases
