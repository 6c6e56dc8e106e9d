// Leases through the whole node, under virtual time.
#include <catch2/catch.hpp>

#include <set>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using tests::virtual_node;

TEST_CASE_METHOD(virtual_node, "lease: one that is not renewed is taken back at its exact instant, once",
                 "[actors][lease]") {
  const auto who = worker("robot");
  const auto run = submit(payload("task"));
  const auto held = claim(who, 1, 30s);
  REQUIRE(held.size() == 1);
  advance(30s - 1us);
  CHECK(state_of(run.head.id) == run_state::claimed);
  advance(1us);
  CHECK(state_of(run.head.id) == run_state::queued);
  CHECK(find(run.head.id).head.losses == 1);
  CHECK(queue().counts.ready == 1);
  CHECK(queue().counts.live == 0);
  advance(1h);
  CHECK(count_events(core::event_kind::lease_expired) == 1);
}

TEST_CASE_METHOD(virtual_node, "lease: a heartbeat extends from now, and one that comes too late is refused",
                 "[actors][lease]") {
  const auto who = worker("robot");
  submit(payload("task"));
  const auto held = claim(who, 1, 30s);
  advance(29s);
  const auto kept = renew(held.front(), 30s);
  REQUIRE(kept);
  CHECK(kept->expires_at == now() + 30s);
  advance(30s);
  CHECK(renew(held.front(), 30s).refused_with(errc::stale_lease));
  CHECK(settle(held.front(), core::settle_kind::succeeded).refused_with(errc::stale_lease));
  CHECK(count_events(core::event_kind::lease_expired) == 1);
  CHECK(count_events(core::event_kind::stale_write) == 2);
}

TEST_CASE_METHOD(virtual_node,
                 "lease: lost too often, the run is given up with the evidence of every attempt",
                 "[actors][lease]") {
  const auto who = worker("robot", 10);
  const auto run = submit(payload("poison"));
  for (int i = 1; i <= 3; ++i) {
    const auto held = claim(who, 1, 10s);
    REQUIRE(held.size() == 1);
    CHECK(held.front().run.head.fencing == static_cast<std::uint64_t>(i));
    advance(10s);
    CHECK(settle(held.front(), core::settle_kind::succeeded).refused_with(errc::stale_lease));
  }
  CHECK(state_of(run.head.id) == run_state::lost);
  CHECK(claim(who).empty());
  const auto all = read(messages::get_run_details{to_string(run.head.id)});
  REQUIRE(all);
  REQUIRE(all->attempts.size() == 3);
  for (const auto& a : all->attempts) CHECK(a.outcome == run_state::lost);
  CHECK(all->late.size() == 3);
  CHECK(all->holder_names == std::vector<std::string>{"robot", "robot", "robot"});
}

TEST_CASE_METHOD(virtual_node, "lease: a reclaimed run keeps its place in line", "[actors][lease]") {
  const auto who = worker("robot");
  const auto first = submit(payload("first"));
  claim(who, 1, 10s);
  advance(1s);
  submit(payload("second"));
  advance(9s);
  CHECK(claim(who).front().run.head.id == first.head.id);
}

TEST_CASE_METHOD(virtual_node, "lease: hundreds that run out together are all taken back, in passes",
                 "[actors][lease]") {
  const auto who = worker("robot", 500);
  options.board.limits.per_agent_type = 0;
  REQUIRE(ask<messages::queue_state>(messages::change_limits{{0, 0, 0, 0}, "test"}));
  for (int i = 0; i < 350; ++i) submit(payload("task"));
  CHECK(claim(who, 500, 10s).size() == 350);
  faults.record = true;
  advance(10s);
  CHECK(queue().counts.ready == 350);
  CHECK(queue().counts.live == 0);
  std::size_t expiries = 0;
  for (const auto& set : faults.seen) {
    CHECK(set.changes.size() == 1);  // one bad row stops no other
    const auto* step = std::get_if<storage::step_run>(&set.changes.front());
    if (step != nullptr && std::holds_alternative<core::cmd_expire>(step->command)) ++expiries;
  }
  CHECK(expiries == 350);
}

TEST_CASE_METHOD(virtual_node,
                 "lease: the same completion twice has the same answer, another one is a conflict",
                 "[actors][lease]") {
  const auto who = worker("robot");
  submit(payload("task"));
  const auto held = claim(who);
  const auto first = settle(held.front(), core::settle_kind::succeeded);
  REQUIRE(first);
  CHECK_FALSE(first->replayed);
  const auto again = settle(held.front(), core::settle_kind::succeeded);
  REQUIRE(again);
  CHECK(again->replayed);
  CHECK(settle(held.front(), core::settle_kind::failed, core::failure_class::error)
            .refused_with(errc::conflict));
}

TEST_CASE_METHOD(virtual_node, "lease: an executor renews what runs long, and nothing is lost",
                 "[actors][lease]") {
  const auto run = submit([] {
    auto s = virtual_node::process("long");
    s.timeout = 0s;
    return s;
  }());
  advance(6h);
  CHECK(state_of(run.head.id) == run_state::running);
  CHECK(find(run.head.id).head.attempt == 1);
  CHECK(count_events(core::event_kind::lease_expired) == 0);
  processes.finish(processes.last_started()->key);
  this->run();
  CHECK(state_of(run.head.id) == run_state::succeeded);
}

TEST_CASE_METHOD(virtual_node, "lease: an executor that lost its lease stops its child", "[actors][lease]") {
  const auto task = submit(process("long"));
  const auto key = processes.last_started()->key;
  // Somebody takes it back behind the executor's back: the store fails all heartbeats until the lease is
  // over.
  faults.every_commit = core::failure{errc::unavailable, "disk trouble", {}, {}};
  advance(options.executor.lease + 1s);
  faults.every_commit.reset();
  advance(2s);
  CHECK(find(task.head.id).head.losses == 1);
  advance(options.executor.lease);
  CHECK_FALSE(processes.is_running(key));
  CHECK(find(task.head.id).head.attempt >= 2);
}

TEST_CASE("lease: a clock that jumped gives a grace period before anybody is judged", "[actors][lease]") {
  virtual_node node;
  const auto who = node.worker("robot", 2);
  const auto run = node.submit(virtual_node::payload("task"));
  const auto held = node.claim(who, 1, 60s);
  node.advance(20s);

  SECTION("the worker speaks within it and keeps its lease") {
    node.jump(3h);
    node.advance(10s);
    CHECK(node.state_of(run.head.id) == run_state::claimed);
    REQUIRE(node.renew(held.front(), 60s));
    node.advance(59s);
    CHECK(node.settle(held.front(), core::settle_kind::succeeded));
  }
  SECTION("the worker speaks before the sweeper has looked") {
    node.jump(3h);
    REQUIRE(node.renew(held.front(), 60s));
    CHECK(node.state_of(run.head.id) == run_state::claimed);
  }
  SECTION("the worker is silent: one lease length, no longer") {
    node.jump(3h);
    node.advance(10s);  // the sweeper looks every ten seconds
    CHECK(node.state_of(run.head.id) == run_state::claimed);
    node.advance(60s - 1us);
    CHECK(node.state_of(run.head.id) == run_state::claimed);
    node.advance(10s);
    CHECK(node.state_of(run.head.id) == run_state::queued);
    CHECK(node.find(run.head.id).head.losses == 1);
  }
  SECTION("a sleep of three days") {
    node.jump(72h);
    REQUIRE(node.renew(held.front(), 60s));
    CHECK(node.settle(held.front(), core::settle_kind::succeeded));
  }
  SECTION("what had run out before the jump is taken back") {
    node.time.advance(41s);  // past the end, unseen
    node.jump(3h);
    node.advance(10s);
    CHECK(node.state_of(run.head.id) == run_state::queued);
  }
  SECTION("a small correction is no jump, and takes nothing from a lease either") {
    node.jump(100s);
    node.advance(40s - 1us);
    CHECK(node.state_of(run.head.id) == run_state::claimed);
    node.advance(10s);
    CHECK(node.state_of(run.head.id) == run_state::queued);
  }
  SECTION("backwards nothing happens twice") {
    node.jump(-3h);
    node.advance(10s);
    CHECK(node.state_of(run.head.id) == run_state::claimed);
    CHECK(node.settle(held.front(), core::settle_kind::succeeded));
  }
}

TEST_CASE("lease: a clock set forward at any step of a claim takes nothing from the lease",
          "[actors][lease]") {
  const auto by = GENERATE(core::span{100s}, core::span{3h});
  for (std::size_t at = 0, taken = 0; taken == at; ++at) {
    virtual_node node;
    const auto who = node.worker("robot");
    const auto run = node.submit(virtual_node::payload("task"));
    messages::claim_runs wish;
    wish.who = who;
    wish.lease = 60s;
    auto claimed = node.send<messages::claimed_runs>(wish);
    for (taken = 0; taken < at && node.step();) ++taken;
    node.jump(by);
    node.run();
    CAPTURE(at);
    REQUIRE(claimed.answered());
    REQUIRE(claimed.get());
    REQUIRE(claimed.get()->runs.size() == 1);
    node.advance(60s - 1us);
    CHECK(node.state_of(run.head.id) == run_state::claimed);
    node.advance(20s);
    CHECK(node.state_of(run.head.id) == run_state::queued);
    CHECK(node.find(run.head.id).head.losses == 1);
  }
}

TEST_CASE_METHOD(virtual_node, "lease: a process that slept with its machine is not lost",
                 "[actors][lease]") {
  auto spec = process("long");
  spec.timeout = 0s;
  const auto task = submit(spec);
  advance(1min);
  jump(8h);
  SECTION("it goes on") {
    advance(10min);
    CHECK(state_of(task.head.id) == run_state::running);
    CHECK(find(task.head.id).head.attempt == 1);
  }
  SECTION("it ends right after the machine woke up") {
    processes.finish(processes.last_started()->key);
    run();
    CHECK(state_of(task.head.id) == run_state::succeeded);
  }
  CHECK(count_events(core::event_kind::lease_expired) == 0);
}

TEST_CASE_METHOD(virtual_node, "lease: every claim has a token of its own, kept nowhere", "[actors][lease]") {
  const auto who = worker("robot", 100);
  REQUIRE(ask<messages::queue_state>(messages::change_limits{{0, 0, 0, 0}, "test"}));
  std::set<std::string> tokens;
  for (int i = 0; i < 20; ++i) submit(payload("task"));
  for (const auto& one : claim(who, 20)) tokens.insert(one.token);
  CHECK(tokens.size() == 20);
  for (const auto& line : notes)
    for (const auto& t : tokens) CHECK(line.find(t) == std::string::npos);
}
