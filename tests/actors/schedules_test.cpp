// Jobs with schedules through the whole node, under virtual time.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::event_kind;
using core::run_state;
using core::skip_reason;
using tests::virtual_node;

namespace {

// It is 10:00:00.
messages::job_stored scheduled(virtual_node& node, const std::string& name, const std::string& schedule,
                               core::catch_up missed = core::catch_up::once) {
  messages::put_job m;
  m.definition.name = name;
  m.definition.spec = virtual_node::payload(name);
  m.definition.on_overlap = core::overlap::queue_all;
  m.definition.timing.schedule = schedule;
  m.definition.timing.policy.missed = missed;
  m.actor = "test";
  const auto made = node.ask<messages::job_stored>(std::move(m));
  REQUIRE(made);
  return *made;
}

std::vector<core::occurrence_line> lines_of(virtual_node& node, core::job_id id) {
  const auto page = node.read(messages::list_occurrences{id, core::never, 500});
  REQUIRE(page);
  return page->lines;
}

std::size_t runs_among(const std::vector<core::occurrence_line>& lines) {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [](const auto& l) { return bool{l.made.run}; }));
}

}  // namespace

TEST_CASE_METHOD(virtual_node, "schedule: a job fires at each of its times, and not in between",
                 "[actors][schedule]") {
  const auto job = scheduled(*this, "minutely", "* * * * *; zone UTC").job;
  CHECK(job.due == now() + 1min);
  advance(59s);
  CHECK(lines_of(*this, job.id).empty());
  advance(1s);
  REQUIRE(lines_of(*this, job.id).size() == 1);
  CHECK(state_of(lines_of(*this, job.id)[0].made.run) == run_state::queued);
  for (int i = 0; i < 9; ++i) advance(1min);
  const auto lines = lines_of(*this, job.id);
  CHECK(lines.size() == 10);
  CHECK(runs_among(lines) == 10);
  CHECK(std::none_of(lines.begin(), lines.end(), [](const auto& l) { return l.made.caught_up; }));
  CHECK(count_events(event_kind::job_fired) == 10);
}

TEST_CASE_METHOD(virtual_node,
                 "schedule: one that was made, edited and resumed while the node runs is followed",
                 "[actors][schedule]") {
  const auto job = scheduled(*this, "hourly", "0 * * * *; zone UTC").job;
  messages::put_job m;
  m.id = job.id;
  m.definition = *job.definition;
  m.definition.timing.schedule = "* * * * *; zone UTC";
  m.actor = "test";
  REQUIRE(ask<messages::job_stored>(std::move(m)));
  advance(1min);
  CHECK(runs_among(lines_of(*this, job.id)) == 1);
  REQUIRE(ask<messages::job_stored>(messages::pause_job{job.id, "manual", "", "test"}));
  advance(5min);
  CHECK(runs_among(lines_of(*this, job.id)) == 1);
  REQUIRE(ask<messages::job_stored>(messages::resume_job{job.id, "manual", "test"}));
  advance(1min);
  const auto lines = lines_of(*this, job.id);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].skipped.range.reason == skip_reason::paused);
  CHECK(lines[1].skipped.range.count == 5);
  CHECK(runs_among(lines) == 2);
}

TEST_CASE_METHOD(virtual_node, "schedule: a process that is killed forgets nothing and doubles nothing",
                 "[actors][schedule]") {
  const auto once = scheduled(*this, "once", "*/10 * * * *; zone UTC").job;
  const auto all = scheduled(*this, "all", "*/10 * * * *; zone UTC", core::catch_up::all).job;
  advance(10min);
  crash();
  time.advance(45min);  // 10:20, 10:30, 10:40 and 10:50 were missed
  restart();
  run();
  auto lines = lines_of(*this, once.id);
  CHECK(runs_among(lines) == 2);
  CHECK(lines.front().made.caught_up);
  CHECK(lines[1].skipped.range.count == 3);
  CHECK(runs_among(lines_of(*this, all.id)) == 5);
  crash();
  restart();
  run();
  CHECK(runs_among(lines_of(*this, once.id)) == 2);
  CHECK(runs_among(lines_of(*this, all.id)) == 5);
  advance(5min);  // 11:00
  CHECK(runs_among(lines_of(*this, once.id)) == 3);
  CHECK(runs_among(lines_of(*this, all.id)) == 6);
}

TEST_CASE_METHOD(virtual_node,
                 "schedule: a job that kills its node on catch-up is not given back to it for ever",
                 "[actors][schedule]") {
  const auto job = scheduled(*this, "deadly", "*/2 * * * *; zone UTC", core::catch_up::all).job;
  for (int i = 0; i < 5; ++i) {
    crash();
    time.advance(150s);
    restart();
    run();
  }
  const auto lines = lines_of(*this, job.id);
  CHECK(std::any_of(lines.begin(), lines.end(), [](const auto& l) {
    return !l.made.run && l.skipped.range.reason == skip_reason::crash_loop;
  }));
  CHECK(
      std::any_of(notes.begin(), notes.end(), [](const auto& n) { return n.find("crash-loop") != n.npos; }));
  // Times to come are planned as ever.
  const auto before = runs_among(lines);
  advance(2min);
  CHECK(runs_among(lines_of(*this, job.id)) == before + 1);
}

TEST_CASE_METHOD(virtual_node, "schedule: jumps of the wall clock are missed time, or nothing",
                 "[actors][schedule]") {
  const auto job = scheduled(*this, "hourly", "0 * * * *; zone UTC").job;
  jump(5h + 30min);
  advance(1min);
  CHECK(runs_among(lines_of(*this, job.id)) == 1);
  jump(-3h);
  advance(2min);
  CHECK(runs_among(lines_of(*this, job.id)) == 1);
  jump(3h);
  advance(30min);  // 16:00
  CHECK(runs_among(lines_of(*this, job.id)) == 2);
}

TEST_CASE_METHOD(virtual_node, "schedule: many jobs of one minute fire in it, one bite after the other",
                 "[actors][schedule]") {
  for (int i = 0; i < 350; ++i) scheduled(*this, "job-" + std::to_string(i), "* * * * *; zone UTC");
  advance(1min);
  CHECK(count_events(event_kind::job_fired) == 350);
}

TEST_CASE_METHOD(virtual_node, "schedule: what the store could not write is written a second later",
                 "[actors][schedule]") {
  const auto job = scheduled(*this, "minutely", "* * * * *; zone UTC").job;
  faults.every_commit = core::failure{core::errc::storage_full, "no room", {}, {}};
  advance(1min);
  CHECK(lines_of(*this, job.id).empty());
  faults.every_commit.reset();
  advance(5s);
  CHECK(runs_among(lines_of(*this, job.id)) == 1);
}

TEST_CASE("timing: ten thousand members of a minute delay a lone job by a bite, and fire all",
          "[actors][schedule][timing]") {
  virtual_node node;
  constexpr int members = 10'000;
  for (int i = 0; i < members; ++i) scheduled(node, "member-" + std::to_string(i), "* * * * *; zone UTC");
  const auto lone = scheduled(node, "lone", "@every 1m; zone UTC").job;
  node.faults.record = true;
  node.faults.seen.clear();
  node.advance(1min);
  std::size_t place = 0, plans = 0;
  for (const auto& set : node.faults.seen)
    if (const auto* plan = std::get_if<storage::plan_job>(&set.changes.front())) {
      ++plans;
      if (plan->id == lone.id) place = plans;
    }
  CHECK(plans == members + 1);
  CHECK(place > 0);
  CHECK(place <= 100);
  CHECK(node.queue().counts.ready == members + 1);
}

TEST_CASE_METHOD(virtual_node, "timing: a member that cannot be planned holds up nobody",
                 "[actors][schedule][timing]") {
  std::vector<core::job_id> jobs;
  for (int i = 0; i < 250; ++i)
    jobs.push_back(scheduled(*this, "member-" + std::to_string(i), "* * * * *; zone UTC").job.id);
  const auto bad = jobs[10];
  faults.touch = [bad](storage::change_set& set) {
    if (auto* plan = std::get_if<storage::plan_job>(&set.changes.front()); plan != nullptr && plan->id == bad)
      plan->id = core::job_id{1};  // a job that is not there: the set is refused
  };
  advance(1min);
  CHECK(count_events(event_kind::job_fired) == 249);
  CHECK(lines_of(*this, bad).empty());
  faults.touch = {};
}

TEST_CASE_METHOD(virtual_node, "timing: what is due is planned once, whoever asks and however often",
                 "[actors][schedule][timing]") {
  const auto a = scheduled(*this, "a", "* * * * *; zone UTC").job;
  const auto b = scheduled(*this, "b", "0 0 * * *; zone UTC").job;
  advance(1min);
  CHECK(runs_among(lines_of(*this, a.id)) == 1);
  const auto again = ask<messages::jobs_planned>(messages::plan_jobs{{a.id, b.id, core::job_id{1}}, "test"});
  REQUIRE(again);
  REQUIRE(again->answers.size() == 3);
  REQUIRE(again->answers[0]);
  CHECK(again->answers[0]->runs.empty());
  CHECK(again->answers[1]->runs.empty());
  CHECK(again->answers[2].refused_with(core::errc::not_found));
  CHECK(runs_among(lines_of(*this, a.id)) == 1);
}

TEST_CASE("timing: a node for one tick plans only what it is told, by the jobs' catch-up policies",
          "[actors][schedule][timing]") {
  virtual_node node;
  const auto a = scheduled(node, "a", "*/10 * * * *; zone UTC").job;
  const auto b = scheduled(node, "b", "*/10 * * * *; zone UTC; jitter 1m").job;
  node.crash();
  node.time.advance(35min);  // 10:10, 10:20 and 10:30 were missed
  node.options.plans = false;
  node.restart();
  node.run();
  node.advance(6min);
  CHECK(lines_of(node, a.id).empty());
  const auto planned = node.ask<messages::jobs_planned>(messages::plan_jobs{{a.id}, "cli:cron"});
  REQUIRE(planned);
  REQUIRE(planned->answers[0]);
  CHECK(planned->answers[0]->runs.size() == 1);
  const auto lines = lines_of(node, a.id);
  CHECK(runs_among(lines) == 1);
  CHECK(lines.size() == 2);  // the others are one range, with its reason
  CHECK(lines_of(node, b.id).empty());
}

TEST_CASE_METHOD(virtual_node,
                 "schedule: a hundred ticks missed, or a year of them: one decision and no storm",
                 "[actors][schedule]") {
  for (const core::span away : {core::span{100min}, core::span{24h * 365}}) {
    const auto before = count_events(event_kind::job_fired);
    std::vector<core::job_id> jobs;
    for (int i = 0; i < 20; ++i)
      jobs.push_back(scheduled(*this, "job-" + std::to_string(i) + "-" + std::to_string(away.count()),
                               "* * * * *; zone UTC")
                         .job.id);
    crash();
    time.advance(away);
    restart();
    run();
    for (const auto id : jobs) {
      const auto lines = lines_of(*this, id);
      CHECK(runs_among(lines) == 1);
      CHECK(lines.size() <= 4);
    }
    CHECK(count_events(event_kind::job_fired) == before + jobs.size());
    for (const auto id : jobs) REQUIRE(ask<messages::job_stored>(messages::archive_job{id, "test"}));
  }
}

TEST_CASE_METHOD(virtual_node, "schedule: under a limit of the node the starts of one night are spread out",
                 "[actors][schedule][fires]") {
  messages::change_limits limits;
  limits.limits.fires = 5;
  limits.limits.fire_window = 10min;
  limits.actor = "test";
  REQUIRE(ask<messages::queue_state>(limits));
  std::vector<core::job_id> jobs;
  for (int i = 0; i < 20; ++i)
    jobs.push_back(scheduled(*this, "job-" + std::to_string(i), "0 * * * *; zone UTC").job.id);
  crash();
  time.advance(12h + 5min);
  restart();
  run();
  const auto in = [&](run_state s) {
    return std::count_if(jobs.begin(), jobs.end(), [&](core::job_id id) {
      return state_of(lines_of(*this, id).front().made.run) == s;
    });
  };
  CHECK(in(run_state::queued) == 5);
  CHECK(in(run_state::scheduled) == 15);
  advance(10min);
  CHECK(in(run_state::queued) == 10);
  advance(10min);
  CHECK(in(run_state::queued) == 15);
  advance(10min);
  CHECK(in(run_state::queued) == 20);
}
