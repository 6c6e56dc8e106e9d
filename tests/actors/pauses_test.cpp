// Pauses and drains of a whole node under virtual time.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::event_kind;
using core::run_state;
using messages::claimed_runs;
using messages::pauses_seen;
using tests::virtual_node;

namespace {

struct pauses_node : virtual_node {
  pauses_node() : virtual_node{outside_only()} {}
  static actors::node_options outside_only() {
    auto o = usual_options();
    o.executor.none = true;
    o.board.limits = {0, 0, 0, 0};
    return o;
  }
  core::result<pauses_seen> pause(core::pause_target on = {}, std::string reason = "manual",
                                  core::span length = 0s, std::string actor = "cli:alice") {
    core::pause_entry e{std::move(reason), {}, "because", core::never};
    if (length > 0s) e.until = now() + length;
    return ask<pauses_seen>(messages::set_pause{std::move(on), e, std::move(actor)});
  }
  core::result<pauses_seen> resume(core::pause_target on = {}, std::string reason = "manual") {
    return ask<pauses_seen>(messages::lift_pause{std::move(on), std::move(reason), {}, "cli:alice"});
  }
  core::result<pauses_seen> drain(core::span timeout, core::pause_target on = {},
                                  core::span resume_after = 0s) {
    core::pause_entry e{"drain", {}, "", core::never};
    e.deadline = now() + timeout;
    if (resume_after > 0s) e.until = now() + resume_after;
    return ask<pauses_seen>(messages::set_pause{std::move(on), e, "cli:alice"});
  }
  pauses_seen look(std::optional<core::pause_target> on = {}) {
    auto seen = ask<pauses_seen>(messages::look_at_pauses{std::move(on)});
    REQUIRE(seen);
    return *seen;
  }
  tests::pending<claimed_runs> wait_for_work(core::session_id who, core::span wait) {
    messages::claim_runs m;
    m.who = who;
    m.wait = wait;
    auto p = send<claimed_runs>(m);
    run();
    return p;
  }
  std::vector<std::string> codes(core::run_id id) {
    std::vector<std::string> all;
    for (const auto& r : explain(id).reasons) all.push_back(r.code);
    return all;
  }
  core::job_id a_job(const std::string& name) {
    messages::put_job m;
    m.definition.name = name;
    m.definition.spec = payload(name);
    m.definition.on_overlap = core::overlap::allow;
    m.definition.max_concurrent = 10;
    m.actor = "test";
    auto made = ask<messages::job_stored>(m);
    REQUIRE(made);
    return made->job.id;
  }
  core::run_id trigger(core::job_id id, bool force = false) {
    messages::trigger_job t;
    t.id = id;
    t.force = force;
    t.actor = "test";
    auto made = ask<messages::submitted>(t);
    REQUIRE(made);
    return made->runs.at(0).head.id;
  }
  using words = std::vector<std::string>;
};

}  // namespace

TEST_CASE_METHOD(pauses_node, "pause: nothing is claimed while the scheduler is paused, what runs goes on",
                 "[actors][pause]") {
  const auto who = worker("robot", 2);
  const auto first = submit(payload("first")).head.id;
  const auto held = claim(who);
  REQUIRE(held.size() == 1);
  REQUIRE(pause()->changed);
  CHECK_FALSE(pause()->changed);
  const auto second = submit(payload("second")).head.id;
  CHECK(claim(who).empty());
  CHECK(renew(held.front()));
  CHECK(settle(held.front(), core::settle_kind::succeeded));
  CHECK(state_of(first) == run_state::succeeded);
  CHECK(state_of(second) == run_state::queued);
  CHECK(codes(second).front() == "scheduler_paused");
  CHECK(queue().paused);
  CHECK(resume()->changed);
  CHECK_FALSE(resume()->changed);
  CHECK(claim(who).size() == 1);
  CHECK(count_events(event_kind::paused) == 1);
  CHECK(count_events(event_kind::resumed) == 1);
}

TEST_CASE_METHOD(pauses_node,
                 "pause: a claim that waits is told why it gets nothing, and served when it ends",
                 "[actors][pause]") {
  const auto who = worker("robot");
  REQUIRE(pause());
  const auto id = submit(payload("work")).head.id;
  auto at_once = wait_for_work(who, 0s);
  REQUIRE(at_once.answered());
  REQUIRE(at_once.get()->reasons.size() == 1);
  CHECK(at_once.get()->reasons.front().code == "scheduler_paused");
  auto patient = wait_for_work(who, 30s);
  CHECK_FALSE(patient.answered());
  advance(5s);
  CHECK_FALSE(patient.answered());
  REQUIRE(resume());
  REQUIRE(patient.answered());
  CHECK(patient.get()->runs.at(0).run.head.id == id);
}

TEST_CASE_METHOD(pauses_node,
                 "pause: it lifts itself at its instant and serves who waits, also over a restart",
                 "[actors][pause]") {
  const auto who = worker("robot");
  submit(payload("work"));
  REQUIRE(pause({}, "maintenance", 20s));
  const bool restarted = GENERATE(false, true);
  if (restarted) {
    crash();
    restart();
  }
  auto patient = wait_for_work(who, 60s);
  advance(19s);
  CHECK_FALSE(patient.answered());
  CHECK(look().pauses.size() == 1);
  advance(1s);
  REQUIRE(patient.answered());
  CHECK(patient.get()->runs.size() == 1);
  CHECK(look().pauses.empty());
  CHECK(count_events(event_kind::resumed) == 1);
}

TEST_CASE_METHOD(pauses_node, "pause: one whose time was over while the node was down holds nothing",
                 "[actors][pause]") {
  const auto who = worker("robot");
  submit(payload("work"));
  REQUIRE(pause({}, "maintenance", 20s));
  REQUIRE(pause({}, "quota", 1h));
  crash();
  jump(1min);
  restart();
  CHECK(look().pauses.size() == 1);
  CHECK(count_events(event_kind::resumed) == 1);
  CHECK(claim(who).empty());
  REQUIRE(resume({}, "quota"));
  CHECK(claim(who).size() == 1);
}

TEST_CASE_METHOD(pauses_node, "pause: workspace, job and agent type hold what is theirs, and nothing else",
                 "[actors][pause]") {
  auto blue = payload("blue");
  blue.needs.workspace = "blue";
  const auto in_blue = submit(blue).head.id;
  const auto job = a_job("nightly");
  const auto of_job = trigger(job);
  const auto plain = submit(payload("plain")).head.id;
  const auto who = worker("robot", 10, "python");
  REQUIRE(pause(core::the_workspace("blue")));
  REQUIRE(pause(core::the_job(job)));
  CHECK(codes(in_blue).front() == "workspace_paused");
  CHECK(codes(of_job).front() == "job_paused");
  auto got = claim(who, 10);
  REQUIRE(got.size() == 1);
  CHECK(got.front().run.head.id == plain);
  REQUIRE(pause(core::the_agent_type("python")));
  REQUIRE(resume(core::the_job(job)));
  CHECK(claim(who, 10).empty());
  const auto why = ask<messages::session_explanation>(messages::explain_session{who, {}});
  REQUIRE(why);
  CHECK(std::any_of(why->reasons.begin(), why->reasons.end(),
                    [](const auto& r) { return r.code == "agent_type_paused"; }));
  CHECK(claim(worker("other", 1, "go")).size() == 1);
}

TEST_CASE_METHOD(pauses_node, "pause: a job's queued runs wait; what is forced through the pause does not",
                 "[actors][pause]") {
  const auto job = a_job("nightly");
  const auto who = worker("robot", 10);
  const auto before = trigger(job);
  REQUIRE(ask<messages::job_stored>(messages::pause_job{job, "manual", "audit", "cli:bob"}));
  CHECK(claim(who, 10).empty());
  const auto forced = trigger(job, true);
  CHECK(explain(forced).reasons.front().code != "job_paused");
  auto got = claim(who, 10);
  REQUIRE(got.size() == 1);
  CHECK(got.front().run.head.id == forced);
  // Handed back it is still forced, also for a new process.
  REQUIRE(settle(got.front(), core::settle_kind::released));
  crash();
  restart();
  REQUIRE(claim(who, 10).size() == 1);
  REQUIRE(ask<messages::job_stored>(messages::resume_job{job, "manual", "cli:bob"}));
  got = claim(who, 10);
  REQUIRE(got.size() == 1);
  CHECK(got.front().run.head.id == before);
}

TEST_CASE_METHOD(pauses_node,
                 "pause: the store refuses what slipped through memory, and the run keeps its place",
                 "[actors][pause]") {
  const auto who = worker("robot");
  const auto id = submit(payload("work")).head.id;
  REQUIRE(pause());
  // Memory that thinks it is over, as if a commit had not been heard of.
  messages::runs_committed lie;
  lie.pauses.push_back({core::whole_scheduler(), {}, {}});
  mislead(lie);
  CHECK(claim(who).empty());
  CHECK(state_of(id) == run_state::queued);
  CHECK(find(id).head.fencing == 0);
  REQUIRE(resume());
  CHECK(claim(who).size() == 1);
}

TEST_CASE_METHOD(pauses_node, "pause: a state that cannot be read counts as paused until it can",
                 "[actors][pause]") {
  const auto who = worker("robot");
  submit(payload("work"));
  faults.pauses_unreadable = true;
  CHECK_FALSE(ask<messages::index_rebuilt>(messages::rebuild_index{"test"}));
  CHECK(claim(who).empty());
  CHECK_FALSE(look().known);
  CHECK(queue().paused);
  auto patient = wait_for_work(who, 30s);
  advance(5s);
  CHECK_FALSE(patient.answered());
  faults.pauses_unreadable = false;
  advance(2s);
  REQUIRE(patient.answered());
  CHECK(patient.get()->runs.size() == 1);
}

TEST_CASE_METHOD(pauses_node, "pause: a session lifts only its own", "[actors][pause]") {
  const auto who = to_string(worker("robot"));
  REQUIRE(pause());
  const auto no = ask<pauses_seen>(messages::lift_pause{core::whole_scheduler(), "manual", "operator", who});
  REQUIRE_FALSE(no);
  CHECK(no.error().code == errc::forbidden);
  CHECK_FALSE(ask<pauses_seen>(messages::lift_pause{core::whole_scheduler(), "manual", {}, who})->changed);
  REQUIRE(pause({}, "manual", 0s, who));
  CHECK(ask<pauses_seen>(messages::lift_pause{core::whole_scheduler(), "manual", {}, who})->changed);
  CHECK(look().pauses.size() == 1);
}

TEST_CASE_METHOD(pauses_node, "drain: it is over when no lease is live, said once, and it stays paused",
                 "[actors][pause][drain]") {
  const auto who = worker("robot", 2);
  submit(payload("a"));
  submit(payload("b"));
  const auto held = claim(who, 2);
  REQUIRE(held.size() == 2);
  const auto begun = drain(60s);
  REQUIRE(begun);
  CHECK(begun->live == 2);
  CHECK(begun->running.at(0).run == held[0].run.head.id);
  CHECK(begun->running.at(0).holder_name == "robot");
  REQUIRE(settle(held[0], core::settle_kind::succeeded));
  CHECK(look().live == 1);
  CHECK(count_events(event_kind::drained) == 0);
  advance(2min);  // the deadline is for who waits; the drain goes on
  CHECK(look().pauses.at(0).why.drained_at == core::never);
  REQUIRE(settle(held[1], core::settle_kind::succeeded));
  run();
  CHECK(look().live == 0);
  CHECK(look().pauses.at(0).why.drained_at == now());
  CHECK(count_events(event_kind::drained) == 1);
  submit(payload("c"));
  CHECK(claim(who).empty());
  CHECK(count_events(event_kind::drain_started) == 1);
  REQUIRE(resume({}, "drain"));
  CHECK(claim(who).size() == 1);
}

TEST_CASE_METHOD(pauses_node, "drain: a node that is killed in the middle goes on with it",
                 "[actors][pause][drain]") {
  const auto who = worker("robot", 2);
  submit(payload("a"));
  submit(payload("b"));
  const auto held = claim(who, 1);
  REQUIRE(drain(60s));
  crash();
  restart();
  CHECK(claim(who).empty());
  CHECK(look().live == 1);
  CHECK(count_events(event_kind::drained) == 0);
  REQUIRE(settle(held.front(), core::settle_kind::succeeded));
  run();
  CHECK(count_events(event_kind::drained) == 1);
  crash();
  restart();
  CHECK(count_events(event_kind::drained) == 1);
  CHECK(claim(who).empty());
}

TEST_CASE_METHOD(pauses_node, "drain: with nothing under way it is over at once; it can end by itself",
                 "[actors][pause][drain]") {
  const auto who = worker("robot");
  submit(payload("a"));
  REQUIRE(drain(0s, {}, 30s));
  run();
  CHECK(look().pauses.at(0).why.drained_at == now());
  advance(29s);
  CHECK(claim(who).empty());
  advance(1s);
  CHECK(claim(who).size() == 1);
}

TEST_CASE_METHOD(pauses_node, "drain: of a workspace it waits for what runs there",
                 "[actors][pause][drain]") {
  auto blue = payload("blue");
  blue.needs.workspace = "blue";
  messages::register_session r;
  r.who.name = "in-blue";
  r.who.agent_type = "python";
  r.who.workspace = "blue";
  r.actor = "test";
  const auto in_blue = ask<messages::session_answer>(r)->who.id;
  const auto other = worker("robot");
  submit(blue);
  submit(payload("plain"));
  const auto a = claim(in_blue), b = claim(other);
  REQUIRE(a.size() == 1);
  REQUIRE(b.size() == 1);
  CHECK(drain(60s, core::the_workspace("blue"))->live == 1);
  REQUIRE(settle(a.front(), core::settle_kind::succeeded));
  run();
  CHECK(count_events(event_kind::drained) == 1);
  CHECK(look(core::the_workspace("blue")).live == 0);
  CHECK(look().live == 1);
}

TEST_CASE("pause: time in it does not age a run, also after a restart", "[actors][pause]") {
  auto o = pauses_node::outside_only();
  o.board.ageing_step = 10min;
  virtual_node node{o};
  core::pause_entry e{"manual", {}, "", core::never};
  REQUIRE(node.ask<pauses_seen>(messages::set_pause{{}, e, "cli"}));
  node.submit(virtual_node::payload("old"));
  node.advance(1h);
  REQUIRE(node.ask<pauses_seen>(messages::lift_pause{{}, "manual", {}, "cli"}));
  node.crash();
  node.restart();
  auto high = virtual_node::payload("new");
  high.prio = core::priority::high;
  node.submit(high);
  const auto got = node.claim(node.worker("robot"));
  REQUIRE(got.size() == 1);
  CHECK(got.front().run.head.name == "new");
}

TEST_CASE_METHOD(pauses_node, "backoff: three resource failures in a row hold claims for half a second",
                 "[actors][pause][backoff]") {
  const auto who = worker("robot", 10);
  for (int i = 0; i < 4; ++i) {
    auto s = payload("n" + std::to_string(i));
    s.retry.max_attempts = 1;
    submit(s);
  }
  for (int i = 0; i < 3; ++i) {
    const auto got = claim(who);
    REQUIRE(got.size() == 1);
    REQUIRE(settle(got.front(), core::settle_kind::failed, core::failure_class::resource));
  }
  CHECK(claim(who).empty());
  auto patient = wait_for_work(who, 10s);
  advance(499ms);
  CHECK_FALSE(patient.answered());
  advance(1ms);
  CHECK(patient.answered());
}
