#include "actors/support/message_types.hpp"
// after the message types
#include "actors/lease_desk/lease_desk.hpp"

#include <utility>

#include "actors/support/change_sets.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

core::result<touched> touched_from(commit_results& r) {
  touched all;
  all.answers.reserve(r.answers.size());
  for (auto& answer : r.answers) {
    if (!answer) {
      all.answers.emplace_back(std::move(answer.error()));
      continue;
    }
    const auto& head = answer->runs.front().head;
    all.answers.emplace_back(
        lease_status{head.held.expires_at, head.held.deadline_at, head.cancel_requested});
  }
  return all;
}

core::result<settled> settled_from(commit_results& r) {
  settled all;
  all.answers.reserve(r.answers.size());
  for (auto& answer : r.answers) {
    if (answer)
      all.answers.emplace_back(settled_item{std::move(answer->runs.front().head), answer->replayed});
    else
      all.answers.emplace_back(std::move(answer.error()));
  }
  return all;
}

}  // namespace

lease_desk::lease_desk(caf::actor_config& cfg, lease_desk_deps deps)
    : lease_desk_actor::base(cfg), deps_{std::move(deps)}, jump_{*deps_.clock, deps_.clock_jump} {}

auto lease_desk::make_behavior() -> behavior_type {
  return {
      [this](touch_leases& asked) -> caf::result<core::result<touched>> {
        if (auto no = refuse_length(asked.calls.size(), {})) return core::result<touched>{std::move(*no)};
        std::vector<storage::change_set> sets;
        sets.reserve(asked.calls.size());
        const auto now = deps_.clock->now();
        for (auto& call : asked.calls) {
          auto command = std::visit([](auto& c) -> core::run_command { return std::move(c); }, call.what);
          sets.push_back({now, "worker", {}, {storage::step_run{call.run, std::move(command), false}}});
        }
        return write<touched>(std::move(sets), touched_from);
      },
      [this](settle_runs& asked) -> caf::result<core::result<settled>> {
        if (auto no = refuse_length(asked.items.size(), "/items"))
          return core::result<settled>{std::move(*no)};
        std::vector<storage::change_set> sets;
        sets.reserve(asked.items.size());
        const auto now = deps_.clock->now();
        for (auto& item : asked.items) {
          item.how.unit = deps_.randomness->unit();
          sets.push_back({now, asked.actor, {}, {storage::step_run{item.run, std::move(item.how), false}}});
        }
        return write<settled>(std::move(sets), settled_from);
      },
  };
}

void lease_desk::on_exit() {
  deps_.store = nullptr;
  deps_.sweeper = nullptr;
}

// After a jump of the clock the sweeper gives its grace first, so that nobody is refused for having slept.
template <class Answer, class Make>
caf::result<core::result<Answer>> lease_desk::write(std::vector<storage::change_set> sets, Make make) {
  if (!jump_.look()) return commit_then<Answer>(this, deps_.store, std::move(sets), make);
  auto [guard, promise] = answer_later<core::result<Answer>>(this);
  auto go_on = [this, answer = guard, make, sets] {
    request(deps_.store, caf::infinite, commit_changes{sets})
        .then([answer, make](commit_results& r) { answer->deliver(core::result<Answer>{make(r)}); },
              [answer](caf::error& e) { answer->deliver(core::result<Answer>{failure_of(e, "storage")}); });
  };
  request(deps_.sweeper, caf::infinite, look_at_clock{})
      .then([go_on](clock_looked) { go_on(); }, [go_on](caf::error&) { go_on(); });
  return promise;
}

}  // namespace belfry::actors
