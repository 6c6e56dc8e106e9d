// Operators through the whole node, under virtual time: force, recover, what agents may do, explanations.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::messages;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using tests::virtual_node;

namespace {

class operators_node : public virtual_node {
 public:
  explicit operators_node(actors::node_options o = usual_options()) : virtual_node(std::move(o)) {}

  core::result<controlled> say(control_runs m) { return ask<controlled>(std::move(m)); }
  core::result<core::run_head> force_release(core::run_id id, const std::string& actor = "cli:alice",
                                             core::expectation expected = {}) {
    auto r = say({{id}, core::cmd_force_release{"stuck"}, actor, std::move(expected)});
    if (!r) return r.error();
    return r->answers.at(0);
  }
  core::run_id needy() {
    const auto id = submit(payload("needy")).head.id;
    // The ladder's last rung, as its actor writes it.
    crash();
    {
      auto rows = storage::open_memory(disk, now());
      REQUIRE(rows);
      REQUIRE(
          (*rows)->apply({now(), "node", {}, {storage::step_run{id, core::cmd_give_up{"nobody took it"}}}}));
      REQUIRE((*rows)->commit());
    }
    restart();
    return id;
  }
};

actors::node_options agents(core::agent_force force, std::uint32_t per_minute = 10) {
  auto o = virtual_node::usual_options();
  o.operators.agents_force = force;
  o.operators.agents_per_minute = per_minute;
  return o;
}

}  // namespace

TEST_CASE_METHOD(operators_node,
                 "force release: the run is claimed anew, and its holder is fenced off for good",
                 "[actors][operators]") {
  const auto a = worker("a"), b = worker("b");
  const auto id = submit(payload("work")).head.id;
  const auto held = claim(a);
  REQUIRE(held.size() == 1);
  REQUIRE(force_release(id));
  CHECK(queue().counts.live == 0);
  const auto again = claim(b);
  REQUIRE(again.size() == 1);
  CHECK(again.front().run.head.fencing == held.front().run.head.fencing + 1);
  CHECK(renew(held.front()).refused_with(errc::stale_lease));
  CHECK(settle(held.front(), core::settle_kind::succeeded).refused_with(errc::stale_lease));
  REQUIRE(settle(again.front(), core::settle_kind::succeeded));
  CHECK(state_of(id) == run_state::succeeded);
  CHECK(attempts_of(id).size() == 2);
  advance(1h);  // neither the sweeper nor a timer knows of the old lease any more
  CHECK(state_of(id) == run_state::succeeded);
  CHECK(find(id).head.losses == 0);
}

TEST_CASE_METHOD(operators_node,
                 "force release: a process of the node is stopped at once, and another begins",
                 "[actors][operators]") {
  const auto id = submit(process("stuck")).head.id;
  REQUIRE(processes.started().size() == 1);
  const auto first = processes.last_started()->key;
  REQUIRE(force_release(id));
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().key == first);
  REQUIRE(processes.started().size() == 2);
  CHECK(processes.last_started()->key != first);
  processes.finish(first, tests::exited(0));
  run();
  CHECK(state_of(id) == run_state::running);
  processes.finish(processes.last_started()->key, tests::exited(0));
  run();
  CHECK(state_of(id) == run_state::succeeded);
  CHECK(attempts_of(id).size() == 2);
}

TEST_CASE_METHOD(operators_node,
                 "force: a crash before or after the answer leaves the run in one of two states",
                 "[actors][operators]") {
  const auto a = worker("a");
  const auto id = submit(payload("work")).head.id;
  REQUIRE(claim(a).size() == 1);
  auto asked = send<controlled>(control_runs{{id}, core::cmd_force_fail{"broken"}, "cli:alice"});
  for (int i = 0; i < 3 && !asked.answered(); ++i) step();
  crash();
  restart();
  const auto s = state_of(id);
  CHECK((s == run_state::claimed || s == run_state::failed));
  if (s == run_state::claimed) CHECK(attempts_of(id).empty());
  if (s == run_state::failed) CHECK(attempts_of(id).size() == 1);
}

TEST_CASE_METHOD(operators_node, "force: whoever looked before somebody else claimed it changes nothing",
                 "[actors][operators]") {
  const auto a = worker("a");
  const auto id = submit(payload("work")).head.id;
  REQUIRE(claim(a).size() == 1);
  CHECK(force_release(id, "cli:alice", {run_state::running, {}, {}}).refused_with(errc::precondition_failed));
  CHECK(force_release(id, "cli:alice", {{}, 7, {}}).refused_with(errc::precondition_failed));
  CHECK(state_of(id) == run_state::claimed);
  CHECK(force_release(id, "cli:alice", {run_state::claimed, 1, {}}).ok());
}

TEST_CASE_METHOD(operators_node, "force: a dry run says what would be and nothing follows from it",
                 "[actors][operators]") {
  const auto a = worker("a");
  const auto id = submit(payload("work")).head.id, other = submit(payload("other")).head.id;
  REQUIRE(claim(a).size() == 1);
  const auto planned =
      say({{id, other, core::run_id{5'000'000}}, core::cmd_force_release{"why"}, "cli:alice", {}, true});
  REQUIRE(planned);
  REQUIRE(planned->answers.size() == 3);
  CHECK(planned->answers[0]->state == run_state::queued);
  CHECK(planned->answers[1].refused_with(errc::invalid_transition));
  CHECK(planned->answers[2].refused_with(errc::not_found));
  CHECK(state_of(id) == run_state::claimed);
  CHECK(queue().counts.live == 1);
  CHECK(queue().counts.ready == 1);
}

TEST_CASE_METHOD(operators_node, "recover: the successor is claimable, the old run is closed, once",
                 "[actors][operators]") {
  const auto id = needy();
  CHECK(state_of(id) == run_state::needs_attention);
  const auto a = worker("a");
  CHECK(claim(a).empty());
  const auto made = ask<redriven>(recover_runs{{id}, "a worker is there now", "cli:alice"});
  REQUIRE(made);
  REQUIRE(made->answers.at(0));
  const auto next = made->answers[0]->head.id;
  CHECK(state_of(id) == run_state::cancelled);
  CHECK(find(id).head.successor == next);
  const auto held = claim(a);
  REQUIRE(held.size() == 1);
  CHECK(held.front().run.head.id == next);
  const auto again = ask<redriven>(recover_runs{{id}, "again", "cli:alice"});
  REQUIRE(again);
  CHECK(again->answers.at(0).refused_with(errc::invalid_transition));
}

TEST_CASE("agents: so many operator actions a minute on one run, then a time to wait",
          "[actors][operators]") {
  operators_node node{agents(core::agent_force::any, 2)};
  const auto agent = to_string(node.worker("agent"));
  const auto id = node.submit(virtual_node::payload("work")).head.id;
  const auto other = node.submit(virtual_node::payload("other")).head.id;
  const auto raise = [&](core::run_id run, core::priority p) {
    return node.say({{run}, core::cmd_reprioritise{p}, agent})->answers.at(0);
  };
  CHECK(raise(id, core::priority::high).ok());
  CHECK(raise(id, core::priority::low).ok());
  const auto no = raise(id, core::priority::high);
  REQUIRE(no.refused_with(errc::rate_limited));
  CHECK(no.error().retry_ms > 0);
  CHECK(no.error().retry_ms <= 60'000);
  CHECK(raise(other, core::priority::high).ok());
  // Several at a time: those that are over it are refused, the others are done.
  const auto both = node.say({{id, other}, core::cmd_reprioritise{core::priority::urgent}, agent});
  CHECK(both->answers.at(0).refused_with(errc::rate_limited));
  CHECK(both->answers.at(1)->prio == core::priority::urgent);
  CHECK(node.say({{id}, core::cmd_reprioritise{core::priority::urgent}, "cli:alice"})->answers.at(0).ok());
  node.advance(61s);
  CHECK(raise(id, core::priority::high).ok());
}

TEST_CASE("agents: force only on what they may touch", "[actors][operators]") {
  for (const auto force : {core::agent_force::none, core::agent_force::own, core::agent_force::any}) {
    operators_node node{agents(force)};
    const auto mine = node.worker("mine"), other = node.worker("other");
    const auto id = node.submit(virtual_node::payload("work")).head.id;
    REQUIRE(node.claim(mine).size() == 1);
    const auto by_other = node.force_release(id, to_string(other));
    CHECK(by_other.ok() == (force == core::agent_force::any));
    if (!by_other.ok()) CHECK(by_other.refused_with(errc::forbidden));
    if (by_other.ok()) REQUIRE(node.claim(mine).size() == 1);
    CHECK(node.force_release(id, to_string(mine)).ok() == (force != core::agent_force::none));
    // A word without force is open to them.
    CHECK(node.say({{id}, core::cmd_cancel{"enough"}, to_string(other)})->answers.at(0).ok());
  }
}

TEST_CASE_METHOD(operators_node, "explain: each session is told of rules, then of limits and turn",
                 "[actors][operators][explain]") {
  const auto a = worker("a", 2), b = worker("b", 1);
  const auto first = submit(payload("first")).head.id, second = submit(payload("second")).head.id;
  const auto told = explain(second);
  std::size_t outsiders = 0;
  for (const auto& v : told.sessions) {
    if (v.id != a && v.id != b) continue;  // the node's own executors
    ++outsiders;
    REQUIRE(v.reasons.size() == 1);
    CHECK(v.reasons.front().code == "behind_others");
    CHECK(v.reasons.front().text.find(to_string(first)) != std::string::npos);
  }
  CHECK(outsiders == 2);
  CHECK(explain(first).sessions.at(0).reasons.empty());
  const auto head = find(second).head;
  explain_session question{b, head.needs, core::handler_kind::none, head};
  CHECK(ask<session_explanation>(question)->reasons.at(0).code == "behind_others");
  REQUIRE(claim(b).size() == 1);
  CHECK(ask<session_explanation>(question)->reasons.at(0).code == "no_free_slot");
  question.who = a;
  CHECK(ask<session_explanation>(question)->reasons.empty());
  CHECK(claim(a).at(0).run.head.id == second);
}

TEST_CASE_METHOD(operators_node, "doctor: the store tells the reader what is overdue, dead and paused",
                 "[actors][operators][doctor]") {
  const auto a = worker("a");
  const auto id = submit(payload("work")).head.id;
  const auto held = claim(a);
  REQUIRE(settle(held.at(0), core::settle_kind::failed, core::failure_class::permanent));
  const auto t = read(get_troubles{now(), 15s});
  REQUIRE(t);
  CHECK(t->dead.count == 1);
  CHECK(t->dead.first.at(0).id == id);
  CHECK(t->overdue.count == 0);
}
