// METRICS: one registry of counters, gauges and histograms, safe from any thread, written out as Prometheus
// text 0.0.4.
//
// The set of metrics is closed and each has at most one label of a bounded set (outcome, state, code, route):
// a label value beyond 128 per metric is counted under "other". Never an id.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace belfry::platform {

enum class metric : std::uint8_t {
  runs_submitted_total,
  runs_completed_total /*outcome*/,
  run_wait_seconds,
  run_seconds,
  queue_depth /*state*/,
  queue_oldest_age_seconds,
  claims_total /*outcome*/,
  leases_expired_total,
  fence_rejections_total,
  retries_total /*class*/,
  store_commit_seconds,
  store_batch_size,
  store_bytes,
  store_errors_total /*code*/,
  http_requests_total /*code*/,
  http_request_seconds /*route*/,
  http_connections,
  sse_clients,
  processes_running,
  spawn_failures_total,
  executor_restarts_total,
  workers_started_total,
  workers_ended_total /*end*/,
  log_bytes_total,
  events_total,
  wakes_total /*outcome*/,
  process_resident_memory_bytes,
  process_cpu_seconds_total,
  process_start_time_seconds,
  dead_letters,
  dead_letter_oldest_age_seconds,
  cycle_seconds,
  starved_runs /*rung*/,
  build_info /*version*/,
  paused /*scope*/,
  backpressure,
  backpressure_wait_seconds,
  backpressure_refusals_total,
  provider_delay_seconds /*agent_type*/,
  claim_hook_questions_total /*outcome*/,
  claim_hook_seconds,
  cluster_nodes /*state*/,
  cluster_link_seconds,
  cluster_questions_total /*outcome*/,
};

class meter {
 public:
  virtual ~meter() = default;
  virtual void add(metric m, double n = 1, std::string_view label = {}) = 0;      // counters
  virtual void set(metric m, double value, std::string_view label = {}) = 0;      // gauges
  virtual void observe(metric m, double value, std::string_view label = {}) = 0;  // histograms
  virtual std::string exposition() const = 0;                                     // names begin with belfry_
};

std::unique_ptr<meter> make_meter();

}  // namespace belfry::platform
