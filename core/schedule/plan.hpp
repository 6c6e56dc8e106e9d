// PLAN: given a schedule, how far it was planned, and the time: which occurrences become runs now, which are
// skipped and why, and from where to go on.
//
// Idea: `covered` is an instant up to which every planned instant is accounted for. A decision covers
// (covered, now] at once, whatever made it that long: a timer that came a little late, a node that was down,
// a machine that slept for a year, a clock that was put forward. Each planned instant in it is made or is in
// exactly one of the ranges of skips; a clock that was put back finds everything covered and makes nothing.
// The caller stores the runs, the skips and the new cursor in one commit. Cost: a few dozen calls of `next`
// for any length of time, not one per instant; only exact counts of long ranges are given up.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/schedule/occurrence.hpp"
#include "core/schedule/policy.hpp"
#include "core/schedule/schedule.hpp"

namespace belfry::core {

// What is not a property of the job.
struct plan_now {
  instant now = never;
  std::uint64_t seed = 0;         // of the job, for jitter: its id
  bool after_crash_loop = false;  // no catching up
};

struct planned_time {
  instant at;              // the occurrence
  instant start;           // with jitter and the fire limit; not before it
  bool caught_up = false;  // it was missed
  bool limited = false;    // a fire limit moved it
  clock_shift shift = clock_shift::none;
  fire_scope limited_by = fire_scope::none;
  instant meant = never;  // postponed: the first planned instant that it stands for
  friend bool operator==(const planned_time&, const planned_time&) = default;
};

struct plan_decision {
  std::vector<planned_time> make;  // oldest first
  std::vector<skip_range> skips;   // by first instant; at most 64 of them
  plan_cursor next;
  std::optional<instant> wake_at;  // when to look again, see wake_after; nothing when there is none
  bool completed = false;          // nothing will ever be planned again
};

plan_decision plan(const schedule& s, const plan_policy& policy, const plan_cursor& cursor,
                   const plan_now& at);
// Accounts for (covered, upto] without making anything: for what is paused. `made` stays what it was.
plan_decision set_aside(const schedule& s, const plan_cursor& cursor, instant upto, skip_reason reason);
// Adds an instant that was to be made, and is not, to the ranges, which stay in order.
void set_skipped(std::vector<skip_range>& skips, instant at, skip_reason reason);
// The cursor of a job that is new, was changed, or was resumed: nothing before `now` is planned.
plan_cursor start_from(const plan_cursor& before, instant now);

// The schedule of a job, or a calendar that it names, has changed from `before` to `after`, and everything up
// to `now` is settled by the old one. What that had postponed beyond now is not lost and not doubled: judged
// by the new one it is postponed still (the cursor reaches back to it), made now, or left out, which is a
// record.
struct changed_plan {
  plan_cursor next;
  std::optional<planned_time> make;
  std::optional<skip_range> skip;
};
changed_plan change_plan(const schedule& before, const schedule& after, const plan_cursor& cursor,
                         instant now);

// The first instant after `covered` at which it fires.
std::optional<fire_time> next_planned(const schedule& s, const plan_cursor& cursor);
// When to look at the plan again: at that instant. Where a calendar leaves none of what the triggers say, at
// the end of the excluded time that the next of these lies in: its record is written then.
std::optional<instant> wake_after(const schedule& s, const plan_cursor& cursor);

// What the triggers say in (after, upto] and exclusions leave out or postpone, in ranges; at most 64.
std::vector<skip_range> left_out(const schedule& s, instant after, instant upto);

}  // namespace belfry::core
