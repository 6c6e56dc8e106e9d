// EVENTS: facts in the journal, written in the same commit as what they tell, numbered without gaps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Numbers stand in rows: append only. Names are the same in SSE, logs, metrics and docs.
enum class event_kind : std::uint16_t {
  run_submitted = 1,
  batch_submitted = 2,
  run_queued = 3,
  run_claimed = 4,
  run_started = 5,
  run_succeeded = 6,
  run_failed = 7,
  run_timed_out = 8,
  run_lost = 9,
  run_cancelled = 10,
  run_skipped = 11,
  run_retrying = 12,
  run_released = 13,
  run_parked = 14,
  lease_expired = 15,
  cancel_requested = 16,
  run_redriven = 17,
  run_discarded = 18,
  priority_changed = 19,
  stale_write = 20,
  run_progress = 21,
  run_adopted = 22,
  run_checkpoint = 23,
  job_created = 30,
  job_replaced = 31,
  job_archived = 32,
  job_triggered = 33,
  job_paused = 34,
  job_resumed = 35,
  session_registered = 40,
  session_gone = 41,
  session_draining = 42,
  session_resumed = 43,
  session_stale = 44,
  session_back = 45,
  node_started = 50,
  node_stopping = 51,
  executor_restarted = 52,
  executor_given_up = 53,
  retention_pruned = 54,
  limits_changed = 55,
  queue_cleared = 56,
  store_recovered = 57,
  queue_rebuilt = 58,
  paused = 60,   // the scheduler, a workspace or an agent type; of a job: job_paused
  resumed = 61,  // one reason was lifted
  drain_started = 62,
  drained = 63,  // nothing runs any more under it
  run_starved = 70,
  needs_attention = 71,
  statistics_reset = 72,
  wake_sent = 80,
  wake_acknowledged = 81,
  wake_failed = 82,
  spawn_requested = 85,
  spawn_unresolvable = 86,
  worker_spawned = 87,
  worker_ready = 88,
  worker_ended = 89,
  worker_reaped = 90,
  spawn_failed = 91,
  run_force_released = 95,
  run_force_failed = 96,
  run_recovered = 97,
  dead_letter_aged = 100,
  lease_reissued = 101,
  job_tried = 102,
  event_received = 103,        // somebody emitted it: its name and its fields (core/events/named_event.hpp)
  event_too_deep = 104,        // a job was not started by it, because a chain of events is at its end
  backpressure_started = 110,  // so many runs are queued; once per episode
  backpressure_ended = 111,
  provider_limited = 112,  // a limit was reported: by whom, until when
  probe_started = 113,     // one run goes ahead of a pause whose time is over
  probe_ended = 114,       // it met the limit again, or told nothing; when it worked: resumed
  provider_delay_changed = 115,
  provider_delays_reset = 116,  // what was learned could not be read
  claim_hook_failed = 105,      // it did not answer as it should; at most once a minute
  claim_hook_recovered = 106,   // it does again
  event_held = 117,             // a job begins to gather events, until when and why
  calendar_changed = 118,       // made or replaced: how many jobs go by it
  calendar_removed = 119,
  window_changed = 120,       // a maintenance window was made, replaced or removed
  job_fired = 125,            // an occurrence of it became a run
  occurrences_skipped = 126,  // planned, and not made: a range with its reason
  job_completed = 127,        // nothing of it is planned any more
  // Nodes of the cluster (core/cluster/node_story.hpp).
  node_joined = 130,     // with a new boot
  node_suspected = 131,  // silent; nothing is done to it
  node_returned = 132,   // heard of again, or its link is back with the same boot
  node_lost = 133,       // silent for too long; its leases run out by themselves
  node_left = 134,       // it said good-bye
  node_draining = 135,
  node_resumed = 136,
  node_drained = 137,  // draining, and nothing runs there any more
  node_removed = 138,
  node_readmitted = 139,
};
std::string_view to_text(event_kind k);
std::optional<event_kind> event_kind_from(std::string_view text);
const std::vector<event_kind>& all_event_kinds();

struct event {
  std::int64_t seq = 0;  // assigned by the store at commit
  instant at = never;
  event_kind kind = event_kind::run_submitted;
  run_id run;
  job_id job;
  std::uint64_t fencing = 0;
  std::uint32_t attempt = 0;
  std::string actor;  // who caused it: "cli:alice", "http", "node", "ses_…"
  std::string text;   // plain words: reason, class, counts
  friend bool operator==(const event&, const event&) = default;
};

}  // namespace belfry::core
