// MEMBER ATTEMPT: one run in the hands of a member: its lease by the member's own clock, and what is still to
// be told of it, in order. A value.
//
// The lease is believed in until `safe_until`, counted from before the question that asked for it: by then
// nobody had granted anything yet, so the granter's own expiry is never earlier, whatever the clocks say.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/cluster/node.hpp"
#include "core/run/machine.hpp"
#include "messages/runs.hpp"
#include "messages/wire/wire.hpp"
#include "storage/contract/change.hpp"

namespace belfry::actors {

// Output, or how it ended.
struct told_step {
  std::vector<core::log_line> lines;
  std::optional<core::cmd_settle> outcome;
  std::function<void(core::result<storage::receipt>)> tell;  // empty: nobody waits for it
};

struct member_attempt {
  // `safe_until`, `now`: clock::through_sleep.
  member_attempt(const messages::claimed_run& claimed, core::session_id holder, core::span asked_lease,
                 core::instant safe_until_then, core::instant now);

  bool is(core::run_id r, std::uint64_t f) const { return run == r && fencing == f; }
  core::lease_proof proof() const { return {fencing, hash}; }
  messages::wire::held_run held() const { return {session, run, fencing}; }
  void believe_until(core::instant safe);
  // Not one whose process lives on long after its timeout: nobody but the lease ends that attempt.
  bool may_renew(core::instant now, core::span overdue_after) const {
    return !over && !lost && !renewing && now < core::later(over_at, grace + overdue_after);
  }
  // Whether its process has to be told to stop now, and why.
  std::optional<messages::stop_why> due_stop(core::instant now) const;
  // When due_stop or a renewal is next.
  core::instant next_due() const;
  // The lines as calls, numbered behind what has been told: those that an executor had to drop leave no gap.
  std::vector<messages::lease_call> log_calls(const std::vector<core::log_line>& lines) const;

  core::session_id session;
  core::run_id run;
  std::uint64_t fencing = 0;
  std::uint32_t attempt = 0;
  core::token_hash hash{};
  core::span lease, grace;
  core::instant safe_until = core::never;
  core::instant stop_at = core::never;
  core::instant over_at = core::end_of_time;  // its timeout, wherever the coordinator is
  core::instant renew_at = core::never;
  core::instant tell_at = core::never;  // after trouble, for what nobody waits for
  bool over = false;                    // no process of it lives
  bool told_to_stop = false;
  bool lost = false;    // it is somebody else's by now
  bool cancel = false;  // somebody asked to cancel it
  bool renewing = false, telling = false;
  std::uint64_t lines_told = 0;
  std::deque<told_step> steps;
};

// The coordinator could not do it; it may be able to later. Any other refusal is its last word.
bool is_trouble(const core::failure& f);

}  // namespace belfry::actors
