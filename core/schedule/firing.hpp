// FIRING: given a schedule that waits for events, what is held back of them, and the time: what becomes of an
// event that arrives, and of what was held when its time has come.
//
// Idea: every event that fits is in exactly one place. It becomes a run at once, is one of those that a held
// firing stands for, is one of those that came while the job was paused, or is in a range of skips. The rows
// and the runs are written in one commit (decision 1), so nothing is lost and nothing counted twice, whoever
// dies in between.
//
// What the fire limit does not let through is gathered like a burst: a job that may fire 12 times an hour
// makes 12 runs of ten thousand events and then one that stands for all the others, not ten thousand that
// wait.
#pragma once

#include <optional>

#include "core/schedule/event_hold.hpp"
#include "core/schedule/plan.hpp"

namespace belfry::core {

// One job that waits for events, as its row says.
struct awaiting {
  const schedule& when;  // on_event(when)
  const plan_policy& policy;
  const plan_cursor& cursor;
  const event_hold& hold;
};

struct arriving {
  const named_event& what;
  std::uint16_t depth = 0;  // as in outside_event
  bool own = false;
};
outside_event as_outside(const arriving& a);

// The events that one run stands for.
struct event_firing {
  planned_time when;  // the occurrence, which no other event of the job shares
  std::int64_t count = 1;
  std::uint16_t depth = 0;  // of the deepest; the run is one deeper
  instant first;            // when the first of them came, and the newest
  instant newest;
  instant due = never;  // jitter: the run is not before it; never: at once
};

enum class arrival : std::uint8_t {
  ignored = 0,   // it does not fit, or the job's time is over or has not begun
  too_deep = 1,  // a chain of events ends here
  aside = 2,     // the job is paused
  held = 3,
  fires = 4,
};
struct arrival_decision {
  arrival what = arrival::ignored;
  event_hold hold;
  plan_cursor cursor;
  std::optional<event_firing> firing;  // fires
};
struct arrival_now {
  instant now = never;
  std::uint64_t seed = 0;  // of the job, for jitter
  bool paused = false;
  bool crowded = false;  // so many runs were made in this commit that no more are: it is held until the next
};
arrival_decision decide_arrival(const awaiting& job, const arriving& e, const arrival_now& at);

struct release_decision {
  event_hold hold;
  plan_cursor cursor;
  std::optional<event_firing> firing;
  std::optional<skip_range> skipped;
  bool completed = false;  // nothing will ever start it again
};
// What is due of it. `at_once`: whatever it waits for; the job's schedule is about to be another one.
release_decision decide_release(const awaiting& job, const plan_now& at, bool at_once = false);
// When `decide_release` has something to do; never: not before another event.
instant release_due(const awaiting& job);

// The job goes on after a pause that ended then: what came meanwhile is a range, what was held waits no
// longer than it would have, and is not late because of the pause.
struct resume_decision {
  event_hold hold;
  std::optional<skip_range> skipped;
};
resume_decision decide_resumed(const event_hold& hold, instant ended);
// Everything held and set aside as one range: the job will not be started by it.
resume_decision decide_dropped(const event_hold& hold, skip_reason reason);

}  // namespace belfry::core
