// What an operator does over the head of whoever has the run. Each says why, and the holder is fenced off:
// its attempt gets a record that says who took the run from it, and its token is forgotten.
#include "core/run/machine_parts.hpp"
#include "core/text/utf8.hpp"

namespace belfry::core::machine {
namespace {

constexpr std::size_t reason_bytes = 1000;

std::optional<answer> refuse_reason(const std::string& reason) {
  if (reason.empty())
    return invalid("/reason", "", "why, in plain words: it stays in the journal", "a reason is required");
  if (reason.size() > reason_bytes || !valid_utf8(reason))
    return invalid("/reason", shown(reason, 60), "at most 1000 bytes of UTF-8", "the reason is not allowed");
  return std::nullopt;
}

// The record of the attempt that is taken from its holder.
attempt_record taken(const question& q, run_state outcome, failure_class klass, const std::string& message) {
  auto r = record_of(q);
  r.outcome = outcome;
  r.klass = klass;
  r.message = message;
  r.stopped_with = "operator";
  return r;
}

}  // namespace

answer apply(const question& q, const cmd_force_release& c) {
  if (auto no = refuse_reason(c.reason)) return *no;
  if (!leased(q.head.state)) return not_allowed(q, "force its release", "claimed or running");
  const std::string what = "released by " + q.actor + ": " + c.reason;
  auto step = unchanged(q);
  step.ended = taken(q, run_state::queued, failure_class::none, what);
  tell(step, q, event_kind::run_force_released, c.reason);
  // Somebody had asked its holder to stop: nobody is to take it again.
  if (q.head.cancel_requested) {
    step.ended->outcome = run_state::cancelled;
    step.next.last_class = failure_class::cancelled;
    enter(step, q, run_state::cancelled);
    tell(step, q, event_kind::run_cancelled, step.next.reason);
    return step;
  }
  step.next.reason = what;
  enter(step, q, run_state::queued);
  tell(step, q, event_kind::run_released, what);
  return step;
}

answer apply(const question& q, const cmd_force_fail& c) {
  if (auto no = refuse_reason(c.reason)) return *no;
  if (terminal(q.head.state)) return not_allowed(q, "fail by force", "unfinished");
  const std::string what = "failed by " + q.actor + ": " + c.reason;
  auto step = unchanged(q);
  if (leased(q.head.state)) step.ended = taken(q, run_state::failed, failure_class::permanent, what);
  if (step.ended) step.next.used += 1;  // an attempt that failed, whoever ended it
  step.next.last_class = failure_class::permanent;
  step.next.reason = what;
  enter(step, q, run_state::failed);
  tell(step, q, event_kind::run_force_failed, c.reason);
  tell(step, q, event_kind::run_failed, what);
  return step;
}

answer apply(const question& q, const cmd_recover& c) {
  if (auto no = refuse_reason(c.reason)) return *no;
  if (q.head.state != run_state::needs_attention) return not_allowed(q, "recover", "needs_attention");
  auto step = unchanged(q);
  step.next.reason = "recovered by " + q.actor + ": " + c.reason;
  step.next.last_class = failure_class::cancelled;
  enter(step, q, run_state::cancelled);
  tell(step, q, event_kind::run_recovered, c.reason);
  tell(step, q, event_kind::run_cancelled, step.next.reason);
  return step;
}

}  // namespace belfry::core::machine

namespace belfry::core {

std::optional<failure> refuse_unexpected(const run_head& head, const expectation& e) {
  const auto id = to_string(head.id);
  if (!e.only_of.empty()) {
    const bool holds = leased(head.state) && to_string(head.held.holder) == e.only_of;
    if (!holds && head.created_by != e.only_of)
      return failure{errc::forbidden,
                     id + " is neither held nor was it submitted by " + e.only_of +
                         "; an agent may use force only on its own runs (operator.agents_force)",
                     {},
                     "belfry run explain " + id};
  }
  failure f{errc::precondition_failed, {}, {}, "belfry run show " + id};
  if (e.state && *e.state != head.state)
    f.problems.push_back({"/if_state", std::string{to_text(*e.state)}, std::string{to_text(head.state)},
                          "the run has gone on since you looked"});
  if (e.fencing && *e.fencing != head.fencing)
    f.problems.push_back({"/if_fencing", std::to_string(*e.fencing), std::to_string(head.fencing),
                          "the run was claimed again since you looked"});
  if (f.problems.empty()) return std::nullopt;
  f.text = id + " is " + std::string{to_text(head.state)} + " with fencing number " +
           std::to_string(head.fencing) + " by now, nothing was changed";
  return f;
}

}  // namespace belfry::core
