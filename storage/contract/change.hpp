// CHANGES: what one atomic change set may contain. All of a set is applied, in order, or none of it.
//
// Steps on runs carry a command, not a new row: the store reads the row, asks core::decide and writes the
// answer, inside the transaction (see core/run/machine.hpp). Ids and event numbers are given by the store,
// the only writer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/calendar/calendar.hpp"
#include "core/cluster/node_story.hpp"
#include "core/events/named_event.hpp"
#include "core/job/import.hpp"
#include "core/job/job.hpp"
#include "core/ladder/ladder.hpp"
#include "core/queue/board.hpp"
#include "core/run/machine.hpp"
#include "core/run/run.hpp"
#include "core/session/session.hpp"
#include "core/spawn/worker.hpp"
#include "core/wake/result.hpp"
#include "core/window/window.hpp"

namespace belfry::storage {

// Bound to the effect: same key and fingerprint → the first answer again; same key, other fingerprint →
// idempotency_mismatch.
struct idempotency {
  std::string key;                             // 1..200 printable ASCII characters, scoped by the route
  std::array<std::uint8_t, 32> fingerprint{};  // SHA-256 of method, path and body
};

struct insert_runs {  // all or nothing
  std::vector<core::submission> runs;
  bool as_batch = false;  // makes a batch id
  // What the checks at the door found: the answer when a run would have to be made. A repetition of an
  // earlier request gets its first answer all the same.
  std::optional<core::failure> refusal = {};
  // By somebody from outside: refused (overloaded) while the queue presses, as a whole, when the rules say so
  // (storage/contract/rules.hpp). What was made before is answered all the same.
  bool outside = false;
};
struct step_run {  // one command on one run
  core::run_id id;
  core::run_command command;
  bool want_spec = false;  // a claim wants the spec in the receipt
  core::expectation expected = {};
  bool dry_run = false;  // decides and writes nothing; the head as it would be is in receipt::planned
};
// The job makes a run of its current revision, under its overlap policy. `payload` replaces the definition's.
struct trigger_job {
  core::job_id id;
  std::optional<std::string> payload;
  bool force = false;  // ignores pause and overlap
  core::instant due_at = core::never;
};
// Receipt: the successor first, then the run that it succeeds. `any`: succeeded runs too.
struct redrive_run {
  core::run_id id;
  std::optional<std::string> payload;
  bool any = false;
  core::expectation expected = {};
  bool dry_run = false;  // the run that would be redriven is in receipt::planned
};
// Closes a run that needs attention and makes its linked successor, both or neither. Receipt: the successor
// first, then the run that was closed; of a dry run that run, as it would be, in receipt::planned.
struct recover_run {
  core::run_id id;
  std::string reason;
  core::expectation expected = {};
  bool dry_run = false;
};
struct put_job {  // new: id 0. replace: the id, and the revision that was read when `expected` > 0
                  // (precondition_failed)
  core::job_id id;
  std::uint32_t expected = 0;
  core::job_definition definition;
  bool start_paused = false;
  std::optional<core::failure> refusal = {};  // as in insert_runs
  // A new job is paused for the reason `trial`, and one run of it is made, for half a minute and one attempt
  // at most. Its success lifts the pause in its own commit; anything else is told in the text of the pause.
  bool trial = false;
  // From a line of an export: the job is found by what the line says, id and expected are not looked at.
  // Receipt: the verdict, and the job as it is, or would be.
  std::shared_ptr<const core::import_terms> import = {};
};
struct archive_job {
  core::job_id id;
};
struct pause_job {
  core::job_id id;
  core::pause_entry entry;
};
struct resume_job {
  core::job_id id;
  std::string reason;
  std::string owner = {};  // empty: the operators, or the session that asks
};                         // lifts only this reason of this owner
// The limit of a provider is the pause of an agent type that probes: the latest end wins, its delay is
// learned, and any actor may set it for the provider that owns it. The same for every scope; a job's pauses
// are the same set. A job may be archived: its runs are still held.
struct put_pause {
  core::pause_target on;
  core::pause_entry entry;
};
struct lift_pause {
  core::pause_target on;
  std::string reason;
  std::string owner = {};  // as above
  bool only_over = false;  // only when its `until` has come
};
// No lease is live under the drains of this target.
struct note_drained {
  core::pause_target on;
};
struct put_session {
  core::session who;
};  // id 0: new; else replaced
struct end_session {
  core::session_id id;
  std::string reason;
  bool only_idle = false;  // refused (invalid_transition) while it holds a lease
};
// What can change of a session that is there. Nothing: it stays as it is.
struct change_session {
  core::session_id id;
  std::optional<bool> draining, paused, prompting;
  core::instant seen = core::never;  // a sign of life: a stale session is back
  bool silent = false;               // no sign of life came in time: it is stale
  std::string reason;
};
// Accepts a success that came too late: the run, or the successor of a dead letter, has succeeded. Receipt:
// what succeeded comes first. Codes: not_found (nothing came late), invalid_transition (it has ended).
struct adopt_result {
  core::run_id id;
  std::uint64_t fencing = 0;  // of the attempt; 0: the newest one that there is
  std::string reason;
};
struct append_log {
  std::vector<core::log_line> lines;
  std::uint64_t keep_bytes = 1u << 20;
};  // numbers given by the caller; the oldest lines beyond keep_bytes of an attempt are dropped
struct note_event {
  core::event what;
};  // for facts without a row of their own
// A worker that the node starts by itself, as it stands now. Session 0: a new one, of the session that this
// set has just registered. What changed becomes an event. Codes: not_found (no such worker).
struct put_worker {
  core::spawned_worker who;
};
// One bite of the escalation ladder. Rows of runs that are not queued any more are passed over; a rung that
// fired stays fired; the event of its rung is written once per episode. A step that takes a run out of the
// queue removes its row by itself. Receipt: the rows as they stand, and the clock.
struct climb_ladder {
  std::uint64_t tick = 0;  // the clock is at least here
  std::vector<core::starvation> rows;
  std::vector<core::starvation> over;  // removed while it is the same episode
};
struct keep_statistics {  // of the cycles; `reset`: somebody asked for zeros, which is an event
  core::cycle_statistics sums;
  bool reset = false;
};
struct put_limits {
  core::limit_options limits;
  core::limit_options configured = {};  // what was in force when none have been stored: for the journal
};                                      // live limits, durable
// Removes finished runs that are older than `before` or beyond `keep_per_job` newest of their job; the latest
// result of a job, runs with an open successor or hook and dead letters younger than `dead_before` stay. At
// most `at_most` runs.
struct prune_history {
  core::instant before = core::never;
  core::instant dead_before = core::never;
  std::uint32_t keep_per_job = 100;
  std::uint32_t at_most = 500;
  bool dry_run = false;
  bool asked = false;  // by a person: looks at everything, not only on from where the last bite stopped
};
struct prune_events {
  core::instant before = core::never;
  std::uint32_t at_most = 5000;
};  // also idempotency keys older than `before_keys`
struct prune_keys {
  core::instant before = core::never;
  std::uint32_t at_most = 5000;
};

// Says once of each dead letter that ended before this that nobody has dealt with it; the oldest first.
struct age_dead_letters {
  core::instant before = core::never;
  std::uint32_t at_most = 500;
};

// What is planned of the job up to now becomes runs and records of skips, and its cursor moves, all at once.
// Whoever asks twice, or late, changes nothing more: what is due is found in the row. Nothing of a job that
// is paused, completed, archived or not due. Receipt: the job as it stands.
struct plan_job {
  core::job_id id;
  bool after_crash_loop = false;  // what was missed is not made up for
};

// An event of somebody, which has passed its check: one line of the journal, and in the same commit the runs
// of the jobs that wait for it, or what they keep of it. Receipt: the runs made at once; what became of it is
// in receipt::emitted. Codes: not_found (the run that emits it), overloaded (as in insert_runs).
struct emit_event {
  core::named_event what;
  core::run_id by = {};  // the run that emits it: how deep a chain of events is, is known by its runs
  bool outside = false;
};

// A calendar is made, or gets another content. The jobs that name it are planned anew, the first of them in
// the same commit; while some are left, their names are in receipt::replan, and another change of it is
// refused (conflict).
struct put_calendar {
  core::named_calendar what;  // name, source, content
};
// Refused (conflict) while a job or a window names it.
struct remove_calendar {
  std::string name;
};
// One bite of the jobs that are planned by the content before.
struct replan_calendar {
  std::string name;
  std::uint32_t at_most = 100;
};
// Its next opening becomes a planned pause in the same commit, or a standing one when now lies in it.
struct put_window {
  core::window what;
};
struct remove_window {
  std::string name;
};

// One step in the story of a node of the cluster (core::decide_node). Receipt: the node as it stands.
// Codes: not_found (no such node), invalid_transition, invalid (a name that is none).
struct tell_node {
  core::node_news what;
};

using change = std::variant<insert_runs, step_run, trigger_job, redrive_run, put_job, archive_job, pause_job,
                            resume_job, put_session, end_session, change_session, adopt_result, append_log,
                            note_event, put_limits, prune_history, prune_events, prune_keys, put_pause,
                            lift_pause, note_drained, age_dead_letters, recover_run, put_worker, climb_ladder,
                            keep_statistics, plan_job, emit_event, put_calendar, remove_calendar,
                            replan_calendar, put_window, remove_window, tell_node>;

struct change_set {
  core::instant now = core::never;
  std::string actor;  // recorded on every event
  std::optional<idempotency> once;
  std::vector<change> changes;
};

/// Whether a nearly full disk refuses the set, while running work goes on: what brings new work, and the word
/// that there is room again.
bool needs_room(const change_set& set);

// What a change set did. Heads are as written; memory follows from them after the commit.
struct receipt {
  std::vector<core::run>
      runs;  // heads touched or made, in order; specs where made, wanted, or finished with a failure
  std::vector<core::job> jobs;
  std::vector<core::session> sessions;
  core::batch_id batch;
  std::vector<core::attempt_record> ended;       // attempts that this set ended
  std::int64_t first_event = 0, last_event = 0;  // sequence numbers written by this set; 0: none
  bool replayed = false;  // by idempotency key, or the same completion, or the same caller-given id
  std::uint64_t pruned = 0;
  std::uint64_t next_line = 0;         // after log lines: the number of the next one
  std::vector<core::run_id> prunable;  // dry run
  // Steps by the store's own rules that the caller did not name: hooks made, runs replaced by a trigger's
  // overlap policy, runs that an event of this set has started.
  std::vector<core::run> also;
  std::vector<core::target_pauses> pauses = {};  // of every target whose pauses changed, in order
  std::vector<core::run_head> planned = {};      // dry runs: as they would be; nothing follows from them
  std::vector<core::starvation> starving = {};   // of a bite of the ladder
  core::ladder_clock ladder = {};                // likewise
  std::vector<core::learned_delay> delays = {};  // that changed
  core::emitted emitted = {};
  core::import_verdict imported = core::import_verdict::none;
  std::string note = {};                             // why, where the verdict needs words
  std::vector<core::named_calendar> calendars = {};  // put or removed, without their content
  std::vector<core::window> windows = {};            // likewise; also those that were planned anew
  std::vector<std::string> replan = {};              // calendars by which jobs are still to be planned anew
  std::size_t replanned = 0;                         // jobs
  std::vector<core::cluster_node> nodes = {};        // of the cluster, as they stand
};

}  // namespace belfry::storage
