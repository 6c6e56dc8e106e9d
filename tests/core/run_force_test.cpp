#include <catch2/catch.hpp>

#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {

constexpr run_state open_states[] = {run_state::blocked,  run_state::scheduled, run_state::queued,
                                     run_state::retrying, run_state::parked,    run_state::needs_attention};
constexpr run_state ends[] = {run_state::succeeded, run_state::failed,    run_state::timed_out,
                              run_state::lost,      run_state::cancelled, run_state::skipped};

}  // namespace

TEST_CASE("force release: the run is queued at its old place, and nothing is counted", "[core][run][force]") {
  for (const bool started : {false, true}) {
    a_run r;
    const auto since = r.head.eligible_since;
    r.claim(started);
    r.now += 10min;
    REQUIRE(r.tell(cmd_force_release{"its host is gone"}));
    CHECK(r.head.state == run_state::queued);
    CHECK(r.head.eligible_since == since);
    CHECK(r.head.used == 0);
    CHECK(r.head.losses == 0);
    CHECK_FALSE(r.head.held.holder);
    CHECK(r.head.reason == "released by test: its host is gone");
    CHECK(r.told(event_kind::run_force_released));
    CHECK(r.told(event_kind::run_released));
    REQUIRE(r.records.size() == 1);
    CHECK(r.records.at(1).outcome == run_state::queued);
    CHECK(r.records.at(1).stopped_with == "operator");
    CHECK(r.records.at(1).holder == worker);
    REQUIRE(r.claim());
    CHECK(r.head.fencing == 2);
    CHECK(r.head.attempt == 2);
  }
}

TEST_CASE("force release: whoever had the run is refused as stale, and its success is kept",
          "[core][run][force]") {
  for (const bool taken_again : {false, true}) {
    a_run r;
    r.claim(true);
    const auto late = r.settle(settle_kind::succeeded);
    const auto renewal = cmd_renew{r.proof()};
    REQUIRE(r.tell(cmd_force_release{"stuck"}));
    if (taken_again) r.claim(true);
    const auto before = r.head;
    CHECK_FALSE(r.tell(renewal));
    CHECK(r.refused_with(errc::stale_lease));
    CHECK_FALSE(r.tell(late));
    CHECK(r.refused_with(errc::stale_lease));
    CHECK(r.no->why.text.find("was taken away at") != std::string::npos);
    REQUIRE(r.no->late);
    CHECK(r.no->late->kind == "stale_settle");
    CHECK(r.head == before);
    const auto earlier = r.records.at(1);
    const auto again = decide(r.head, {nullptr, &earlier}, late, "test", r.now);
    REQUIRE(std::get<run_refusal>(again).said);
    CHECK(std::get<run_refusal>(again).said->stopped_with.empty());
  }
}

TEST_CASE("force release: a run that was to be cancelled is not given to anybody else",
          "[core][run][force]") {
  a_run r;
  r.claim(true);
  r.tell(cmd_cancel{"enough"});
  REQUIRE(r.tell(cmd_force_release{"it does not stop"}));
  CHECK(r.head.state == run_state::cancelled);
  CHECK(r.head.reason == "enough");
  CHECK(r.step->finished);
  CHECK(r.records.at(1).outcome == run_state::cancelled);
}

TEST_CASE("force release: refused where nobody has the run", "[core][run][force]") {
  for (const auto s : open_states) {
    a_run r;
    r.head.state = s;
    CHECK_FALSE(r.tell(cmd_force_release{"x"}));
    CHECK(r.refused_with(errc::invalid_transition));
    CHECK(r.no->why.text.find("claimed or running") != std::string::npos);
  }
}

TEST_CASE("force fail: from wherever a run stands it becomes a dead letter", "[core][run][force]") {
  for (const auto s : open_states) {
    a_run r;
    r.head.state = s;
    REQUIRE(r.tell(cmd_force_fail{"nobody needs it"}));
    CHECK(r.head.state == run_state::failed);
    CHECK(r.head.last_class == failure_class::permanent);
    CHECK(r.head.reason == "failed by test: nobody needs it");
    CHECK(r.head.used == 0);
    CHECK(r.head.due_at == never);
    CHECK(r.step->finished);
    CHECK_FALSE(r.step->ended);
    CHECK(r.told(event_kind::run_force_failed));
    CHECK(r.told(event_kind::run_failed));
    CHECK(decide_redrive(r.head, r.spec, std::nullopt, "test").ok());
  }
  a_run held;
  held.claim(true);
  const auto late = held.settle(settle_kind::failed, failure_class::permanent);
  REQUIRE(held.tell(cmd_force_fail{"broken"}));
  CHECK(held.head.state == run_state::failed);
  CHECK(held.head.used == 1);
  CHECK(held.records.at(1).klass == failure_class::permanent);
  CHECK_FALSE(held.tell(late));
  CHECK(held.refused_with(errc::stale_lease));
  for (const auto s : ends) {
    a_run r;
    r.head.state = s;
    CHECK_FALSE(r.tell(cmd_force_fail{"x"}));
    CHECK(r.refused_with(errc::invalid_transition));
  }
}

TEST_CASE("recover: only what needs attention is closed for its successor", "[core][run][force]") {
  a_run r;
  r.head.state = run_state::needs_attention;
  REQUIRE(r.tell(cmd_recover{"a worker is there now"}));
  CHECK(r.head.state == run_state::cancelled);
  CHECK(r.told(event_kind::run_recovered));
  CHECK(r.told(event_kind::run_cancelled));
  const auto next = decide_redrive(r.head, r.spec, std::nullopt, "test");
  REQUIRE(next.ok());
  CHECK(next->predecessor == r.head.id);
  for (const auto& t : transitions()) {
    if (t.from == run_state::needs_attention) continue;
    a_run other;
    other.head.state = t.from;
    CHECK_FALSE(other.tell(cmd_recover{"x"}));
    CHECK(other.refused_with(errc::invalid_transition));
  }
}

TEST_CASE("force: a reason is required, and the refusal names the field", "[core][run][force]") {
  a_run r;
  r.claim(true);
  for (const run_command& c : {run_command{cmd_force_release{""}}, run_command{cmd_force_fail{""}},
                               run_command{cmd_recover{std::string(2000, 'x')}}}) {
    CHECK_FALSE(r.tell(c));
    REQUIRE(r.refused_with(errc::invalid));
    CHECK(r.no->why.problems.at(0).pointer == "/reason");
  }
  CHECK(r.head.state == run_state::running);
}

TEST_CASE("expectation: whoever looked at an older state is told what is new", "[core][run][force]") {
  a_run r;
  r.claim(true);
  CHECK_FALSE(refuse_unexpected(r.head, {}));
  CHECK_FALSE(refuse_unexpected(r.head, {run_state::running, 1, {}}));
  const auto old = refuse_unexpected(r.head, {run_state::claimed, 0, {}});
  REQUIRE(old);
  CHECK(old->code == errc::precondition_failed);
  REQUIRE(old->problems.size() == 2);
  CHECK(old->problems[0].pointer == "/if_state");
  CHECK(old->problems[0].allowed == "running");
  CHECK(old->problems[1].pointer == "/if_fencing");
  CHECK(old->text.find("fencing number 1") != std::string::npos);
}

TEST_CASE("expectation: an agent may touch what it holds or has submitted", "[core][run][force]") {
  a_run r;
  r.claim(true);
  CHECK_FALSE(refuse_unexpected(r.head, {{}, {}, to_string(worker)}));
  const auto other = to_string(session_id{8});
  REQUIRE(refuse_unexpected(r.head, {{}, {}, other}));
  CHECK(refuse_unexpected(r.head, {{}, {}, other})->code == errc::forbidden);
  r.head.created_by = other;
  CHECK_FALSE(refuse_unexpected(r.head, {{}, {}, other}));
}
