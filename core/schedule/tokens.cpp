#include "core/schedule/tokens.hpp"

#include <algorithm>

#include "core/schedule/names.hpp"
#include "core/text/utf8.hpp"
#include "core/text/word.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono;

bool blank_at(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

std::optional<unsigned> digits_of(std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most || !std::all_of(text.begin(), text.end(), digit))
    return std::nullopt;
  unsigned v = 0;
  for (const char c : text) v = v * 10 + static_cast<unsigned>(c - '0');
  return v;
}

// "9", "9:30", "21:30:15" as hour, minute, second.
struct clock_digits {
  unsigned h = 0, m = 0, s = 0;
  bool minutes = false;
};
std::optional<clock_digits> clock_of(std::string_view text) {
  clock_digits c;
  const auto colon = text.find(':');
  const auto h = digits_of(text.substr(0, colon), 2);
  if (!h) return std::nullopt;
  c.h = *h;
  if (colon == std::string_view::npos) return c;
  c.minutes = true;
  const auto rest = text.substr(colon + 1);
  const auto second = rest.find(':');
  const auto m = digits_of(rest.substr(0, second), 2);
  if (!m || rest.substr(0, second).size() != 2) return std::nullopt;
  c.m = *m;
  if (second == std::string_view::npos) return c;
  const auto s = digits_of(rest.substr(second + 1), 2);
  if (!s || rest.substr(second + 1).size() != 2) return std::nullopt;
  c.s = *s;
  return c;
}

constexpr std::string_view time_forms = "a time such as 9am, 9:30 pm, 21:30, noon or midnight";

std::optional<seconds> time_at(token_cursor& in, unsigned last_hour) {
  const auto start = in.place();
  auto word = in.peek();
  if (word == "noon" || word == "midnight") {
    const auto time = word == "noon" ? hours{12} : hours{0};
    in.advance();
    return time;
  }
  bool am = word.ends_with("am");
  bool pm = word.ends_with("pm");
  if (am || pm) word.remove_suffix(2);
  const auto c = clock_of(word);
  if (!c) {
    in.wanted(time_forms);
    return std::nullopt;
  }
  if (!am && !pm && (in.peek(1) == "am" || in.peek(1) == "pm")) {
    am = in.peek(1) == "am";
    pm = !am;
    in.advance();
  }
  in.advance();
  const auto no = [&](std::string why) {
    in.reject(start, std::move(why), time_forms);
    in.back_to(start);
    return std::nullopt;
  };
  if (!am && !pm && !c->minutes) return no("an hour alone is unclear");
  if (am || pm) {
    if (c->h < 1 || c->h > 12) return no("with am or pm the hour is 1 to 12");
  } else if (c->h > last_hour || (c->h == 24 && (c->m != 0 || c->s != 0))) {
    return no("the hour is 0 to 23");
  }
  if (c->m > 59 || c->s > 59) return no("minutes and seconds are 0 to 59");
  auto h = c->h;
  if (am && h == 12) h = 0;
  if (pm && h != 12) h += 12;
  return hours{h} + minutes{c->m} + seconds{c->s};
}

}  // namespace

std::vector<token> tokens_of(std::string_view text) {
  std::vector<token> found;
  const auto put = [&](std::size_t from, std::size_t to) {
    if (from >= to) return;
    token t{std::string{text.substr(from, to - from)}, {}, from};
    t.lower = t.raw;
    lower_ascii(t.lower);
    found.push_back(std::move(t));
  };
  for (std::size_t at = 0; at < text.size();) {
    if (blank_at(text[at])) {
      ++at;
      continue;
    }
    const auto start = at;
    while (at < text.size() && !blank_at(text[at]) && text[at] != ';' && text[at] != '|') ++at;
    auto end = at;
    while (end > start && text[end - 1] == ',') --end;
    put(start, end);
    for (auto comma = end; comma < at; ++comma) put(comma, comma + 1);
    if (at < text.size() && (text[at] == ';' || text[at] == '|')) {
      put(at, at + 1);
      ++at;
    }
  }
  return found;
}

std::string_view token_cursor::peek(std::size_t ahead) const {
  return at_ + ahead < tokens_.size() ? std::string_view{tokens_[at_ + ahead].lower} : std::string_view{};
}

std::size_t token_cursor::offset(std::size_t place) const {
  return place < tokens_.size() ? tokens_[place].offset : text_.size();
}

bool token_cursor::take(std::string_view words) {
  const auto start = at_;
  for (std::size_t at = 0; at < words.size();) {
    const auto end = std::min(words.find(' ', at), words.size());
    const auto word = words.substr(at, end - at);
    if (peek() != word) {
      note(at_, words.substr(at));
      at_ = start;
      return false;
    }
    ++at_;
    at = end + 1;
  }
  return true;
}

bool token_cursor::take_any(std::initializer_list<std::string_view> choices) {
  for (const auto choice : choices)
    if (!done() && peek() == choice) {
      ++at_;
      return true;
    }
  if (choices.size() > 0) note(at_, *choices.begin());
  return false;
}

void token_cursor::note(std::size_t place, std::string_view what) {
  if (place < furthest_) return;
  if (place > furthest_) {
    furthest_ = place;
    expected_.clear();
    why_.clear();
  }
  constexpr std::size_t most_notes = 40;
  if (expected_.size() < most_notes && std::find(expected_.begin(), expected_.end(), what) == expected_.end())
    expected_.emplace_back(what);
}

void token_cursor::reject(std::size_t place, std::string why, std::string_view expected) {
  if (place < furthest_) return;
  note(place, expected);
  if (why_.empty()) why_ = std::move(why);
}

void token_cursor::insist(std::size_t place, std::string why) {
  if (!insisted_) insisted_ = text_problem{offset(place), length(place), std::move(why), {}};
}

text_problem token_cursor::problem() const {
  if (insisted_) return *insisted_;
  text_problem p;
  p.offset = offset(furthest_);
  p.length = furthest_ < tokens_.size() ? tokens_[furthest_].raw.size() : 0;
  p.why = !why_.empty() ? why_ : p.length == 0 ? "something is missing" : "this word is not understood here";
  p.expected = expected_;
  return p;
}

std::optional<std::uint32_t> take_number(token_cursor& in) {
  if (const auto v = digits_of(in.peek(), 9)) {
    in.advance();
    return *v;
  }
  in.wanted("a number");
  return std::nullopt;
}

std::optional<seconds> take_time(token_cursor& in) { return time_at(in, 23); }
std::optional<seconds> take_time_or_24(token_cursor& in) { return time_at(in, 24); }

std::optional<local_days> take_date(token_cursor& in) {
  const auto text = in.peek();
  const auto y = digits_of(text.substr(0, std::min<std::size_t>(4, text.size())), 4);
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-';
  const auto m = shaped ? digits_of(text.substr(5, 2), 2) : std::nullopt;
  const auto d = shaped ? digits_of(text.substr(8, 2), 2) : std::nullopt;
  if (!y || !m || !d) {
    in.wanted("a date such as 2026-12-24");
    return std::nullopt;
  }
  const year_month_day date{year{static_cast<int>(*y)}, month{*m}, day{*d}};
  if (!date.ok() || *y < 1970) {
    in.reject(in.place(), "there is no such day after 1970", "a date such as 2026-12-24");
    return std::nullopt;
  }
  in.advance();
  return local_days{date};
}

std::optional<instant> take_instant(token_cursor& in) {
  std::string text{in.peek()};
  if (const auto t = parse_instant(text)) {
    in.advance();
    return *t;
  }
  in.wanted("an instant such as 2026-12-24T09:00:00Z");
  return std::nullopt;
}

std::optional<span> unit_length(std::string_view word) {
  if (word.size() > 1 && word.ends_with('s')) word.remove_suffix(1);
  if (word == "second" || word == "sec") return std::chrono::seconds{1};
  if (word == "minute" || word == "min") return std::chrono::minutes{1};
  if (word == "hour" || word == "hr") return std::chrono::hours{1};
  if (word == "day") return std::chrono::hours{24};
  if (word == "week") return std::chrono::hours{168};
  return std::nullopt;
}

std::optional<span> take_span(token_cursor& in) {
  constexpr std::string_view forms = "a duration such as 5 minutes, 2 hours, 90s or 1h30m";
  constexpr span most = std::chrono::hours{24 * 36'525};
  const auto start = in.place();
  if (const auto text = in.peek(); !text.empty() && digit(text.front()) && !digits_of(text, 9)) {
    if (const auto s = parse_span(text); s && *s <= most) {
      in.advance();
      return *s;
    }
    in.wanted(forms);
    return std::nullopt;
  }
  span total{0};
  for (;;) {
    const auto piece = in.place();
    std::optional<std::uint32_t> n;
    if (in.peek() == "a" || in.peek() == "an") {
      in.advance();
      n = 1;
    } else {
      n = digits_of(in.peek(), 9);
      if (n) in.advance();
    }
    const auto unit = n ? unit_length(in.peek()) : std::nullopt;
    if (!unit) {
      if (piece == start) {
        in.wanted(n ? std::string_view{"seconds, minutes, hours, days or weeks"} : forms);
        in.back_to(start);
        return std::nullopt;
      }
      in.back_to(piece - 1);  // the "and" belongs to what follows
      return total;
    }
    in.advance();
    if (static_cast<std::int64_t>(*n) > (most - total) / *unit) {
      in.reject(start, "the duration is longer than 100 years", forms);
      in.back_to(start);
      return std::nullopt;
    }
    total += *unit * static_cast<std::int64_t>(*n);
    if (in.peek() != "and") return total;
    in.advance();
  }
}

std::optional<zone> take_zone(token_cursor& in) {
  if (!in.done()) {
    const auto z = zone::named(in.peek() == "utc" ? std::string_view{"UTC"} : in.raw());
    if (z) {
      in.advance();
      return *z;
    }
    if (in.raw().find('/') != std::string_view::npos) {
      in.reject(in.place(), "there is no such time zone", z.error().problems.front().allowed);
      return std::nullopt;
    }
  }
  in.wanted("a time zone such as Europe/Berlin");
  return std::nullopt;
}

std::optional<unsigned> take_weekday(token_cursor& in) {
  if (const auto w = weekday_from(in.peek())) {
    in.advance();
    return w;
  }
  in.wanted("a weekday");
  return std::nullopt;
}

std::optional<unsigned> take_month(token_cursor& in) {
  if (const auto m = month_from(in.peek())) {
    in.advance();
    return m;
  }
  in.wanted("a month");
  return std::nullopt;
}

}  // namespace belfry::core
