#include <algorithm>

#include "core/schedule/schedule.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono_literals;

constexpr span tick{1};
constexpr span horizon = std::chrono::hours{24 * 14'610};  // 40 years
// Bounds of searches through excluded times. Each step passes one excluded period.
constexpr int most_steps = 20'000;
constexpr int longest_chain = 1'100;  // a list of dates has up to 1,000

zone_rules rules_of(const schedule& s, bool real_time) { return {s.gap, s.overlap, real_time}; }

struct next_of {
  const schedule& s;
  instant after;
  std::optional<fire_time> operator()(const once_trigger& t) const {
    if (t.at > after) return fire_time{t.at, clock_shift::none};
    return std::nullopt;
  }
  std::optional<fire_time> operator()(const interval_trigger& t) const {
    if (const auto at = next_instant(t, after)) return fire_time{*at, clock_shift::none};
    return std::nullopt;
  }
  std::optional<fire_time> operator()(const cron_expression& t) const {
    return next_in_zone(s.in, rules_of(s, real_time(t)), after,
                        [&](local_seconds l) { return next_local(t, l); });
  }
  std::optional<fire_time> operator()(const recurrence& t) const {
    return next_in_zone(s.in, rules_of(s, false), after, [&](local_seconds l) { return next_local(t, l); });
  }
  std::optional<fire_time> operator()(const event_trigger&) const { return std::nullopt; }
};

std::optional<fixed_period> around(const schedule& s, instant t, excluded_are kind, std::size_t& which) {
  for (std::size_t i = 0; i < s.not_during.size(); ++i)
    if (s.not_during[i].instants == kind)
      if (const auto p = period_around(s.not_during[i], s.in, t)) {
        which = i;
        return p;
      }
  return std::nullopt;
}

// The end of all excluded time that follows t without a pause.
instant end_of_excluded(const schedule& s, instant t) {
  for (int i = 0; i < longest_chain; ++i) {
    auto end = t;
    for (const auto& e : s.not_during)
      if (const auto p = period_around(e, s.in, t)) end = std::max(end, p->end);
    if (end == t) return t;
    t = end;
  }
  return end_of_time;
}

instant begin_of_excluded(const schedule& s, instant t) {
  for (int i = 0; i < longest_chain; ++i) {
    auto begin = t;
    for (const auto& e : s.not_during) {
      if (const auto p = period_around(e, s.in, t)) begin = std::min(begin, p->begin);
      if (const auto p = period_around(e, s.in, t - tick)) begin = std::min(begin, p->begin);
    }
    if (begin == t) break;
    t = begin;
  }
  return t;
}

struct held {
  instant planned;  // the first one
  instant until;
};

// An instant at or before `after` may have been postponed beyond it.
std::optional<held> postponed_beyond(const schedule& s, instant after) {
  std::size_t which = 0;
  if (!postpones(s)) return std::nullopt;
  if (!around(s, after, excluded_are::skipped, which) && !around(s, after, excluded_are::postponed, which))
    return std::nullopt;
  auto from = begin_of_excluded(s, after) - tick;
  for (int i = 0; i < most_steps; ++i) {
    const auto planned = next_of_triggers(s, from);
    if (!planned || planned->at > after) return std::nullopt;
    const auto verdict = judge(s, planned->at);
    if (verdict.excluded && verdict.postponed) {
      if (verdict.until > after && verdict.until <= s.ends && verdict.until < end_of_time)
        return held{planned->at, verdict.until};
      return std::nullopt;  // all of one chain are postponed to the same instant
    }
    const auto skipped = around(s, planned->at, excluded_are::skipped, which);
    from = skipped ? skipped->end - tick : planned->at;
  }
  return std::nullopt;
}

}  // namespace

std::optional<fire_time> next_of_triggers(const schedule& s, instant after) {
  // `starts` may be fired at itself, so the search begins just before it.
  const auto from = std::max(after, s.starts - tick);
  std::optional<fire_time> best;
  for (const auto& t : s.any_of) {
    const auto found = std::visit(next_of{s, from}, t);
    if (found && (!best || found->at < best->at)) best = found;
  }
  if (best && (best->at > s.ends || best->at > end_of_time)) return std::nullopt;
  return best;
}

exclusion_verdict judge(const schedule& s, instant t) {
  exclusion_verdict verdict;
  if (s.not_during.empty()) return verdict;
  // An exclusion that skips is the stronger one.
  if (const auto p = around(s, t, excluded_are::skipped, verdict.which)) {
    verdict.excluded = true;
    verdict.until = p->end;
  } else if (around(s, t, excluded_are::postponed, verdict.which)) {
    verdict.excluded = true;
    verdict.postponed = true;
    verdict.until = end_of_excluded(s, t);
  }
  return verdict;
}

bool postpones(const schedule& s) {
  return std::any_of(s.not_during.begin(), s.not_during.end(),
                     [](const exclusion& e) { return e.instants == excluded_are::postponed; });
}

std::optional<instant> held_back(const schedule& s, instant t) {
  const auto late = postponed_beyond(s, t);
  return late ? std::optional{late->planned} : std::nullopt;
}

std::optional<fire_time> next(const schedule& s, instant after) {
  if (s.not_during.empty()) return next_of_triggers(s, after);
  // Nothing else lies before it: it is the end of excluded time that `after` lies in.
  if (const auto late = postponed_beyond(s, after)) return fire_time{late->until, clock_shift::none};
  auto from = after;
  auto latest = end_of_time;
  for (int i = 0; i < most_steps; ++i) {
    const auto planned = next_of_triggers(s, from);
    if (!planned || planned->at > latest) return std::nullopt;
    if (i == 0) latest = later(planned->at, horizon);
    const auto verdict = judge(s, planned->at);
    if (!verdict.excluded) return planned;
    if (verdict.postponed) {
      if (verdict.until > s.ends || verdict.until >= end_of_time) return std::nullopt;
      return fire_time{verdict.until, clock_shift::none};
    }
    from = std::max(verdict.until - tick, planned->at);
  }
  return std::nullopt;
}

std::optional<fire_time> last(const schedule& s, instant after, instant upto) {
  auto found = next(s, after);
  if (!found || found->at > upto) return std::nullopt;
  // Invariant: the instant after `low` is at most `upto`, the one after `high` is not.
  auto low = after;
  auto high = upto;
  while (high - low > tick) {
    // Most callers ask about a short time before `upto`, but a year of sleep takes only 45 steps.
    const auto middle = low + (high - low) / 2;
    const auto there = next(s, middle);
    if (there && there->at <= upto) {
      found = there;
      low = std::max(middle, there->at - tick);
    } else {
      high = middle;
    }
  }
  return found;
}

std::int64_t count_between(const schedule& s, instant after, instant upto, std::int64_t at_most) {
  if (s.any_of.size() == 1 && s.not_during.empty())
    if (const auto* interval = std::get_if<interval_trigger>(&s.any_of.front()))
      return std::min(at_most,
                      count_between(*interval, std::max(after, s.starts - tick), std::min(upto, s.ends)));
  std::int64_t n = 0;
  for (auto at = next(s, after); n < at_most && at && at->at <= upto; at = next(s, at->at)) ++n;
  return n;
}

bool on_event(const schedule& s) {
  return !s.any_of.empty() && std::holds_alternative<event_trigger>(s.any_of.front());
}

std::optional<instant> only_once(const schedule& s) {
  if (s.any_of.size() != 1) return std::nullopt;
  if (const auto* once = std::get_if<once_trigger>(&s.any_of.front())) return once->at;
  return std::nullopt;
}

span jitter_for(span window, std::uint64_t seed, instant at, instant following) {
  const auto half = following > at ? (following - at) / 2 : span{0};
  const auto width = std::min(window, half);
  if (width <= span{0}) return span{0};
  // The same share of any window, so that a job keeps its place among the others.
  seed += 0x9E3779B97F4A7C15ULL;
  seed = (seed ^ seed >> 30U) * 0xBF58476D1CE4E5B9ULL;
  seed = (seed ^ seed >> 27U) * 0x94D049BB133111EBULL;
  const auto share = (seed ^ seed >> 31U) >> 44U;  // 20 bits; a day in milliseconds has 27
  const auto ms = static_cast<std::uint64_t>(millis(width));
  return std::chrono::milliseconds{static_cast<std::int64_t>(ms * share >> 20U)};
}

std::vector<coming> preview(const schedule& s, instant after, std::size_t count) {
  std::vector<coming> found;
  count = std::min<std::size_t>(count, 1'000);
  while (found.size() < count) {
    const auto at = next(s, after);
    if (!at) break;
    found.push_back({at->at, local_text(s.in.local(at->at)), offset_text(s.in.offset(at->at)), at->shift});
    after = at->at;
  }
  return found;
}

}  // namespace belfry::core
