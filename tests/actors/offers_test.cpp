// Runs that are offered before their commit to claims that wait: one commit takes a run in and gives it out.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::failure;
using core::priority;
using core::run_state;
using messages::claimed_runs;
using messages::submitted;
using tests::pending;
using tests::virtual_node;

namespace {

struct offers_node : virtual_node {
  offers_node() : virtual_node{outside_only()} {}
  static actors::node_options outside_only() {
    auto o = usual_options();
    o.executor.none = true;
    o.board.limits = {0, 0, 0, 0};
    return o;
  }
  pending<claimed_runs> wait_for_work(core::session_id who, std::uint32_t max = 1) {
    messages::claim_runs m;
    m.who = who;
    m.max = max;
    m.wait = 60s;
    auto p = send<claimed_runs>(m);
    run();
    REQUIRE_FALSE(p.answered());
    return p;
  }
  static messages::submit_runs these(const std::vector<core::run_spec>& specs) {
    messages::submit_runs m;
    m.actor = "test";
    for (const auto& spec : specs) {
      core::submission s;
      s.spec = std::make_shared<const core::run_spec>(spec);
      m.runs.push_back(std::move(s));
    }
    return m;
  }
  static core::run_spec task(const std::string& name, priority prio = priority::normal) {
    auto s = payload(name);
    s.prio = prio;
    return s;
  }
};

}  // namespace

TEST_CASE_METHOD(offers_node, "offer: one commit takes a run in and gives it to the claim that waits",
                 "[actors][offer]") {
  auto claim = wait_for_work(worker("robot"));
  const auto before = faults.commits;
  const auto made = ask<submitted>(these({task("now")}));
  REQUIRE(made);
  CHECK(made->runs.front().head.state == run_state::queued);  // as it was taken in
  CHECK(faults.commits == before + 1);
  REQUIRE(claim.answers() == 1);
  REQUIRE(claim.get());
  const auto& got = claim.get()->runs.front();
  CHECK(got.run.head.id == made->runs.front().head.id);
  CHECK_FALSE(got.token.empty());
  CHECK(state_of(got.run.head.id) == run_state::claimed);
  CHECK(settle(got, core::settle_kind::succeeded));
  const auto q = queue();
  CHECK(q.counts.ready + q.counts.reserved + q.counts.live == 0);
}

TEST_CASE_METHOD(offers_node, "offer: a commit that fails takes both back, and leaves no trace of the run",
                 "[actors][offer]") {
  const auto who = worker("robot");
  auto claim = wait_for_work(who);
  faults.next_commit = failure{errc::unavailable, "disk trouble", {}, {}};
  CHECK(ask<submitted>(these({task("lost")})).refused_with(errc::unavailable));
  REQUIRE(claim.answers() == 1);
  CHECK(claim.get().refused_with(errc::unavailable));
  const auto q = queue();
  CHECK(q.counts.ready + q.counts.reserved + q.counts.live == 0);
  CHECK(this->claim(who).empty());
  auto again = wait_for_work(who);
  REQUIRE(ask<submitted>(these({task("next")})));
  REQUIRE(again.answers() == 1);
  CHECK(again.get()->runs.front().run.head.name == "next");
}

TEST_CASE_METHOD(offers_node, "offer: of a commit that fails nothing stays in line either",
                 "[actors][offer]") {
  auto claim = wait_for_work(worker("robot"));
  auto special = task("special");
  special.needs.capabilities = {"gpu"};
  faults.next_commit = failure{errc::unavailable, "disk trouble", {}, {}};
  CHECK(ask<submitted>(these({special})).refused_with(errc::unavailable));
  CHECK(claim.answers() == 0);
  CHECK(queue().counts.ready == 0);
}

TEST_CASE("offer: a claim hook is not asked about a run that is not committed", "[actors][offer][hook]") {
  auto options = offers_node::outside_only();
  options.claim_hook.url = "http://hook.test/claims";
  virtual_node node{options};
  messages::claim_runs wish;
  wish.who = node.worker("robot");
  wish.wait = 60s;
  auto claim = node.send<claimed_runs>(wish);
  node.run();
  const auto asked = node.hook_calls.orders.size();
  node.faults.next_commit = failure{errc::unavailable, "disk trouble", {}, {}};
  CHECK(node.ask<submitted>(offers_node::these({offers_node::task("lost")})).refused_with(errc::unavailable));
  CHECK(node.hook_calls.orders.size() == asked);
  REQUIRE(node.ask<submitted>(offers_node::these({offers_node::task("kept")})));
  CHECK(node.hook_calls.orders.size() == asked + 1);
}

TEST_CASE_METHOD(offers_node, "offer: of what comes at once the most urgent goes to who waits",
                 "[actors][offer]") {
  auto claim = wait_for_work(worker("robot"));
  REQUIRE(
      ask<submitted>(these({task("low", priority::low), task("urgent", priority::urgent), task("normal")})));
  REQUIRE(claim.answers() == 1);
  CHECK(claim.get()->runs.front().run.head.name == "urgent");
  CHECK(queue().counts.ready == 2);
}

TEST_CASE_METHOD(offers_node, "offer: also of more than are offered at a time", "[actors][offer]") {
  auto claim = wait_for_work(worker("robot"));
  std::vector<core::run_spec> many(200, task("normal"));
  many.back() = task("urgent", priority::urgent);
  REQUIRE(ask<submitted>(these(many)));
  REQUIRE(claim.answers() == 1);
  CHECK(claim.get()->runs.front().run.head.name == "urgent");
  CHECK(queue().counts.ready == 199);
}

TEST_CASE_METHOD(offers_node, "offer: who waits first is served first, each with one run",
                 "[actors][offer]") {
  auto first = wait_for_work(worker("one"));
  auto second = wait_for_work(worker("two"));
  REQUIRE(ask<submitted>(these({task("a")})));
  CHECK(first.answers() == 1);
  CHECK(second.answers() == 0);
  REQUIRE(ask<submitted>(these({task("b"), task("c")})));
  REQUIRE(second.answers() == 1);
  CHECK(second.get()->runs.size() == 1);
  CHECK(queue().counts.ready == 1);
}

TEST_CASE_METHOD(offers_node, "offer: what nobody who waits may have stands in line as ever",
                 "[actors][offer]") {
  auto claim = wait_for_work(worker("robot"));
  auto special = task("special");
  special.needs.capabilities = {"gpu"};
  for (int i = 0; i < 3; ++i) {
    REQUIRE(ask<submitted>(these({special})));
    CHECK(claim.answers() == 0);
    CHECK(queue().counts.ready == static_cast<std::size_t>(i + 1));
    CHECK(queue().counts.reserved == 0);
  }
  REQUIRE(ask<submitted>(these({task("plain")})));
  REQUIRE(claim.answers() == 1);
  CHECK(claim.get()->runs.front().run.head.name == "plain");
}

TEST_CASE_METHOD(offers_node, "offer: a pause and a limit hold what is offered", "[actors][offer]") {
  SECTION("pause") {
    auto claim = wait_for_work(worker("robot"));
    core::pause_entry why;
    why.reason = "test";
    REQUIRE(ask<messages::pauses_seen>(messages::set_pause{{}, why, "cli"}));
    REQUIRE(ask<submitted>(these({task("held")})));
    CHECK(claim.answers() == 0);
    CHECK(queue().counts.ready == 1);
  }
  SECTION("limit") {
    REQUIRE(ask<messages::queue_state>(messages::change_limits{{1, 0, 0, 0}, "test"}));
    auto first = wait_for_work(worker("one"));
    auto second = wait_for_work(worker("two"));
    REQUIRE(ask<submitted>(these({task("a"), task("b")})));
    CHECK(first.answers() == 1);
    CHECK(second.answers() == 0);
  }
}

TEST_CASE_METHOD(offers_node, "offer: the same submission again gives nobody a second run",
                 "[actors][offer]") {
  auto first = wait_for_work(worker("one"));
  auto second = wait_for_work(worker("two"));
  auto m = these({task("once")});
  m.once = messages::once_key{"key", {}};
  REQUIRE(ask<submitted>(m));
  const auto again = ask<submitted>(m);
  REQUIRE(again);
  CHECK(again->replayed);
  CHECK(first.answers() == 1);
  CHECK(second.answers() == 0);
}

TEST_CASE_METHOD(offers_node, "offer: a run that is to begin later is no offer", "[actors][offer]") {
  auto claim = wait_for_work(worker("robot"));
  const auto later = submit(task("later"), 10s);
  CHECK(claim.answers() == 0);
  CHECK(state_of(later.head.id) == run_state::scheduled);
  advance(10s);
  REQUIRE(claim.answers() == 1);
  CHECK(claim.get()->runs.front().run.head.id == later.head.id);
}

TEST_CASE_METHOD(offers_node, "offer: a dispatcher that dies with an offer keeps no submission waiting",
                 "[actors][offer]") {
  for (const int steps : {0, 1, 2, 3, 4}) {
    CAPTURE(steps);
    offers_node node;
    auto claim = node.wait_for_work(node.worker("robot"));
    auto made = node.send<submitted>(these({task("task")}));
    for (int i = 0; i < steps; ++i) node.step();
    REQUIRE(node.kill("dispatcher"));
    node.run();
    CHECK(made.answers() == 1);
    CHECK(claim.answers() == 1);
  }
}

TEST_CASE_METHOD(offers_node, "offer: a node that is killed meanwhile has both or neither",
                 "[actors][offer]") {
  for (std::size_t steps = 0; steps < 12; ++steps) {
    CAPTURE(steps);
    offers_node node;
    const auto who = node.worker("robot");
    auto claim = node.wait_for_work(who);
    auto made = node.send<submitted>(these({task("task")}));
    for (std::size_t i = 0; i < steps; ++i) node.step();
    const bool promised = made.answered() && made.get().ok();
    const bool given = claim.answered() && claim.get().ok() && !claim.get()->runs.empty();
    node.crash();
    node.restart();
    const auto all = node.read(messages::list_runs{});
    REQUIRE(all);
    if (promised || given) REQUIRE(all->runs.size() == 1);
    if (all->runs.empty()) continue;
    const auto& head = all->runs.front().head;
    CHECK(head.state == run_state::claimed);
    CHECK(head.held.holder == who);
    CHECK(node.queue().counts.live == 1);
  }
}
