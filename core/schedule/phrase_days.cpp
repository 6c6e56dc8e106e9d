#include "core/schedule/names.hpp"
#include "core/schedule/phrase_parts.hpp"

namespace belfry::core::phrases {
namespace {

constexpr weekday_bits working_days = 0x3E;
constexpr weekday_bits weekend_days = 0x41;

weekday_bits bit(unsigned w) { return static_cast<weekday_bits>(1U << w); }

// "," "and" "or", and ", and"; only where `item` follows, which is tried by the caller.
bool take_separator(token_cursor& in) {
  bool any = in.take(",");
  if (in.peek() == "and" || in.peek() == "or" || in.peek() == "&") {
    in.advance();
    any = true;
  }
  return any;
}

struct ordinal {
  unsigned n = 0;
  bool word = false;  // "first" needs something to be the first of
};

std::optional<ordinal> take_ordinal(token_cursor& in) {
  const auto n = ordinal_from(in.peek());
  if (!n) {
    in.wanted("a number such as 1st or first");
    return std::nullopt;
  }
  const bool word = in.peek().front() < '0' || in.peek().front() > '9';
  in.advance();
  return ordinal{*n, word};
}

// "1st and 3rd monday", "the 15th", "first day".
bool take_ordinals(token_cursor& in, day_set& days) {
  const auto start = in.place();
  std::vector<ordinal> found;
  auto end = start;
  bool named = false;
  while (const auto n = take_ordinal(in)) {
    // "the 1st or the second monday" are two things, "first and third monday" is one.
    if (!found.empty() && found.front().word != n->word) break;
    found.push_back(*n);
    named = named || n->word;
    end = in.place();
    if (!take_separator(in)) break;
    in.take("the");
  }
  if (found.empty()) return false;
  in.back_to(end);
  if (const auto w = take_weekday(in)) {
    for (const auto& n : found) {
      if (n.n > 5) {
        in.reject(start, "a month has at most five of a weekday", "first to fifth");
        return false;
      }
      days.nth[*w] |= static_cast<std::uint8_t>(1U << n.n);
    }
    return true;
  }
  if (in.take_any({"day", "days"})) named = false;
  if (named) return false;
  for (const auto& n : found) days.month_days |= 1U << n.n;
  return true;
}

bool take_weekdays(token_cursor& in, day_set& days) {
  const auto first = take_weekday(in);
  if (!first) {
    const auto list =
        in.done() || in.peek().find('-') == std::string_view::npos ? std::nullopt : days_from(in.peek());
    if (!list || any_month_day(*list) || list->weekdays == 0) return false;
    days.weekdays |= list->weekdays;
    in.advance();
    return true;
  }
  const auto place = in.place();
  if (in.take_any({"to", "through", "-"})) {
    if (const auto last = take_weekday(in)) {
      const auto end = *last < *first ? *last + 7 : *last;
      for (auto d = *first; d <= end; ++d) days.weekdays |= bit(d % 7);
      return true;
    }
    in.back_to(place);
  }
  days.weekdays |= bit(*first);
  return true;
}

bool take_item(token_cursor& in, day_words& out) {
  const auto start = in.place();
  auto& days = out.days;
  const bool every = in.take_any({"every", "each"});
  if (!every) in.take("on");
  in.take("the");
  bool good = true;
  if (in.take_any({"weekdays", "weekday"})) {
    days.weekdays |= working_days;
  } else if (in.take_any({"weekends", "weekend"})) {
    days.weekdays |= weekend_days;
  } else if (in.take("last")) {
    if (in.take("day"))
      days.last_day = true;
    else if (const auto w = take_weekday(in))
      days.last_weekdays |= bit(*w);
    else
      good = false;
  } else if (in.take_any({"days", "day"})) {
    const auto list = in.done() ? std::nullopt : days_from(in.peek());
    good = list && any_month_day(*list) && !any_weekday(*list);
    if (good) {
      days.month_days |= list->month_days;
      days.last_day = days.last_day || list->last_day;
      in.advance();
    } else {
      in.wanted("days of the month such as 1-7,15,L");
    }
  } else {
    good = take_weekdays(in, days);
    if (!good) {
      good = take_ordinals(in, days);
      // "every second monday" could be every other Monday, "every second day" every other day.
      if (good && every && in.peek() != "of") {
        in.reject(in.place(), "it is unclear whether every other one is meant", "of the month");
        good = false;
      }
    }
  }
  if (!good) {
    in.back_to(start);
    return false;
  }
  const auto end = in.place();
  if (in.take("of")) {
    if (in.take_any({"the", "every", "each"}) && in.take("month")) return true;
    in.back_to(end + 1);
    if (const auto months = take_months(in)) {
      out.months |= *months;
      return true;
    }
    in.back_to(end);
  }
  return true;
}

std::optional<day_words> take_list(token_cursor& in) {
  day_words out;
  if (!take_item(in, out)) return std::nullopt;
  for (;;) {
    const auto end = in.place();
    if (take_separator(in) && take_item(in, out)) continue;
    in.back_to(end);
    break;
  }
  return out;
}

}  // namespace

std::optional<std::uint16_t> take_months(token_cursor& in) {
  if (in.take_any({"months"})) {
    const auto bits = in.done() ? std::nullopt : bits_from(in.peek(), 1, 12);
    if (!bits) {
      in.wanted("months such as 1-6,9");
      return std::nullopt;
    }
    in.advance();
    return static_cast<std::uint16_t>(*bits);
  }
  std::uint16_t found = 0;
  for (;;) {
    const auto end = in.place();
    if (found != 0 && !take_separator(in)) return found;
    const auto first = take_month(in);
    if (!first) {
      in.back_to(end);
      return found != 0 ? std::optional{found} : std::nullopt;
    }
    auto last = first;
    const auto place = in.place();
    if (in.take_any({"to", "through"})) {
      last = take_month(in);
      if (!last) {
        in.back_to(place);
        last = first;
      }
    }
    for (auto m = *first; m <= (*last < *first ? *last + 12 : *last); ++m)
      found |= static_cast<std::uint16_t>(1U << ((m - 1) % 12 + 1));
  }
}

std::optional<day_words> take_days(token_cursor& in) {
  auto out = take_list(in);
  if (!out) return std::nullopt;
  const auto end = in.place();
  if (in.take("but only on")) {
    auto only = take_list(in);
    if (only && any_month_day(out->days) && !any_weekday(out->days) && any_weekday(only->days) &&
        !any_month_day(only->days)) {
      out->days.weekdays = only->days.weekdays;
      out->days.nth = only->days.nth;
      out->days.last_weekdays = only->days.last_weekdays;
      out->months |= only->months;
      out->both = true;
    } else {
      in.reject(end, "before 'but only on' stand days by number, after it weekdays", "a weekday");
      in.back_to(end);
    }
  }
  return out;
}

}  // namespace belfry::core::phrases
