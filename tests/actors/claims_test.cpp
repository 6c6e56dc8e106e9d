// Who gets which run next: order, limits, waiting.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::priority;
using core::run_state;
using messages::claimed_runs;
using tests::virtual_node;

namespace {

core::run_spec task(const std::string& name, priority prio = priority::normal, const std::string& lane = {}) {
  auto s = virtual_node::payload(name);
  s.prio = prio;
  s.lane = lane;
  return s;
}

struct claims_node : virtual_node {
  claims_node() : virtual_node{without_limits()} {}
  static actors::node_options without_limits() {
    auto o = usual_options();
    o.executor.none = true;
    o.board.limits = {0, 0, 0, 0};
    return o;
  }
  std::vector<std::string> names(core::session_id who, std::uint32_t max) {
    std::vector<std::string> all;
    for (const auto& one : claim(who, max)) all.push_back(one.run.head.name);
    return all;
  }
  messages::claim_runs wish(core::session_id who, core::span wait) {
    messages::claim_runs m;
    m.who = who;
    m.wait = wait;
    return m;
  }
  void limit(core::limit_options l) {
    REQUIRE(ask<messages::queue_state>(messages::change_limits{l, "test"}));
  }
  using words = std::vector<std::string>;
};

}  // namespace

TEST_CASE_METHOD(virtual_node, "claim: an archived job's limit holds for the runs it still has",
                 "[actors][claim]") {
  messages::put_job m;
  m.definition.name = "job";
  m.definition.spec = payload("job");
  m.definition.spec.retry.jitter = 0;
  m.definition.on_overlap = core::overlap::queue_all;
  m.actor = "test";
  const auto made = ask<messages::job_stored>(m);
  REQUIRE(made);
  messages::trigger_job t;
  t.id = made->job.id;
  t.actor = "test";
  REQUIRE(ask<messages::submitted>(t));
  REQUIRE(ask<messages::submitted>(t));
  const auto who = worker("robot", 5);
  const auto first = claim(who, 5);
  REQUIRE(first.size() == 1);
  REQUIRE(ask<messages::job_stored>(messages::archive_job{made->job.id, "test"}));
  REQUIRE(settle(first.front(), core::settle_kind::failed, core::failure_class::error));
  REQUIRE(claim(who, 5).size() == 1);  // the other one
  advance(2s);                         // the first is queued anew
  CHECK(claim(who, 5).empty());
}

TEST_CASE_METHOD(claims_node, "claim: more urgent first, then who has waited longest", "[actors][claim]") {
  submit(task("low", priority::low));
  submit(task("normal 1"));
  submit(task("high", priority::high));
  submit(task("normal 2"));
  submit(task("urgent", priority::urgent));
  CHECK(names(worker("robot", 10), 10) == words{"urgent", "high", "normal 1", "normal 2", "low"});
}

TEST_CASE_METHOD(claims_node, "claim: lanes take turns, however much one has", "[actors][claim]") {
  for (int i = 1; i <= 4; ++i) submit(task("a" + std::to_string(i), priority::normal, "a"));
  submit(task("b1", priority::normal, "b"));
  submit(task("b2", priority::normal, "b"));
  const auto got = names(worker("robot", 10), 10);
  REQUIRE(got.size() == 6);
  CHECK(std::set<std::string>{got[0], got[1]} == std::set<std::string>{"a1", "b1"});
  CHECK(std::set<std::string>{got[2], got[3]} == std::set<std::string>{"a2", "b2"});
  CHECK(words{got[4], got[5]} == words{"a3", "a4"});
}

TEST_CASE_METHOD(claims_node, "claim: who waits long enough rises by one class", "[actors][claim]") {
  submit(task("old", priority::low));
  advance(30min);  // three steps: as urgent as anybody
  submit(task("new", priority::high));
  CHECK(names(worker("robot"), 1) == words{"old"});
}

TEST_CASE_METHOD(claims_node, "claim: a floor on the priority", "[actors][claim]") {
  submit(task("normal"));
  auto m = wish(worker("robot"), 0s);
  m.at_least = priority::high;
  CHECK(ask<claimed_runs>(m)->runs.empty());
  submit(task("high", priority::high));
  CHECK(ask<claimed_runs>(m)->runs.size() == 1);
}

TEST_CASE_METHOD(claims_node, "claim: each limit holds, and a lease that ends gives way",
                 "[actors][claim][limits]") {
  const auto who = worker("robot", 100, "robot");
  SECTION("global") {
    limit({2, 0, 0, 0});
    for (int i = 0; i < 5; ++i) submit(task("t"));
    const auto held = claim(who, 10);
    CHECK(held.size() == 2);
    CHECK(claim(who, 10).empty());
    REQUIRE(settle(held.front(), core::settle_kind::succeeded));
    CHECK(claim(who, 10).size() == 1);
  }
  SECTION("lane") {
    limit({0, 1, 0, 0});
    submit(task("a1", priority::normal, "a"));
    const auto stuck = submit(task("a2", priority::normal, "a"));
    submit(task("b1", priority::normal, "b"));
    CHECK(claim(who, 10).size() == 2);
    const auto why = explain(stuck.head.id);
    REQUIRE_FALSE(why.reasons.empty());
    CHECK(why.reasons.front().code == "lane_limit");
  }
  SECTION("agent type") {
    limit({0, 0, 0, 2});
    for (int i = 0; i < 5; ++i) submit(task("t"));
    CHECK(claim(who, 10).size() == 2);
    CHECK(claim(worker("other", 10, "other"), 10).size() == 2);
  }
  SECTION("batch") {
    limit({0, 0, 2, 0});
    messages::submit_runs m;
    m.as_batch = true;
    for (int i = 0; i < 5; ++i) {
      core::submission s;
      s.spec = std::make_shared<const core::run_spec>(task("t"));
      m.runs.push_back(s);
    }
    REQUIRE(ask<messages::submitted>(std::move(m)));
    CHECK(claim(who, 10).size() == 2);
  }
  SECTION("concurrency key") {
    for (int i = 0; i < 5; ++i) {
      auto s = task("t");
      s.concurrency_key = "database";
      s.concurrency_limit = 3;
      submit(s);
    }
    CHECK(claim(who, 10).size() == 3);
  }
  SECTION("job") {
    messages::put_job m;
    m.definition.name = "job";
    m.definition.spec = task("job");
    m.definition.on_overlap = core::overlap::allow;
    m.definition.max_concurrent = 2;
    m.actor = "test";
    const auto made = ask<messages::job_stored>(m);
    REQUIRE(made);
    messages::trigger_job t;
    t.id = made->job.id;
    t.actor = "test";
    for (int i = 0; i < 4; ++i) REQUIRE(ask<messages::submitted>(t));
    const auto held = claim(who, 10);
    CHECK(held.size() == 2);
    REQUIRE(settle(held.front(), core::settle_kind::succeeded));
    CHECK(claim(who, 10).size() == 1);
  }
}

TEST_CASE_METHOD(claims_node, "claim: limits change live, last over a restart, and wake who waits",
                 "[actors][claim][limits]") {
  const auto who = worker("robot", 10);
  limit({1, 0, 0, 0});
  submit(task("a"));
  submit(task("b"));
  const auto first = claim(who, 1);
  REQUIRE(first.size() == 1);
  auto waiting = send<claimed_runs>(wish(who, 60s));
  run();
  CHECK_FALSE(waiting.answered());
  limit({2, 0, 0, 0});
  REQUIRE(waiting.answered());
  CHECK(waiting.get()->runs.size() == 1);
  restart();
  CHECK(queue().limits.global == 2);
  CHECK(count_events(core::event_kind::limits_changed) == 2);
}

TEST_CASE_METHOD(claims_node, "claim: one that waits is answered when work arrives",
                 "[actors][claim][wait]") {
  const auto who = worker("robot");
  auto waiting = send<claimed_runs>(wish(who, 30s));
  advance(10s);
  CHECK_FALSE(waiting.answered());
  CHECK(queue().waiting_claims == 1);
  const auto task_run = submit(task("t"));
  REQUIRE(waiting.answered());
  REQUIRE(waiting.get()->runs.size() == 1);
  CHECK(waiting.get()->runs.front().run.head.id == task_run.head.id);
  CHECK(queue().waiting_claims == 0);
  advance(60s);
  CHECK(waiting.answers() == 1);
}

TEST_CASE_METHOD(claims_node, "claim: one that waits is answered empty at its time",
                 "[actors][claim][wait]") {
  const auto who = worker("robot");
  auto later = send<claimed_runs>(wish(who, 30s));
  auto sooner = send<claimed_runs>(wish(who, 10s));
  advance(10s - 1us);
  CHECK_FALSE(sooner.answered());
  advance(1us);
  REQUIRE(sooner.answered());
  CHECK(sooner.get()->runs.empty());
  CHECK_FALSE(later.answered());
  advance(20s);
  REQUIRE(later.answered());
  CHECK(later.get()->runs.empty());
}

TEST_CASE_METHOD(claims_node, "claim: first come, first served among those who wait",
                 "[actors][claim][wait]") {
  const auto a = worker("a"), b = worker("b");
  auto first = send<claimed_runs>(wish(a, 30s));
  run();
  auto second = send<claimed_runs>(wish(b, 30s));
  run();
  submit(task("t"));
  CHECK(first.answered());
  CHECK_FALSE(second.answered());
  submit(task("t"));
  CHECK(second.answered());
}

TEST_CASE_METHOD(claims_node, "claim: who waits for a free slot gets the next run when it has one",
                 "[actors][claim][wait]") {
  const auto who = worker("robot", 1);
  submit(task("a"));
  const auto held = claim(who);
  REQUIRE(held.size() == 1);
  submit(task("b"));
  CHECK(claim(who).empty());
  auto waiting = send<claimed_runs>(wish(who, 30s));
  run();
  CHECK_FALSE(waiting.answered());
  REQUIRE(settle(held.front(), core::settle_kind::succeeded));
  REQUIRE(waiting.answered());
  CHECK(waiting.get()->runs.size() == 1);
}

TEST_CASE_METHOD(claims_node, "claim: what a delay or a lease gives back goes to who waits",
                 "[actors][claim][wait]") {
  const auto a = worker("a"), b = worker("b");
  submit(task("t"));
  messages::claim_runs m = wish(a, 0s);
  m.lease = 10s;
  REQUIRE(ask<claimed_runs>(m)->runs.size() == 1);
  auto waiting = send<claimed_runs>(wish(b, 30s));
  advance(10s);
  REQUIRE(waiting.answered());
  CHECK(waiting.get()->runs.size() == 1);
  auto again = send<claimed_runs>(wish(a, 30s));
  submit(task("delayed"), 5s);
  advance(5s);
  REQUIRE(again.answered());
  CHECK(again.get()->runs.size() == 1);
}

TEST_CASE_METHOD(claims_node, "claim: the wait of a session that ends is over", "[actors][claim][wait]") {
  const auto who = worker("robot");
  auto waiting = send<claimed_runs>(wish(who, 30s));
  run();
  REQUIRE(ask<messages::session_answer>(messages::end_session{who, "bye", false, "test"}));
  REQUIRE(waiting.answered());
  CHECK(waiting.get().refused_with(errc::not_found));
  submit(task("t"));
  CHECK(queue().counts.ready == 1);
}

TEST_CASE("claim: only so many may wait", "[actors][claim][wait]") {
  auto o = claims_node::without_limits();
  o.max_waiting_claims = 3;
  virtual_node node{o};
  const auto who = node.worker("robot", 10);
  messages::claim_runs m;
  m.who = who;
  m.wait = 30s;
  std::vector<tests::pending<claimed_runs>> waiting;
  for (int i = 0; i < 4; ++i) waiting.push_back(node.send<claimed_runs>(m));
  node.run();
  CHECK(waiting[3].answered());
  CHECK(waiting[3].get().refused_with(errc::overloaded));
  CHECK_FALSE(waiting[0].answered());
  node.advance(30s);
  for (auto& w : waiting) CHECK(w.answers() == 1);
  CHECK(node.ask<claimed_runs>(messages::claim_runs{who}));
}

TEST_CASE_METHOD(claims_node, "claim: nonsense is refused, with everything that is wrong",
                 "[actors][claim]") {
  messages::claim_runs m;
  m.who = worker("robot");
  m.max = 0;
  m.lease = 0s;
  m.wait = 2min;
  const auto answer = ask<claimed_runs>(m);
  REQUIRE(answer.refused_with(errc::invalid));
  CHECK(answer.error().problems.size() == 3);
  CHECK(ask<claimed_runs>(messages::claim_runs{core::session_id{12345}}).refused_with(errc::not_found));
}

TEST_CASE_METHOD(claims_node, "claim: of many who claim at once, each run has one winner",
                 "[actors][claim]") {
  std::vector<core::session_id> who;
  for (int i = 0; i < 8; ++i) who.push_back(worker("robot " + std::to_string(i), 5));
  for (int i = 0; i < 20; ++i) submit(task("t"));
  std::vector<tests::pending<claimed_runs>> all;
  for (const auto id : who) {
    auto m = wish(id, 0s);
    m.max = 5;
    all.push_back(send<claimed_runs>(m));
  }
  const auto commits = faults.commits;
  run();
  std::set<std::int64_t> runs;
  std::size_t won = 0;
  for (auto& p : all)
    for (const auto& one : p.get()->runs) {
      runs.insert(one.run.head.id.value);
      ++won;
    }
  CHECK(won == 20);
  CHECK(runs.size() == 20);
  CHECK(faults.commits - commits <= 2);  // they did not wait for each other
}

TEST_CASE_METHOD(claims_node, "claim: explain names what holds a run, for each state", "[actors][claim]") {
  const auto free = submit(task("free"));
  CHECK(explain(free.head.id).reasons.front().code == "no_capable_session");
  (void)worker("w");
  CHECK(explain(free.head.id).reasons.front().code == "no_session");
  const auto behind = submit(task("behind"));
  CHECK(explain(behind.head.id).position == 2);
  const auto later = submit(task("later"), 1h);
  REQUIRE_FALSE(explain(later.head.id).reasons.empty());
  const auto held = claim(worker("robot"));
  REQUIRE_FALSE(explain(held.front().run.head.id).reasons.empty());
}

TEST_CASE("claim: a full queue refuses more, and takes in again when there is room", "[actors][limits]") {
  auto o = claims_node::without_limits();
  o.max_queued = 3;
  virtual_node node{o};
  for (int i = 0; i < 3; ++i) node.submit(task("t"), i == 0 ? core::span{1h} : core::span{0});
  messages::submit_runs m;
  core::submission s;
  s.spec = std::make_shared<const core::run_spec>(task("too many"));
  m.runs.push_back(s);
  CHECK(node.ask<messages::submitted>(m).refused_with(errc::overloaded));
  REQUIRE(node.claim(node.worker("robot")).size() == 1);
  CHECK(node.ask<messages::submitted>(m));
  CHECK(node.ask<messages::submitted>(m).refused_with(errc::overloaded));
}

TEST_CASE_METHOD(claims_node, "claim: the board's leases equal the rows, whatever happens",
                 "[actors][claim]") {
  const auto a = worker("a", 5, "x"), b = worker("b", 5, "y");
  for (int i = 0; i < 12; ++i)
    submit(task("t" + std::to_string(i), priority::normal, i % 2 == 0 ? "even" : "odd"));
  const auto of_a = claim(a, 3, 10s);
  const auto of_b = claim(b, 4, 1h);
  REQUIRE(settle(of_a[0], core::settle_kind::succeeded));
  REQUIRE(settle(of_b[0], core::settle_kind::failed, core::failure_class::error));
  REQUIRE(settle(of_b[1], core::settle_kind::released));
  advance(10s);
  const auto compare = [this] {
    const auto q = queue();
    messages::list_runs l;
    l.page.limit = 500;
    l.filter.states = {run_state::claimed, run_state::running};
    const auto rows = read(l);
    REQUIRE(rows);
    CHECK(q.counts.live == rows->runs.size());
    std::map<std::string, std::size_t> lanes;
    for (const auto& r : rows->runs) ++lanes[r.head.lane];
    CHECK(q.live_by_lane == lanes);
    CHECK(q.counts.reserved == 0);
    l.filter.states = {run_state::queued};
    CHECK(q.counts.ready == read(l)->runs.size());
  };
  compare();
  restart();
  compare();
}
