// INTERFACES: every typed role between actors, one comment per handler. A collaborator gets the smallest role
// that serves it. The roles whose messages carry change sets, callbacks or handles stand beside their actors
// (role.hpp in actors/storage, event_hub, process_executor, executor_supervisor and gateway).
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_behavior.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/boot.hpp"
#include "messages/calendars.hpp"
#include "messages/cluster.hpp"
#include "messages/cycles.hpp"
#include "messages/executors.hpp"
#include "messages/following.hpp"
#include "messages/hooks.hpp"
#include "messages/jobs.hpp"
#include "messages/node.hpp"
#include "messages/pauses.hpp"
#include "messages/queries.hpp"
#include "messages/runs.hpp"
#include "messages/sessions.hpp"
#include "messages/spawns.hpp"
#include "messages/wakes.hpp"

namespace belfry::messages {

using reader_actor = caf::typed_actor<caf::replies_to<query>::with<core::result<query_answer>>>;

// ---- doors to the queue

// Storage: something waits in the intake, and nobody is at it.
using intake_taker = caf::typed_actor<caf::reacts_to<take_submissions>>;

// Who wants to know that sessions live.
using life_listener = caf::typed_actor<caf::reacts_to<session_spoke>>;
struct tell_life {
  life_listener who;
};
// What the session registry tells.
using session_listener = caf::typed_actor<caf::reacts_to<session_changed>,
                                          caf::reacts_to<session_gone>,  // crashed: its leases are lost
                                          caf::reacts_to<tell_life>>;    // whom to tell of signs of life

using lease_desk_actor = session_listener::extend<
    caf::replies_to<touch_leases>::with<core::result<touched>>,  // start, heartbeat, progress, checkpoint,
                                                                 // log
    caf::replies_to<reissue_leases>::with<core::result<claimed_runs>>,  // new tokens for who came back
    caf::replies_to<settle_runs>::with<core::result<settled>>,  // how attempts ended, each in its own right
    caf::replies_to<ask_signs>::with<signs_told>>;              // how long ago they spoke

using operator_desk_actor = caf::typed_actor<
    caf::replies_to<control_runs>::with<core::result<controlled>>,  // cancel, run now, reprioritise, discard,
                                                                    // force release and failure
    caf::replies_to<recover_runs>::with<core::result<redriven>>,    // successors of runs that need attention
    caf::replies_to<redrive_runs>::with<core::result<redriven>>,    // linked successors of finished runs
    caf::replies_to<adopt_result>::with<core::result<adopted>>,     // a success that came too late counts
    caf::replies_to<prune_runs>::with<core::result<runs_pruned>>>;  // retention, now

using job_registry_actor =
    caf::typed_actor<caf::replies_to<put_job>::with<core::result<job_stored>>,
                     caf::replies_to<archive_job>::with<core::result<job_stored>>,
                     caf::replies_to<pause_job>::with<core::result<job_stored>>,
                     caf::replies_to<resume_job>::with<core::result<job_stored>>,
                     caf::replies_to<trigger_job>::with<core::result<submitted>>,     // a run of its current
                                                                                      // revision
                     caf::replies_to<emit_event>::with<core::result<event_emitted>>,  // to whom it may
                                                                                      // concern
                     caf::replies_to<plan_jobs>::with<core::result<jobs_planned>>,    // what is due of them
                     caf::replies_to<put_calendar>::with<core::result<calendar_stored>>,
                     caf::replies_to<remove_calendar>::with<core::result<calendar_stored>>,
                     caf::replies_to<put_window>::with<core::result<window_stored>>,
                     caf::replies_to<remove_window>::with<core::result<window_stored>>>;

// ---- cycles

// What the dispatcher tells.
using waiting_listener = caf::typed_actor<caf::reacts_to<waiting_changed>,  // a wake may be due
                                          caf::reacts_to<queue_compared>>;  // with the store, on demand
struct tell_waiting {
  waiting_listener who;
};
// What the wake coordinator asks of the dispatcher, of the sweeper, of the ladder.
using waiting_door =
    caf::typed_actor<caf::replies_to<look_at_waiting>::with<waiting_seen>>;  // who waits, who sleeps
using sweep_door =
    caf::typed_actor<caf::replies_to<sweep_now>::with<leases_recovered>>;  // what had run out is taken back
using ladder_climber =
    caf::typed_actor<caf::replies_to<ask_ladder_known>::with<ladder_known>,  // at boot: the rows are read
                     caf::replies_to<climb>::with<climbed>>;                 // once per cycle
// Another reader than before: that one has died.
struct read_with {
  reader_actor who;
};

// ---- the queue

// What a worker of this node may ask.
using claim_actor = caf::typed_actor<caf::replies_to<claim_runs>::with<
    core::result<claimed_runs>>>;  // the next runs for a session; waits if it is asked to
// What the cluster desk asks for its members.
using member_claims = claim_actor::extend<caf::reacts_to<end_claims>>;
// What storage tells.
using follower_actor = caf::typed_actor<caf::reacts_to<runs_committed>,  // the one stream that memory follows
                                        caf::reacts_to<offer_runs>>;     // that will be in it
// What it tells: these claims were confirmed.
using claim_listener = caf::typed_actor<caf::reacts_to<runs_taken>>;
struct tell_claims {
  claim_listener who;
};
// What the wake desk asks.
using claim_watcher = caf::typed_actor<caf::reacts_to<tell_claims>, caf::reacts_to<watch_claims>>;
// What the dispatcher asks before it hands runs out, where a claim hook is configured.
using claim_judge = caf::typed_actor<caf::replies_to<ask_claim_hook>::with<core::result<claim_hook_said>>>;
using claim_hook_actor = claim_judge::extend<caf::reacts_to<hook_spoke>,  // the hook answered, or ended
                                             caf::reacts_to<read_with>,
                                             caf::reacts_to<alarm_rang>>;  // its time is over
// To the dispatcher: the hook is asked through this one; that before has died.
struct judge_with {
  claim_judge who;
};
// What the spawner asks.
using pause_door = caf::typed_actor<caf::replies_to<ask_pauses_of>::with<session_pauses>>;
using dispatcher_actor = claim_actor::extend_with<session_listener>::extend_with<follower_actor>::
    extend_with<claim_watcher>::extend_with<pause_door>::extend<
        caf::replies_to<explain_run>::with<core::result<explanation>>,  // why a queued run is not claimed
        caf::replies_to<explain_session>::with<core::result<session_explanation>>,  // why a session gets
                                                                                    // nothing
        caf::replies_to<ask_capable>::with<core::result<capable>>,  // whether anybody could take such a run
        caf::replies_to<ask_queue>::with<core::result<queue_state>>,
        caf::replies_to<change_limits>::with<core::result<queue_state>>,  // durable, at once
        caf::replies_to<set_pause>::with<core::result<pauses_seen>>,      // also a drain; durable
        caf::replies_to<lift_pause>::with<core::result<pauses_seen>>,
        caf::replies_to<look_at_pauses>::with<core::result<pauses_seen>>,
        caf::replies_to<rebuild_queue>::with<core::result<queue_rebuilt>>,   // at boot
        caf::replies_to<rebuild_index>::with<core::result<index_rebuilt>>,   // while it serves
        caf::replies_to<look_at_waiting>::with<waiting_seen>,                // as waiting_door
        caf::replies_to<look_at_backlog>::with<core::result<backlog_seen>>,  // what holds these queued runs
        caf::reacts_to<tell_waiting>,                                        // whom to tell of changes
        caf::reacts_to<judge_with>,                                          // whom to ask before a claim
        caf::reacts_to<end_claims>,                                          // nobody waits there any more
        caf::reacts_to<close_claims>,
        caf::reacts_to<alarm_rang>>;  // the wait of a claim, or a pause, is over

// What the dispatcher tells.
using time_listener = caf::typed_actor<caf::reacts_to<watch_times>>;
using timekeeper_actor = time_listener::extend<caf::reacts_to<start_timers>, caf::reacts_to<alarm_rang>>;

using due_listener = caf::typed_actor<caf::reacts_to<watch_jobs>>;
using planner_actor =
    due_listener::extend<caf::reacts_to<start_timers>, caf::reacts_to<read_with>, caf::reacts_to<alarm_rang>>;

using lease_listener = caf::typed_actor<caf::reacts_to<watch_leases>>;
// What whoever writes a lease asks first, when its clock has jumped.
using clock_watch_actor = caf::typed_actor<caf::replies_to<look_at_clock>::with<clock_looked>>;
using lease_sweeper_actor = lease_listener::extend_with<clock_watch_actor>::extend<
    caf::replies_to<start_sweeping>::with<core::result<swept>>,
    caf::replies_to<sweep_now>::with<leases_recovered>,  // as sweep_door
    caf::reacts_to<alarm_rang>>;

// ---- sessions and executors

// What a worker of this node, or its supervisor, may ask.
using session_client = caf::typed_actor<caf::replies_to<register_session>::with<core::result<session_answer>>,
                                        caf::replies_to<end_session>::with<core::result<session_answer>>>;
// What the doors ask.
using session_door = session_client::extend<
    caf::replies_to<heartbeat_session>::with<core::result<sessions_seen>>,  // it lives; what it holds
    caf::replies_to<steer_session>::with<core::result<sessions_seen>>,      // drain, resume
    caf::replies_to<look_at_sessions>::with<core::result<sessions_seen>>>;  // with leases and health
// What the session registry tells of a session that somebody follows.
using session_follower = caf::typed_actor<caf::reacts_to<session_news>>;
// This session, which is known, is the spawner's.
struct follow_session {
  core::session_id id;
  session_follower who;
};
// What the spawner asks.
using worker_registry =
    session_client::extend<caf::replies_to<steer_session>::with<core::result<sessions_seen>>,
                           caf::reacts_to<follow_session>>;
// What the cluster desk asks for its members.
using member_registry = session_client::extend_with<life_listener>::extend<
    caf::replies_to<steer_session>::with<core::result<sessions_seen>>>;
using session_registry_actor = session_door::extend_with<life_listener>::extend<
    caf::replies_to<load_sessions>::with<core::result<sessions_loaded>>, caf::reacts_to<read_with>,
    caf::reacts_to<follow_session>,
    caf::reacts_to<alarm_rang>>;  // somebody may have been silent for too long

// What the timekeeper and the dispatcher tell.
using attempt_stopper = caf::typed_actor<caf::reacts_to<stop_attempt>>;
// What an executor tells.
using executor_listener = caf::typed_actor<caf::reacts_to<executor_seated>, caf::reacts_to<executor_idle>,
                                           caf::reacts_to<child_abandoned>, caf::reacts_to<child_gone>>;
// ---- wakes

// What the wake desk tells.
using wake_listener = caf::typed_actor<caf::reacts_to<wake_changed>>;  // what became of a wake
struct tell_wakes {
  wake_listener who;
};
// What the wake coordinator asks.
using wake_deliverer =
    caf::typed_actor<caf::replies_to<deliver_wakes>::with<wakes_delivered>>;  // an answer per target
// What the doors ask.
using wake_door = caf::typed_actor<
    caf::replies_to<await_wakes>::with<core::result<waiting_wakes>>,      // waits if it is asked to
    caf::replies_to<acknowledge_wakes>::with<core::result<wakes_heard>>,  // each in its own right
    caf::replies_to<wake_by_hand>::with<core::result<wake_sent>>,
    caf::replies_to<look_at_wakes>::with<core::result<wakes_seen>>>;  // the last ones of a run
using wake_desk_actor = wake_deliverer::extend_with<wake_door>::extend_with<session_listener>::extend_with<
    claim_listener>::extend<caf::reacts_to<tell_wakes>,    // whom to tell what became of wakes
                            caf::reacts_to<sink_spoke>,    // a webhook or a command has ended
                            caf::reacts_to<close_claims>,  // answer those who wait, and take nothing more
                            caf::reacts_to<alarm_rang>>;
// What the escalation ladder asks.
using worker_spawner = caf::typed_actor<caf::replies_to<spawn_worker>::with<core::result<worker_spawned>>>;
// What the doors ask.
using spawner_door = worker_spawner::extend<
    caf::replies_to<spawn_by_hand>::with<core::result<worker_spawned>>,      // as the ladder does, by name
    caf::replies_to<ask_agent_types>::with<core::result<agent_types_told>>,  // with their living workers
    caf::reacts_to<address_told>>;

// What the doors ask of the cycles and of the ladder.
using cycle_door =
    caf::typed_actor<caf::replies_to<run_cycle>::with<core::result<core::cycle_result>>,  // one, now
                     caf::replies_to<look_at_cycles>::with<core::result<cycles_seen>>>;   // the sums
using node_door =
    caf::typed_actor<caf::replies_to<look_at_nodes>::with<core::result<nodes_seen>>,  // of the cluster
                     caf::replies_to<steer_node>::with<core::result<nodes_seen>>,     // drain, resume
                     caf::replies_to<remove_node>::with<core::result<nodes_seen>>>;   // out for good, or back
using ladder_door = caf::typed_actor<caf::replies_to<look_at_ladder>::with<core::result<ladder_seen>>>;

using wake_coordinator_actor = cycle_door::extend_with<waiting_listener>::extend_with<wake_listener>::extend<
    caf::reacts_to<start_cycles>,  // the queue is read, the sweeper has swept
    caf::reacts_to<close_claims>,  // no more cycles
    caf::reacts_to<read_with>, caf::reacts_to<alarm_rang>>;
using escalation_ladder_actor = ladder_climber::extend_with<ladder_door>::extend<caf::reacts_to<read_with>>;

// ---- the rest

using retention_actor = caf::typed_actor<caf::reacts_to<alarm_rang>>;
// DEAD LETTER WATCH: only its own alarm.
using dead_letter_watch_actor = caf::typed_actor<caf::reacts_to<alarm_rang>>;

// What children tell.
using child_listener = caf::typed_actor<caf::reacts_to<child_changed>, caf::reacts_to<store_changed>>;
// What the cluster desk tells.
using cluster_listener = caf::typed_actor<caf::reacts_to<cluster_changed>>;
// What the doors ask.
using node_client = caf::typed_actor<caf::replies_to<ask_node>::with<core::result<node_status>>>;
using supervisor_actor = child_listener::extend_with<cluster_listener>::extend_with<node_client>::extend<
    caf::reacts_to<boot_node>, caf::reacts_to<stop_node>,
    caf::reacts_to<alarm_rang>>;  // a restart is due, or
                                  // patience is over

}  // namespace belfry::messages
