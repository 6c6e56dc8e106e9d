// MESSAGE TYPES: everything that actors of one process send each other. It never leaves the process, so
// nothing is serialised; between nodes a versioned envelope will speak. Each .cpp of an actor includes this
// file first.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/event_hub/role.hpp"
#include "actors/executor_supervisor/role.hpp"
#include "actors/gateway/role.hpp"
#include "actors/process_executor/role.hpp"
#include "actors/storage/role.hpp"
#include "messages/interfaces.hpp"

// messages/runs, jobs, sessions, queries, node
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::submit_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::submitted>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::claim_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::claimed_runs>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::touch_leases)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::touched>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::settle_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::settled>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::control_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::controlled>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::prune_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::runs_pruned>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::redrive_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::redriven>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::explain_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::explanation>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::ask_queue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::change_limits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::queue_state>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::rebuild_index)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::index_rebuilt>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::stop_attempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::put_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::archive_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::pause_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::resume_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::trigger_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::job_stored>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::register_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::end_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::session_answer>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::session_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::session_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::query_answer>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::ask_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::node_status>)

// messages/following
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::runs_committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::watch_times)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::watch_leases)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::alarm_rang)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::take_submissions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::look_at_clock)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::clock_looked)

// messages/boot
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::load_sessions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::sessions_loaded>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::rebuild_queue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::queue_rebuilt>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::start_sweeping)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::messages::swept>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::start_timers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::close_claims)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::boot_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::stop_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::child_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::store_changed)

// messages/executors
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::start_executors)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::drain_executors)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::executors_drained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::begin_work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::finish_work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::hand_back)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::executor_seated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::executor_idle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::child_abandoned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::child_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::restart_executor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::end_session_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::messages::drain_is_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::output_arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::process_ended)

// actors/storage, event_hub, gateway
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::commit_changes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::commit_results)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::scan_open)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::storage::open_page>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::ask_limits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::core::result<belfry::core::limit_options>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::open_connection)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::connection)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::follow_with)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::flush_changes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::try_room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::keep_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::journal_grew)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::tell_journal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::journal_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::add_watch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::drop_watch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::tell_watchers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::gateway_call)
