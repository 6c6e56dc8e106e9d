#include <algorithm>

#include "core/schedule/canonical.hpp"
#include "core/schedule/phrase.hpp"
#include "core/schedule/tokens.hpp"
#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono;

// What a canonical text may have: a list of dates is longer there than anybody would type.
constexpr std::size_t longest_canonical = 8'000;
constexpr std::string_view trigger_forms = "a cron expression, @hourly, @daily, @weekly, @monthly, @yearly";

// Splits one word such as "a,b,c" and hands each part to `each`.
template <class Each>
bool each_part(std::string_view list, Each&& each) {
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    if (!each(list.substr(at, end - at))) return false;
    at = end + 1;
  }
  return true;
}

std::optional<seconds> whole_time(std::string_view text) {
  const auto tokens = tokens_of(text);
  token_cursor in{text, tokens};
  const auto t = take_time_or_24(in);
  return t && in.done() && text.find(':') != std::string_view::npos ? t : std::nullopt;
}
std::optional<local_days> whole_date(std::string_view text) {
  const auto tokens = tokens_of(text);
  token_cursor in{text, tokens};
  const auto d = take_date(in);
  return d && in.done() ? d : std::nullopt;
}

class canonical_reader {
 public:
  canonical_reader(std::string_view text, const schedule_context& context)
      : text_{text}, context_{context}, tokens_{tokens_of(text)}, in_{text, tokens_} {}

  parsed<schedule> read() {
    out_.in = context_.in;
    do {
      if (!read_trigger()) return problem();
    } while (in_.take("|"));
    while (!in_.done()) {
      if (!in_.take(";") || !read_clause()) return problem();
    }
    return out_;
  }

  parsed<exclusion> read_one(excluded_are kind) {
    if (!read_exclusion(kind)) return problem();
    if (!in_.done()) {
      in_.wanted("nothing more");
      return problem();
    }
    return std::move(out_.not_during.front());
  }

 private:
  text_problem problem() const { return own_ ? *own_ : in_.problem(); }

  bool read_trigger() {
    if (in_.take("@at")) {
      const auto t = take_instant(in_);
      if (t) out_.any_of.emplace_back(once_trigger{*t});
      return t.has_value();
    }
    if (in_.take("@every")) return read_interval();
    if (in_.take("@event")) return read_event();
    for (const auto unit :
         {calendar_unit::day, calendar_unit::week, calendar_unit::month, calendar_unit::year})
      if (in_.take("@" + std::string{to_text(unit)} + "s")) return read_recurrence(unit);
    return read_cron();
  }

  bool read_cron() {
    const auto start = in_.offset(in_.place());
    in_.wanted(trigger_forms);
    while (!in_.done() && in_.peek() != ";" && in_.peek() != "|") in_.advance();
    auto end = in_.done() ? text_.size() : in_.offset(in_.place());
    while (end > start && (text_[end - 1] == ' ' || text_[end - 1] == '\t')) --end;
    auto cron = parse_cron(text_.substr(start, end - start), {context_.seed});
    if (!cron) {
      own_ = cron.problem();
      own_->offset += start;
      return false;
    }
    out_.any_of.emplace_back(*cron);
    return true;
  }

  bool read_interval() {
    interval_trigger t;
    const auto start = in_.place();
    const auto period = take_span(in_);
    if (!period) return false;
    if (*period < least_period || *period > greatest_period)
      return no(start, "an interval is out of range", "1s to 3653d");
    t.period = *period;
    if (in_.take("from")) {
      const auto anchor = take_instant(in_);
      if (!anchor) return false;
      t.anchor = *anchor;
    }
    out_.any_of.emplace_back(t);
    return true;
  }

  bool no(std::size_t place, std::string why, std::string_view expected) {
    in_.reject(place, std::move(why), expected);
    return false;
  }

  bool read_recurrence(calendar_unit unit) {
    recurrence r;
    r.unit = unit;
    const auto start = in_.place();
    const auto every = take_number(in_);
    if (!every) return false;
    if (*every < 1 || *every > most_units) return no(start, "the number is out of range", "1 to 1000");
    r.every = *every;
    if (!in_.take("from")) return false;
    const auto from = take_date(in_);
    if (!from) return false;
    r.from = *from;
    if (unit == calendar_unit::year) {
      if (!in_.take("in")) return false;
      const auto months = bits_from(in_.peek(), 1, 12);
      if (!months || in_.done()) return no(in_.place(), "these are no months", "months such as 1,6-8");
      r.months = static_cast<std::uint16_t>(*months);
      in_.advance();
    }
    if (unit != calendar_unit::day) {
      if (!in_.take("on")) return false;
      const auto days = in_.done() ? std::nullopt : days_from(in_.peek());
      if (!days) return no(in_.place(), "these are no days", "days such as 1,15,L or mon,fri#2,friL");
      if (unit == calendar_unit::week && (any_month_day(*days) || days->weekdays == 0))
        return no(in_.place(), "a week has weekdays only", "weekdays such as mon,thu");
      r.days = *days;
      in_.advance();
    }
    if (!in_.take("at") || !read_times(r.times)) return false;
    if (in_.take("until")) {
      const auto until = take_date(in_);
      if (!until) return false;
      r.until = *until;
    }
    if (in_.take("short-months last")) r.month_end = month_end_rule::last_day;
    if (const auto wrong = check(r, ""); !wrong.empty())
      return no(start, wrong.front().detail, wrong.front().allowed);
    out_.any_of.emplace_back(std::move(r));
    return true;
  }

  bool read_times(std::vector<seconds>& times) {
    const bool good = !in_.done() && each_part(in_.peek(), [&](std::string_view part) {
      const auto t = whole_time(part);
      if (t && *t < hours{24}) times.push_back(*t);
      return t && *t < hours{24} && times.size() <= most_times;
    });
    if (!good) return no(in_.place(), "these are no times of the day", "times such as 09:00,17:30");
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    in_.advance();
    return true;
  }

  bool read_event() {
    event_trigger t;
    const auto start = in_.place();
    if (in_.done() || in_.peek() == ";" || in_.peek() == "|") {
      in_.wanted("the name of an event");
      return false;
    }
    t.name = in_.raw();
    in_.advance();
    if (in_.take("where")) {
      const auto filters = in_.done() ? std::nullopt : filters_from(in_.raw());
      if (!filters) return no(in_.place(), "these are no conditions", "key=value,key!=value,key");
      t.filters = *filters;
      in_.advance();
    }
    const auto span_after = [&](std::string_view word, span& into) {
      if (!in_.take(word)) return true;
      const auto s = take_span(in_);
      if (s) into = *s;
      return s.has_value();
    };
    if (!span_after("debounce", t.debounce) || !span_after("hold", t.longest_hold)) return false;
    if (in_.take("depth")) {
      const auto n = take_number(in_);
      if (!n) return false;
      t.most_depth = static_cast<std::uint16_t>(std::min(*n, 1'000U));
    }
    if (const auto wrong = check(trigger{t}, ""); !wrong.empty()) {
      // It was read to its end: what could still follow is not what is missing.
      own_ =
          text_problem{in_.offset(start), in_.length(start), wrong.front().detail, {wrong.front().allowed}};
      return false;
    }
    out_.any_of.emplace_back(std::move(t));
    return true;
  }

  bool read_clause() {
    for (const auto kind : {excluded_are::skipped, excluded_are::postponed})
      if (in_.take(kind == excluded_are::skipped ? "not" : "postpone")) return read_exclusion(kind);
    if (in_.take("zone")) {
      const auto z = take_zone(in_);
      if (z) out_.in = *z;
      return z.has_value();
    }
    if (in_.take("gap")) {
      const bool skip = in_.take("skip");
      out_.gap = skip ? gap_rule::skip : gap_rule::first_valid;
      return skip || in_.take("first_valid");
    }
    if (in_.take("overlap")) {
      const bool both = in_.take("both");
      out_.overlap = both ? overlap_rule::both : overlap_rule::first;
      return both || in_.take("first");
    }
    if (in_.take("start")) return set_instant(out_.starts);
    if (in_.take("end")) return set_instant(out_.ends);
    if (in_.take("jitter")) {
      const auto s = take_span(in_);
      if (s) out_.jitter = *s;
      return s.has_value();
    }
    return false;
  }

  bool set_instant(instant& into) {
    const auto t = take_instant(in_);
    if (t) into = *t;
    return t.has_value();
  }

  bool read_exclusion(excluded_are kind) {
    if (in_.take("dates")) {
      excluded_dates dates;
      const bool good = !in_.done() && each_part(in_.peek(), [&](std::string_view part) {
        const auto d = whole_date(part);
        if (d) dates.days.push_back(*d);
        return d.has_value();
      });
      if (!good) return no(in_.place(), "these are no dates", "dates such as 2026-12-24,2026-12-25");
      std::sort(dates.days.begin(), dates.days.end());
      dates.days.erase(std::unique(dates.days.begin(), dates.days.end()), dates.days.end());
      out_.not_during.push_back({kind, std::move(dates)});
      in_.advance();
      return true;
    }
    if (in_.take("times")) return read_times_excluded(kind);
    if (!in_.take("calendar")) return false;
    const auto content = context_.calendars && !in_.done() ? context_.calendars(in_.raw()) : nullptr;
    if (!content) return no(in_.place(), "there is no such calendar", "a name that belfry calendar ls shows");
    out_.not_during.push_back({kind, excluded_calendar{std::string{in_.raw()}, content}});
    in_.advance();
    return true;
  }

  bool read_times_excluded(excluded_are kind) {
    excluded_times times;
    const auto word = in_.peek();
    const auto dash = std::min(word.find('-'), word.size());
    const auto from = whole_time(word.substr(0, dash));
    const auto to = dash < word.size() ? whole_time(word.substr(dash + 1)) : std::nullopt;
    if (!from || !to) return no(in_.place(), "these are no times of the day", "times such as 22:00-06:00");
    times.from = *from;
    times.to = *to;
    const auto place = in_.place();
    in_.advance();
    if (in_.take("on")) {
      const auto days = in_.done() ? std::nullopt : days_from(in_.peek());
      if (!days || any_month_day(*days) || days->weekdays == 0)
        return no(in_.place(), "these are no weekdays", "weekdays such as sat,sun");
      times.on = days->weekdays;
      in_.advance();
    }
    exclusion e{kind, times};
    if (const auto wrong = check(e, ""); !wrong.empty())
      return no(place, wrong.front().detail, wrong.front().allowed);
    out_.not_during.push_back(std::move(e));
    return true;
  }

  std::string_view text_;
  const schedule_context& context_;
  std::vector<token> tokens_;
  token_cursor in_;
  std::optional<text_problem> own_;
  schedule out_;
};

// Cron and the @ forms begin with a word that no phrase begins with: "@…", or two words of cron characters.
bool canonical_begin(const std::vector<token>& tokens) {
  if (tokens.empty()) return false;
  if (tokens[0].lower.front() == '@') return true;
  const auto field = [](const token& t) {
    return t.lower.find_first_not_of("0123456789*/,-?h()") == std::string::npos;
  };
  if (tokens[0].lower.front() == '*') return true;
  return tokens.size() > 2 && field(tokens[0]) && field(tokens[1]);
}

}  // namespace

parsed<exclusion> parse_exclusion(std::string_view clause, excluded_are kind,
                                  const schedule_context& context) {
  if (clause.size() > longest_canonical) return text_problem{longest_canonical, 0, "it is too long", {}};
  auto read = canonical_reader{clause, context}.read_one(kind);
  if (!read) return read;
  if (const auto wrong = check(*read, ""); !wrong.empty())
    return text_problem{0, clause.size(), wrong.front().detail, {wrong.front().allowed}};
  return read;
}

parsed<schedule> parse_canonical(std::string_view text, const schedule_context& context) {
  if (text.size() > longest_canonical)
    return text_problem{longest_canonical, 0, "it is longer than 8000 bytes", {}};
  auto read = canonical_reader{text, context}.read();
  if (!read) return read;
  if (const auto wrong = context.stored ? check_parts(*read, "") : check(*read, ""); !wrong.empty())
    return text_problem{0, text.size(), wrong.front().detail, {wrong.front().allowed}};
  return read;
}

parsed<schedule> parse_schedule(std::string_view text, const schedule_context& context) {
  if (text.size() > longest_expression)
    return text_problem{longest_expression, 0, "it is longer than 2000 bytes", {}};
  if (!valid_utf8(text)) return text_problem{0, text.size(), "it is not valid UTF-8", {}};
  return canonical_begin(tokens_of(text)) ? parse_canonical(text, context) : parse_phrase(text, context);
}

}  // namespace belfry::core
