// The worker says how its attempt ended.
#include <algorithm>

#include "core/run/machine_parts.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::core::machine {
namespace {

// The longest that a worker may put a run off. What a door forwards from a header of another service can be
// anything.
constexpr span longest_delay = std::chrono::hours{24 * 365};
// The message also stands in the head as the reason; logs are for the rest.
constexpr std::size_t message_bytes = 4096;
constexpr std::size_t result_bytes = 64 * 1024;

span delay_of(const cmd_settle& c, instant now) {
  const auto asked = c.until ? *c.until - now : c.retry_after.value_or(span{0});
  return std::clamp(asked, span{0}, longest_delay);
}

// Parked: the resource is part of the reason.
std::string message_of(const cmd_settle& c) {
  const std::string said{cut_utf8(c.message, message_bytes)};
  if (c.kind != settle_kind::parked || c.resource.empty()) return said;
  return "resource " + c.resource + (said.empty() ? std::string{} : ": " + said);
}

failure_class class_of(const cmd_settle& c) {
  switch (c.kind) {
    case settle_kind::failed: return c.klass == failure_class::none ? failure_class::error : c.klass;
    case settle_kind::cancelled: return failure_class::cancelled;
    case settle_kind::parked: return c.klass;
    case settle_kind::succeeded:
    case settle_kind::skipped:
    case settle_kind::released: return failure_class::none;
  }
  return failure_class::error;
}

run_state outcome_of(const cmd_settle& c) {
  switch (c.kind) {
    case settle_kind::succeeded: return run_state::succeeded;
    case settle_kind::failed:
      return class_of(c) == failure_class::timeout ? run_state::timed_out : run_state::failed;
    case settle_kind::cancelled: return run_state::cancelled;
    case settle_kind::released: return run_state::queued;
    case settle_kind::parked: return run_state::parked;
    case settle_kind::skipped: return run_state::skipped;
  }
  return run_state::failed;
}

// What the worker said, put into a record.
void fill(attempt_record& r, const cmd_settle& c) {
  r.outcome = outcome_of(c);
  r.klass = class_of(c);
  r.message = message_of(c);
  r.exit_code = c.exit_code;
  r.signal = c.signal;
  r.stopped_with = c.stopped_with;
  r.used = c.used;
  r.result = c.result;
  r.output_bytes = c.output_bytes;
  r.output_truncated = c.output_truncated;
}

// Whether this is the completion that the record was made from. The token cannot be compared any more, it is
// forgotten when the lease ends; that is harmless, because a repetition changes nothing and tells nothing.
bool repeats(const cmd_settle& c, const attempt_record& made) {
  attempt_record again = made;
  fill(again, c);
  const bool handed_back = c.kind == settle_kind::released || c.kind == settle_kind::parked;
  if (handed_back && made.outcome == run_state::cancelled) again.outcome = made.outcome;
  return again == made;
}

// A success that came too late, as the record that it would have made.
void keep_success(run_refusal& no, const question& q, const attempt_record& about, const cmd_settle& c) {
  if (c.kind != settle_kind::succeeded || c.result.size() > result_bytes) return;
  attempt_record said = about;
  fill(said, c);
  said.ended_at = q.now;
  no.said = std::move(said);
}

// The lease is over. The worker may be repeating itself, contradicting itself, or simply be late.
answer too_late(const question& q, const cmd_settle& c) {
  const auto* made = q.context.earlier;
  if (made == nullptr || made->fencing != c.proof.fencing || made->run != q.head.id) {
    auto no = stale(q, c.proof, "settle");
    // Expired, and nobody has looked yet: the record that the sweeper is about to write will say lost.
    if (shows_expired(q, c.proof)) keep_success(std::get<run_refusal>(no), q, record_of(q), c);
    return no;
  }
  if (repeats(c, *made)) {
    auto step = unchanged(q);
    step.replayed = true;
    return step;
  }
  const std::string said = std::string{to_text(c.kind)} +
                           (c.message.empty() ? "" : ": " + std::string{cut_utf8(c.message, message_bytes)});
  evidence late{q.head.id, c.proof.fencing, q.now, "stale_settle", "said: " + said};
  const auto id = to_string(q.head.id);
  const std::string attempt = "attempt " + std::to_string(made->number) + " of " + id;
  // An attempt that was lost, or that an operator ended, was taken from this worker, it did not say anything
  // else before.
  const bool by_operator = made->stopped_with == "operator";
  const bool taken = made->outcome == run_state::lost || by_operator;
  if (!taken) late.kind = "conflicting_settle";
  const std::string recorded = " is already recorded as " + std::string{to_text(made->outcome)};
  run_refusal no{{taken ? errc::stale_lease : errc::conflict,
                  taken ? attempt + (by_operator ? " was taken away at " : " was given up as lost at ") +
                              to_rfc3339(made->ended_at)
                        : attempt + recorded + " with other content",
                  {},
                  "belfry run show " + id},
                 late};
  // What the worker said itself stands; what the node said in its absence may have been wrong.
  if (taken || (made->outcome == run_state::timed_out && made->klass == failure_class::timeout))
    keep_success(no, q, *made, c);
  return no;
}

void succeed(run_step& step, const question& q) {
  step.next.last_class = failure_class::none;
  step.next.reason.clear();
  step.next.progress = 1;
  enter(step, q, run_state::succeeded);
  tell(step, q, event_kind::run_succeeded);
}

// Its condition said no: nothing was tried, so nothing counts as used or failed, and nothing is retried.
void skip(run_step& step, const question& q) {
  step.next.last_class = failure_class::none;
  step.next.reason = "condition" + (step.ended->message.empty() ? "" : ": " + step.ended->message);
  enter(step, q, run_state::skipped);
  tell(step, q, event_kind::run_skipped, step.next.reason);
}

// Cancelled, or handed back after somebody asked to cancel: nobody is to take it again.
void end_cancelled(run_step& step, const question& q) {
  if (step.next.reason.empty()) step.next.reason = step.ended->message;
  step.next.last_class = failure_class::cancelled;
  enter(step, q, run_state::cancelled);
  tell(step, q, event_kind::run_cancelled, step.next.reason);
}

// No budget is used up by a release, and the place in line is kept when there is no delay.
void release(run_step& step, const question& q, const cmd_settle& c) {
  const span delay = delay_of(c, q.now);
  step.next.reason = step.ended->message;
  enter(step, q, delay > span{0} ? run_state::scheduled : run_state::queued);
  if (delay > span{0}) step.next.due_at = later(q.now, delay);
  tell(step, q, event_kind::run_released, step.next.reason);
}

void park(run_step& step, const question& q, const cmd_settle& c) {
  step.next.reason = step.ended->message;
  if (c.klass != failure_class::none) step.next.last_class = c.klass;
  enter(step, q, run_state::parked);
  step.next.due_at = later(q.now, delay_of(c, q.now));
  tell(step, q, event_kind::run_parked,
       "until " + to_rfc3339(step.next.due_at) + (step.next.reason.empty() ? "" : ": " + step.next.reason));
}

// Values that no settle may have, whoever holds the lease.
std::optional<answer> refuse_values(const question& q, const cmd_settle& c) {
  if (c.kind == settle_kind::parked && delay_of(c, q.now) <= span{0})
    return c.until ? invalid("/until", to_rfc3339(*c.until), "a time to come", "parking needs a time")
                   : invalid("/retry_after", c.retry_after ? to_text(*c.retry_after) : "", "more than 0",
                             "parking needs a time");
  const bool names_class = c.kind == settle_kind::failed || c.kind == settle_kind::parked;
  if (names_class && (c.klass == failure_class::lost || c.klass == failure_class::cancelled))
    return invalid("/class", std::string{to_text(c.klass)},
                   "error, permanent, timeout, resource, rate_limited, spawn",
                   "a worker cannot say this class");
  if (c.result.size() > result_bytes)
    return run_refusal{{errc::too_large,
                        "the result has " + std::to_string(c.result.size()) + " bytes; at most " +
                            std::to_string(result_bytes) + " are kept, put more elsewhere and refer to it",
                        {},
                        {}},
                       std::nullopt};
  return std::nullopt;
}

}  // namespace

answer apply(const question& q, const cmd_settle& c) {
  if (!holds(q, c.proof)) return too_late(q, c);
  if (c.kind == settle_kind::cancelled && !q.head.cancel_requested)
    return not_allowed(q, "end as cancelled", "asked to stop first, which nobody did");
  if (c.kind == settle_kind::skipped && !given(q.context.spec->condition))
    return not_allowed(q, "be skipped by its worker", "one with a condition");
  if (auto no = refuse_values(q, c)) return *no;

  auto step = unchanged(q);
  step.ended = record_of(q);
  fill(*step.ended, c);
  switch (c.kind) {
    case settle_kind::succeeded: succeed(step, q); break;
    case settle_kind::failed:
      if (!q.head.cancel_requested || step.next.reason.empty()) step.next.reason = step.ended->message;
      after_failure(step, q, class_of(c), delay_of(c, q.now), c.unit);
      break;
    case settle_kind::cancelled: end_cancelled(step, q); break;
    case settle_kind::skipped: skip(step, q); break;
    case settle_kind::released:
    case settle_kind::parked:
      if (q.head.cancel_requested) {
        step.ended->outcome = run_state::cancelled;
        end_cancelled(step, q);
      } else if (c.kind == settle_kind::released) {
        release(step, q, c);
      } else {
        park(step, q, c);
      }
      break;
  }
  return step;
}

}  // namespace belfry::core::machine
