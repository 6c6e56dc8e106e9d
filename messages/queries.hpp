// QUERIES: reads of committed state, answered by the readers on connections of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/calendar/calendar.hpp"
#include "core/cluster/node.hpp"
#include "core/doctor/doctor.hpp"
#include "core/job/job.hpp"
#include "core/job/timing_group.hpp"
#include "core/ladder/ladder.hpp"
#include "core/run/filter.hpp"
#include "core/run/views.hpp"
#include "core/session/session.hpp"
#include "core/simulate/simulate.hpp"
#include "core/spawn/worker.hpp"
#include "core/wake/result.hpp"
#include "core/window/window.hpp"

namespace belfry::messages {

struct get_run {
  using answer = core::run;
  std::string text;
};  // id, unique prefix, or name of the newest
struct run_details {
  core::run run;
  std::vector<core::attempt_record> attempts;
  std::vector<core::evidence> late;
  std::vector<std::string> holder_names;                // by attempt, same order; empty where unknown
  std::vector<core::attempt_record> late_results = {};  // successes that came too late
  std::optional<core::checkpoint> checkpoint = {};
};
// Of up to 1,000 runs, in their order; empty where there is no such run.
struct get_names {
  using answer = std::vector<std::string>;
  std::vector<core::run_id> runs;
};
struct get_run_details {
  using answer = run_details;
  std::string text;
};
struct list_runs {
  using answer = core::run_page;
  core::run_filter filter;
  core::page_request page;
};
struct list_ids {
  using answer = std::vector<core::run_id>;
  core::run_filter filter;
  std::size_t limit = 1000;
};
struct get_logs {
  using answer = core::log_page;
  core::run_id id;
  std::uint32_t attempt = 0;        // 0: all attempts
  std::uint32_t after_attempt = 0;  // only lines after (after_attempt, after_number)
  std::uint64_t after_number = 0;
  std::size_t limit = 1000;
  std::size_t tail = 0;
  core::log_level least = core::log_level::none;
};
struct get_job {
  using answer = core::job;
  std::string text;
};
struct list_jobs {
  using answer = core::job_page;
  bool archived_too = false;
  std::string name_contains;
  std::size_t limit = 50;
  std::int64_t after = 0;
};
// What became of its occurrences, newest first: before an instant, or at never the newest ones.
struct list_occurrences {
  using answer = core::occurrence_page;
  core::job_id job;
  core::instant before = core::never;
  std::size_t limit = 50;
};
struct list_event_waiters {  // jobs that wait for events, by id
  using answer = std::vector<core::event_waiter>;
  core::job_id after;
  std::size_t limit = 50;
};
// What the schedules of jobs would bring about: those in the setup, those that are named, or all. Takes long.
struct simulate_schedules {
  using answer = core::simulation;
  core::simulation_setup setup;
  std::vector<std::string> jobs;  // ids or names
  bool all = false;
  core::span each_takes{0};
  std::vector<std::pair<std::string, core::span>> takes;  // of one job, by name
};
struct list_due_jobs {  // that have something planned, by id
  using answer = std::vector<core::job_due>;
  core::job_id after;
  std::size_t limit = 1000;
};
// Members of timing groups: of one, or of all when the key is empty. A page may be short and not the last.
struct list_scheduled {
  using answer = core::scheduled_page;
  core::job_id after;
  std::size_t limit = 1000;
  std::string key;
};
// Those named, or all; by name. `content`: with what they exclude.
struct list_calendars {
  using answer = std::vector<core::calendar_facts>;
  std::vector<std::string> names;
  bool content = false;
};
struct list_windows {
  using answer = std::vector<core::window>;
};
struct list_nodes {  // of the cluster, by name, as they were last written
  using answer = std::vector<core::cluster_node>;
};
struct list_sessions {
  using answer = std::vector<core::session>;
  bool gone_too = false;
};
struct list_leases {
  using answer = std::vector<core::run_head>;
  core::session_id who;  // 0: of all sessions
};
struct list_workers {  // that the node started by itself, newest first
  using answer = std::vector<core::spawned_worker>;
  core::run_id run;        // 0: of all runs, and those by hand
  std::string agent_type;  // empty: of all
  bool ended_too = false;
  std::size_t limit = 1000;
};
struct get_events {
  using answer = core::event_page;
  std::int64_t after = 0;
  std::size_t limit = 500;
  core::event_filter filter;
};
struct get_batch {
  using answer = core::batch_summary;
  core::batch_id id;
};
struct get_statistics {
  using answer = core::run_statistics;
  core::run_filter filter;
};
struct get_facts {
  using answer = core::store_facts;
};

// What the store alone tells the doctor.
struct get_troubles {
  using answer = core::store_troubles;
  core::instant now = core::never;
  core::span late_after{0};
};

// The escalation ladder, and the figures of the cycles.
struct get_starvation {
  using answer = std::optional<core::starvation>;
  core::run_id run;
};
struct list_starvations {
  using answer = std::vector<core::starvation>;
  core::run_id after;
  std::size_t limit = 1000;
};
struct get_ladder_clock {
  using answer = core::ladder_clock;
};
struct get_cycle_statistics {
  using answer = core::cycle_statistics;
};

// Reads everything and takes long: has a reader of its own.
struct copy_store {
  using answer = core::store_copy;
  std::string to;  // absolute path of a new file
};
struct check_store {
  using answer = core::store_check;
};

using query =
    std::variant<get_run, get_run_details, list_runs, list_ids, get_logs, get_job, list_jobs, list_sessions,
                 list_leases, get_events, get_batch, get_statistics, get_facts, copy_store, check_store,
                 get_troubles, list_workers, get_starvation, list_starvations, get_ladder_clock,
                 get_cycle_statistics, list_occurrences, list_due_jobs, get_names, list_event_waiters,
                 list_scheduled, simulate_schedules, list_calendars, list_windows, list_nodes>;
using query_answer =
    std::variant<core::run, run_details, core::run_page, std::vector<core::run_id>, core::log_page, core::job,
                 core::job_page, std::vector<core::session>, std::vector<core::run_head>, core::event_page,
                 core::batch_summary, core::run_statistics, core::store_facts, core::store_copy,
                 core::store_check, core::store_troubles, std::vector<core::spawned_worker>,
                 std::optional<core::starvation>, std::vector<core::starvation>, core::ladder_clock,
                 core::cycle_statistics, core::occurrence_page, std::vector<core::job_due>,
                 std::vector<std::string>, std::vector<core::event_waiter>, core::scheduled_page,
                 core::simulation, std::vector<core::calendar_facts>, std::vector<core::window>,
                 std::vector<core::cluster_node>>;

}  // namespace belfry::messages
