// A run for tests: the head, its spec and its records, changed only through `decide`, as the store does it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/run/machine.hpp"

namespace belfry::core::test {

using namespace std::chrono_literals;

inline constexpr instant noon = from_micros(1'795'255'200'000'000);  // 2026-11-21T10:00:00Z
inline constexpr session_id worker{7};

inline token_hash a_hash(std::uint8_t seed) {
  token_hash h{};
  h.fill(seed);
  return h;
}

inline std::shared_ptr<run_spec> a_spec() {
  auto spec = std::make_shared<run_spec>();
  spec->name = "thumbs";
  spec->process.argv = {"true"};
  spec->retry.jitter = 0;
  return spec;
}

struct refused {
  failure why;
  std::optional<evidence> late;
};

class a_run {
 public:
  explicit a_run(std::shared_ptr<const run_spec> s = a_spec(), instant due = never) : spec(std::move(s)) {
    submission sub;
    sub.spec = spec;
    sub.due_at = due;
    sub.actor = "test";
    head = make_run(sub, run_id{1'000'000}, batch_id{}, now);
  }

  // Applies a command as the store would; the step, or the refusal, stays to be looked at.
  bool tell(const run_command& command) {
    const attempt_record* earlier = nullptr;
    if (const auto* s = std::get_if<cmd_settle>(&command))
      if (const auto found = records.find(s->proof.fencing); found != records.end()) earlier = &found->second;
    run_context context{needs_spec(command) ? spec.get() : nullptr, earlier};
    if (gives_way(head, command)) context.next_occurrence = next_occurrence;
    auto answer = decide(head, context, command, "test", now);
    step.reset();
    no.reset();
    if (auto* r = std::get_if<run_refusal>(&answer)) {
      no = refused{r->why, r->late};
      return false;
    }
    step = std::get<run_step>(std::move(answer));
    if (step->ended) records.emplace(step->ended->fencing, *step->ended);
    head = step->next;
    return true;
  }

  bool claim(bool start = false, span lease = 5min) {
    return tell(cmd_claim{worker, a_hash(static_cast<std::uint8_t>(head.fencing + 1)), lease, start});
  }
  lease_proof proof() const { return proof_of(head.fencing); }
  static lease_proof proof_of(std::uint64_t fencing) {
    return {fencing, a_hash(static_cast<std::uint8_t>(fencing))};
  }
  cmd_settle settle(settle_kind kind, failure_class klass = failure_class::none,
                    std::string message = {}) const {
    cmd_settle c;
    c.proof = proof();
    c.kind = kind;
    c.klass = klass;
    c.message = std::move(message);
    return c;
  }
  bool refused_with(errc e) const { return no && no->why.code == e; }
  bool told(event_kind kind) const {
    if (!step) return false;
    for (const auto& e : step->events)
      if (e.kind == kind) return true;
    return false;
  }

  std::shared_ptr<const run_spec> spec;
  instant now = noon;
  instant next_occurrence = never;  // of its job
  run_head head;
  std::map<std::uint64_t, attempt_record> records;  // by fencing number
  std::optional<run_step> step;
  std::optional<refused> no;
};

}  // namespace belfry::core::test
