// A run whose condition says no is skipped; retries that give way to the job's next occurrence.
#include <catch2/catch.hpp>

#include "core/run/validate.hpp"
#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {

std::shared_ptr<run_spec> conditional() {
  auto s = a_spec();
  s->condition.shell = "test -e /tmp/ready";
  return s;
}

a_run of_a_job(instant next) {
  a_run r;
  r.head.job = job_id{5};
  r.next_occurrence = next;
  return r;
}

}  // namespace

TEST_CASE("condition: a run whose worker was told no is skipped, with the reason, and not tried again",
          "[core][run][condition]") {
  a_run r{conditional()};
  r.claim(true);
  REQUIRE(r.tell(r.settle(settle_kind::skipped, failure_class::none, "exit code 1")));
  CHECK(r.head.state == run_state::skipped);
  CHECK(r.head.reason == "condition: exit code 1");
  CHECK(r.head.last_class == failure_class::none);
  CHECK(r.head.ended_at == r.now);
  CHECK(r.head.used == 0);
  CHECK(r.step->finished);
  CHECK(r.step->ended->outcome == run_state::skipped);
  CHECK(r.told(event_kind::run_skipped));
  // Said again, it is the same answer.
  const auto before = r.head;
  REQUIRE(r.tell(r.settle(settle_kind::skipped, failure_class::none, "exit code 1")));
  CHECK(r.step->replayed);
  CHECK(r.head == before);
}

TEST_CASE("condition: a run without one is not skipped by its worker", "[core][run][condition]") {
  a_run r;
  r.claim(true);
  CHECK_FALSE(r.tell(r.settle(settle_kind::skipped)));
  CHECK(r.refused_with(errc::invalid_transition));
  CHECK(r.head.state == run_state::running);
}

TEST_CASE("condition: one that gave no answer is a failed attempt, tried again like any other",
          "[core][run][condition]") {
  a_run r{conditional()};
  r.claim(true);
  REQUIRE(r.tell(r.settle(settle_kind::failed, failure_class::error, "the condition gave no answer")));
  CHECK(r.head.state == run_state::retrying);
}

TEST_CASE("condition: an outside worker must know conditions, and need not when there is none",
          "[core][run][condition]") {
  run_spec s;
  s.name = "x";
  s.handler = handler_kind::none;
  s.process = {};
  s.condition.argv = {"check"};
  normalise(s);
  CHECK(s.needs.capabilities == std::vector<std::string>{std::string{asks_conditions}});
  CHECK(check(s, spec_limits{}, {}).empty());
  const auto once = s;
  normalise(s);
  CHECK(s == once);
  s.condition = {};
  normalise(s);
  CHECK(s.needs.capabilities.empty());
  // The node's own executors know them.
  s.handler = handler_kind::process;
  s.process.argv = {"true"};
  s.condition.argv = {"check"};
  normalise(s);
  CHECK(s.needs.capabilities.empty());
}

TEST_CASE("condition: what is wrong with one is told with its place", "[core][run][condition]") {
  auto s = *conditional();
  const auto first = [&] {
    const auto found = check(s, spec_limits{}, {});
    return found.empty() ? std::string{} : found.front().pointer;
  };
  CHECK(first().empty());
  s.condition.argv = {"both"};
  CHECK(first() == "/condition/argv");
  s.condition.shell.clear();
  CHECK(first().empty());
  s.condition.timeout = 0s;
  CHECK(first() == "/condition/timeout");
  s.condition.timeout = 2h;
  CHECK(first() == "/condition/timeout");
}

TEST_CASE("retry: one that would not start before the next occurrence is dropped, and the reason says so",
          "[core][run][retry]") {
  // The first retry comes a second later.
  for (const auto& [until_next, dropped] : {std::pair{500ms, true}, {1000ms, true}, {1001ms, false}}) {
    auto r = of_a_job(noon + until_next);
    r.claim(true);
    REQUIRE(r.tell(r.settle(settle_kind::failed, failure_class::error, "exit code 3")));
    INFO(until_next.count());
    CHECK(r.head.state == (dropped ? run_state::failed : run_state::retrying));
    CHECK((r.head.reason.find("retry_superseded") != std::string::npos) == dropped);
    CHECK(r.head.reason.find("exit code 3") != std::string::npos);
    if (!dropped) continue;
    CHECK(r.step->events.back().kind == event_kind::run_failed);
    CHECK(r.step->events.back().text.find("retry_superseded") != std::string::npos);
    CHECK(r.step->ended->message == "exit code 3");
    CHECK(r.step->finished);
  }
}

TEST_CASE("retry: a time-out gives way as well, a loss does not", "[core][run][retry]") {
  auto r = of_a_job(noon + 1ms);
  r.claim(true);
  r.now = r.head.held.deadline_at;
  REQUIRE(r.tell(cmd_overdue{1}));
  CHECK(r.head.state == run_state::timed_out);
  CHECK(r.head.reason.find("retry_superseded") != std::string::npos);
  auto lost = of_a_job(noon + 1ms);
  lost.claim(true);
  REQUIRE(lost.tell(cmd_lose{1, "died"}));
  CHECK(lost.head.state == run_state::queued);
}

TEST_CASE("retry: runs made or repeated by hand, and runs without a job, do not give way",
          "[core][run][retry]") {
  for (int which = 0; which < 3; ++which) {
    auto r = of_a_job(noon + 1ms);
    if (which == 0) r.head.manual = true;
    if (which == 1) r.head.predecessor = run_id{9};
    if (which == 2) r.head.job = {};
    r.claim(true);
    REQUIRE(r.tell(r.settle(settle_kind::failed, failure_class::error)));
    CHECK(r.head.state == run_state::retrying);
  }
}
