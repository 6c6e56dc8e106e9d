// SIMULATE: what schedules would bring about between two instants, without doing any of it. The decisions are
// those of the store - core::plan, the overlap rule, the fire limits, set aside for pauses - and only the
// world around them is made up: how long runs take, how many may run at a time, when the node is away.
//
// Rejected: a list of the next times of each job. It shows when jobs are due, not what becomes of it: what is
// caught up after a night, skipped because of the run before, moved by a limit, kept waiting for a slot.
//
// What is made up, and what that means:
// - A job begins at `from` as it stands: how many of its runs were made counts, runs that are under way now
// do
//   not, and starts before `from` count for no limit.
// - A run that takes no time ends when it begins; nothing overlaps it. Every run succeeds, and is counted as
//   a success when it is planned.
// - What runs when the node goes away begins again when it is back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/job/job.hpp"
#include "core/queue/board.hpp"
#include "core/schedule/plan.hpp"

namespace belfry::core {

struct simulated_job {
  job_id id;  // jitter is derived from it
  std::string name;
  std::string workspace;
  std::shared_ptr<const schedule> when;
  plan_policy policy;
  overlap on_overlap = overlap::skip;
  std::uint32_t max_concurrent = 1;
  std::int64_t made = 0;       // occurrences so far, for max_runs
  std::int64_t succeeded = 0;  // likewise, where successes are counted
  std::vector<pause_entry> pauses = {};
  span takes{0};  // each run of it
};
struct away_window {
  instant begin, end;  // the node is not there in [begin, end)
};

struct simulation_setup {
  instant from, until;
  std::vector<simulated_job> jobs;
  std::vector<away_window> away;  // in order, apart
  limit_options limits;           // those of schedules
  std::uint32_t slots = 0;        // runs at a time, of all jobs; 0: as many as there are
  std::size_t most_lines = 1'000;
  std::function<bool()> enough = {};  // asked now and then: true ends it early
};

enum class simulated : std::uint8_t {
  fires = 0,    // a run is made, and begins at `begins`
  skipped = 1,  // planned times that are not made, one range, for `reason`
  overlap = 2,  // made as skipped: the run before is not finished
};
std::string_view to_text(simulated s);

struct simulated_line {
  instant at;  // as planned; of a range the first one
  std::size_t job = 0;
  simulated what = simulated::fires;
  instant decided;         // when the node plans it
  instant start = never;   // of a run: not before
  instant begins = never;  // of a run: when it has a slot; never: not before `until`
  instant ends = never;
  bool caught_up = false;
  fire_scope limited_by = fire_scope::none;
  clock_shift shift = clock_shift::none;
  skip_range range = {};  // skipped
  std::string reason;     // in words
};
struct simulation {
  std::vector<simulated_line> lines;  // by planned time, then by job
  std::vector<std::string> jobs;      // names, by index
  std::vector<zone> zones;            // of their schedules
  std::int64_t fires = 0, caught_up = 0, moved = 0, overlapped = 0, skipped = 0, waited = 0, again = 0,
               cancelled = 0, not_begun = 0;
  bool skipped_at_least = false;  // there are more
  span longest_wait{0};
  instant upto = never;  // everything up to here is told
  bool cut = false;      // because of most_lines or `enough`, before `until`
};

inline constexpr span longest_simulation = std::chrono::hours{24 * 400};
inline constexpr std::size_t most_simulated_lines = 10'000;
inline constexpr std::size_t most_away = 100;

// Everything that is wrong with it, below `base`.
std::vector<field_problem> check(const simulation_setup& s, const std::string& base);
simulation simulate(const simulation_setup& s);

}  // namespace belfry::core
