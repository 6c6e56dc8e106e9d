#include "actors/support/message_types.hpp"
// after the message types
#include "actors/operator_desk/operator_desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/retention/policy.hpp"
#include "actors/support/change_sets.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

using verdict_list = std::vector<std::optional<failure>>;

bool forces(const control_runs& asked) {
  return std::holds_alternative<core::cmd_force_release>(asked.what) ||
         std::holds_alternative<core::cmd_force_fail>(asked.what);
}

// The answers of the store fill the places that no verdict has taken: one per run, in the order of the
// request.
template <class T, class One>
std::vector<core::result<T>> merged(const verdict_list& told, commit_results& r, One one) {
  std::vector<core::result<T>> all;
  all.reserve(told.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (told[i]) {
      all.emplace_back(*told[i]);
      continue;
    }
    auto& answer = r.answers.at(next++);
    if (answer)
      all.push_back(one(*answer, i));
    else
      all.emplace_back(std::move(answer.error()));
  }
  return all;
}

controlled controlled_from(const verdict_list& told, commit_results& r) {
  return {merged<core::run_head>(told, r, [](storage::receipt& got, std::size_t) {
    if (!got.planned.empty()) return core::result<core::run_head>{std::move(got.planned.front())};
    return core::result<core::run_head>{std::move(got.runs.front().head)};
  })};
}

// The receipt of a redrive names the old run and its successor; the successor is the one that has it as
// predecessor.
core::result<core::run> successor_in(storage::receipt& got, core::run_id of) {
  if (!got.planned.empty()) return core::run{std::move(got.planned.front()), nullptr};
  for (auto& run : got.runs)
    if (run.head.predecessor == of) return std::move(run);
  if (got.replayed) return failure{errc::not_found, "its successor is not kept any more", {}, {}};
  return failure{errc::internal, "the store named no successor", {}, {}};
}

redriven redriven_from(const verdict_list& told, commit_results& r, const std::vector<core::run_id>& asked) {
  redriven all;
  all.replayed =
      !r.answers.empty() && std::all_of(r.answers.begin(), r.answers.end(),
                                        [](const auto& answer) { return answer && answer->replayed; });
  all.answers = merged<core::run>(
      told, r, [&](storage::receipt& got, std::size_t i) { return successor_in(got, asked.at(i)); });
  return all;
}

std::optional<storage::idempotency> key_of(const std::optional<once_key>& asked, core::run_id id,
                                           std::size_t of_how_many) {
  auto once = once_of(asked);
  if (once && of_how_many > 1) once->key += "/" + to_string(id);
  return once;
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
    : operator_desk_actor::base(cfg), deps_{std::move(deps)}, allowance_{deps_.operators.agents_per_minute} {}

operator_desk::verdicts operator_desk::vet(const std::vector<core::run_id>& ids, const std::string& actor,
                                           bool dry_run) {
  verdicts told(ids.size());
  if (dry_run) return told;  // looking is free
  const auto now = deps_.clock->now();
  for (std::size_t i = 0; i < ids.size(); ++i) told[i] = allowance_.take(actor, ids[i], now);
  return told;
}

std::optional<failure> operator_desk::limit_force(const std::string& actor,
                                                  core::expectation& expected) const {
  if (!core::is_agent(actor)) return std::nullopt;
  switch (deps_.operators.agents_force) {
    case core::agent_force::any: return std::nullopt;
    case core::agent_force::own: expected.only_of = actor; return std::nullopt;
    case core::agent_force::none: break;
  }
  return failure{errc::forbidden,
                 actor + " is an agent, and agents may use no force here (operator.agents_force = none)",
                 {},
                 "belfry config show"};
}

// Whoever had a run that was taken from it works for nothing, and another may begin: it is told at once.
void operator_desk::stop_holders(const commit_results& r) {
  if (!deps_.executors) return;
  for (const auto& answer : r.answers) {
    if (!answer) continue;
    for (const auto& record : answer->ended)
      if (record.stopped_with == "operator")
        caf::anon_send(deps_.executors,
                       stop_attempt{record.run, record.fencing, stop_why::lease_lost, record.holder});
  }
}

caf::result<core::result<controlled>> operator_desk::control(const control_runs& asked) {
  if (auto no = refuse_length(asked.ids.size(), "/ids")) return core::result<controlled>{std::move(*no)};
  auto expected = asked.expected;
  if (forces(asked))
    if (auto no = limit_force(asked.actor, expected)) return core::result<controlled>{std::move(*no)};
  auto told = vet(asked.ids, asked.actor, asked.dry_run);
  const auto now = deps_.clock->now();
  const auto command = std::visit([](const auto& c) -> core::run_command { return c; }, asked.what);
  std::vector<storage::change_set> sets;
  // The spec comes back as well: a queued run enters the line anew, and the line asks which kind it is.
  for (std::size_t i = 0; i < asked.ids.size(); ++i)
    if (!told[i])
      sets.push_back(
          {now, asked.actor, {}, {storage::step_run{asked.ids[i], command, true, expected, asked.dry_run}}});
  if (sets.empty()) {
    commit_results none;
    return core::result<controlled>{controlled_from(told, none)};
  }
  return commit_then<controlled>(this, deps_.store, std::move(sets),
                                 [this, told = std::move(told)](commit_results& r) {
                                   stop_holders(r);
                                   return controlled_from(told, r);
                                 });
}

caf::result<core::result<redriven>> operator_desk::recover(const recover_runs& asked) {
  if (auto no = refuse_length(asked.ids.size(), "/ids")) return core::result<redriven>{std::move(*no)};
  auto expected = asked.expected;
  if (auto no = limit_force(asked.actor, expected)) return core::result<redriven>{std::move(*no)};
  auto told = vet(asked.ids, asked.actor, asked.dry_run);
  std::vector<storage::change_set> sets;
  for (std::size_t i = 0; i < asked.ids.size(); ++i) {
    if (told[i]) continue;
    const auto id = asked.ids[i];
    storage::recover_run what{id, asked.reason, expected, asked.dry_run};
    sets.push_back({deps_.clock->now(), asked.actor, key_of(asked.once, id, asked.ids.size()), {what}});
  }
  return linked(std::move(sets), std::move(told), asked.ids);
}

caf::result<core::result<redriven>> operator_desk::redrive(const redrive_runs& asked) {
  if (auto no = refuse_length(asked.ids.size(), "/ids")) return core::result<redriven>{std::move(*no)};
  auto told = vet(asked.ids, asked.actor, asked.dry_run);
  std::vector<storage::change_set> sets;
  for (std::size_t i = 0; i < asked.ids.size(); ++i) {
    if (told[i]) continue;
    const auto id = asked.ids[i];
    storage::redrive_run what{id, asked.payload, false, asked.expected, asked.dry_run};
    sets.push_back({deps_.clock->now(), asked.actor, key_of(asked.once, id, asked.ids.size()), {what}});
  }
  return linked(std::move(sets), std::move(told), asked.ids);
}

caf::result<core::result<redriven>> operator_desk::linked(std::vector<storage::change_set> sets,
                                                          verdicts told, std::vector<core::run_id> ids) {
  if (sets.empty()) {
    commit_results none;
    return core::result<redriven>{redriven_from(told, none, ids)};
  }
  return commit_then<redriven>(this, deps_.store, std::move(sets),
                               [told = std::move(told), ids = std::move(ids)](commit_results& r) {
                                 return redriven_from(told, r, ids);
                               });
}

auto operator_desk::make_behavior() -> behavior_type {
  return {
      [this](const control_runs& asked) { return control(asked); },
      [this](const recover_runs& asked) { return recover(asked); },
      [this](const redrive_runs& asked) { return redrive(asked); },
      [this](const messages::adopt_result& asked) -> caf::result<core::result<adopted>> {
        if (auto no = allowance_.take(asked.actor, asked.run, deps_.clock->now()))
          return core::result<adopted>{std::move(*no)};
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
