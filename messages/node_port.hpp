// NODE PORT: the node as the doors see it, without a word of CAF. The gateway actor implements it.
//
// Every call answers exactly once, on a thread of the node, also when an actor dies (aborted) or the node
// stops (unavailable). It is refused at once with `overloaded` when too many questions are open. Nothing
// blocks.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/errors/result.hpp"
#include "messages/calendars.hpp"
#include "messages/cluster.hpp"
#include "messages/cycles.hpp"
#include "messages/jobs.hpp"
#include "messages/node.hpp"
#include "messages/pauses.hpp"
#include "messages/queries.hpp"
#include "messages/runs.hpp"
#include "messages/sessions.hpp"
#include "messages/spawns.hpp"
#include "messages/wakes.hpp"

namespace belfry::messages {

template <class T>
using reply = std::function<void(core::result<T>)>;

// Keeps a watch alive; destroying it ends the watch (no further call begins after that returns, one may be
// under way).
class watch {
 public:
  virtual ~watch() = default;
};
struct watched {
  std::int64_t last_event = 0;
  core::run_id log_of;
};  // the journal grew up to last_event, or a run's log grew

class node_port {
 public:
  virtual ~node_port() = default;

  virtual void call(submit_runs m, reply<submitted> done) = 0;
  virtual void call(claim_runs m, reply<claimed_runs> done) = 0;
  virtual void call(touch_leases m, reply<touched> done) = 0;
  virtual void call(reissue_leases m, reply<claimed_runs> done) = 0;
  virtual void call(ask_capable m, reply<capable> done) = 0;
  virtual void call(settle_runs m, reply<settled> done) = 0;
  virtual void call(control_runs m, reply<controlled> done) = 0;
  virtual void call(redrive_runs m, reply<redriven> done) = 0;
  virtual void call(recover_runs m, reply<redriven> done) = 0;
  virtual void call(prune_runs m, reply<runs_pruned> done) = 0;
  virtual void call(explain_run m, reply<explanation> done) = 0;
  virtual void call(ask_queue m, reply<queue_state> done) = 0;
  virtual void call(change_limits m, reply<queue_state> done) = 0;
  virtual void call(rebuild_index m, reply<index_rebuilt> done) = 0;
  virtual void call(set_pause m, reply<pauses_seen> done) = 0;
  virtual void call(lift_pause m, reply<pauses_seen> done) = 0;
  virtual void call(look_at_pauses m, reply<pauses_seen> done) = 0;
  virtual void call(put_job m, reply<job_stored> done) = 0;
  virtual void call(archive_job m, reply<job_stored> done) = 0;
  virtual void call(pause_job m, reply<job_stored> done) = 0;
  virtual void call(resume_job m, reply<job_stored> done) = 0;
  virtual void call(trigger_job m, reply<submitted> done) = 0;
  virtual void call(emit_event m, reply<event_emitted> done) = 0;
  virtual void call(plan_jobs m, reply<jobs_planned> done) = 0;
  virtual void call(put_calendar m, reply<calendar_stored> done) = 0;
  virtual void call(remove_calendar m, reply<calendar_stored> done) = 0;
  virtual void call(put_window m, reply<window_stored> done) = 0;
  virtual void call(remove_window m, reply<window_stored> done) = 0;
  virtual void call(register_session m, reply<session_answer> done) = 0;
  virtual void call(end_session m, reply<session_answer> done) = 0;
  virtual void call(heartbeat_session m, reply<sessions_seen> done) = 0;
  virtual void call(steer_session m, reply<sessions_seen> done) = 0;
  virtual void call(look_at_sessions m, reply<sessions_seen> done) = 0;
  virtual void call(explain_session m, reply<session_explanation> done) = 0;
  virtual void call(await_wakes m, reply<waiting_wakes> done) = 0;
  virtual void call(acknowledge_wakes m, reply<wakes_heard> done) = 0;
  virtual void call(wake_by_hand m, reply<wake_sent> done) = 0;
  virtual void call(look_at_wakes m, reply<wakes_seen> done) = 0;
  virtual void call(adopt_result m, reply<adopted> done) = 0;
  virtual void call(spawn_by_hand m, reply<worker_spawned> done) = 0;
  virtual void call(ask_agent_types m, reply<agent_types_told> done) = 0;
  virtual void call(ask_node m, reply<node_status> done) = 0;
  virtual void call(run_cycle m, reply<core::cycle_result> done) = 0;
  virtual void call(look_at_cycles m, reply<cycles_seen> done) = 0;
  virtual void call(look_at_ladder m, reply<ladder_seen> done) = 0;
  virtual void call(look_at_backlog m, reply<backlog_seen> done) = 0;
  virtual void call(look_at_nodes m, reply<nodes_seen> done) = 0;
  virtual void call(steer_node m, reply<nodes_seen> done) = 0;
  virtual void call(remove_node m, reply<nodes_seen> done) = 0;
  virtual void call(query q, reply<query_answer> done) = 0;

  // How the queue presses, as of a commit of just now. Asks nobody: any thread, at any time.
  virtual core::pressure pressure() const { return {}; }

  // `told` runs on a node thread after each growth of the journal, gathered; it must be quick. Called once at
  // the start.
  virtual std::unique_ptr<watch> watch_events(std::function<void(watched)> told) = 0;
  // Only growth of this run's log and journal.
  virtual std::unique_ptr<watch> watch_run(core::run_id id, std::function<void(watched)> told) = 0;

  template <class Q>
  void ask(Q q, reply<typename Q::answer> done) {
    call(query{std::move(q)}, [done = std::move(done)](core::result<query_answer> a) {
      if (a)
        done(std::get<typename Q::answer>(std::move(*a)));
      else
        done(a.error());
    });
  }
};

}  // namespace belfry::messages
