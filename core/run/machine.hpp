// RUN MACHINE: every change that a run can undergo, as one pure function.
//
// The store reads the row, asks `decide`, and writes what it answered, all inside the transaction that will
// be synced: a decision can never act on an old read, and no cache in memory has to be right for a run to be
// safe. `now` and the random unit for jitter come in with the command. Rejected: deciding in the dispatcher
// on a copy of the row, which needs a retry loop for every conflict and a second truth in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/errors/result.hpp"
#include "core/events/event.hpp"
#include "core/run/run.hpp"

namespace belfry::core {

// Every lease write carries these. A mismatch of either is `stale_lease` and is kept as evidence.
struct lease_proof {
  std::uint64_t fencing = 0;
  token_hash hash{};
};

struct cmd_claim {  // queued -> claimed (or running when `start`)
  session_id holder;
  token_hash hash{};
  span lease{std::chrono::minutes{5}};  // 1 s..24 h
  bool start = false;                   // the node's own executors begin at once: one commit instead of two
};
struct cmd_start {
  lease_proof proof;
};  // claimed -> running; again: no change
struct cmd_renew {
  lease_proof proof;
  span lease{std::chrono::minutes{5}};
};  // extends from now
struct cmd_progress {
  lease_proof proof;
  double value = 0;
  std::string text;
};

struct cmd_checkpoint {
  lease_proof proof;
  std::string value;  // JSON text, at most 64 KiB; replaces the last one
};
struct cmd_log {  // lines behind those that the attempt has
  lease_proof proof;
  std::vector<log_line> lines;  // run, attempt and number are filled in; `at` never: now
  std::uint64_t first = 0;  // number of the first line; 0: the next one. Lines that are there are passed over
};

// skipped: the condition of the run said no.
enum class settle_kind : std::uint8_t { succeeded, failed, cancelled, released, parked, skipped };
std::string_view to_text(settle_kind k);
struct cmd_settle {  // the worker says how the attempt ended
  lease_proof proof;
  settle_kind kind = settle_kind::succeeded;
  failure_class klass =
      failure_class::none;  // for failed: error, permanent, timeout, resource, rate_limited, spawn
  std::string message;
  std::optional<span>
      retry_after;               // rate_limited: no earlier; released: delay; parked: for how long (required)
  std::optional<instant> until;  // parked: the same as an instant
  std::string resource;          // parked: what is not there, such as "gpu-quota"
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string stopped_with;
  usage used;
  std::string result;
  std::uint64_t output_bytes = 0;
  bool output_truncated = false;
  double unit = 0.5;  // seeded random in [0,1) for the retry jitter
  // failed as rate_limited, parked: the limit is one of the whole agent type of the holder, until the time
  // that this command names; 1 throttle, 2 quota (core/pause/probe.hpp)
  std::uint8_t limits_type = 0;
};
struct cmd_expire {
  std::uint64_t fencing = 0;
  double unit = 0.5;
};  // the sweeper: only when expires_at <= now
struct cmd_lose {
  std::uint64_t fencing = 0;
  std::string reason;
  double unit = 0.5;
};  // the holder is known to be dead
struct cmd_overdue {
  std::uint64_t fencing = 0;
  double unit = 0.5;
};                      // deadline_at passed and the holder did not stop
struct cmd_wake {};     // scheduled, retrying, parked -> queued when due_at <= now
struct cmd_run_now {};  // the same without waiting for due_at
struct cmd_cancel {
  std::string reason;
};  // open and not leased -> cancelled; leased: asks the holder to stop; again: no change
struct cmd_reprioritise {
  priority prio = priority::normal;
};
struct cmd_discard {
  std::string reason;
};  // a dead letter is dismissed
// An operator takes the run from its holder: leased -> queued at its old place. Neither an attempt nor a loss
// is counted; the holder is fenced off.
struct cmd_force_release {
  std::string reason;  // required
};
// An operator gives the run up: open -> failed (permanent), a dead letter. A holder is fenced off.
struct cmd_force_fail {
  std::string reason;  // required
};
// needs_attention -> cancelled; the store makes the linked successor in the same commit.
struct cmd_recover {
  std::string reason;  // required
};
struct cmd_adopt {  // an operator accepts a result that came too late: an attempt of its own, succeeded
  attempt_record late;
  std::string reason;
};  // open or leased -> succeeded; a holder is fenced off
// Its holder has come back without the token: it gets a new one and a new fencing number for the same
// attempt, and whoever still has the old one is fenced off.
struct cmd_reissue {
  session_id holder;
  token_hash hash{};
  span lease{std::chrono::minutes{5}};  // from now
};
struct cmd_meet_handler {
};                  // queued, handler unknown -> parked; parked for that, known -> queued; else no change
struct cmd_age {};  // nobody dealt with a dead letter in time: said once
struct cmd_give_up {
  std::string reason;
};  // the ladder's last rung: queued -> needs_attention; a claim that came first stays

using run_command =
    std::variant<cmd_claim, cmd_start, cmd_renew, cmd_progress, cmd_settle, cmd_expire, cmd_lose, cmd_overdue,
                 cmd_wake, cmd_run_now, cmd_cancel, cmd_reprioritise, cmd_discard, cmd_checkpoint, cmd_log,
                 cmd_adopt, cmd_reissue, cmd_meet_handler, cmd_age, cmd_give_up, cmd_force_release,
                 cmd_force_fail, cmd_recover>;

// What an operator who looked before says that he saw, and whose runs he may touch. Checked inside the
// transaction, before the command is decided.
struct expectation {
  std::optional<run_state> state = {};
  std::optional<std::uint64_t> fencing = {};
  std::string only_of = {};  // not empty: only runs that this actor holds or has submitted
};
// Codes: precondition_failed (it has changed since; names the field), forbidden (somebody else's).
std::optional<failure> refuse_unexpected(const run_head& head, const expectation& e);

// What else a decision may look at.
struct run_context {
  const run_spec* spec = nullptr;  // required where needs_spec(command)
  const attempt_record* earlier =
      nullptr;  // the record with the fencing number that the command carries, if there is one
  std::uint64_t next_line = 1;  // of the log of the live attempt: the number that is free
  handler_kind handler = handler_kind::process;
  std::string_view unreadable = {};  // why what is stored of the run cannot be read; empty: it can
  // Where gives_way(head, command): when the job of the run is due next; never: nothing is, or it does not
  // matter.
  instant next_occurrence = never;
};
bool needs_spec(const run_command& c);
// Whether a retry may follow from the command, and gives way to the next occurrence of the run's job: not of
// a run that somebody made or repeated by hand.
bool gives_way(const run_head& head, const run_command& c);

struct run_step {
  run_head next;                        // equal to the head where nothing changed
  std::optional<attempt_record> ended;  // to be inserted
  std::vector<event> events;            // without seq; at most two
  bool replayed = false;                // the same completion again: the same answer, no write
  bool finished = false;                // became terminal with this step (the hook, if any, is due)
  std::optional<attempt_record> adopted = std::nullopt;  // a second record to be inserted
  std::optional<checkpoint> stored = std::nullopt;       // replaces the run's checkpoint
  std::vector<log_line> lines = {};                      // to be appended, numbered
};

// A refusal that leaves evidence behind.
struct run_refusal {
  failure why;
  std::optional<evidence> late;
  // The record that a late success would have made. Kept with the evidence, so that an operator can adopt it.
  std::optional<attempt_record> said = std::nullopt;
};

// Codes: invalid_transition (names the state and what is allowed), stale_lease, conflict (another result was
// recorded), invalid (lease out of range). `actor` goes into the events.
std::variant<run_step, run_refusal> decide(const run_head& head, const run_context& context,
                                           const run_command& command, const std::string& actor, instant now);

// ---- making runs

// Policies for a trigger that meets an open run of the same job.
enum class overlap : std::uint8_t { skip = 0, queue_one = 1, queue_all = 2, replace = 3, allow = 4 };
std::string_view to_text(overlap o);
std::optional<overlap> overlap_from(std::string_view text);

struct submission {
  std::shared_ptr<const run_spec> spec;
  run_id id;            // given by the caller, or 0
  spec_id shared_spec;  // the job revision's; 0: the spec is the run's own
  job_id job;
  std::uint32_t revision = 0;
  bool manual = false;
  instant due_at = never;  // not before; never: at once
  run_id parent;
  run_id predecessor;
  std::uint16_t chain = 0;
  std::string skip_reason;  // not empty: made as skipped, with this reason
  std::string why_later;    // with due_at: the reason while it is scheduled
  std::string actor;
  bool forced = false;  // through the pause of its job
  bool trial = false;
};
// The head of a new run: scheduled when due_at > now, skipped when skip_reason is given, else queued.
run_head make_run(const submission& s, run_id id, batch_id batch, instant now);

// The submission that redrives a finished run (failed, timed_out, lost, cancelled, or succeeded when `any`),
// linked to it. Codes: invalid_transition (still open; names the command that helps), conflict (it has a
// successor, which is named), limit_exceeded (chain of 10).
result<submission> decide_redrive(const run_head& head, std::shared_ptr<const run_spec> spec,
                                  const std::optional<std::string>& payload, const std::string& actor,
                                  bool any = false);

// The submission of the hook of a run that has just finished; the outcome is handed over in BELFRY_HOOK_*
// variables.
std::optional<submission> hook_of(const run_head& finished, const run_spec& spec);

// How `why_later` begins when a fire limit put the start off.
inline constexpr std::string_view by_fire_limit = "fire limit";

// Why a run that is not finished stands where it stands: machine-readable code and evidence.
struct wait_reason {
  std::string code;
  std::string text;
};
// For every state but queued, whose reasons come from the board.
std::optional<wait_reason> wait_reason_of(const run_head& head, instant now);

}  // namespace belfry::core
