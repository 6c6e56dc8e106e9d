#include "core/schedule/trigger.hpp"

#include <algorithm>

#include "core/events/named_event.hpp"
#include "core/text/utf8.hpp"
#include "core/text/word.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t most_filters = 16;
constexpr std::size_t longest_name = 200;
constexpr span longest_debounce = std::chrono::hours{24};
constexpr std::uint16_t greatest_depth = 64;

std::int64_t floor_div(std::int64_t n, std::int64_t by) {
  const auto q = n / by;
  return n % by < 0 ? q - 1 : q;
}

bool fits_pattern(std::string_view pattern, std::string_view text) {
  if (pattern.ends_with('*')) return text.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == text;
}

bool fits(const event_condition& f, const outside_event& e) {
  for (const auto& [key, value] : e.fields) {
    if (key != f.key) continue;
    if (f.test == filter_test::exists) return true;
    return fits_pattern(f.value, value) == (f.test == filter_test::equal);
  }
  return f.test == filter_test::unequal;  // what is not there differs
}

// A word of an expression: it is written without quotes.
bool plain_word(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (c >= 0 && c <= ' ') || c == ';' || c == '|' || c == ',' || c == '=' || c == '!' || c == 0x7F;
  });
}

struct problems {
  std::vector<field_problem>& found;
  const std::string& base;
  void add(std::string_view field, std::string value, std::string allowed, std::string why) const {
    found.push_back({base + std::string{field}, std::move(value), std::move(allowed), std::move(why)});
  }
};

void check_one(const once_trigger& t, const problems& no) {
  if (t.at <= never || t.at > end_of_time)
    no.add("/at", "", "an instant of the years 1970 to 9999", "it is out of range");
}

void check_one(const interval_trigger& t, const problems& no) {
  if (t.period < least_period || t.period > greatest_period)
    no.add("/every", to_text(t.period), "1s to 3653d", "it is out of range");
  if (t.anchor < never || t.anchor > end_of_time)
    no.add("/anchor", "", "an instant of the years 1970 to 9999", "it is out of range");
}

void check_one(const cron_expression& t, const problems& no) {
  if (!possible(t)) no.add("/cron", "", "a day that exists", "it would never happen");
}

void check_one(const recurrence& t, const problems& no) {
  for (auto& p : check(t, no.base)) no.found.push_back(std::move(p));
}

void check_one(const event_trigger& t, const problems& no) {
  if (auto p = check_awaited_name(t.name)) no.add("/event", shown(t.name, 80), p->allowed, p->detail);
  if (t.filters.size() > most_filters)
    no.add("/filters", std::to_string(t.filters.size()), "at most 16", "there are too many");
  for (const auto& f : t.filters) {
    check_word(no.found, no.base + "/filters", f.key, longest_name, blank::refused);
    if (!plain_word(f.key) || !plain_word(f.value) || (f.value.empty() && f.test != filter_test::exists))
      no.add("/filters", shown(f.key + "=" + f.value, 80), "words without blanks and without , ; | = !",
             "it has a character that is not allowed");
  }
  if (t.debounce < span{0} || t.debounce > longest_debounce)
    no.add("/debounce", to_text(t.debounce), "0 to 1d", "it is out of range");
  if (t.longest_hold < span{0} || t.longest_hold > longest_debounce ||
      (t.longest_hold > span{0} && (t.debounce == span{0} || t.longest_hold < t.debounce)))
    no.add("/longest_hold", to_text(t.longest_hold), "0, or the debounce time to 1d", "it is out of range");
  if (t.most_depth < 1 || t.most_depth > greatest_depth)
    no.add("/most_depth", std::to_string(t.most_depth), "1 to 64", "it is out of range");
}

}  // namespace

std::optional<instant> next_instant(const interval_trigger& t, instant after) {
  if (after >= end_of_time) return std::nullopt;
  const auto period = t.period.count();
  const auto k = floor_div((after - t.anchor).count(), period) + 1;
  const auto next = t.anchor + span{k * period};
  return next > end_of_time ? std::nullopt : std::optional{next};
}

std::int64_t count_between(const interval_trigger& t, instant after, instant upto) {
  if (upto <= after) return 0;
  return floor_div((upto - t.anchor).count(), t.period.count()) -
         floor_div((after - t.anchor).count(), t.period.count());
}

bool matches(const event_trigger& t, const outside_event& e) {
  return (e.own ? t.name == e.name : fits_pattern(t.name, e.name)) &&
         std::all_of(t.filters.begin(), t.filters.end(), [&](const auto& f) { return fits(f, e); });
}

event_decision decide_event(const event_trigger& t, const debounce_state& state, const outside_event& e,
                            instant now) {
  if (!matches(t, e)) return {event_verdict::ignored, state};
  if (e.depth >= t.most_depth) return {event_verdict::too_deep, state};
  if (t.debounce == span{0}) return {event_verdict::fire, state};
  auto next = state;
  if (next.held == 0) next.first_held = now;
  ++next.held;
  // A clock that went back must not make the wait longer than was asked for, nor shorten what is promised.
  next.fires_at = std::max(next.fires_at, later(now, t.debounce));
  if (t.longest_hold > span{0})
    next.fires_at = std::min(next.fires_at, later(next.first_held, t.longest_hold));
  return {event_verdict::held, next};
}

event_decision decide_debounce(const debounce_state& state, instant now) {
  if (state.held == 0) return {event_verdict::ignored, state};
  if (now < state.fires_at) return {event_verdict::held, state};
  return {event_verdict::fire, {}};
}

std::vector<field_problem> check(const trigger& t, const std::string& base) {
  std::vector<field_problem> found;
  std::visit([&](const auto& one) { check_one(one, problems{found, base}); }, t);
  return found;
}

}  // namespace belfry::core
