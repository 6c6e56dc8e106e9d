// The lease of a live attempt: claim, start, renew, progress.
#include <cmath>

#include "core/run/machine_parts.hpp"
#include "core/text/utf8.hpp"

namespace belfry::core::machine {
namespace {

constexpr std::size_t progress_text_bytes = 1000;
constexpr std::size_t checkpoint_bytes = 64 * 1024;
constexpr std::size_t most_lines =
    10'000;  // a door lets less through; a line end in a text makes more of them

void begin(run_head& next, instant now) {
  next.state = run_state::running;
  next.held.started_at = now;
  next.held.deadline_at = next.timeout > span{0} ? later(now, next.timeout) : never;
}

// Nobody can do what cannot be read: the run becomes a dead letter, and the next one has its turn. No attempt
// is used up, so that it can be redriven where it can be read.
answer give_up(const question& q) {
  auto step = unchanged(q);
  step.next.last_class = failure_class::permanent;
  step.next.reason = "what is stored of it cannot be read: " + std::string{q.context.unreadable};
  enter(step, q, run_state::failed);
  tell(step, q, event_kind::run_failed, step.next.reason);
  return step;
}

}  // namespace

answer apply(const question& q, const cmd_claim& c) {
  if (q.head.state != run_state::queued) return not_allowed(q, "claim", "queued");
  if (!c.holder) return invalid("/session", "", "a session id", "a claim needs a session");
  if (auto no = refuse_lease(c.lease)) return *no;
  if (!q.context.unreadable.empty()) return give_up(q);
  auto step = unchanged(q);
  auto& next = step.next;
  next.state = run_state::claimed;
  next.attempt += 1;
  next.fencing += 1;
  next.held = {c.holder, c.hash, q.now, never, later(q.now, c.lease), never};
  next.due_at = never;
  next.reason.clear();
  next.progress = 0;
  next.progress_text.clear();
  if (c.start) begin(next, q.now);
  tell(step, q, event_kind::run_claimed, c.start ? "started" : "");
  return step;
}

answer apply(const question& q, const cmd_reissue& c) {
  if (auto no = refuse_lease(c.lease)) return *no;
  const bool own = leased(q.head.state) && q.head.held.holder == c.holder && q.head.held.expires_at > q.now;
  if (!own || !c.holder) return not_allowed(q, "issue its token anew", "leased by " + to_string(c.holder));
  auto step = unchanged(q);
  step.next.fencing += 1;
  step.next.held.hash = c.hash;
  step.next.held.expires_at = later(q.now, c.lease);
  tell(step, q, event_kind::lease_reissued, "was " + std::to_string(q.head.fencing));
  return step;
}

answer apply(const question& q, const cmd_start& c) {
  if (!holds(q, c.proof)) return stale(q, c.proof, "start");
  auto step = unchanged(q);
  if (q.head.state == run_state::running) return step;
  begin(step.next, q.now);
  tell(step, q, event_kind::run_started);
  return step;
}

answer apply(const question& q, const cmd_renew& c) {
  if (auto no = refuse_lease(c.lease)) return *no;
  if (!holds(q, c.proof)) return stale(q, c.proof, "renew");
  auto step = unchanged(q);
  step.next.held.expires_at = later(q.now, c.lease);
  return step;  // no event: heartbeats would be most of the journal
}

answer apply(const question& q, const cmd_progress& c) {
  // Written so that NaN is refused as well.
  if (!(c.value >= 0 && c.value <= 1))
    return invalid("/value", std::isfinite(c.value) ? std::to_string(c.value) : "not a number", "0 to 1",
                   "progress is not allowed");
  if (c.text.size() > progress_text_bytes || !valid_utf8(c.text))
    return invalid("/text", shown(c.text, 60), "at most 1000 bytes of UTF-8",
                   "the text of the progress is not allowed");
  if (!holds(q, c.proof)) return stale(q, c.proof, "progress");
  auto step = unchanged(q);
  if (step.next.progress == c.value && step.next.progress_text == c.text) return step;
  step.next.progress = c.value;
  step.next.progress_text = c.text;
  tell(step, q, event_kind::run_progress, c.text);
  return step;
}

answer apply(const question& q, const cmd_checkpoint& c) {
  if (c.value.size() > checkpoint_bytes)
    return run_refusal{
        {errc::too_large,
         "the checkpoint has " + std::to_string(c.value.size()) + " bytes; at most " +
             std::to_string(checkpoint_bytes) + " are kept, put more elsewhere and refer to it",
         {},
         {}},
        std::nullopt};
  if (c.value.empty()) return invalid("/checkpoint", "", "a JSON value", "there is nothing to be stored");
  if (!holds(q, c.proof)) return stale(q, c.proof, "checkpoint");
  auto step = unchanged(q);
  step.stored = checkpoint{q.head.attempt, q.now, c.value};
  tell(step, q, event_kind::run_checkpoint, std::to_string(c.value.size()) + " bytes");
  return step;
}

answer apply(const question& q, const cmd_log& c) {
  if (c.lines.empty() || c.lines.size() > most_lines)
    return invalid("/lines", std::to_string(c.lines.size()), "1 to " + std::to_string(most_lines),
                   "too many lines or none");
  if (!holds(q, c.proof)) return stale(q, c.proof, "log");
  // Lines are numbered without gaps, so that whoever reads on from a number misses nothing.
  const auto first = c.first == 0 ? q.context.next_line : c.first;
  if (first > q.context.next_line)
    return invalid("/first", std::to_string(first), "at most " + std::to_string(q.context.next_line),
                   "lines before it are missing");
  auto step = unchanged(q);
  auto number = first;
  for (const auto& line : c.lines) {
    const auto own = number++;
    if (own < q.context.next_line) continue;
    auto& kept = step.lines.emplace_back(line);
    kept.run = q.head.id;
    kept.attempt = q.head.attempt;
    kept.number = own;
    if (kept.at == never) kept.at = q.now;
  }
  return step;  // no event: followers of the log are told of its growth
}

}  // namespace belfry::core::machine
