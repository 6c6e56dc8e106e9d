// POLICY: what a job says about occurrences that were missed, how far its plan reaches, and what became of
// those that were not made. Plain values without zones, so that rows and messages need nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// What the zone's clock did to an instant that a schedule fires at.
enum class clock_shift : std::uint8_t { none = 0, gap = 1, first_pass = 2, second_pass = 3 };
std::string_view to_text(clock_shift s);

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
  paused = 7,           // the job was paused
  fire_limit = 8,       // so many wait already for a fire limit of the workspace or the node
};
std::string_view to_text(skip_reason r);
std::optional<skip_reason> skip_reason_from(std::string_view text);

// Whose fire limit moved the start of an occurrence. Numbers stand in rows.
enum class fire_scope : std::uint8_t { none = 0, job = 1, workspace = 2, node = 3 };
std::string_view to_text(fire_scope s);

struct fire_limit {
  std::uint32_t most = 0;  // 0: no limit. At most 1000
  span window = std::chrono::hours{1};
  friend bool operator==(const fire_limit&, const fire_limit&) = default;
};

// What `most_runs` counts.
enum class run_count : std::uint8_t { runs = 0, successes = 1 };
std::string_view to_text(run_count c);
std::optional<run_count> run_count_from(std::string_view text);

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
  std::int64_t most_runs = 0;  // over the life of the job; 0: no limit
  /// Occurrences made, or those whose runs succeeded, counted since the job says so. Default runs.
  run_count most_runs_of = run_count::runs;
  /// A retry of a planned run that would not start before the job's next occurrence is dropped, unless this
  /// is set. Default false.
  bool retry_past_next = false;
  friend bool operator==(const plan_policy&, const plan_policy&) = default;
};
std::vector<field_problem> check(const plan_policy& p, const std::string& base);

// A row of the store.
struct plan_cursor {
  instant covered = never;      // every planned instant up to and with this one is accounted for
  std::int64_t made = 0;        // occurrences made
  std::vector<instant> recent;  // when the last ones were made, oldest first; at most fire_limit::most
  // What was planned before it is settled for good: a schedule that was changed since postpones none of it.
  instant since = never;
  std::int64_t succeeded = 0;  // planned runs that succeeded, where the policy counts them
  friend bool operator==(const plan_cursor&, const plan_cursor&) = default;
};

inline bool counts_successes(const plan_policy& p) {
  return p.most_runs > 0 && p.most_runs_of == run_count::successes;
}
// How many more may be made, where there is a limit.
inline std::int64_t runs_left(const plan_policy& p, const plan_cursor& c) {
  return p.most_runs - (counts_successes(p) ? c.succeeded : c.made);
}
inline bool used_up(const plan_policy& p, const plan_cursor& c) {
  return p.most_runs > 0 && runs_left(p, c) <= 0;
}

// Planned instants that were not made: all those that the schedule fires at within [first, last], but the
// ones made. For excluded and postponed: all those that its triggers say there and its exclusions leave out.
struct skip_range {
  instant first;
  instant last;
  std::int64_t count = 1;
  bool at_least = false;  // there are more than `count`
  skip_reason reason = skip_reason::missed;
  instant moved_to = never;  // postponed
  std::string by = {};       // excluded and postponed: the exclusion, such as "calendar holidays"
  friend bool operator==(const skip_range&, const skip_range&) = default;
};

}  // namespace belfry::core
