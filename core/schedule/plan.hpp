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
#include "core/schedule/schedule.hpp"

namespace belfry::core {

// Which of the missed occurrences are made up for.
enum class catch_up : std::uint8_t { skip = 0, once = 1, all = 2 };
std::string_view to_text(catch_up c);
std::optional<catch_up> catch_up_from(std::string_view text);

enum class skip_reason : std::uint8_t {
  missed = 0,           // nobody was there, and the policy makes up for none, or for a later one
  grace_passed = 1,     // missed longer ago than the grace time
  deadline_passed = 2,  // its start deadline is over
  catch_up_limit = 3,   // more were missed than may be made up for
  crash_loop = 4,       // the node was restarted too often to catch up
  excluded = 5,         // in a time that the schedule leaves out
  postponed = 6,        // the same, and it is made at `moved_to` instead
};
std::string_view to_text(skip_reason r);
std::optional<skip_reason> skip_reason_from(std::string_view text);

struct fire_limit {
  std::uint32_t most = 0;  // 0: no limit. At most 1000
  span window = std::chrono::hours{1};
  friend bool operator==(const fire_limit&, const fire_limit&) = default;
};

struct plan_policy {
  catch_up missed = catch_up::once;
  std::uint32_t all_at_most = 20;  // for `all`: the newest so many, made oldest first. 1..1000
  /// What was missed longer ago is not made up for. Default a day. 1 s to 400 days.
  span grace = std::chrono::hours{24};
  /// An occurrence that could not be planned for so long is skipped, missed or not. 0: no deadline.
  span start_deadline{0};
  /// The latest due occurrence is on time, not missed, when it is at most so late. Default a minute.
  span on_time = std::chrono::minutes{1};
  fire_limit limit;
  std::int64_t most_runs = 0;  // occurrences made, over the life of the job; 0: no limit
  friend bool operator==(const plan_policy&, const plan_policy&) = default;
};
std::vector<field_problem> check(const plan_policy& p, const std::string& base);

// A row of the store.
struct plan_cursor {
  instant covered = never;      // every planned instant up to and with this one is accounted for
  std::int64_t made = 0;        // occurrences made
  std::vector<instant> recent;  // when the last ones were made, oldest first; at most fire_limit::most
  friend bool operator==(const plan_cursor&, const plan_cursor&) = default;
};

// What is not a property of the job.
struct plan_now {
  instant now = never;
  std::uint64_t seed = 0;         // of the job, for jitter: its id
  bool after_crash_loop = false;  // no catching up
};

struct planned {
  instant at;              // the occurrence
  instant start;           // with jitter and the fire limit; not before it
  bool caught_up = false;  // it was missed
  bool limited = false;    // the fire limit moved it
  clock_shift shift = clock_shift::none;
  friend bool operator==(const planned&, const planned&) = default;
};

// Planned instants that were not made: all those that the schedule fires at within [first, last], but the
// ones made. For excluded and postponed: all those that its triggers say there and its exclusions leave out.
struct skip_range {
  instant first;
  instant last;
  std::int64_t count = 1;
  bool at_least = false;  // there are more than `count`
  skip_reason reason = skip_reason::missed;
  instant moved_to = never;  // postponed
  friend bool operator==(const skip_range&, const skip_range&) = default;
};

struct plan_decision {
  std::vector<planned> make;      // oldest first
  std::vector<skip_range> skips;  // by first instant; at most 64 of them
  plan_cursor next;
  std::optional<instant> wake_at;  // the next planned instant; nothing when there is none
  bool completed = false;          // nothing will ever be planned again
};

plan_decision plan(const schedule& s, const plan_policy& policy, const plan_cursor& cursor,
                   const plan_now& at);
// The cursor of a job that is new, was changed, or was resumed: nothing before `now` is planned.
plan_cursor start_from(const plan_cursor& before, instant now);

}  // namespace belfry::core
