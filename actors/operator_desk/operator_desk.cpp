#include "actors/support/message_types.hpp"
// after the message types
#include "actors/operator_desk/operator_desk.hpp"

#include <utility>

#include "actors/support/change_sets.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

constexpr std::size_t most_runs = 1000;

std::optional<failure> refuse(std::size_t runs) {
  if (runs >= 1 && runs <= most_runs) return std::nullopt;
  return failure{errc::invalid,
                 "1 to 1,000 runs at a time",
                 {{"/ids", std::to_string(runs), "1 to 1000", "too many or none"}},
                 {}};
}

core::result<controlled> controlled_from(commit_results& r) {
  controlled all;
  all.answers.reserve(r.answers.size());
  for (auto& answer : r.answers) {
    if (answer)
      all.answers.emplace_back(std::move(answer->runs.front().head));
    else
      all.answers.emplace_back(std::move(answer.error()));
  }
  return all;
}

// The receipt of a redrive names the old run and its successor; the successor is the one that has it as
// predecessor.
core::result<redriven> redriven_from(commit_results& r, const std::vector<core::run_id>& asked) {
  redriven all;
  all.answers.reserve(r.answers.size());
  for (std::size_t i = 0; i < r.answers.size(); ++i) {
    auto& answer = r.answers[i];
    if (!answer) {
      all.answers.emplace_back(std::move(answer.error()));
      continue;
    }
    core::result<core::run> made{failure{errc::internal, "the store named no successor", {}, {}}};
    for (auto& run : answer->runs)
      if (run.head.predecessor == asked.at(i)) made = std::move(run);
    all.answers.push_back(std::move(made));
  }
  return all;
}

}  // namespace

operator_desk::operator_desk(caf::actor_config& cfg, operator_desk_deps deps)
    : operator_desk_actor::base(cfg), deps_{std::move(deps)} {}

auto operator_desk::make_behavior() -> behavior_type {
  return {
      [this](const control_runs& asked) -> caf::result<core::result<controlled>> {
        if (auto no = refuse(asked.ids.size())) return core::result<controlled>{std::move(*no)};
        std::vector<storage::change_set> sets;
        const auto now = deps_.clock->now();
        const auto command = std::visit([](const auto& c) -> core::run_command { return c; }, asked.what);
        // The spec comes back as well: a queued run enters the line anew, and the line asks which kind it is.
        for (const auto id : asked.ids)
          sets.push_back({now, asked.actor, {}, {storage::step_run{id, command, true}}});
        return commit_then<controlled>(this, deps_.store, std::move(sets), controlled_from);
      },
      [this](const redrive_runs& asked) -> caf::result<core::result<redriven>> {
        if (auto no = refuse(asked.ids.size())) return core::result<redriven>{std::move(*no)};
        std::vector<storage::change_set> sets;
        const auto now = deps_.clock->now();
        for (const auto id : asked.ids)
          sets.push_back({now, asked.actor, {}, {storage::redrive_run{id, asked.payload}}});
        return commit_then<redriven>(this, deps_.store, std::move(sets),
                                     [ids = asked.ids](commit_results& r) { return redriven_from(r, ids); });
      },
  };
}

}  // namespace belfry::actors
