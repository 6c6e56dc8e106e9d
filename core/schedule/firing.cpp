#include "core/schedule/firing.hpp"

#include <algorithm>

namespace belfry::core {
namespace {

constexpr span tick{1};

const event_trigger& trigger_of(const schedule& s) { return std::get<event_trigger>(s.any_of.front()); }

// When the fire limit lets the next one through; never: now.
instant free_at(const plan_policy& p, const plan_cursor& c, instant now) {
  const auto most = p.limit.most;
  if (most == 0 || c.recent.size() < most) return never;
  const auto at = later(c.recent[c.recent.size() - most], p.limit.window);
  return at > now ? at : never;
}

// Occurrences of one job are in order and share no instant, also of two events in one microsecond, and also
// when the clock was put back.
event_firing fire(const awaiting& job, plan_cursor& next, instant now, std::uint64_t seed) {
  event_firing f;
  f.when.at = std::max(now, later(next.covered, tick));
  f.when.start = f.when.at;
  if (const auto wait = jitter_for(job.when.jitter, seed, f.when.at, end_of_time); wait > span{0}) {
    f.due = later(now, wait);
    f.when.start = std::max(f.when.at, f.due);
  }
  next.covered = f.when.at;
  ++next.made;
  if (const auto most = job.policy.limit.most; most > 0) {
    next.recent.push_back(now);
    if (next.recent.size() > most)
      next.recent.erase(next.recent.begin(),
                        next.recent.end() - static_cast<std::vector<instant>::difference_type>(most));
  }
  return f;
}

void take(event_hold& h, const arriving& e, instant now) {
  if (h.wait.held == 0) {
    h.wait.first_held = now;
    h.wait.fires_at = never;
    h.depth = 0;
    h.limited = false;
  }
  ++h.wait.held;
  h.depth = std::max(h.depth, e.depth);
  h.newest = e.what;
  h.newest_at = now;
}

skip_range range_of_held(const event_hold& h, skip_reason reason) {
  skip_range r;
  r.first = h.wait.first_held;
  r.last = std::max(h.wait.first_held, h.newest_at);
  r.count = h.wait.held;
  r.reason = reason;
  return r;
}

void forget_held(event_hold& h) {
  h.wait = {};
  h.depth = 0;
  h.limited = false;
  h.newest = {};
  h.newest_at = never;
}

// Why what was held is not made any more, though its time has come.
std::optional<skip_reason> too_late(const plan_policy& p, instant due, const plan_now& at) {
  const auto late = at.now - due;
  if (p.start_deadline > span{0} && late > p.start_deadline) return skip_reason::deadline_passed;
  if (late <= p.on_time) return std::nullopt;
  if (at.after_crash_loop) return skip_reason::crash_loop;
  if (late > p.grace) return skip_reason::grace_passed;
  if (p.missed == catch_up::skip) return skip_reason::missed;
  return std::nullopt;
}

}  // namespace

outside_event as_outside(const arriving& a) {
  outside_event e;
  e.name = a.what.name;
  e.fields.assign(a.what.fields.begin(), a.what.fields.end());
  e.depth = a.depth;
  e.own = a.own;
  return e;
}

arrival_decision decide_arrival(const awaiting& job, const arriving& e, const arrival_now& at) {
  arrival_decision d{arrival::ignored, job.hold, job.cursor, std::nullopt};
  const auto& on = trigger_of(job.when);
  const auto outside = as_outside(e);
  if (!matches(on, outside) || at.now < job.when.starts || at.now > job.when.ends ||
      used_up(job.policy, job.cursor))
    return d;
  const auto wait = decide_event(on, job.hold.wait, outside, at.now);
  if (wait.verdict == event_verdict::too_deep) {
    d.what = arrival::too_deep;
    return d;
  }
  if (at.paused) {
    d.what = arrival::aside;
    if (d.hold.aside++ == 0) d.hold.aside_first = at.now;
    d.hold.aside_last = std::max(d.hold.aside_last, at.now);
    return d;
  }
  const bool waits = d.hold.wait.held > 0;
  const auto limit = free_at(job.policy, job.cursor, at.now);
  if (wait.verdict == event_verdict::fire && !waits && limit == never && !at.crowded) {
    d.what = arrival::fires;
    d.firing = fire(job, d.cursor, at.now, at.seed);
    d.firing->depth = e.depth;
    d.firing->first = d.firing->newest = at.now;
    return d;
  }
  d.what = arrival::held;
  take(d.hold, e, at.now);
  if (wait.verdict == event_verdict::held) {
    d.hold.wait = wait.next;
    d.hold.wait.fires_at = std::min(d.hold.wait.fires_at, job.when.ends);
  } else if (!waits) {
    d.hold.wait.fires_at = limit == never ? at.now : limit;
    d.hold.limited = limit != never;
  }
  return d;
}

instant release_due(const awaiting& job) {
  if (job.hold.wait.held > 0) return job.hold.wait.fires_at;
  if (used_up(job.policy, job.cursor)) return never;
  return job.when.ends < end_of_time ? later(job.when.ends, tick) : never;
}

release_decision decide_release(const awaiting& job, const plan_now& at, bool at_once) {
  release_decision d{job.hold, job.cursor, std::nullopt, std::nullopt, false};
  const auto due = decide_debounce(job.hold.wait, at.now);
  if (due.verdict == event_verdict::fire || (at_once && job.hold.wait.held > 0)) {
    const auto late = at_once ? std::nullopt : too_late(job.policy, job.hold.wait.fires_at, at);
    const auto limit = at_once ? never : free_at(job.policy, job.cursor, at.now);
    if (late) {
      d.skipped = range_of_held(job.hold, *late);
      forget_held(d.hold);
    } else if (limit != never) {
      d.hold.wait.fires_at = limit;
      d.hold.limited = true;
    } else {
      d.firing = fire(job, d.cursor, at.now, at.seed);
      d.firing->count = job.hold.wait.held;
      d.firing->depth = job.hold.depth;
      d.firing->first = job.hold.wait.first_held;
      d.firing->newest = job.hold.newest_at;
      d.firing->when.limited = job.hold.limited;
      d.firing->when.caught_up = !at_once && at.now - job.hold.wait.fires_at > job.policy.on_time;
      forget_held(d.hold);
    }
  }
  d.completed = d.hold.wait.held == 0 && (at.now > job.when.ends || used_up(job.policy, d.cursor));
  return d;
}

resume_decision decide_resumed(const event_hold& hold, instant ended) {
  resume_decision d{hold, std::nullopt};
  if (hold.aside > 0) {
    skip_range r;
    r.first = hold.aside_first;
    r.last = hold.aside_last;
    r.count = hold.aside;
    r.reason = skip_reason::paused;
    d.skipped = r;
  }
  d.hold.aside = 0;
  d.hold.aside_first = d.hold.aside_last = never;
  if (d.hold.wait.held > 0) d.hold.wait.fires_at = std::max(d.hold.wait.fires_at, ended);
  return d;
}

resume_decision decide_dropped(const event_hold& hold, skip_reason reason) {
  auto d = decide_resumed(hold, never);
  if (hold.wait.held > 0) {
    auto all = range_of_held(hold, reason);
    if (d.skipped) {
      all.first = std::min(all.first, d.skipped->first);
      all.last = std::max(all.last, d.skipped->last);
      all.count += d.skipped->count;
    }
    d.skipped = all;
  }
  forget_held(d.hold);
  return d;
}

}  // namespace belfry::core
