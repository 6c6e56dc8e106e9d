// LIVENESS: what three signals say about a session: its own sign of life, the heartbeats of its leases, and
// progress of the runs that it holds. Each has a time of its own.
//
// Suspicion comes before anything is done and costs nothing: the session is asked first (the commands renew
// and report in the answers that it gets). Only a lease that has run out takes a run away, and only silence
// makes a session stale. A worker that is starved of CPU and still heartbeats its leases loses nothing.
// Rejected: ending the leases of a stale session early, which robs whoever works and does not talk.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/ids/id.hpp"
#include "core/session/session.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct liveness_options {
  /// Silence after which a session is stale; it is suspect after half of it. Default 2 min, 10 s to 24 h.
  span stale_after = std::chrono::minutes{2};
  /// A running run without start, progress, checkpoint or log line for so long is stalled. Default 10 min. 0:
  /// not watched.
  span progress_within = std::chrono::minutes{10};
  /// A stale session without leases is gone after so much silence. Default 1 h.
  span gone_after = std::chrono::hours{1};
};

enum class session_health : std::uint8_t {
  live = 0,
  suspect = 1,
  stalled = 2,
  missing = 3,
  orphaned = 4,
  gone = 5
};
std::string_view to_text(session_health h);

// The signals of one lease.
struct lease_signs {
  run_id run;
  instant renewed_at = never;  // claimed, or heartbeat
  instant expires_at = never;
  instant progress_at = never;  // the last sign of work; never: the run has not started
  instant said_at = never;      // when it was said how far the work is; never: not since this node runs
  friend bool operator==(const lease_signs&, const lease_signs&) = default;
};

// In the last third of its time: a worker that heartbeats every third has missed one.
bool renewal_is_late(const lease_signs& l, instant now);
bool is_stalled(const lease_signs& l, const liveness_options& o, instant now);

session_health judge(const session& s, instant last_sign, const std::vector<lease_signs>& leases,
                     const liveness_options& o, instant now);

// What is due for a session that has been silent since `last_sign`.
enum class silence : std::uint8_t { nothing = 0, goes_stale = 1, leaves = 2 };
silence judge_silence(session_state state, instant last_sign, const liveness_options& o, instant now);
// When to look again; never: nothing will come of silence.
instant next_look(session_state state, instant last_sign, const liveness_options& o);

}  // namespace belfry::core
