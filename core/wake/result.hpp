// CYCLE RESULT: what one cycle found and did, and the sums of all of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// A counter with the runs that it counted, the first thousand.
struct counted_runs {
  std::uint64_t count = 0;
  std::vector<run_id> runs;
  void add(run_id run) {
    ++count;
    if (runs.size() < 1000) runs.push_back(run);
  }
};

struct woken {
  run_id run;
  session_id who;
  std::string text;  // of a failure: why
};

struct cycle_result {
  std::uint64_t number = 0;  // of the cycle, since the statistics began
  instant began = never;
  span took{0};
  bool asked = false;  // by a person
  bool paused = false;
  std::uint64_t pending = 0, active = 0, sessions_scanned = 0;
  counted_runs recovered_leases;
  std::uint64_t wakes_attempted = 0, wakes_succeeded = 0, wakes_failed = 0;
  std::vector<woken> woke, not_woken;  // the first thousand of each
  counted_runs no_capable, all_busy, all_cooldown, wrong_scope;
  std::uint64_t no_match() const { return no_capable.count + all_busy.count + wrong_scope.count; }
  std::uint64_t recently_notified = 0;
  std::uint64_t unclaimable = 0;  // not queued, or held by a limit
  std::uint64_t paused_runs = 0;
  std::uint64_t starved = 0;  // runs that starve now
  counted_runs fanned_out, spawns_requested, spawns_refused, needs_attention;
  std::string error;  // empty: none
};

struct cycle_statistics {
  instant since = never;  // made, or reset
  std::uint64_t cycles = 0, paused_cycles = 0, asked = 0, rebuilds = 0, errors = 0;
  std::uint64_t recovered_leases = 0, wakes_attempted = 0, wakes_succeeded = 0, wakes_failed = 0,
                wakes_acknowledged = 0, wakes_unheard = 0;
  std::uint64_t no_capable = 0, all_busy = 0, all_cooldown = 0, wrong_scope = 0, recently_notified = 0;
  std::uint64_t fanned_out = 0, spawns_requested = 0, spawns_refused = 0, needs_attention = 0;
  span longest{0}, total{0};
  instant last_cycle = never, last_wake = never, last_rebuild = never, last_error_at = never;
  std::string last_error;
  friend bool operator==(const cycle_statistics&, const cycle_statistics&) = default;
};
void add(cycle_statistics& to, const cycle_result& one);

}  // namespace belfry::core
