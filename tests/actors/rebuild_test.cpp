// The queue in memory compared with the store while the node serves.
#include <catch2/catch.hpp>

#include <map>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using messages::index_fault;
using messages::index_rebuilt;
using tests::virtual_node;

namespace {

struct rebuild_node : virtual_node {
  rebuild_node() : virtual_node{only_outside()} {}
  static actors::node_options only_outside() {
    auto o = usual_options();
    o.executor.none = true;
    o.board.limits = {0, 0, 0, 0};
    return o;
  }
  index_rebuilt rebuild() {
    auto r = ask<index_rebuilt>(messages::rebuild_index{"cli:anna"});
    REQUIRE(r);
    return *r;
  }
  // The dispatcher hears that this run is so, and it is not.
  void lie(core::run run, run_state state) {
    run.head.state = state;
    messages::runs_committed heads;
    heads.runs.push_back(std::move(run));
    mislead(std::move(heads));
  }
  core::run never_stored() {
    auto r = submit(payload("pattern"));
    cancel(r.head.id);
    r.head.id.value += 1'000'000;  // nobody gets that far
    return r;
  }
  bool claims(core::session_id who, core::run_id id) {
    for (const auto& one : claim(who, 100))
      if (one.run.head.id == id) return true;
    return false;
  }
  std::vector<core::event> events() {
    messages::get_events q;
    q.filter.kinds = {core::event_kind::queue_rebuilt};
    return read(q)->events;
  }
};

std::map<core::run_id, index_fault> by_run(const index_rebuilt& r) {
  std::map<core::run_id, index_fault> all;
  for (const auto& d : r.differences) all[d.run] = d.what;
  return all;
}

}  // namespace

TEST_CASE_METHOD(rebuild_node, "rebuild: a queue that is right is told by its counts, and by an event",
                 "[actors][rebuild]") {
  submit(payload("a"));
  submit(payload("b"));
  submit(payload("later"), 1h);
  const auto who = worker("robot");
  REQUIRE(claim(who).size() == 1);
  const auto r = rebuild();
  CHECK(r.open == 3);
  CHECK(r.queued == 1);
  CHECK(r.delayed == 1);
  CHECK(r.leased == 1);
  CHECK(r.missing + r.stale + r.misplaced == 0);
  CHECK(r.differences.empty());
  REQUIRE(events().size() == 1);
  CHECK(events().front().actor == "cli:anna");
  CHECK(events().front().seq == r.event);
  CHECK(events().front().text == "open=3 queued=1 delayed=1 leased=1 missing=0 stale=0 misplaced=0");
}

TEST_CASE_METHOD(rebuild_node,
                 "rebuild: a run that memory has lost is found, and goes to the claim that waits",
                 "[actors][rebuild]") {
  const auto lost = submit(payload("lost"));
  lie(lost, run_state::cancelled);
  const auto who = worker("robot");
  messages::claim_runs wish;
  wish.who = who;
  wish.wait = 30s;
  auto waiting = send<messages::claimed_runs>(wish);
  run();
  REQUIRE_FALSE(waiting.answered());
  const auto r = rebuild();
  CHECK(r.missing == 1);
  CHECK(by_run(r).at(lost.head.id) == index_fault::missing);
  run();
  REQUIRE(waiting.answered());
  REQUIRE(waiting.get()->runs.size() == 1);
  CHECK(waiting.get()->runs.front().run.head.id == lost.head.id);
  CHECK(rebuild().missing == 0);
}

TEST_CASE_METHOD(rebuild_node, "rebuild: a run that is not in the store leaves the line",
                 "[actors][rebuild]") {
  const auto ghost = never_stored();
  const auto behind = submit(payload("behind"));
  lie(ghost, run_state::queued);
  REQUIRE(queue().counts.ready == 2);
  const auto r = rebuild();
  CHECK(r.stale == 1);
  CHECK(by_run(r).at(ghost.head.id) == index_fault::stale);
  CHECK(queue().counts.ready == 1);
  CHECK(claims(worker("robot", 10), behind.head.id));
}

TEST_CASE_METHOD(rebuild_node, "rebuild: a stale lease gives its slot and its limits back",
                 "[actors][rebuild]") {
  const auto who = worker("robot", 1);
  submit(payload("a"));
  const auto held = claim(who);
  REQUIRE(held.size() == 1);
  REQUIRE(settle(held.front(), core::settle_kind::succeeded));
  submit(payload("b"));
  lie(held.front().run, run_state::claimed);  // as if its end had never been heard of
  REQUIRE(claim(who).empty());
  REQUIRE(queue().counts.live == 1);
  CHECK(rebuild().stale == 1);
  CHECK(queue().counts.live == 0);
  CHECK(claim(who).size() == 1);
}

TEST_CASE_METHOD(rebuild_node,
                 "rebuild: a lease that memory has lost is held again, and nobody gets its run twice",
                 "[actors][rebuild]") {
  const auto who = worker("robot", 2);
  submit(payload("a"));
  const auto held = claim(who, 1, 1min);
  REQUIRE(held.size() == 1);
  auto head = held.front().run;
  head.head.fencing += 1;  // as if it had been given back
  head.head.held = {};
  lie(head, run_state::queued);
  REQUIRE(queue().counts.live == 0);
  const auto r = rebuild();
  CHECK(r.misplaced == 1);
  CHECK(queue().counts.live == 1);
  CHECK(queue().counts.ready == 0);
  CHECK(claim(who).empty());
  CHECK(renew(held.front(), 1min).ok());
  SECTION("its end is heard of") {
    REQUIRE(settle(held.front(), core::settle_kind::succeeded));
    CHECK(queue().counts.live == 0);
  }
  SECTION("its expiry is watched again") {
    advance(61s);
    CHECK(queue().counts.live == 0);
    CHECK(queue().counts.ready == 1);
  }
}

TEST_CASE_METHOD(rebuild_node, "rebuild: a delay that memory has lost ends at its time",
                 "[actors][rebuild]") {
  const auto later = submit(payload("later"), 10min);
  lie(later, run_state::cancelled);
  REQUIRE(queue().timers == 0);
  CHECK(rebuild().missing == 1);
  CHECK(queue().timers == 1);
  advance(10min);
  CHECK(state_of(later.head.id) == run_state::queued);
  CHECK(claims(worker("robot"), later.head.id));
}

TEST_CASE_METHOD(rebuild_node, "rebuild: claims on their way are left alone", "[actors][rebuild]") {
  for (int i = 0; i < 20; ++i) submit(payload("t" + std::to_string(i)));
  const auto who = worker("robot", 20);
  messages::claim_runs wish;
  wish.who = who;
  wish.max = 10;
  // However many steps the claim has come when the rebuild is asked for.
  for (std::size_t steps = 0; steps < 12; ++steps) {
    auto first = send<messages::claimed_runs>(wish);
    for (std::size_t i = 0; i < steps; ++i) step();
    auto asked = send<index_rebuilt>(messages::rebuild_index{"test"});
    auto second = send<messages::claimed_runs>(wish);
    run();
    REQUIRE(asked.answered());
    REQUIRE(asked.get());
    CHECK(asked.get()->differences.empty());
    REQUIRE(first.get());
    REQUIRE(second.get());
    std::map<core::run_id, int> times;
    for (const auto* got : {&first.get()->runs, &second.get()->runs})
      for (const auto& one : *got) {
        ++times[one.run.head.id];
        messages::settle_runs m;
        core::cmd_settle how;
        how.proof = tests::proof_of(one);
        how.kind = core::settle_kind::released;
        m.items.push_back({one.run.head.id, how});
        REQUIRE(ask<messages::settled>(std::move(m)));
      }
    CHECK(times.size() == 20);
    for (const auto& [id, n] : times) CHECK(n == 1);
  }
}

TEST_CASE_METHOD(rebuild_node, "rebuild: one at a time; a page that cannot be read is told",
                 "[actors][rebuild]") {
  submit(payload("a"));
  auto first = send<index_rebuilt>(messages::rebuild_index{"test"});
  auto second = send<index_rebuilt>(messages::rebuild_index{"test"});
  run();
  CHECK(first.get().ok());
  CHECK(second.get().refused_with(errc::conflict));
  CHECK(ask<index_rebuilt>(messages::rebuild_index{"test"}).ok());
}

TEST_CASE_METHOD(rebuild_node, "rebuild: without its event it is no success; a crash in it loses nothing",
                 "[actors][rebuild]") {
  const auto a = submit(payload("a"));
  lie(a, run_state::cancelled);
  SECTION("the event cannot be written") {
    faults.next_commit = core::failure{errc::storage_full, "full", {}, {}};
    CHECK(ask<index_rebuilt>(messages::rebuild_index{"test"}).refused_with(errc::storage_full));
    CHECK(claims(worker("robot"), a.head.id));  // memory is right all the same
  }
  SECTION("the node dies on the way") {
    auto asked = send<index_rebuilt>(messages::rebuild_index{"test"});
    for (int i = 0; i < 4; ++i) step();
    restart();
    CHECK(queue().counts.ready == 1);
    CHECK(claims(worker("robot"), a.head.id));
  }
}

TEST_CASE_METHOD(rebuild_node, "rebuild: a run that stands in the wrong place is moved to its own",
                 "[actors][rebuild]") {
  auto first = submit(payload("first"));
  advance(1s);
  const auto second = submit(payload("second"));
  first.head.eligible_since = core::later(now(), 1h);
  lie(first, run_state::queued);
  const auto r = rebuild();
  CHECK(r.misplaced == 1);
  CHECK(by_run(r).at(first.head.id) == index_fault::misplaced);
  const auto got = claim(worker("robot", 2), 2);
  REQUIRE(got.size() == 2);
  CHECK(got.front().run.head.name == "first");
}

TEST_CASE("rebuild: an attempt that was told to stop is not given up sooner for it", "[actors][rebuild]") {
  auto o = virtual_node::usual_options();
  o.executor.processes = 1;
  o.executor.overdue_after = 30s;
  virtual_node node{o};
  node.processes.use_script([](const std::string&, const platform::process_order&) {
    tests::child_plan stubborn;
    stubborn.when_stopped = tests::stop_answer::ignores_term;
    return stubborn;
  });
  auto spec = virtual_node::process("slow");
  spec.timeout = 10s;
  spec.grace = 5s;
  spec.retry.max_attempts = 1;
  const auto run = node.submit(spec);
  node.advance(11s);  // TERM was sent
  REQUIRE(node.state_of(run.head.id) == run_state::running);
  REQUIRE(node.ask<index_rebuilt>(messages::rebuild_index{"test"}));
  CHECK(node.state_of(run.head.id) == run_state::running);
  node.advance(10s);  // KILL after the grace
  CHECK(node.state_of(run.head.id) == run_state::timed_out);
  CHECK(node.attempts_of(run.head.id).size() == 1);
}
