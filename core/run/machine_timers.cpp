// What time does to a run: its lease expires, its holder dies, its deadline passes, its delay ends.
#include "core/run/handlers.hpp"
#include "core/run/machine_parts.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::core::machine {
namespace {

// Loss is not failure: it has its own budget, and the run keeps its place in line.
answer lost(const question& q, const std::string& why) {
  auto step = unchanged(q);
  step.ended = record_of(q);
  step.ended->outcome = run_state::lost;
  step.ended->klass = failure_class::lost;
  step.ended->message = why;

  auto& next = step.next;
  next.losses += 1;
  next.last_class = failure_class::lost;
  if (!next.cancel_requested || next.reason.empty()) next.reason = why;
  const std::uint32_t budget = q.context.spec->retry.max_losses;
  tell(step, q, event_kind::lease_expired,
       why + "; loss " + std::to_string(next.losses) + " of " + std::to_string(budget));
  if (next.cancel_requested) {
    enter(step, q, run_state::cancelled);
    tell(step, q, event_kind::run_cancelled, next.reason);
  } else if (next.losses >= budget) {
    enter(step, q, run_state::lost);
    tell(step, q, event_kind::run_lost, "lost " + std::to_string(next.losses) + " times, last: " + why);
  } else {
    enter(step, q, run_state::queued);
  }
  return step;
}

bool held_as(const question& q, std::uint64_t fencing) {
  return leased(q.head.state) && q.head.fencing == fencing;
}

bool waits(run_state s) {
  return s == run_state::scheduled || s == run_state::retrying || s == run_state::parked;
}

answer queue_up(const question& q, std::string text) {
  auto step = unchanged(q);
  enter(step, q, run_state::queued);
  step.next.eligible_since = q.now;
  if (step.next.reason.starts_with(by_fire_limit)) step.next.reason.clear();  // that is over
  tell(step, q, event_kind::run_queued, std::move(text));
  return step;
}

}  // namespace

answer apply(const question& q, const cmd_expire& c) {
  if (!held_as(q, c.fencing)) return not_allowed(q, "expire", "leased under this fencing number");
  if (q.head.held.expires_at > q.now)
    return not_allowed(q, "expire", "past the end of its lease, " + to_rfc3339(q.head.held.expires_at));
  return lost(q, "the lease expired at " + to_rfc3339(q.head.held.expires_at));
}

answer apply(const question& q, const cmd_lose& c) {
  if (!held_as(q, c.fencing)) return not_allowed(q, "lose", "leased under this fencing number");
  return lost(q, c.reason.empty() ? std::string{"the worker died"} : c.reason);
}

answer apply(const question& q, const cmd_overdue& c) {
  if (!held_as(q, c.fencing)) return not_allowed(q, "time out", "leased under this fencing number");
  if (q.head.held.deadline_at == never || q.head.held.deadline_at > q.now)
    return not_allowed(q, "time out", "past its deadline");
  auto step = unchanged(q);
  step.ended = record_of(q);
  step.ended->outcome = run_state::timed_out;
  step.ended->klass = failure_class::timeout;
  step.ended->message = "timed out after " + to_text(q.head.timeout);
  if (!q.head.cancel_requested || step.next.reason.empty()) step.next.reason = step.ended->message;
  after_failure(step, q, failure_class::timeout, span{0}, c.unit);
  return step;
}

answer apply(const question& q, const cmd_wake&) {
  if (!waits(q.head.state)) return not_allowed(q, "wake", "scheduled, retrying or parked");
  if (q.head.due_at > q.now)
    return not_allowed(q, "wake", "due, which it is at " + to_rfc3339(q.head.due_at));
  return queue_up(q, "due");
}

answer apply(const question& q, const cmd_run_now&) {
  if (!waits(q.head.state)) return not_allowed(q, "run now", "scheduled, retrying or parked");
  if (!known(q.context.handler))
    return not_allowed(
        q, "run now",
        "of a kind that this belfry knows, which " + resource_of(q.context.handler) + " is not");
  return queue_up(q, "asked for before " + to_rfc3339(q.head.due_at));
}

void park_homeless(run_step& step, const question& q) {
  const auto resource = resource_of(q.context.handler);
  auto& next = step.next;
  next.state = run_state::parked;
  next.due_at = never;  // no time brings it back
  next.reason = "resource " + resource + ": this belfry does not know this kind of handler; a newer one does";
  // The queue that it did not enter is not told of.
  std::erase_if(step.events, [](const event& e) { return e.kind == event_kind::run_queued; });
  tell(step, q, event_kind::run_parked, next.reason);
}

answer apply(const question& q, const cmd_meet_handler&) {
  auto step = unchanged(q);
  const bool waits_for_it = q.head.state == run_state::parked && q.head.due_at == never;
  if (!waits_for_it || !known(q.context.handler)) return step;  // one that is queued and unknown is parked
  enter(step, q, run_state::queued);
  step.next.eligible_since = q.now;
  step.next.reason.clear();
  tell(step, q, event_kind::run_queued, resource_of(q.context.handler) + " is known");
  return step;
}

// Said once: the mark stands in the row, in the commit of the event.
answer apply(const question& q, const cmd_age&) {
  const auto& h = q.head;
  auto step = unchanged(q);
  if (!ended_badly(h.state) || h.successor || h.discarded || h.aged) return step;
  step.next.aged = true;
  tell(step, q, event_kind::dead_letter_aged,
       std::string{to_text(h.state)} + " since " + to_rfc3339(h.ended_at) +
           (h.reason.empty() ? std::string{} : ": " + std::string{cut_utf8(h.reason, 500)}));
  return step;
}

}  // namespace belfry::core::machine
