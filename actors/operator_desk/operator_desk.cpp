#include "actors/support/message_types.hpp"
// after the message types
#include "actors/operator_desk/operator_desk.hpp"

#include <algorithm>
#include <utility>

#include "actors/retention/policy.hpp"
#include "actors/support/change_sets.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

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
  all.replayed = std::all_of(r.answers.begin(), r.answers.end(),
                             [](const auto& answer) { return answer && answer->replayed; });
  for (std::size_t i = 0; i < r.answers.size(); ++i) {
    auto& answer = r.answers[i];
    if (!answer) {
      all.answers.emplace_back(std::move(answer.error()));
      continue;
    }
    core::result<core::run> made{answer->replayed
                                     ? failure{errc::not_found, "its successor is not kept any more", {}, {}}
                                     : failure{errc::internal, "the store named no successor", {}, {}}};
    for (auto& run : answer->runs)
      if (run.head.predecessor == asked.at(i)) made = std::move(run);
    all.answers.push_back(std::move(made));
  }
  return all;
}

core::result<runs_pruned> pruned_from(commit_results& r) {
  auto& answer = r.answers.front();
  if (!answer) return std::move(answer.error());
  runs_pruned out;
  out.ids = std::move(answer->prunable);
  out.runs = out.ids.empty() ? answer->pruned : out.ids.size();
  out.more = out.runs >= most_at_a_time;
  return out;
}

}  // namespace

operator_desk::operator_desk(caf::actor_config& cfg, operator_desk_deps deps)
    : operator_desk_actor::base(cfg), deps_{std::move(deps)} {}

auto operator_desk::make_behavior() -> behavior_type {
  return {
      [this](const control_runs& asked) -> caf::result<core::result<controlled>> {
        if (auto no = refuse_length(asked.ids.size(), "/ids"))
          return core::result<controlled>{std::move(*no)};
        std::vector<storage::change_set> sets;
        const auto now = deps_.clock->now();
        const auto command = std::visit([](const auto& c) -> core::run_command { return c; }, asked.what);
        // The spec comes back as well: a queued run enters the line anew, and the line asks which kind it is.
        for (const auto id : asked.ids)
          sets.push_back({now, asked.actor, {}, {storage::step_run{id, command, true}}});
        return commit_then<controlled>(this, deps_.store, std::move(sets), controlled_from);
      },
      [this](const redrive_runs& asked) -> caf::result<core::result<redriven>> {
        if (auto no = refuse_length(asked.ids.size(), "/ids")) return core::result<redriven>{std::move(*no)};
        std::vector<storage::change_set> sets;
        const auto now = deps_.clock->now();
        for (const auto id : asked.ids) {
          auto once = once_of(asked.once);
          if (once && asked.ids.size() > 1) once->key += "/" + to_string(id);
          sets.push_back({now, asked.actor, std::move(once), {storage::redrive_run{id, asked.payload}}});
        }
        return commit_then<redriven>(this, deps_.store, std::move(sets),
                                     [ids = asked.ids](commit_results& r) { return redriven_from(r, ids); });
      },
      [this](const messages::adopt_result& asked) {
        storage::adopt_result what{asked.run, asked.fencing, asked.reason};
        return commit_then<adopted>(this, deps_.store,
                                    {{deps_.clock->now(), asked.actor, {}, {std::move(what)}}},
                                    [](commit_results& r) -> core::result<adopted> {
                                      auto& answer = r.answers.front();
                                      if (!answer) return std::move(answer.error());
                                      return adopted{std::move(answer->runs.front().head)};
                                    });
      },
      [this](const prune_runs& asked) -> caf::result<core::result<runs_pruned>> {
        const auto now = deps_.clock->now();
        const auto& p = deps_.policy;
        storage::prune_history what;
        what.before = kept_since(now, asked.keep.value_or(p.keep));
        what.dead_before = kept_since(now, asked.keep_dead.value_or(p.keep_dead));
        what.keep_per_job = asked.keep_per_job.value_or(p.keep_per_job);
        what.at_most = most_at_a_time;
        what.dry_run = asked.dry_run;
        what.asked = true;
        return commit_then<runs_pruned>(this, deps_.store, {{now, asked.actor, {}, {what}}}, pruned_from);
      },
  };
}

}  // namespace belfry::actors
