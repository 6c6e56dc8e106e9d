#include "core/job/completion.hpp"

#include <catch2/catch.hpp>

#include "core/job/outlook.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const instant day = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};

job ending(std::string schedule = "@at 2026-11-21T11:00:00Z; zone UTC", plan_policy policy = {}) {
  auto d = std::make_shared<job_definition>();
  d->name = "once";
  d->timing.schedule = std::move(schedule);
  d->timing.policy = policy;
  job j;
  j.cursor.covered = day;
  j.definition = std::move(d);
  return j;
}

}  // namespace

TEST_CASE("completion: a job of which nothing is due waits for its open runs, then it is complete",
          "[core][job][schedule]") {
  CHECK(decide_end(ending(), 2) == job_end::waits);
  CHECK(decide_end(ending(), 0) == job_end::complete);
}

TEST_CASE("completion: whatever is due, held, by hand or over goes on as it is", "[core][job][schedule]") {
  auto due = ending();
  due.due = day + 1h;
  CHECK(decide_end(due, 0) == job_end::goes_on);
  CHECK(decide_end(ending(""), 0) == job_end::goes_on);
  auto paused = ending();
  paused.state = job_state::paused;
  paused.pauses.push_back({"manual", {}, "", day});
  CHECK(decide_end(paused, 0) == job_end::goes_on);
  for (const auto state : {job_state::completed, job_state::archived}) {
    auto over = ending();
    over.state = state;
    CHECK(decide_end(over, 0) == job_end::goes_on);
  }
}

TEST_CASE("completion: a job that waits for events ends by its number of runs or by its end alone",
          "[core][job][schedule]") {
  CHECK(decide_end(ending("@event deploy.finished; zone UTC"), 0) == job_end::goes_on);
  CHECK(decide_end(ending("@event deploy.finished; zone UTC; end 2026-11-21T11:00:00Z"), 0) ==
        job_end::complete);
  plan_policy two;
  two.most_runs = 2;
  auto j = ending("@event deploy.finished; zone UTC", two);
  j.cursor.made = 1;
  CHECK(decide_end(j, 0) == job_end::goes_on);
  j.cursor.made = 2;
  CHECK(decide_end(j, 1) == job_end::waits);
  CHECK(decide_end(j, 0) == job_end::complete);
}

TEST_CASE("completion: max_runs counts what it says", "[core][job][schedule]") {
  plan_policy p;
  plan_cursor c;
  c.made = 1'000;
  CHECK_FALSE(used_up(p, c));
  CHECK_FALSE(counts_successes(p));
  p.most_runs = 3;
  CHECK(used_up(p, c));
  p.most_runs_of = run_count::successes;
  CHECK_FALSE(used_up(p, c));
  CHECK(runs_left(p, c) == 3);
  c.succeeded = 3;
  CHECK(used_up(p, c));
  CHECK(check(p, "").empty());
  p.most_runs = 0;
  REQUIRE(check(p, "").size() == 1);
  CHECK(check(p, "").front().pointer == "/max_runs_of");
  for (const auto what : {run_count::runs, run_count::successes})
    CHECK(run_count_from(to_text(what)) == what);
  CHECK_FALSE(run_count_from("failures"));
}

TEST_CASE("completion: what a job waits for is told with its run", "[core][job]") {
  CHECK(ending_text(ending(), {{run_id{7}, true}}) ==
        "no further runs are planned; it is completed when " + to_string(run_id{7}) + " has ended");
  CHECK(ending_text(ending(), {{run_id{7}, true}, {run_id{8}, false}}).find("its 2 open runs have ended") !=
        std::string::npos);
  auto due = ending();
  due.due = day + 1h;
  CHECK(ending_text(due, {{run_id{7}, true}}).empty());
}
