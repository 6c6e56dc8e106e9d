#include "core/run/machine_parts.hpp"

#include <algorithm>

#include "core/time/text.hpp"

namespace belfry::core::machine {
namespace {

constexpr span least_lease = std::chrono::seconds{1};
constexpr span longest_lease = std::chrono::hours{24};

// Looks at every byte whatever it finds, so that the time tells nothing about how much of a token was right.
bool same_hash(const token_hash& a, const token_hash& b) {
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) different |= static_cast<unsigned>(a[i] ^ b[i]);
  const volatile unsigned kept = different;  // keeps the optimiser from leaving the loop early
  return kept == 0;
}

std::string text_of(std::string_view s) { return std::string{s}; }

}  // namespace

run_step unchanged(const question& q) { return {q.head, std::nullopt, {}, false, false}; }

void tell(run_step& step, const question& q, event_kind kind, std::string text) {
  event e;
  e.at = q.now;
  e.kind = kind;
  e.run = q.head.id;
  e.job = q.head.job;
  e.fencing = step.next.fencing;
  e.attempt = step.next.attempt;
  e.actor = q.actor;
  e.text = std::move(text);
  step.events.push_back(std::move(e));
}

answer not_allowed(const question& q, std::string_view wish, std::string_view allowed) {
  const auto id = to_string(q.head.id);
  failure f{errc::invalid_transition,
            id + " is " + text_of(to_text(q.head.state)) + "; to " + text_of(wish) + " it must be " +
                text_of(allowed),
            {},
            "belfry run show " + id};
  return run_refusal{std::move(f), std::nullopt};
}

answer invalid(const std::string& pointer, std::string value, std::string allowed, std::string detail) {
  failure f{errc::invalid, detail, {}, {}};
  f.problems.push_back({pointer, std::move(value), std::move(allowed), std::move(detail)});
  return run_refusal{std::move(f), std::nullopt};
}

answer stale(const question& q, const lease_proof& proof, std::string_view wish) {
  const auto& h = q.head;
  const auto id = to_string(h.id);
  const bool expired = leased(h.state) && h.held.expires_at <= q.now;
  const std::string why =
      expired && proof.fencing == h.fencing
          ? "the lease expired at " + to_rfc3339(h.held.expires_at)
          : "fencing number " + std::to_string(proof.fencing) + " or its token is not that of a live lease";
  // The current fencing number is not told: it is half of what a valid write needs.
  failure f{
      errc::stale_lease, id + " is " + text_of(to_text(h.state)) + "; " + why, {}, "belfry run show " + id};
  evidence late{h.id, proof.fencing, q.now, "stale_" + text_of(wish),
                why + "; the run was " + text_of(to_text(h.state)) + " with fencing number " +
                    std::to_string(h.fencing)};
  return run_refusal{std::move(f), std::move(late)};
}

answer broken(std::string text) {
  return run_refusal{failure{errc::internal, std::move(text), {}, {}}, std::nullopt};
}

bool holds(const question& q, const lease_proof& proof) {
  const auto& h = q.head;
  const bool right = same_hash(h.held.hash, proof.hash);
  return leased(h.state) && h.fencing == proof.fencing && right && h.held.expires_at > q.now;
}

bool shows_expired(const question& q, const lease_proof& proof) {
  const auto& h = q.head;
  const bool right = same_hash(h.held.hash, proof.hash);
  return leased(h.state) && h.fencing == proof.fencing && right && h.held.expires_at <= q.now;
}

std::optional<answer> refuse_lease(span length) {
  if (length >= least_lease && length <= longest_lease) return std::nullopt;
  return invalid("/lease", to_text(length), "1s to 24h", "the length of a lease is not allowed");
}

attempt_record record_of(const question& q) {
  const auto& h = q.head;
  attempt_record r;
  r.run = h.id;
  r.number = h.attempt;
  r.fencing = h.fencing;
  r.holder = h.held.holder;
  r.claimed_at = h.held.claimed_at;
  r.started_at = h.held.started_at;
  r.ended_at = q.now;
  return r;
}

void enter(run_step& step, const question& q, run_state state) {
  step.next.state = state;
  step.next.held = {};
  step.next.due_at = never;
  if (terminal(state)) {
    step.next.ended_at = q.now;
    step.finished = true;
  }
}

void after_failure(run_step& step, const question& q, failure_class klass, span no_earlier, double unit) {
  auto& next = step.next;
  next.used += 1;
  next.last_class = klass;
  std::string what = text_of(to_text(klass)) + (next.reason.empty() ? "" : ": " + next.reason);
  if (next.cancel_requested) {
    enter(step, q, run_state::cancelled);
    return tell(step, q, event_kind::run_cancelled, what);
  }
  const auto& policy = q.context.spec->retry;
  if (class_retries(klass) && next.used < policy.max_attempts) {
    const span delay = std::max(retry_delay(policy, next.used, unit), no_earlier);
    const auto due = later(q.now, delay);
    const auto following = q.context.next_occurrence;
    if (following == never || due < following) {
      enter(step, q, run_state::retrying);
      next.due_at = due;
      return tell(step, q, event_kind::run_retrying, what + "; next attempt " + to_rfc3339(next.due_at));
    }
    // The next occurrence does the same work, and a run that is still open would keep it from being made.
    const std::string dropped = "retry_superseded: the next attempt would start at " + to_rfc3339(due) +
                                ", the next occurrence of the job is due at " + to_rfc3339(following);
    next.reason += (next.reason.empty() ? "" : "; ") + dropped;
    what += "; " + dropped;
  }
  const bool slow = klass == failure_class::timeout;
  enter(step, q, slow ? run_state::timed_out : run_state::failed);
  tell(step, q, slow ? event_kind::run_timed_out : event_kind::run_failed, what);
}

}  // namespace belfry::core::machine
