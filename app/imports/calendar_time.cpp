#include "app/imports/calendar_time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "core/text/utf8.hpp"
#include "core/text/word.hpp"

namespace belfry::app {
namespace {

using core::errc;

core::failure no_time(std::string why) { return core::failure{errc::invalid, std::move(why), {}, {}}; }

std::vector<std::string_view> calendar_words(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    const auto start = at;
    while (at < text.size() && text[at] != ' ' && text[at] != '\t') ++at;
    if (at > start) out.push_back(text.substr(start, at - start));
  }
  return out;
}

std::vector<std::string_view> split_at(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0;;) {
    const auto end = text.find(by, from);
    out.push_back(text.substr(from, end == std::string_view::npos ? end : end - from));
    if (end == std::string_view::npos) return out;
    from = end + 1;
  }
}

std::optional<unsigned> whole_of_text(std::string_view text) {
  unsigned v = 0;
  const auto end = text.data() + text.size();
  const auto r = std::from_chars(text.data(), end, v);
  if (text.empty() || r.ec != std::errc{} || r.ptr != end) return std::nullopt;
  return v;
}

struct shortcut {
  std::string_view name, text;
};
constexpr std::array<shortcut, 9> shortcuts{{{"minutely", "*-*-* *:*:00"},
                                             {"hourly", "*-*-* *:00:00"},
                                             {"daily", "*-*-* 00:00:00"},
                                             {"weekly", "mon *-*-* 00:00:00"},
                                             {"monthly", "*-*-01 00:00:00"},
                                             {"quarterly", "*-01,04,07,10-01 00:00:00"},
                                             {"semiannually", "*-01,07-01 00:00:00"},
                                             {"yearly", "*-01-01 00:00:00"},
                                             {"annually", "*-01-01 00:00:00"}}};

constexpr std::array<std::string_view, 7> weekday_words{"sunday",   "monday", "tuesday", "wednesday",
                                                        "thursday", "friday", "saturday"};

std::optional<unsigned> weekday_of(std::string_view word) {
  for (unsigned i = 0; i < weekday_words.size(); ++i)
    if (word == weekday_words[i] || word == weekday_words[i].substr(0, 3)) return i;
  return std::nullopt;
}

// "mon..fri", "mon,wed", "sat-sun"; nothing when it names no_time weekdays.
std::optional<core::weekday_bits> weekdays_of(std::string_view word) {
  core::weekday_bits bits = 0;
  if (!word.empty() && word.back() == ',') word.remove_suffix(1);
  for (const auto part : split_at(word, ',')) {
    auto dots = part.find("..");
    const std::size_t gap = dots == std::string_view::npos ? 1 : 2;
    if (dots == std::string_view::npos) dots = part.find('-');
    const auto first = weekday_of(part.substr(0, dots));
    const auto last = dots == std::string_view::npos ? first : weekday_of(part.substr(dots + gap));
    if (!first || !last) return std::nullopt;
    for (auto d = *first;; d = (d + 1) % 7) {
      bits = static_cast<core::weekday_bits>(bits | (1U << d));
      if (d == *last) break;
    }
  }
  return bits;
}

struct time_component {
  std::string_view name;
  unsigned low, high;
};

// "*", "5", "1,3", "8..18", "0/15", "1..10/3".
core::result<std::uint64_t> component_values(std::string_view text, const time_component& c,
                                             bool from_end = false) {
  std::uint64_t bits = 0;
  const auto wrong = [&](std::string why) {
    return no_time("the " + std::string{c.name} + " \"" + core::shown(text, 40) + "\": " + std::move(why));
  };
  for (auto part : split_at(text, ',')) {
    unsigned step = 0;
    if (const auto slash = part.find('/'); slash != std::string_view::npos) {
      const auto given = whole_of_text(part.substr(slash + 1));
      if (!given || *given == 0 || *given > c.high) return wrong("the step is no number that fits");
      step = *given;
      part = part.substr(0, slash);
    }
    unsigned first = c.low, last = c.high;
    if (part != "*") {
      const auto dots = part.find("..");
      const auto a = whole_of_text(part.substr(0, dots));
      const auto b = dots == std::string_view::npos ? a : whole_of_text(part.substr(dots + 2));
      if (!a || !b) return wrong("it is no number, list or range");
      first = *a;
      last = dots == std::string_view::npos && step != 0 ? (from_end ? c.low : c.high) : *b;
      if (from_end && dots == std::string_view::npos && step != 0) std::swap(first, last);
    }
    if (first < c.low || last > c.high || first > last)
      return wrong("allowed: " + std::to_string(c.low) + " to " + std::to_string(c.high) + ", ascending");
    if (step == 0) step = 1;
    // Counted down from the beginning of the range when it counts from the end of the month.
    if (from_end)
      for (auto v = last; v >= first && v <= last; v -= step) bits |= std::uint64_t{1} << v;
    else
      for (auto v = first; v <= last; v += step) bits |= std::uint64_t{1} << v;
  }
  return bits;
}

constexpr time_component second_part{"second", 0, 59}, minute_part{"minute", 0, 59}, hour_part{"hour", 0, 23};
constexpr time_component month_part{"month", 1, 12}, day_part{"day", 1, 31};

struct time_parts {
  std::optional<core::weekday_bits> weekdays;
  core::cron_expression cron;
  core::day_set days;
  year_range years;
};

std::optional<core::failure> read_years(std::string_view text, time_parts& out) {
  if (text == "*") return std::nullopt;
  std::vector<unsigned> all;
  for (const auto part : split_at(text, ',')) {
    const auto dots = part.find("..");
    const auto a = whole_of_text(part.substr(0, dots));
    const auto b = dots == std::string_view::npos ? a : whole_of_text(part.substr(dots + 2));
    if (!a || !b || *a < 1970 || *b > 2199 || *a > *b)
      return no_time("the year \"" + core::shown(part, 40) + "\": allowed: 1970 to 2199, a list or a range");
    for (auto y = *a; y <= *b; ++y) all.push_back(y);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all.back() - all.front() + 1 != all.size())
    return no_time("years that do not follow each other cannot be said; make a job for each");
  out.years = {static_cast<int>(all.front()), static_cast<int>(all.back())};
  return std::nullopt;
}

std::optional<core::failure> read_days(std::string_view text, bool from_end, time_parts& out) {
  const auto bits = component_values(text, day_part, from_end);
  if (!bits) return bits.error();
  constexpr std::uint64_t last_seven = 0xFE;
  if (!from_end) {
    out.days.month_days = static_cast<std::uint32_t>(*bits);
  } else if (*bits == 2) {
    out.days.last_day = true;
  } else if (*bits == last_seven && out.weekdays) {
    out.days.last_weekdays = *out.weekdays;
    out.days.month_days = core::every_month_day;
    out.weekdays = core::weekday_bits{0};
  } else {
    return no_time(
        "of days counted from the end of the month only ~01, the last one, and ~07/1 with weekdays, "
        "their last in the month, can be said");
  }
  return std::nullopt;
}

std::optional<core::failure> read_date(std::string_view text, time_parts& out) {
  const auto tilde = text.find('~');
  const bool from_end = tilde != std::string_view::npos;
  auto pieces = split_at(text.substr(0, tilde), '-');
  if (from_end) pieces.push_back(text.substr(tilde + 1));
  if (pieces.size() < 2 || pieces.size() > 3) return no_time("\"" + core::shown(text, 40) + "\" is no date");
  if (pieces.size() == 3)
    if (auto wrong = read_years(pieces[0], out)) return wrong;
  const auto months = component_values(pieces[pieces.size() - 2], month_part);
  if (!months) return months.error();
  out.cron.months = static_cast<std::uint16_t>(*months);
  return read_days(pieces.back(), from_end, out);
}

std::optional<core::failure> read_clock(std::string_view text, time_parts& out) {
  const auto pieces = split_at(text, ':');
  if (pieces.size() < 2 || pieces.size() > 3) return no_time("\"" + core::shown(text, 40) + "\" is no time");
  const auto hours = component_values(pieces[0], hour_part);
  if (!hours) return hours.error();
  const auto minutes = component_values(pieces[1], minute_part);
  if (!minutes) return minutes.error();
  out.cron.hours = static_cast<std::uint32_t>(*hours);
  out.cron.minutes = *minutes;
  if (pieces.size() == 2) return std::nullopt;
  auto text_of_seconds = pieces[2];
  for (std::size_t dot = 0; (dot = text_of_seconds.find('.', dot)) != std::string_view::npos; ++dot) {
    if (dot + 1 < text_of_seconds.size() && text_of_seconds[dot + 1] == '.') {
      ++dot;
      continue;
    }
    if (text_of_seconds.find_first_not_of('0', dot + 1) == std::string_view::npos) {
      text_of_seconds = text_of_seconds.substr(0, dot);
      break;
    }
    return no_time("parts of a second cannot be said");
  }
  const auto seconds = component_values(text_of_seconds, second_part);
  if (!seconds) return seconds.error();
  out.cron.seconds = *seconds;
  return std::nullopt;
}

struct span_unit {
  std::string_view name;
  std::int64_t micros;
};
constexpr std::int64_t us_second = 1'000'000, us_minute = 60 * us_second, us_hour = 60 * us_minute,
                       us_day = 24 * us_hour;
constexpr std::int64_t us_month = 2'629'800 * us_second, us_year = 31'557'600 * us_second;
constexpr std::array<span_unit, 31> span_units{{{"usec", 1},
                                                {"us", 1},
                                                {"msec", 1'000},
                                                {"ms", 1'000},
                                                {"seconds", us_second},
                                                {"second", us_second},
                                                {"sec", us_second},
                                                {"s", us_second},
                                                {"minutes", us_minute},
                                                {"minute", us_minute},
                                                {"min", us_minute},
                                                {"m", us_minute},
                                                {"hours", us_hour},
                                                {"hour", us_hour},
                                                {"hr", us_hour},
                                                {"h", us_hour},
                                                {"days", us_day},
                                                {"day", us_day},
                                                {"d", us_day},
                                                {"weeks", 7 * us_day},
                                                {"week", 7 * us_day},
                                                {"w", 7 * us_day},
                                                {"months", us_month},
                                                {"month", us_month},
                                                {"M", us_month},
                                                {"years", us_year},
                                                {"year", us_year},
                                                {"y", us_year},
                                                {"µs", 1},
                                                {"μs", 1},
                                                {"", us_second}}};

}  // namespace

core::result<calendar_time> read_calendar_time(std::string_view given) {
  constexpr std::size_t longest = 500;
  if (given.size() > longest) return no_time("it has more than 500 bytes");
  if (const auto at = given.find('@'); at == 0) {
    const auto seconds = whole_of_text(given.substr(1));
    if (!seconds) return no_time("after @ stands a number of seconds since 1970");
    return calendar_time{core::once_trigger{core::instant{std::chrono::seconds{*seconds}}}, {}, {}};
  }
  calendar_time out;
  std::string text{given};
  auto words = calendar_words(text);
  if (words.empty()) return no_time("it is empty");
  if (words.size() > 1 && words.back().find_first_of("*:,~") == std::string_view::npos &&
      (words.back().front() < '0' || words.back().front() > '9')) {
    const auto zone = core::zone::named(words.back());
    if (!zone) {
      std::string low{words.back()};
      core::lower_ascii(low);
      if (!weekdays_of(low))
        return no_time("the zone " + core::shown(words.back(), 40) + " is not known; an IANA name is needed");
    } else {
      out.zone = zone->name();
      text = text.substr(0, static_cast<std::size_t>(words.back().data() - text.data()));
    }
  }
  core::lower_ascii(text);
  words = calendar_words(text);
  if (words.size() == 1)
    for (const auto& s : shortcuts)
      if (words[0] == s.name) words = calendar_words(s.text);
  time_parts p;
  p.cron.minutes = p.cron.hours = 1;  // midnight
  p.cron.months = core::every_month;
  p.days.month_days = core::every_month_day;
  std::size_t at = 0;
  if (const auto weekdays = weekdays_of(words[at])) {
    p.weekdays = weekdays;
    ++at;
  }
  bool said = at > 0;
  if (at < words.size() && words[at].find(':') == std::string_view::npos) {
    p.days.month_days = 0;
    if (auto wrong = read_date(words[at++], p)) return *wrong;
    said = true;
  }
  if (at < words.size()) {
    if (auto wrong = read_clock(words[at++], p)) return *wrong;
    said = true;
  }
  if (at < words.size() || !said) return no_time("\"" + core::shown(given, 60) + "\" is no calendar time");
  core::day_fields fields;
  fields.both = true;
  fields.days = p.days;
  const bool by_last = p.days.last_weekdays != 0;
  fields.days.weekdays = by_last ? core::weekday_bits{0} : p.weekdays.value_or(core::every_weekday);
  core::set_days(p.cron, fields);
  if (!core::possible(p.cron)) return no_time("there is no such day in any year");
  out.fires = p.cron;
  out.years = p.years;
  return out;
}

std::optional<core::span> read_unit_span(std::string_view text) {
  constexpr double most = 4e15;  // a century and more, in microseconds
  double total = 0;
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    if (at == text.size()) break;
    double value = 0;
    const auto r =
        std::from_chars(text.data() + at, text.data() + text.size(), value, std::chars_format::fixed);
    if (r.ec != std::errc{} || value < 0) return std::nullopt;
    at = static_cast<std::size_t>(r.ptr - text.data());
    while (at < text.size() && text[at] == ' ') ++at;
    const auto start = at;
    while (at < text.size() && text[at] != ' ' && text[at] != '\t' && (text[at] < '0' || text[at] > '9'))
      ++at;
    const auto name = text.substr(start, at - start);
    const auto known = std::find_if(span_units.begin(), span_units.end(),
                                    [&](const span_unit& u) { return u.name == name; });
    if (known == span_units.end()) return std::nullopt;
    total += value * static_cast<double>(known->micros);
    any = true;
    if (total > most) return std::nullopt;
  }
  if (!any) return std::nullopt;
  return core::span{static_cast<std::int64_t>(total + 0.5)};
}

}  // namespace belfry::app
