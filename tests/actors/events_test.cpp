// Watchers, sessions, jobs and retention.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using messages::watched;
using tests::exited;
using tests::virtual_node;

TEST_CASE_METHOD(virtual_node, "watch: told once at the start, then of each growth, gathered",
                 "[actors][events]") {
  std::vector<watched> told;
  auto watch = port().watch_events([&](watched w) { told.push_back(w); });
  run();
  REQUIRE(told.size() == 1);
  CHECK(told.front().last_event > 0);
  const auto before = told.back().last_event;
  submit(payload("a"));
  REQUIRE(told.size() == 2);
  CHECK(told.back().last_event > before);
  for (int i = 0; i < 20; ++i)
    send<messages::submitted>([] {
      messages::submit_runs m;
      core::submission s;
      s.spec = std::make_shared<const core::run_spec>(virtual_node::payload("b"));
      m.runs.push_back(s);
      return m;
    }());
  run();
  CHECK(told.size() < 12);
  CHECK(told.back().last_event >= before + 21);
  messages::get_events after;
  after.after = told.back().last_event;
  const auto journal = read(after);
  CHECK(journal->events.empty());

  watch.reset();
  const auto so_far = told.size();
  submit(payload("c"));
  CHECK(told.size() == so_far);
}

TEST_CASE_METHOD(virtual_node, "watch: of one run, its log and its journal only", "[actors][events]") {
  const auto mine = submit(process("mine"));
  const auto other = submit(process("other"));
  std::vector<watched> told;
  auto watch = port().watch_run(mine.head.id, [&](watched w) { told.push_back(w); });
  run();
  REQUIRE(told.size() == 1);
  CHECK(told.front().log_of == mine.head.id);
  processes.emit(key_of(find(other.head.id).head), {"not mine"});
  run();
  CHECK(told.size() == 1);
  processes.emit(key_of(find(mine.head.id).head), {"mine"});
  run();
  CHECK(told.size() == 2);
  processes.finish(key_of(find(mine.head.id).head));
  run();
  CHECK(told.size() == 3);
  CHECK(told.back().log_of == mine.head.id);
}

TEST_CASE_METHOD(virtual_node, "watch: a refused write that left evidence is told as well",
                 "[actors][events]") {
  const auto who = worker("robot");
  submit(payload("task"));
  const auto held = claim(who, 1, 10s);
  advance(10s);
  std::vector<watched> told;
  auto watch = port().watch_events([&](watched w) { told.push_back(w); });
  run();
  const auto before = told.back().last_event;
  CHECK(settle(held.front(), core::settle_kind::succeeded).refused_with(errc::stale_lease));
  CHECK(told.back().last_event == before + 1);
}

TEST_CASE("watch: one from before the node was ready is served when it is", "[actors][events]") {
  virtual_node node{virtual_node::usual_options(), false};
  std::vector<watched> told;
  auto watch = node.port().watch_events([&](watched w) { told.push_back(w); });
  REQUIRE(node.node().start());
  node.run();
  CHECK_FALSE(told.empty());
  auto second = node.port().watch_events([&](watched) {});
  node.run();
}

TEST_CASE_METHOD(virtual_node,
                 "session: a crash said by its supervisor loses its leases at once, a farewell does not",
                 "[actors][session]") {
  const auto who = worker("robot", 2);
  const auto task = submit(payload("task"));
  claim(who, 1, 1h);
  SECTION("crashed") {
    REQUIRE(ask<messages::session_answer>(messages::end_session{who, "segfault", true, "test"}));
    run();
    CHECK(state_of(task.head.id) == run_state::queued);
    CHECK(find(task.head.id).head.losses == 1);
  }
  SECTION("farewell") {
    REQUIRE(ask<messages::session_answer>(messages::end_session{who, "bye", false, "test"}));
    CHECK(state_of(task.head.id) == run_state::claimed);
    advance(1h);
    CHECK(state_of(task.head.id) == run_state::queued);
  }
  CHECK(ask<messages::claimed_runs>(messages::claim_runs{who}).refused_with(errc::not_found));
  CHECK(ask<messages::session_answer>(messages::end_session{core::session_id{77}, "", false, "test"})
            .refused_with(errc::not_found));
}

TEST_CASE_METHOD(virtual_node, "session: one that comes back under its id goes on", "[actors][session]") {
  messages::register_session m;
  m.who.name = "robot";
  m.who.slots = 1;
  const auto first = ask<messages::session_answer>(m);
  REQUIRE(first);
  m.who.id = first->who.id;
  m.who.slots = 3;
  REQUIRE(ask<messages::session_answer>(m));
  REQUIRE(ask<messages::queue_state>(messages::change_limits{{0, 0, 0, 0}, "test"}));
  for (int i = 0; i < 5; ++i) submit(payload("t"));
  CHECK(claim(first->who.id, 10).size() == 3);
}

TEST_CASE_METHOD(virtual_node, "session: what arrives wakes claims, needs decide", "[actors][session]") {
  auto spec = payload("gpu task");
  spec.needs.capabilities = {"gpu"};
  submit(spec);
  CHECK(claim(worker("plain")).empty());
  messages::register_session m;
  m.who.name = "able";
  m.who.capabilities = {"gpu"};
  const auto able = ask<messages::session_answer>(m);
  REQUIRE(able);
  CHECK(claim(able->who.id).size() == 1);
}

TEST_CASE_METHOD(virtual_node, "job: stored, triggered, paused, resumed, archived", "[actors][job]") {
  messages::put_job m;
  m.definition.name = "report";
  m.definition.spec = process("report");
  m.actor = "test";
  const auto made = ask<messages::job_stored>(m);
  REQUIRE(made);
  CHECK(made->created);
  const auto id = made->job.id;
  messages::trigger_job t;
  t.id = id;
  t.actor = "test";
  const auto first = ask<messages::submitted>(t);
  REQUIRE(first);
  REQUIRE(processes.started().size() == 1);
  const auto& env = processes.last_started()->order.env;
  CHECK(std::count(env.begin(), env.end(), std::pair<std::string, std::string>{"BELFRY_JOB", "report"}) == 1);
  // Overlap: skipped, and said so.
  const auto second = ask<messages::submitted>(t);
  REQUIRE(second);
  CHECK(second->runs.front().head.state == run_state::skipped);
  processes.finish(processes.last_started()->key);
  run();
  REQUIRE(ask<messages::job_stored>(messages::pause_job{id, "manual", "holiday", "test"}));
  REQUIRE(ask<messages::job_stored>(messages::resume_job{id, "manual", "test"}));
  t.delay = 10s;
  REQUIRE(ask<messages::submitted>(t));
  CHECK(processes.started().size() == 1);
  advance(10s);
  CHECK(processes.started().size() == 2);
  REQUIRE(ask<messages::job_stored>(messages::archive_job{id, "test"}));
  CHECK_FALSE(ask<messages::submitted>(t));
}

TEST_CASE_METHOD(virtual_node, "job: replace asks the running one to stop and runs the new one after it",
                 "[actors][job]") {
  processes.answer_stops(tests::stop_answer::ignores_term);
  messages::put_job m;
  m.definition.name = "report";
  m.definition.spec = process("report");
  m.definition.on_overlap = core::overlap::replace;
  m.actor = "test";
  const auto made = ask<messages::job_stored>(m);
  REQUIRE(made);
  messages::trigger_job t;
  t.id = made->job.id;
  t.actor = "test";
  const auto first = ask<messages::submitted>(t);
  REQUIRE(first);
  const auto second = ask<messages::submitted>(t);
  REQUIRE(second);
  CHECK(processes.stops().size() == 1);
  CHECK(processes.running() == 1);
  advance(5s);
  CHECK(state_of(first->runs.front().head.id) == run_state::cancelled);
  CHECK(state_of(second->runs.front().head.id) == run_state::running);
}

TEST_CASE("retention: what is old goes, in small bites, what is young or open stays", "[actors][retention]") {
  auto o = virtual_node::usual_options();
  o.retention.every = 10min;
  o.retention.keep = 24h;
  o.retention.keep_events = 48h;
  o.retention.bite = 3;
  virtual_node node{o};
  const auto who = node.worker("robot", 20);
  REQUIRE(node.ask<messages::queue_state>(messages::change_limits{{0, 0, 0, 0}, "test"}));
  for (int i = 0; i < 10; ++i) node.submit(virtual_node::payload("old"));
  for (const auto& one : node.claim(who, 10)) REQUIRE(node.settle(one, core::settle_kind::succeeded));
  const auto open = node.submit(virtual_node::payload("open"));
  node.advance(24h - 11min);
  CHECK(node.read(messages::list_runs{})->runs.size() == 11);
  node.faults.record = true;
  node.advance(12min);
  CHECK(node.read(messages::list_runs{})->runs.size() == 1);
  CHECK(node.state_of(open.head.id) == run_state::queued);
  std::size_t bites = 0;
  for (const auto& set : node.faults.seen)
    if (const auto* p = std::get_if<storage::prune_history>(&set.changes.front())) {
      CHECK(p->at_most == 3);
      ++bites;
    }
  CHECK(bites >= 4);
  node.advance(48h);
  CHECK(node.read(messages::get_events{})->oldest_kept > 1);
}

TEST_CASE_METHOD(virtual_node, "idle: a node without work does next to nothing", "[actors][idle]") {
  advance(10min);
  const auto commits = faults.commits;
  const auto messages_before = steps_taken();
  advance(1h);
  CHECK(faults.commits == commits);
  // One empty claim per minute and executor: the ring, its answer, the next claim. And a cycle every 15 s:
  // its ring, the sweeper, the dispatcher, the ladder.
  CHECK(steps_taken() - messages_before <= 60 * 2 * 4 + 60 * 4 * 8);
}
