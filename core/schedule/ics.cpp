#include "core/schedule/ics.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono;

constexpr std::size_t longest_text = std::size_t{4} << 20U;
constexpr std::size_t most_events = 20'000;
constexpr std::size_t most_periods = 100'000;
constexpr int most_rounds = 60'000;  // of one rule: every day of 160 years

struct line {
  std::string name;    // upper case
  std::string params;  // upper case but for the value of TZID
  std::string value;
  std::size_t offset = 0;
  std::size_t length = 0;
};

std::string upper(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

// The next content line from `at` on, with folded lines joined.
std::optional<line> next_line(std::string_view text, std::size_t& at) {
  while (at < text.size() && (text[at] == '\r' || text[at] == '\n')) ++at;
  if (at >= text.size()) return std::nullopt;
  line l;
  l.offset = at;
  std::string whole;
  for (;;) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto part = text.substr(at, end - at);
    if (!part.empty() && part.back() == '\r') part.remove_suffix(1);
    if (l.length == 0) l.length = part.size();
    whole += part;
    at = std::min(end + 1, text.size());
    if (at >= text.size() || (text[at] != ' ' && text[at] != '\t')) break;
    ++at;  // the blank that marks a continuation
  }
  bool quoted = false;
  std::size_t colon = 0;
  for (; colon < whole.size() && (quoted || whole[colon] != ':'); ++colon)
    if (whole[colon] == '"') quoted = !quoted;
  const auto head = std::string_view{whole}.substr(0, colon);
  const auto semi = std::min(head.find(';'), head.size());
  l.name = upper(head.substr(0, semi));
  l.params = head.substr(semi);
  if (colon < whole.size()) l.value = whole.substr(colon + 1);
  return l;
}

std::string param(const line& l, std::string_view name) {
  const auto all = upper(l.params);
  const auto key = ";" + std::string{name} + "=";
  const auto at = all.find(key);
  if (at == std::string::npos) return {};
  const auto from = at + key.size();
  auto value = l.params.substr(from, std::min(l.params.find(';', from), l.params.size()) - from);
  std::erase(value, '"');
  return value;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int v = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    v = v * 10 + (text[i] - '0');
  }
  return v;
}

struct moment {
  local_seconds l;
  bool date = false;
  bool utc = false;
};

std::optional<moment> moment_of(std::string_view text) {
  const auto y = digits(text, 0, 4);
  const auto mo = digits(text, 4, 2);
  const auto d = digits(text, 6, 2);
  if (!y || !mo || !d || *y < 1) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  moment m{local_days{date}, true, false};
  if (text.size() == 8) return m;
  const auto h = digits(text, 9, 2);
  const auto mi = digits(text, 11, 2);
  const auto s = digits(text, 13, 2);
  if (text[8] != 'T' || !h || !mi || !s || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  if (text.size() != 15 && (text.size() != 16 || text[15] != 'Z')) return std::nullopt;
  m.date = false;
  m.utc = text.size() == 16;
  m.l += hours{*h} + minutes{*mi} + seconds{std::min(*s, 59)};
  return m;
}

// "P1D", "PT2H30M", "P2W"; nothing for what is not positive or longer than 400 days.
std::optional<seconds> duration_of(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.size() < 3 || text.front() != 'P') return std::nullopt;
  std::int64_t total = 0;
  std::int64_t v = -1;
  for (const char c : text.substr(1)) {
    if (c >= '0' && c <= '9') {
      v = std::min<std::int64_t>((v < 0 ? 0 : v) * 10 + (c - '0'), 100'000'000);
      continue;
    }
    if (c == 'T' && v < 0) continue;
    const std::int64_t unit = c == 'W'   ? 604'800
                              : c == 'D' ? 86'400
                              : c == 'H' ? 3'600
                              : c == 'M' ? 60
                              : c == 'S' ? 1
                                         : 0;
    if (unit == 0 || v < 0) return std::nullopt;
    total += v * unit;
    v = -1;
  }
  if (v >= 0 || total <= 0 || total > 400 * 86'400) return std::nullopt;
  return seconds{total};
}

struct repeat_rule {
  calendar_unit unit = calendar_unit::year;
  int interval = 1;
  int count = 0;  // 0: no bound
  std::optional<local_seconds> until;
  weekday_bits by_day = 0;
  int month_day = 0;
  int month = 0;
};

struct event_lines {
  std::optional<line> start, end, duration, rule;
  std::vector<line> except;
  bool left_out = false;
};

class ics_reader {
 public:
  ics_reader(std::string_view text, const ics_context& context) : text_{text}, context_{context} {}

  parsed<parsed_calendar> read() {
    std::size_t at = text_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    const auto first = next_line(text_, at);
    if (!first || first->name != "BEGIN" || upper(first->value) != "VCALENDAR")
      return text_problem{
          0, first ? first->length : 0, "it does not begin as a calendar file", {"BEGIN:VCALENDAR"}};
    std::optional<event_lines> event;
    std::size_t opened = 0;
    int nested = 0;  // alarms inside of an event
    bool closed = false;
    while (const auto l = next_line(text_, at)) {
      if (l->name == "BEGIN" && event)
        ++nested;
      else if (l->name == "END" && nested > 0)
        --nested;
      else if (l->name == "BEGIN" && upper(l->value) == "VEVENT") {
        event.emplace();
        opened = l->offset;
      } else if (l->name == "END" && upper(l->value) == "VEVENT" && event) {
        if (++seen_ > most_events)
          return text_problem{l->offset, l->length, "it has more than 20000 events", {}};
        if (!add(*event, opened)) return problem_;
        event.reset();
      } else if (l->name == "END" && upper(l->value) == "VCALENDAR")
        closed = true;
      else if (event && nested == 0)
        take(*event, *l);
    }
    if (event || !closed)
      return text_problem{text_.size(), 0, "it ends in the middle", {event ? "END:VEVENT" : "END:VCALENDAR"}};
    normalise(out_.content);
    return out_;
  }

 private:
  static void take(event_lines& e, const line& l) {
    if (l.name == "DTSTART") e.start = l;
    if (l.name == "DTEND") e.end = l;
    if (l.name == "DURATION") e.duration = l;
    if (l.name == "RRULE") e.rule = l;
    if (l.name == "EXDATE") e.except.push_back(l);
    if (l.name == "STATUS" && upper(l.value) == "CANCELLED") e.left_out = true;
    if (l.name == "TRANSP" && upper(l.value) == "TRANSPARENT") e.left_out = true;
  }

  bool fail(const line& l, std::string why, std::vector<std::string> expected = {}) {
    problem_ = {l.offset, l.length, std::move(why), std::move(expected)};
    return false;
  }

  bool add(const event_lines& e, std::size_t opened) {
    if (e.left_out) {
      ++out_.left_out;
      return true;
    }
    if (!e.start) return fail({"", "", "", opened, 12}, "this event has no DTSTART");
    const auto start = moment_of(e.start->value);
    if (!start)
      return fail(*e.start, "this is no date or time",
                  {"DTSTART;VALUE=DATE:20261225", "DTSTART:20261225T080000Z"});
    seconds length = start->date ? seconds{days{1}} : seconds{0};
    if (e.end) {
      const auto end = moment_of(e.end->value);
      if (!end || end->date != start->date) return fail(*e.end, "this end does not fit the start");
      length = end->l - start->l;
      if (length > days{400}) return fail(*e.end, "the event is longer than 400 days");
    } else if (e.duration) {
      const auto d = duration_of(e.duration->value);
      if (!d) return fail(*e.duration, "this is no duration of up to 400 days", {"P1D", "PT2H"});
      length = *d;
    }
    if (length < seconds{0}) return fail(e.end ? *e.end : *e.start, "the event ends before it begins");
    std::optional<zone> own;
    if (const auto tzid = param(*e.start, "TZID"); !tzid.empty() && !start->date) {
      const auto z = zone::named(tzid);
      if (!z)
        return fail(*e.start, "the time zone " + shown(tzid, 40) + " is not known",
                    {"a name of the zone database"});
      own = *z;
    }
    if (start->utc) own = zone{};
    std::vector<local_seconds> except;
    for (const auto& l : e.except)
      for (std::size_t at = 0; at <= l.value.size();) {
        const auto stop = std::min(l.value.find(',', at), l.value.size());
        const auto m = moment_of(std::string_view{l.value}.substr(at, stop - at));
        if (!m) return fail(l, "this is no date or time");
        except.push_back(m->l);
        at = stop + 1;
      }
    ++out_.events;
    if (!e.rule) return put(*e.start, start->l, length, own, except);
    const auto rule = rule_of(*e.rule);
    return rule && repeat(*e.rule, *rule, *start, length, own, except);
  }

  bool put(const line& at, local_seconds start, seconds length, const std::optional<zone>& own,
           const std::vector<local_seconds>& except) {
    if (length == seconds{0} || std::find(except.begin(), except.end(), start) != except.end()) return true;
    if (out_.content.local.size() + out_.content.fixed.size() >= most_periods)
      return fail(at, "the calendar has more than 100000 periods");
    if (own)
      out_.content.fixed.push_back({own->at_or_after(start), own->at_or_after(start + length)});
    else
      out_.content.local.push_back({start, start + length});
    return true;
  }

  std::optional<repeat_rule> rule_of(const line& l) {
    repeat_rule r;
    bool frequency = false;
    const auto text = upper(l.value);
    for (std::size_t at = 0; at < text.size();) {
      const auto stop = std::min(text.find(';', at), text.size());
      const auto part = std::string_view{text}.substr(at, stop - at);
      at = stop + 1;
      const auto equals = std::min(part.find('='), part.size());
      const auto key = part.substr(0, equals);
      const auto value = part.substr(std::min(equals + 1, part.size()));
      const auto number = digits(value, 0, std::min<std::size_t>(value.size(), 6));
      const bool whole = number && !value.empty() && value.size() <= 6;
      bool good = true;
      if (key == "FREQ") {
        constexpr std::array<std::string_view, 4> names{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
        const auto found = std::find(names.begin(), names.end(), value);
        good = found != names.end();
        if (good) r.unit = static_cast<calendar_unit>(found - names.begin());
        frequency = good;
      } else if (key == "INTERVAL") {
        good = whole && *number >= 1 && *number <= 1'000;
        if (good) r.interval = *number;
      } else if (key == "COUNT") {
        good = whole && *number >= 1;
        if (good) r.count = *number;
      } else if (key == "UNTIL") {
        const auto m = moment_of(value);
        good = m.has_value();
        if (good) r.until = m->date ? m->l + days{1} - seconds{1} : m->l;
      } else if (key == "BYDAY") {
        good = by_day(r, value);
      } else if (key == "BYMONTHDAY") {
        good = whole && *number >= 1 && *number <= 31;
        if (good) r.month_day = *number;
      } else if (key == "BYMONTH") {
        good = whole && *number >= 1 && *number <= 12;
        if (good) r.month = *number;
      } else if (key != "WKST" && !key.empty()) {
        good = false;
      }
      if (!good) {
        fail(l, "the part " + shown(part, 40) + " of this rule is not supported",
             {"FREQ, INTERVAL, COUNT, UNTIL, BYDAY=MO,TU with FREQ=WEEKLY, BYMONTH and BYMONTHDAY with one "
              "value"});
        return std::nullopt;
      }
    }
    const bool fits = frequency && (r.by_day == 0 || r.unit == calendar_unit::week) &&
                      ((r.month == 0 && r.month_day == 0) || r.unit == calendar_unit::month ||
                       r.unit == calendar_unit::year);
    if (!fits) {
      fail(l, "the parts of this rule do not go together",
           {"BYDAY with FREQ=WEEKLY", "BYMONTH with FREQ=YEARLY"});
      return std::nullopt;
    }
    return r;
  }

  static bool by_day(repeat_rule& r, std::string_view value) {
    constexpr std::array<std::string_view, 7> names{"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
    for (std::size_t at = 0; at <= value.size();) {
      const auto stop = std::min(value.find(',', at), value.size());
      const auto found = std::find(names.begin(), names.end(), value.substr(at, stop - at));
      if (found == names.end()) return false;
      r.by_day |= static_cast<weekday_bits>(1U << static_cast<unsigned>(found - names.begin()));
      at = stop + 1;
    }
    return true;
  }

  // A recurrence visits the days in order; the rest is counting.
  bool repeat(const line& at, const repeat_rule& r, const moment& start, seconds length,
              const std::optional<zone>& own, const std::vector<local_seconds>& except) {
    const auto first = floor<days>(start.l);
    const year_month_day date{first};
    recurrence days_of;
    days_of.unit = r.unit;
    days_of.every = static_cast<std::uint32_t>(r.interval);
    days_of.from = first;
    days_of.times = {start.l - first};
    if (r.unit == calendar_unit::week)
      days_of.days.weekdays =
          r.by_day != 0 ? r.by_day : static_cast<weekday_bits>(1U << weekday{first}.c_encoding());
    if (r.unit == calendar_unit::month || r.unit == calendar_unit::year)
      days_of.days.month_days =
          1U << (r.month_day != 0 ? static_cast<unsigned>(r.month_day) : static_cast<unsigned>(date.day()));
    if (r.unit == calendar_unit::year)
      days_of.months = static_cast<std::uint16_t>(
          1U << (r.month != 0 ? static_cast<unsigned>(r.month) : static_cast<unsigned>(date.month())));
    if (r.unit == calendar_unit::month && r.month != 0) return fail(at, "BYMONTH needs FREQ=YEARLY");
    auto l = start.l - seconds{1};
    for (int n = 0; n < most_rounds && (r.count == 0 || n < r.count); ++n) {
      const auto next = next_local(days_of, l);
      if (!next || *next > local_seconds{context_.horizon} || (r.until && *next > *r.until)) return true;
      if (!put(at, *next, length, own, except)) return false;
      l = *next;
    }
    return true;
  }

  std::string_view text_;
  const ics_context& context_;
  std::size_t seen_ = 0;
  parsed_calendar out_;
  text_problem problem_;
};

}  // namespace

parsed<parsed_calendar> parse_ics(std::string_view text, const ics_context& context) {
  if (text.size() > longest_text) return text_problem{longest_text, 0, "it is greater than 4 MiB", {}};
  return ics_reader{text, context}.read();
}

}  // namespace belfry::core
