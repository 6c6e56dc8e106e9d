// What goes wrong inside: dead actors, a store that fails, too many questions. Everybody is answered, once.
#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::failure;
using core::run_state;
using messages::submitted;
using tests::pending;
using tests::virtual_node;

namespace {

messages::submit_runs one(const std::string& name) {
  messages::submit_runs m;
  core::submission s;
  s.spec = std::make_shared<const core::run_spec>(virtual_node::payload(name));
  m.runs.push_back(std::move(s));
  m.actor = "test";
  return m;
}

}  // namespace

TEST_CASE("trouble: an actor that is killed with questions open answers them all", "[actors][trouble]") {
  const auto whom = GENERATE(as<std::string>{}, "storage", "dispatcher", "lease-desk", "operator-desk",
                             "job-registry", "session-registry", "reader", "gateway", "supervisor",
                             "timekeeper", "lease-sweeper", "event-hub", "planner", "cluster-desk");
  const auto steps = GENERATE(0, 1, 2, 3, 5, 8);
  CAPTURE(whom, steps);
  virtual_node node;
  const auto who = node.worker("robot");
  node.submit(virtual_node::payload("there"));
  std::vector<pending<submitted>> submits;
  std::vector<pending<messages::claimed_runs>> claims;
  messages::claim_runs wait;
  wait.who = who;
  wait.wait = 60s;
  for (int i = 0; i < 5; ++i) {
    submits.push_back(node.send<submitted>(one("task")));
    claims.push_back(node.send<messages::claimed_runs>(wait));
  }
  auto queue = node.send<messages::queue_state>(messages::ask_queue{});
  auto control =
      node.send<messages::controlled>(messages::control_runs{{core::run_id{1}}, core::cmd_cancel{}, "test"});
  auto list = node.send<messages::query_answer>(messages::query{messages::list_runs{}});
  auto job = node.send<messages::job_stored>(messages::archive_job{core::job_id{1}, "test"});
  auto status = node.send<messages::node_status>(messages::ask_node{});
  for (int i = 0; i < steps; ++i) node.step();
  REQUIRE(node.kill(whom));
  node.run();
  node.advance(61s);
  for (auto& p : submits) CHECK(p.answers() == 1);
  CHECK(queue.answers() == 1);
  CHECK(control.answers() == 1);
  CHECK(list.answers() == 1);
  CHECK(job.answers() == 1);
  CHECK(status.answers() == 1);
  for (auto& p : claims) CHECK(p.answers() == 1);
  const bool vital = whom != "reader" && whom != "gateway" && whom != "supervisor";
  CHECK(node.fatal.size() == (vital ? 1u : 0u));
  // What was acknowledged is there.
  std::size_t acknowledged = 0;
  for (auto& p : submits)
    if (p.get()) ++acknowledged;
  node.restart();
  messages::list_runs all;
  all.filter.name_contains = "task";
  CHECK(node.read(all)->runs.size() >= acknowledged);
}

TEST_CASE_METHOD(virtual_node, "trouble: a dead reader is replaced", "[actors][trouble]") {
  REQUIRE(kill("reader"));
  run();
  CHECK(read(messages::get_facts{}).refused_with(errc::unavailable));
  advance(1s);
  CHECK(read(messages::get_facts{}));
  CHECK(status().health == "healthy");
  CHECK(fatal.empty());
}

TEST_CASE_METHOD(virtual_node, "trouble: without its store the node says so once and takes nothing more",
                 "[actors][trouble]") {
  REQUIRE(kill("storage"));
  run();
  REQUIRE(fatal.size() == 1);
  CHECK(fatal.front().rfind("storage died", 0) == 0);
  CHECK(ask<submitted>(one("late")).refused_with(errc::unavailable));
  CHECK(status().health == "unhealthy");
  kill("dispatcher");
  run();
  CHECK(fatal.size() == 1);
}

TEST_CASE_METHOD(virtual_node, "trouble: a commit that fails answers everybody in it, and the node goes on",
                 "[actors][trouble]") {
  faults.next_commit = failure{errc::unavailable, "disk trouble", {}, {}};
  std::vector<pending<submitted>> all;
  for (int i = 0; i < 20; ++i) all.push_back(send<submitted>(one("task")));
  run();
  std::size_t refused = 0;
  for (auto& p : all) {
    REQUIRE(p.answers() == 1);
    if (p.get().refused_with(errc::unavailable)) ++refused;
  }
  CHECK(refused > 0);
  CHECK(queue().counts.ready == 20 - refused);
  CHECK(submit(payload("next")).head.id);
  messages::list_runs l;
  CHECK(read(l)->runs.size() == 20 - refused + 1);
}

TEST_CASE_METHOD(virtual_node, "trouble: a claim whose commit fails gives the run back",
                 "[actors][trouble]") {
  const auto who = worker("robot");
  const auto task = submit(payload("task"));
  faults.next_commit = failure{errc::unavailable, "disk trouble", {}, {}};
  CHECK(ask<messages::claimed_runs>(messages::claim_runs{who}).refused_with(errc::unavailable));
  CHECK(queue().counts.reserved == 0);
  CHECK(claim(who).front().run.head.id == task.head.id);
}

TEST_CASE_METHOD(virtual_node, "trouble: timers and leases that the store could not write are tried again",
                 "[actors][trouble]") {
  const auto who = worker("robot");
  const auto held_run = submit(payload("held"));
  claim(who, 1, 10s);
  const auto delayed = submit(payload("delayed"), 10s);
  faults.every_commit = failure{errc::unavailable, "disk trouble", {}, {}};
  advance(12s);
  faults.every_commit.reset();
  advance(2s);
  CHECK(state_of(held_run.head.id) == run_state::queued);
  CHECK(state_of(delayed.head.id) == run_state::queued);
}

TEST_CASE_METHOD(virtual_node,
                 "trouble: a full disk refuses new work, keeps what runs, and recovers by itself",
                 "[actors][trouble]") {
  const auto who = worker("robot");
  submit(payload("held"));
  const auto held = claim(who);
  faults.next_commit = failure{errc::storage_full, "no room", {}, {}};
  CHECK(ask<submitted>(one("a")).refused_with(errc::storage_full));
  // The next one is refused without being tried, a settle is tried and succeeds.
  const auto commits = faults.commits;
  CHECK(ask<submitted>(one("b")).refused_with(errc::storage_full));
  CHECK(status().health == "unhealthy");
  CHECK(settle(held.front(), core::settle_kind::succeeded));
  CHECK(faults.commits > commits);
  advance(2s);
  CHECK(ask<submitted>(one("c")));
  CHECK(status().health == "healthy");
}

TEST_CASE_METHOD(virtual_node, "trouble: a damaged store ends the node", "[actors][trouble]") {
  faults.next_commit = failure{errc::storage_damaged, "checksum", {}, {}};
  CHECK(ask<submitted>(one("a")).refused_with(errc::storage_damaged));
  REQUIRE(fatal.size() == 1);
  CHECK(ask<submitted>(one("b")).refused_with(errc::unavailable));
}

TEST_CASE("trouble: too many open questions are refused at once", "[actors][trouble]") {
  auto o = virtual_node::usual_options();
  o.max_open_calls = 10;
  virtual_node node{o};
  std::vector<pending<submitted>> all;
  for (int i = 0; i < 15; ++i) all.push_back(node.send<submitted>(one("task")));
  for (int i = 0; i < 15; ++i) CHECK(all[static_cast<std::size_t>(i)].answered() == (i >= 10));
  CHECK(all[12].get().refused_with(errc::overloaded));
  node.run();
  for (auto& p : all) CHECK(p.answers() == 1);
  CHECK(node.ask<submitted>(one("again")));
}

TEST_CASE_METHOD(virtual_node, "trouble: a crash at any message loses nothing that was acknowledged",
                 "[actors][trouble]") {
  for (int at = 0; at < 60; ++at) {
    CAPTURE(at);
    auto p = send<submitted>(one("crash " + std::to_string(at)));
    for (int i = 0; i < at; ++i) step();
    const bool known = p.answered() && p.get();
    crash();
    restart();
    messages::list_runs l;
    l.filter.name_contains = "crash " + std::to_string(at);
    const auto found = read(l);
    REQUIRE(found);
    if (known) CHECK(found->runs.size() >= 1);
    CHECK(p.answers() == 1);
  }
}

TEST_CASE("trouble: the planted early answer is seen to lose what it promised", "[actors][trouble]") {
  auto o = virtual_node::usual_options();
  o.commit.answer_before_commit = true;
  virtual_node node{o};
  node.faults.every_commit = failure{errc::unavailable, "power is gone", {}, {}};
  auto p = node.send<submitted>(one("promised"));
  node.run();
  REQUIRE(p.answered());
  CHECK(p.get());
  node.faults.every_commit.reset();
  node.restart();
  CHECK(node.read(messages::list_runs{})->runs.empty());
}
