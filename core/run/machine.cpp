#include "core/run/machine.hpp"

#include "core/run/handlers.hpp"
#include "core/run/machine_parts.hpp"

namespace belfry::core {

std::string_view to_text(settle_kind k) {
  switch (k) {
    case settle_kind::succeeded: return "succeeded";
    case settle_kind::failed: return "failed";
    case settle_kind::cancelled: return "cancelled";
    case settle_kind::released: return "released";
    case settle_kind::parked: return "parked";
    case settle_kind::skipped: return "skipped";
  }
  return "unknown";
}

bool needs_spec(const run_command& c) {
  // The spec says the retry budgets, so only what may use one up needs it. A success, the usual case, does
  // without.
  if (const auto* settle = std::get_if<cmd_settle>(&c))
    return settle->kind == settle_kind::failed || settle->kind == settle_kind::skipped;
  return std::holds_alternative<cmd_expire>(c) || std::holds_alternative<cmd_lose>(c) ||
         std::holds_alternative<cmd_overdue>(c);
}

bool gives_way(const run_head& head, const run_command& c) {
  if (!head.job || head.manual || head.predecessor) return false;
  if (const auto* settle = std::get_if<cmd_settle>(&c)) return settle->kind == settle_kind::failed;
  return std::holds_alternative<cmd_overdue>(c);
}

std::variant<run_step, run_refusal> decide(const run_head& head, const run_context& context,
                                           const run_command& command, const std::string& actor,
                                           instant now) {
  if (needs_spec(command) && context.spec == nullptr)
    return machine::broken("a decision was asked for without the spec of " + to_string(head.id));
  const machine::question q{head, context, actor, now};
  auto answer = std::visit([&](const auto& c) { return machine::apply(q, c); }, command);
  if (auto* step = std::get_if<run_step>(&answer);
      step != nullptr && step->next.state == run_state::queued && !known(context.handler))
    machine::park_homeless(*step, q);
  return answer;
}

}  // namespace belfry::core
