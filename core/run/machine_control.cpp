// What people and policies ask of a run: cancel, priority, discard.
#include "core/run/machine_parts.hpp"

namespace belfry::core::machine {

answer apply(const question& q, const cmd_cancel& c) {
  auto step = unchanged(q);
  // Asking again for what is so already is answered alike, so that a repeated request does no harm.
  if (q.head.state == run_state::cancelled) return step;
  if (terminal(q.head.state)) return not_allowed(q, "cancel", "unfinished");
  const std::string reason = c.reason.empty() ? std::string{"cancelled"} : c.reason;
  if (leased(q.head.state)) {
    if (q.head.cancel_requested) return step;
    step.next.cancel_requested = true;
    step.next.reason = reason;
    tell(step, q, event_kind::cancel_requested, reason);
    return step;
  }
  step.next.reason = reason;
  enter(step, q, run_state::cancelled);
  tell(step, q, event_kind::run_cancelled, reason);
  return step;
}

answer apply(const question& q, const cmd_reprioritise& c) {
  if (terminal(q.head.state) || leased(q.head.state)) return not_allowed(q, "change its priority", "waiting");
  auto step = unchanged(q);
  if (q.head.prio == c.prio) return step;
  step.next.prio = c.prio;
  tell(step, q, event_kind::priority_changed,
       std::string{to_text(q.head.prio)} + " -> " + std::string{to_text(c.prio)});
  return step;
}

answer apply(const question& q, const cmd_give_up& c) {
  if (q.head.state != run_state::queued) return not_allowed(q, "give up waiting", "queued");
  auto step = unchanged(q);
  step.next.reason = c.reason;
  enter(step, q, run_state::needs_attention);
  tell(step, q, event_kind::needs_attention, c.reason);
  return step;
}

answer apply(const question& q, const cmd_discard& c) {
  if (!ended_badly(q.head.state)) return not_allowed(q, "discard", "failed, timed_out or lost");
  const auto id = to_string(q.head.id);
  if (q.head.successor) {
    failure f{errc::invalid_transition,
              id + " was redriven as " + to_string(q.head.successor) + " and is no dead letter any more",
              {},
              "belfry run show " + to_string(q.head.successor)};
    return run_refusal{std::move(f), std::nullopt};
  }
  auto step = unchanged(q);
  if (q.head.discarded) return step;
  step.next.discarded = true;
  tell(step, q, event_kind::run_discarded, c.reason);
  return step;
}

// Attempts that ended are never changed, so the adopted result is an attempt of its own. Its fencing number
// keeps whoever has the run meanwhile from changing it.
answer apply(const question& q, const cmd_adopt& c) {
  if (terminal(q.head.state)) return not_allowed(q, "adopt a late result", "unfinished");
  if (c.late.outcome != run_state::succeeded) return broken("only a success can be adopted");
  auto step = unchanged(q);
  const std::string which = "the late result of attempt " + std::to_string(c.late.number) +
                            (c.late.run == q.head.id ? "" : " of " + to_string(c.late.run));
  if (leased(q.head.state)) {
    step.ended = record_of(q);
    step.ended->outcome = run_state::cancelled;
    step.ended->klass = failure_class::cancelled;
    step.ended->message = which + " was adopted instead";
  }
  auto& next = step.next;
  next.attempt += 1;
  next.fencing += 1;
  next.last_class = failure_class::none;
  next.reason.clear();
  next.progress = 1;
  step.adopted = c.late;
  step.adopted->run = q.head.id;
  step.adopted->number = next.attempt;
  step.adopted->fencing = next.fencing;
  step.adopted->message = which + " adopted by " + q.actor + (c.reason.empty() ? "" : ": " + c.reason);
  enter(step, q, run_state::succeeded);
  tell(step, q, event_kind::run_adopted, which + (c.reason.empty() ? "" : ": " + c.reason));
  tell(step, q, event_kind::run_succeeded);
  return step;
}

}  // namespace belfry::core::machine
