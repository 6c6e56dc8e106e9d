// Boot: what a new process finds, and what it does about it before it serves.
#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using tests::virtual_node;

TEST_CASE_METHOD(virtual_node, "boot: what the executors of the dead process held is lost and tried again",
                 "[actors][boot]") {
  const auto first = submit(process("a"));
  const auto second = submit(process("b"));
  REQUIRE(processes.running() == 2);
  restart();
  for (const auto id : {first.head.id, second.head.id}) {
    const auto head = find(id).head;
    CHECK(head.losses == 1);
    CHECK(head.attempt == 2);
    CHECK(head.state == run_state::running);
    REQUIRE(attempts_of(id).size() == 1);
    CHECK(attempts_of(id).front().message == "node restarted");
  }
  // Their sessions are gone as well.
  const auto sessions = read(messages::list_sessions{});
  REQUIRE(sessions);
  CHECK(sessions->size() == 2);
}

TEST_CASE_METHOD(virtual_node, "boot: outside workers keep their leases over a restart", "[actors][boot]") {
  const auto who = worker("robot");
  const auto task = submit(payload("task"));
  const auto held = claim(who, 1, 60s);
  advance(30s);
  restart();
  CHECK(state_of(task.head.id) == run_state::claimed);
  CHECK(queue().counts.live == 1);
  REQUIRE(renew(held.front(), 60s));
  REQUIRE(settle(held.front(), core::settle_kind::succeeded));
  CHECK(find(task.head.id).head.losses == 0);
  // The session is known without registering again.
  submit(payload("next"));
  CHECK(claim(who).size() == 1);
}

TEST_CASE_METHOD(virtual_node,
                 "boot: what ran out while nobody looked is taken back before anything is served",
                 "[actors][boot]") {
  const auto who = worker("robot");
  const auto old = submit(payload("old"));
  claim(who, 1, 60s);
  advance(1s);
  const auto young = submit(payload("young"));
  crash();
  time.advance(2min);
  restart();
  CHECK(find(old.head.id).head.losses == 1);
  CHECK(claim(who).front().run.head.id == old.head.id);
  CHECK(state_of(young.head.id) == run_state::queued);
}

TEST_CASE_METHOD(virtual_node, "boot: delays go on, and those that are over are over", "[actors][boot]") {
  const auto soon = submit(payload("soon"), 1min);
  const auto later = submit(payload("later"), 1h);
  crash();
  time.advance(2min);
  restart();
  CHECK(state_of(soon.head.id) == run_state::queued);
  CHECK(state_of(later.head.id) == run_state::scheduled);
  advance(58min);
  CHECK(state_of(later.head.id) == run_state::queued);
}

TEST_CASE_METHOD(virtual_node, "boot: more open runs than one page holds", "[actors][boot]") {
  messages::submit_runs m;
  core::submission one;
  one.spec = std::make_shared<const core::run_spec>(payload("task"));
  m.runs.assign(1000, one);
  for (int i = 0; i < 11; ++i) REQUIRE(ask<messages::submitted>(m));
  restart();
  CHECK(queue().counts.ready == 11'000);
  const auto who = worker("robot", 1000);
  REQUIRE(ask<messages::queue_state>(messages::change_limits{{0, 0, 0, 0}, "test"}));
  CHECK(claim(who, 1000).size() == 1000);
}

TEST_CASE_METHOD(virtual_node, "boot: limits of jobs hold for what was queued before", "[actors][boot]") {
  messages::put_job m;
  m.definition.name = "job";
  m.definition.spec = payload("job");
  m.definition.on_overlap = core::overlap::queue_all;
  m.actor = "test";
  const auto made = ask<messages::job_stored>(m);
  REQUIRE(made);
  messages::trigger_job t;
  t.id = made->job.id;
  t.actor = "test";
  REQUIRE(ask<messages::submitted>(t));
  REQUIRE(ask<messages::submitted>(t));
  restart();
  const auto who = worker("robot", 5);
  CHECK(claim(who, 5).size() == 1);
}

TEST_CASE("boot: until it is over, questions are answered with `starting`, status says so",
          "[actors][boot]") {
  virtual_node node{virtual_node::usual_options(), false};
  auto before = node.send<messages::queue_state>(messages::ask_queue{});
  REQUIRE(before.answered());
  CHECK(before.get().refused_with(errc::unavailable));
  REQUIRE(node.node().start());
  for (int i = 0; i < 25; ++i) node.step();
  auto early = node.send<messages::submitted>(messages::submit_runs{});
  REQUIRE(early.answered());
  CHECK(early.get().refused_with(errc::unavailable));
  CHECK(early.get().error().text.rfind("starting", 0) == 0);
  node.run();
  CHECK(node.status().ready);
  CHECK(node.queue().ready);
  CHECK(node.node().start().refused_with(errc::invalid_transition));
}

TEST_CASE("boot: a node without what it needs says so", "[actors][boot]") {
  actors::node node{virtual_node::usual_options(), {}};
  CHECK(node.start().refused_with(errc::invalid));
}

TEST_CASE("boot: a store that fails is said at once, and ends nothing silently", "[actors][boot]") {
  virtual_node node;
  node.submit(virtual_node::process("task"));
  node.crash();
  node.faults.every_commit = core::failure{errc::storage_full, "no room", {}, {}};
  CHECK_NOTHROW(node.restart());
  auto asked = node.send<messages::queue_state>(messages::ask_queue{});
  REQUIRE(asked.answered());
  CHECK(asked.get().refused_with(errc::unavailable));
  CHECK(node.status().health == "unhealthy");
}
