#include "core/events/event.hpp"

#include <array>

namespace belfry::core {
namespace {

struct name {
  event_kind kind;
  std::string_view text;
};

using enum event_kind;
constexpr std::array names{
    name{run_submitted, "run_submitted"},
    name{batch_submitted, "batch_submitted"},
    name{run_queued, "run_queued"},
    name{run_claimed, "run_claimed"},
    name{run_started, "run_started"},
    name{run_succeeded, "run_succeeded"},
    name{run_failed, "run_failed"},
    name{run_timed_out, "run_timed_out"},
    name{run_lost, "run_lost"},
    name{run_cancelled, "run_cancelled"},
    name{run_skipped, "run_skipped"},
    name{run_retrying, "run_retrying"},
    name{run_released, "run_released"},
    name{run_parked, "run_parked"},
    name{lease_expired, "lease_expired"},
    name{cancel_requested, "cancel_requested"},
    name{run_redriven, "run_redriven"},
    name{run_discarded, "run_discarded"},
    name{priority_changed, "priority_changed"},
    name{stale_write, "stale_write"},
    name{run_progress, "run_progress"},
    name{run_adopted, "run_adopted"},
    name{run_checkpoint, "run_checkpoint"},
    name{job_created, "job_created"},
    name{job_replaced, "job_replaced"},
    name{job_archived, "job_archived"},
    name{job_triggered, "job_triggered"},
    name{job_paused, "job_paused"},
    name{job_resumed, "job_resumed"},
    name{session_registered, "session_registered"},
    name{session_gone, "session_gone"},
    name{session_draining, "session_draining"},
    name{session_resumed, "session_resumed"},
    name{session_stale, "session_stale"},
    name{session_back, "session_back"},
    name{node_started, "node_started"},
    name{node_stopping, "node_stopping"},
    name{executor_restarted, "executor_restarted"},
    name{executor_given_up, "executor_given_up"},
    name{retention_pruned, "retention_pruned"},
    name{limits_changed, "limits_changed"},
    name{queue_cleared, "queue_cleared"},
    name{store_recovered, "store_recovered"},
    name{queue_rebuilt, "queue_rebuilt"},
    name{paused, "paused"},
    name{resumed, "resumed"},
    name{drain_started, "drain_started"},
    name{drained, "drained"},
    name{run_starved, "run_starved"},
    name{needs_attention, "needs_attention"},
    name{statistics_reset, "statistics_reset"},
    name{wake_sent, "wake_sent"},
    name{wake_acknowledged, "wake_acknowledged"},
    name{wake_failed, "wake_failed"},
    name{spawn_requested, "spawn_requested"},
    name{spawn_unresolvable, "spawn_unresolvable"},
    name{worker_spawned, "worker_spawned"},
    name{worker_ready, "worker_ready"},
    name{worker_ended, "worker_ended"},
    name{worker_reaped, "worker_reaped"},
    name{spawn_failed, "spawn_failed"},
    name{run_force_released, "run_force_released"},
    name{run_force_failed, "run_force_failed"},
    name{run_recovered, "run_recovered"},
    name{dead_letter_aged, "dead_letter_aged"},
    name{lease_reissued, "lease_reissued"},
    name{job_tried, "job_tried"},
    name{event_received, "event_received"},
    name{event_too_deep, "event_too_deep"},
    name{backpressure_started, "backpressure_started"},
    name{backpressure_ended, "backpressure_ended"},
    name{provider_limited, "provider_limited"},
    name{probe_started, "probe_started"},
    name{probe_ended, "probe_ended"},
    name{provider_delay_changed, "provider_delay_changed"},
    name{provider_delays_reset, "provider_delays_reset"},
    name{claim_hook_failed, "claim_hook_failed"},
    name{claim_hook_recovered, "claim_hook_recovered"},
    name{event_held, "event_held"},
    name{job_fired, "job_fired"},
    name{calendar_changed, "calendar_changed"},
    name{calendar_removed, "calendar_removed"},
    name{window_changed, "window_changed"},
    name{occurrences_skipped, "occurrences_skipped"},
    name{job_completed, "job_completed"},
    name{node_joined, "node_joined"},
    name{node_suspected, "node_suspected"},
    name{node_returned, "node_returned"},
    name{node_lost, "node_lost"},
    name{node_left, "node_left"},
    name{node_draining, "node_draining"},
    name{node_resumed, "node_resumed"},
    name{node_drained, "node_drained"},
    name{node_removed, "node_removed"},
    name{node_readmitted, "node_readmitted"},
};

}  // namespace

std::string_view to_text(event_kind k) {
  for (const auto& n : names)
    if (n.kind == k) return n.text;
  return "unknown";  // written by a newer node
}

std::optional<event_kind> event_kind_from(std::string_view text) {
  for (const auto& n : names)
    if (n.text == text) return n.kind;
  return std::nullopt;
}

const std::vector<event_kind>& all_event_kinds() {
  static const std::vector<event_kind> all = [] {
    std::vector<event_kind> kinds;
    kinds.reserve(names.size());
    for (const auto& n : names) kinds.push_back(n.kind);
    return kinds;
  }();
  return all;
}

}  // namespace belfry::core
