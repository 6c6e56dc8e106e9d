// ROW MAPPING: values of core to columns and back. The order of columns is here and nowhere else.
#pragma once

#include <string>
#include <string_view>

#include "core/cluster/node.hpp"
#include "core/events/event.hpp"
#include "core/job/job.hpp"
#include "core/session/session.hpp"
#include "core/spawn/worker.hpp"
#include "storage/apply/rows.hpp"
#include "storage/sqlite/query.hpp"

namespace belfry::storage::sqlite {

// State as far as lists are concerned; see migrations/0001_first.hpp.
inline constexpr std::int64_t dealt_with = 16;
std::int64_t shelf_of(const core::run_head& head);
// Shelves that runs in this state can stand on, as far as no other state shares them (queued, claimed and
// running do).
inline constexpr std::int64_t active_shelf = 2;
std::int64_t shelf_of(core::run_state state);

// "runs r left join leases l" is what these columns come from.
inline constexpr std::string_view run_columns =
    "r.id, r.state, r.prio, r.handler, r.flags, r.name, r.created, r.created_by, r.timeout, r.spec, r.job, "
    "r.revision, r.batch,"
    " r.workspace, r.lane, r.needs, r.ckey, r.climit, r.parent, r.predecessor, r.successor, r.chain, "
    "r.attempt, r.used, r.losses,"
    " r.fencing, r.eligible, r.due, r.ended, r.class, r.reason, r.progress, r.progress_text,"
    " l.holder, l.hash, l.claimed, l.started, l.expires, l.deadline";
inline constexpr int run_column_count = 39;
inline constexpr std::string_view run_tables = "runs r left join leases l on l.run = r.id";

run_row read_run(const query& q, int first = 0);  // `first`: where the columns begin

// What a new run can have; the rest is NULL.
inline constexpr std::string_view new_run_columns =
    "id, shelf, state, prio, handler, flags, name, created, created_by, timeout, spec, job, revision, batch, "
    "workspace,"
    " lane, needs, ckey, climit, parent, predecessor, chain, eligible, due, ended, reason";
inline constexpr int new_run_column_count = 26;
struct new_run {
  run_row row;
  std::string needs;  // encoded
};
void bind_run(query& q, const new_run& made, int first);

inline constexpr std::string_view spec_columns = "id, payload, body";
inline constexpr int spec_column_count = 3;
struct new_spec {
  core::spec_id id;
  std::string payload;
  std::string body;  // encoded
};
void bind_spec(query& q, const new_spec& s, int first);

// What a step can change. The condition is the row that was read: id, state and fencing number.
inline constexpr std::string_view run_update =
    "state = ?4, prio = ?5, flags = ?6, successor = ?7, attempt = ?8, used = ?9, losses = ?10, fencing = "
    "?11, eligible = ?12, due = ?13,"
    " ended = ?14, class = ?15, reason = ?16, progress = ?17, progress_text = ?18";
inline constexpr std::string_view run_update_condition =
    " where id = ?1 and state = ?2 and ifnull(fencing, 0) = ?3";
inline constexpr int run_update_shelf = 19;
void bind_update(query& q, const run_row& before, const run_row& after);

void bind_lease(query& q, core::run_id run, const core::lease& held);

inline constexpr std::string_view attempt_columns =
    "run, number, fencing, holder, outcome, class, claimed, started, ended, message, exit_code, signal, "
    "stopped_with, user_cpu,"
    " system_cpu, peak_memory, result, output_bytes, output_truncated";
void insert_attempt(query& q, const core::attempt_record& a);
core::attempt_record read_attempt(const query& q);

inline constexpr std::string_view event_columns = "seq, at, kind, run, job, fencing, attempt, actor, text";
inline constexpr int event_column_count = 9;
void bind_event(query& q, const core::event& e, int first);
core::event read_event(const query& q);

inline constexpr std::string_view session_columns =
    "id, name, agent_type, workspace, channel, capabilities, handlers, slots, state, prompting, local, "
    "created, seen, draining, paused, metadata, wake";
void put_session(query& q, const core::session& s);
core::session read_session(const query& q);

inline constexpr std::string_view worker_columns =
    "session, run, episode, agent_type, workspace, state, reason, pid, token, created, since, ttl, text";
void put_worker(query& q, const core::spawned_worker& w);
core::spawned_worker read_worker(const query& q);

// Job with its current revision; spec and pauses are read apart.
inline constexpr std::string_view job_columns =
    "j.id, j.revision, j.spec, j.state, j.created, j.created_by, j.updated, j.triggered, v.description, "
    "v.on_overlap, v.max_concurrent,"
    " v.source, j.name, v.timing, j.covered, j.made, j.recent, j.due, j.since, "
    "j.succeeded";
inline constexpr int job_column_count = 20;
inline constexpr std::string_view job_tables =
    "jobs j join job_revisions v on v.job = j.id and v.revision = j.revision";
struct job_row {
  core::job head;
  core::job_definition definition;
};
job_row read_job(const query& q);

inline constexpr std::string_view hold_columns =
    "held, first_held, fires, depth, limited, newest, newest_at, aside, aside_first, aside_last";
core::event_hold read_hold(const query& q, int first);  // in the order of hold_columns
inline constexpr std::string_view skip_columns =
    "number, job, first, last, count, at_least, reason, moved_to, noted, by_what";
core::skip_record read_skip(const query& q);

inline constexpr std::string_view calendar_columns =
    "name, source, revision, content, previous, periods, left_out, created, created_by, changed, changed_by";
core::named_calendar read_calendar(const query& q, bool content);

inline constexpr std::string_view window_columns =
    "name, schedule, length, scope, target, drain, text, revision, created, created_by, changed, changed_by, "
    "opens, closes";
core::window read_window(const query& q);

inline constexpr std::string_view node_columns =
    "name, boot, state, draining, removed, address, version, labels, capabilities, executors, joined, seen, "
    "changed, first, reason, who";
void put_node(query& q, const core::cluster_node& n);
core::cluster_node read_node(const query& q);

inline constexpr std::string_view pause_columns =
    "reason, owner, text, since, until, who, deadline, drained, scope, job, name, probes, probe, ahead";
core::pause_entry read_pause(const query& q);
core::pause_target read_pause_target(const query& q, int first);  // scope, job, name
void bind_target(query& q, const core::pause_target& on);         // at 1, 2, 3: scope, job, name

inline constexpr std::string_view log_columns = "run, attempt, number, at, stream, text, level";
core::log_line read_log(const query& q);

std::string encode_limits(const core::limit_options& l);
core::limit_options decode_limits(std::string_view text);

inline constexpr std::string_view starvation_columns = "run, episode, began, base, fired, spawned, held";
core::starvation read_starvation(const query& q);  // in the order of starvation_columns

}  // namespace belfry::storage::sqlite
