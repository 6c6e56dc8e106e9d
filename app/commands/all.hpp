// COMMANDS: one function per family, each declares its commands below `root`.
#pragma once

#include "app/cli/command.hpp"
#include "app/cli/context.hpp"

namespace belfry::app {

void add_serve(command& root, context& ctx);
void add_submit(command& root, command& run, context& ctx);
void add_runs(command& root, command& run, context& ctx);  // list, show, dead
void declare_runs_of_job(command& c, context& ctx);
void declare_job_stats(command& c, context& ctx);
void add_explain(command& run, context& ctx);  // run explain
void declare_job_explanation(command& c, context& ctx);
void add_doctor(command& root, context& ctx);
void add_logs(command& root, command& run, context& ctx);
void add_control(command& root, command& run,
                 context& ctx);  // cancel, retry, discard, run-now, priority, clear
void add_wait(command& root, command& run, context& ctx);
void add_jobs(command& root, context& ctx);
void add_schedules(command& root, context& ctx);  // schedule, occurrences
void add_timings(command& root, context& ctx);
void add_os(command& root, context& ctx);
void add_simulate(command& root, context& ctx);
void add_calendars(command& root, context& ctx);
void add_windows(command& scheduler, context& ctx);  // scheduler window
void add_apply(command& root, context& ctx);
void add_batches(command& root, context& ctx);
void add_status(command& root, context& ctx);       // status, stats, health, metrics, limits, scheduler
void add_pauses(command& scheduler, context& ctx);  // scheduler pause, resume, drain, pauses
void add_cycles(command& scheduler, context& ctx);  // scheduler cycle, statistics, backlog
void add_events(command& root, context& ctx);
void add_transfer(command& root, context& ctx);   // export, import
void add_imports(command& import, context& ctx);  // import crontab, systemd-timers, ncp
void add_handlers(command& root, context& ctx);
void add_agent_types(command& root, context& ctx);
void add_maintenance(command& root, context& ctx);  // backup, retention
void add_sessions(command& root, context& ctx);
void add_nodes(command& root, context& ctx);  // node: the machines of the cluster
void add_session_wakes(command& session, context& ctx);
void add_leases(command& root, command& run, context& ctx);  // claim and what the holder of a lease says
void add_work(command& root, context& ctx);
void add_access(command& root, context& ctx);
void add_cluster(command& root, context& ctx);  // init, issue, show: certificates
void add_config(command& root, context& ctx);
void add_completion(command& root, context& ctx);  // completion, __complete, __reference
void add_api(command& root, context& ctx);         // api, openapi, version

// The whole tree.
void declare_everything(command& root, context& ctx);

}  // namespace belfry::app
