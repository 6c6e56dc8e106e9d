// PARTS of the run machine, for its own files only: one function per command, and what they share. Everybody
// else includes core/run/machine.hpp.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/run/machine.hpp"

namespace belfry::core::machine {

using answer = std::variant<run_step, run_refusal>;

// The question, as every command sees it.
struct question {
  const run_head& head;
  const run_context& context;
  const std::string& actor;
  instant now;
};

answer apply(const question& q, const cmd_claim& c);
answer apply(const question& q, const cmd_start& c);
answer apply(const question& q, const cmd_renew& c);
answer apply(const question& q, const cmd_progress& c);
answer apply(const question& q, const cmd_settle& c);
answer apply(const question& q, const cmd_expire& c);
answer apply(const question& q, const cmd_lose& c);
answer apply(const question& q, const cmd_overdue& c);
answer apply(const question& q, const cmd_wake& c);
answer apply(const question& q, const cmd_run_now& c);
answer apply(const question& q, const cmd_cancel& c);
answer apply(const question& q, const cmd_reprioritise& c);
answer apply(const question& q, const cmd_discard& c);
answer apply(const question& q, const cmd_checkpoint& c);
answer apply(const question& q, const cmd_log& c);
answer apply(const question& q, const cmd_adopt& c);
answer apply(const question& q, const cmd_give_up& c);

// A step that changes nothing yet.
run_step unchanged(const question& q);
// Adds an event of the run as it stands in `step.next`.
void tell(run_step& step, const question& q, event_kind kind, std::string text = {});

// Refusals.
answer not_allowed(const question& q, std::string_view wish, std::string_view allowed);
answer invalid(const std::string& pointer, std::string value, std::string allowed, std::string detail);
answer stale(const question& q, const lease_proof& proof, std::string_view wish);
answer broken(std::string text);

// Whether the proof is the one of the live, unexpired lease. The token is compared in constant time.
bool holds(const question& q, const lease_proof& proof);
// Whether it is the one of a lease that has run out and that nobody has taken back yet.
bool shows_expired(const question& q, const lease_proof& proof);
// Nothing when the length of a lease is allowed.
std::optional<answer> refuse_lease(span length);

// The record of the live attempt, with what the head knows; the caller adds how it ended.
attempt_record record_of(const question& q);
// Ends the lease and enters `state`; a terminal one sets ended_at and `finished`.
void enter(run_step& step, const question& q, run_state state);
// After a used attempt that ended badly with `klass`: cancelled, retrying, timed_out or failed, with its
// event.
void after_failure(run_step& step, const question& q, failure_class klass, span no_earlier, double unit);

}  // namespace belfry::core::machine
