#include "core/schedule/plan.hpp"

#include <algorithm>
#include <array>

#include "core/schedule/canonical.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::array<std::string_view, 3> catch_up_words{"skip", "once", "all"};
constexpr std::array<std::string_view, 9> reason_words{"missed",         "grace_passed", "deadline_passed",
                                                       "catch_up_limit", "crash_loop",   "excluded",
                                                       "postponed",      "paused",       "fire_limit"};
constexpr std::array<std::string_view, 4> scope_words{"none", "job", "workspace", "node"};
constexpr std::array<std::string_view, 2> count_words{"runs", "successes"};
constexpr span tick{1};
constexpr std::int64_t most_counted = 10'000;
constexpr std::size_t most_ranges = 64;
constexpr std::uint32_t most_made = 1'000;
constexpr std::size_t longest_exclusion = 120;  // bytes of its text in a record
constexpr span longest_grace = std::chrono::hours{24 * 400};

template <class Words, class Enum>
std::string_view word(const Words& words, Enum e) {
  const auto i = static_cast<std::size_t>(e);
  return i < words.size() ? words[i] : std::string_view{"unknown"};
}
template <class Enum, class Words>
std::optional<Enum> from_word(const Words& words, std::string_view text) {
  const auto at = std::find(words.begin(), words.end(), text);
  if (at == words.end()) return std::nullopt;
  return static_cast<Enum>(at - words.begin());
}

std::string text_of(const exclusion& e) {
  auto text = canonical(e);
  if (text.size() <= longest_exclusion) return text;
  return std::string{cut_utf8(text, longest_exclusion)} + "...";
}

// What was settled for good is not there to be postponed. Nothing where the schedule does as it is.
std::optional<schedule> since(const schedule& s, instant settled) {
  if (settled <= s.starts || s.not_during.empty() || !postpones(s)) return std::nullopt;
  auto from_then_on = s;
  from_then_on.starts = std::min(settled, s.ends);
  return from_then_on;
}

std::optional<instant> look_again(const schedule& s, instant after) {
  if (const auto upcoming = next(s, after)) return upcoming->at;
  const auto said = calendars_of(s).empty() ? std::nullopt : next_of_triggers(s, after);
  if (!said) return std::nullopt;
  const auto verdict = judge(s, said->at);
  return verdict.excluded ? std::max(verdict.until, said->at) : said->at;
}

// One decision in the making.
class planner {
 public:
  planner(const schedule& s, const plan_policy& policy, const plan_cursor& cursor, const plan_now& at)
      : settled_{since(s, cursor.since)},
        s_{settled_ ? *settled_ : s},
        policy_{policy},
        cursor_{cursor},
        at_{at} {
    out_.next = cursor;
  }

  std::vector<skip_range> excluded() {
    record_excluded();
    in_order();
    return std::move(out_.skips);
  }

  plan_decision run() {
    if (exhausted()) return finished();
    if (at_.now > cursor_.covered) {
      decide();
      record_excluded();
      out_.next.covered = at_.now;
      in_order();
    }
    if (exhausted()) return finished();
    return going_on();
  }

  plan_decision aside(skip_reason reason) {
    if (exhausted()) return finished();
    if (at_.now > cursor_.covered) {
      add(cursor_.covered, at_.now, reason);
      record_excluded();
      out_.next.covered = at_.now;
      in_order();
    }
    return going_on();
  }

 private:
  plan_decision going_on() {
    out_.wake_at = look_again(s_, out_.next.covered);
    if (!out_.wake_at) return finished();
    return std::move(out_);
  }
  void in_order() {
    std::sort(out_.skips.begin(), out_.skips.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  bool exhausted() const { return used_up(policy_, out_.next); }
  plan_decision finished() {
    out_.completed = !on_event(s_);
    return std::move(out_);
  }

  // How many of what was missed may be made: the newest ones.
  std::size_t allowed() const {
    if (at_.after_crash_loop) return 0;
    switch (policy_.missed) {
      case catch_up::skip: return 0;
      case catch_up::once: return 1;
      case catch_up::all: return std::min(policy_.all_at_most, most_made);
    }
    return 0;
  }

  skip_reason reason_of_rest() const {
    if (at_.after_crash_loop) return skip_reason::crash_loop;
    return policy_.missed == catch_up::all ? skip_reason::catch_up_limit : skip_reason::missed;
  }

  void decide() {
    const auto latest = last(s_, cursor_.covered, at_.now);
    if (!latest) return;
    const bool punctual = at_.now - latest->at <= policy_.on_time;
    // From the newest to the oldest, as many as may be made; the rest is one range.
    auto most = allowed();
    if (punctual && policy_.missed != catch_up::all) most = 1;
    if (punctual && policy_.missed == catch_up::all) most = std::max<std::size_t>(most, 1);
    if (policy_.most_runs > 0) most = std::min(most, static_cast<std::size_t>(runs_left(policy_, cursor_)));
    std::vector<fire_time> chosen;
    const auto oldest_in_time = at_.now - oldest_age(punctual);
    for (auto at = latest; at && chosen.size() < most && at->at >= oldest_in_time;) {
      chosen.push_back(*at);
      at = last(s_, cursor_.covered, at->at - tick);
    }
    std::reverse(chosen.begin(), chosen.end());
    const auto before_chosen = chosen.empty() ? at_.now : chosen.front().at - tick;
    skip_up_to(before_chosen);
    for (const auto& c : chosen) make(c, !punctual || c.at != latest->at);
  }

  // The age up to which an occurrence may be made at all.
  span oldest_age(bool punctual) const {
    auto age = punctual ? std::max(policy_.grace, policy_.on_time) : policy_.grace;
    if (policy_.start_deadline > span{0}) age = std::min(age, policy_.start_deadline);
    return age;
  }

  // Everything in (covered, upto] is skipped: what is too old for its own reason, the rest for the policy's.
  void skip_up_to(instant upto) {
    const bool by_deadline = policy_.start_deadline > span{0} && policy_.start_deadline < policy_.grace;
    const auto age = by_deadline ? policy_.start_deadline : policy_.grace;
    const auto too_old = std::clamp(at_.now - age - tick, cursor_.covered, upto);
    add(cursor_.covered, too_old, by_deadline ? skip_reason::deadline_passed : skip_reason::grace_passed);
    add(too_old, upto, reason_of_rest());
  }

  void add(instant after, instant upto, skip_reason reason) {
    if (upto <= after) return;
    const auto first = next(s_, after);
    if (!first || first->at > upto) return;
    const auto newest = last(s_, after, upto);
    skip_range r{first->at, newest ? newest->at : first->at, 1, false, reason, never, {}};
    r.count = count_between(s_, after, upto, most_counted);
    r.at_least = r.count == most_counted;
    out_.skips.push_back(r);
  }

  void make(const fire_time& f, bool caught_up) {
    planned_time p{f.at, f.at, caught_up, false, f.shift, fire_scope::none, postponed_from(f.at)};
    if (s_.jitter > span{0}) {
      const auto following = next(s_, f.at);
      p.start = later(f.at, jitter_for(s_.jitter, at_.seed, f.at, following ? following->at : end_of_time));
    }
    if (caught_up) p.start = std::max(f.at, std::min(p.start, at_.now));
    limit(p);
    ++out_.next.made;
    out_.make.push_back(p);
  }

  // The first instant that was postponed to `at`; never: a trigger says `at` itself.
  instant postponed_from(instant at) const {
    if (!postpones(s_)) return never;
    const auto said = next_of_triggers(s_, at - tick);
    if (said && said->at == at) return never;
    return held_back(s_, at - tick).value_or(never);
  }

  // Rolling window: the run that would be one too many waits until the oldest of the window leaves it.
  void limit(planned_time& p) {
    const auto most = std::min(policy_.limit.most, most_made);
    if (most == 0) return;
    auto& recent = out_.next.recent;
    auto start = std::max(p.start, at_.now);
    if (recent.size() >= most) {
      const auto free_at = later(recent[recent.size() - most], policy_.limit.window);
      if (free_at > start) {
        start = free_at;
        p.start = free_at;
        p.limited = true;
        p.limited_by = fire_scope::job;
      }
    }
    recent.push_back(start);
    if (recent.size() > most) recent.erase(recent.begin(), recent.end() - most);
  }

  // What the triggers say inside of excluded time, one range for each such time.
  void record_excluded() {
    if (s_.not_during.empty()) return;
    auto from = cursor_.covered;
    while (true) {
      const auto found = first_excluded(from);
      if (!found || *found > at_.now) return;
      const auto verdict = judge(s_, *found);
      skip_range r{*found,
                   *found,
                   0,
                   false,
                   verdict.postponed ? skip_reason::postponed : skip_reason::excluded,
                   verdict.postponed ? verdict.until : never,
                   text_of(s_.not_during[verdict.which])};
      // The last range takes all that is left, of both kinds.
      const bool rest = out_.skips.size() + 1 >= most_ranges;
      from = walk(r, rest ? at_.now : std::min(at_.now, verdict.until - tick), rest);
      out_.skips.push_back(r);
      if (rest) return;
    }
  }

  // The first instant after `from` that a trigger says and an exclusion leaves out.
  std::optional<instant> first_excluded(instant from) const {
    for (std::int64_t i = 0; i < most_counted; ++i) {
      const auto said = next_of_triggers(s_, from);
      if (!said || said->at > at_.now) return std::nullopt;
      if (judge(s_, said->at).excluded) return said->at;
      // On to the next excluded time: what lies before it is made or skipped for other reasons.
      auto begin = end_of_time;
      for (const auto& e : s_.not_during)
        if (const auto p = period_from(e, s_.in, said->at)) begin = std::min(begin, p->begin);
      if (begin > at_.now) return std::nullopt;
      from = std::max(said->at, begin - tick);
    }
    return std::nullopt;
  }

  // Extends a range over what else the exclusions leave out in the same way, up to `upto`. Gives the instant
  // up to which it is done.
  instant walk(skip_range& r, instant upto, bool rest) const {
    const bool postponed = r.reason == skip_reason::postponed;
    auto from = r.first - tick;
    for (std::int64_t steps = 0;; ++steps) {
      const auto said = next_of_triggers(s_, from);
      if (!said || said->at > upto) return upto;
      if (steps == most_counted) {
        // What is left is found by its end alone.
        r.at_least = true;
        r.last = std::max(r.last, last_said(r.last, upto));
        return upto;
      }
      const auto there = judge(s_, said->at);
      if (there.excluded && there.postponed != postponed && !rest) return said->at - tick;
      if (there.excluded) {
        ++r.count;
        r.last = said->at;
      }
      from = said->at;
    }
  }

  instant last_said(instant after, instant upto) const {
    schedule bare = s_;
    bare.not_during.clear();
    const auto newest = last(bare, after, upto);
    return newest ? newest->at : after;
  }

  std::optional<schedule> settled_;
  const schedule& s_;
  const plan_policy& policy_;
  const plan_cursor& cursor_;
  const plan_now& at_;
  plan_decision out_;
};

}  // namespace

std::string_view to_text(catch_up c) { return word(catch_up_words, c); }
std::optional<catch_up> catch_up_from(std::string_view text) {
  return from_word<catch_up>(catch_up_words, text);
}
std::string_view to_text(run_count c) { return word(count_words, c); }
std::optional<run_count> run_count_from(std::string_view text) {
  return from_word<run_count>(count_words, text);
}
std::string_view to_text(skip_reason r) { return word(reason_words, r); }
std::string_view to_text(fire_scope s) { return word(scope_words, s); }
std::optional<skip_reason> skip_reason_from(std::string_view text) {
  return from_word<skip_reason>(reason_words, text);
}

std::vector<field_problem> check(const plan_policy& p, const std::string& base) {
  std::vector<field_problem> found;
  const auto no = [&](std::string_view field, std::string value, std::string allowed) {
    found.push_back({base + std::string{field}, std::move(value), std::move(allowed), "it is out of range"});
  };
  if (static_cast<unsigned>(p.missed) > static_cast<unsigned>(catch_up::all))
    no("/catch_up", std::to_string(static_cast<unsigned>(p.missed)), "skip, once, all");
  if (p.all_at_most < 1 || p.all_at_most > most_made)
    no("/catch_up_max", std::to_string(p.all_at_most), "1 to 1000");
  if (p.grace < std::chrono::seconds{1} || p.grace > longest_grace)
    no("/catch_up_grace", to_text(p.grace), "1s to 400d");
  if (p.start_deadline < span{0} || p.start_deadline > longest_grace)
    no("/start_deadline", to_text(p.start_deadline), "0 to 400d");
  if (p.on_time < span{0} || p.on_time > std::chrono::hours{24})
    no("/on_time", to_text(p.on_time), "0 to 1d");
  if (p.limit.most > most_made) no("/fire_limit", std::to_string(p.limit.most), "0 to 1000");
  if (p.limit.window < std::chrono::seconds{1} || p.limit.window > longest_grace)
    no("/fire_window", to_text(p.limit.window), "1s to 400d");
  if (p.most_runs < 0) no("/max_runs", std::to_string(p.most_runs), "0 or more");
  if (p.most_runs == 0 && p.most_runs_of != run_count::runs)
    found.push_back({base + "/max_runs_of", std::string{to_text(p.most_runs_of)}, "max_runs with it",
                     "nothing says how many there may be"});
  return found;
}

plan_decision plan(const schedule& s, const plan_policy& policy, const plan_cursor& cursor,
                   const plan_now& at) {
  return planner{s, policy, cursor, at}.run();
}

plan_decision set_aside(const schedule& s, const plan_cursor& cursor, instant upto, skip_reason reason) {
  const plan_policy none;
  const plan_now at{upto, 0, false};
  return planner{s, none, cursor, at}.aside(reason);
}

void set_skipped(std::vector<skip_range>& skips, instant at, skip_reason reason) {
  const auto behind = std::find_if(skips.begin(), skips.end(), [&](const auto& r) { return r.first > at; });
  skips.insert(behind, {at, at, 1, false, reason, never});
}

plan_cursor start_from(const plan_cursor& before, instant now) {
  auto next = before;
  // Never back: what lies behind `covered` has been accounted for.
  next.covered = std::max(before.covered, now);
  next.since = next.covered + tick;
  return next;
}

changed_plan change_plan(const schedule& before, const schedule& after, const plan_cursor& cursor,
                         instant now) {
  changed_plan c{start_from(cursor, now), {}, {}};
  const auto settled = since(before, cursor.since);
  const auto t = c.next.covered;
  const auto late = held_back(settled ? *settled : before, t);
  if (!late) return c;
  const auto said = next_of_triggers(after, *late - tick);
  if (!said || said->at != *late) return c;  // the new schedule is about other times
  const auto verdict = judge(after, *late);
  if (verdict.excluded && !verdict.postponed) {
    c.skip = skip_range{
        *late, *late, 1, false, skip_reason::excluded, never, text_of(after.not_during[verdict.which])};
  } else if (verdict.excluded && verdict.until > t) {
    c.next.since = *late;
  } else {
    ++c.next.made;
    c.make = planned_time{t, t, true, false, clock_shift::none, fire_scope::none, *late};
  }
  return c;
}

std::optional<fire_time> next_planned(const schedule& s, const plan_cursor& cursor) {
  const auto settled = since(s, cursor.since);
  return next(settled ? *settled : s, cursor.covered);
}

std::optional<instant> wake_after(const schedule& s, const plan_cursor& cursor) {
  const auto settled = since(s, cursor.since);
  return look_again(settled ? *settled : s, cursor.covered);
}

std::vector<skip_range> left_out(const schedule& s, instant after, instant upto) {
  const plan_policy none;
  const plan_now at{upto, 0, false};
  plan_cursor cursor;
  cursor.covered = after;
  return planner{s, none, cursor, at}.excluded();
}

}  // namespace belfry::core
