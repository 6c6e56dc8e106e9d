// When a job is over, in every store: after the final outcome of its last run, in the commit that writes it.
#include <algorithm>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::job_state;
using core::overlap;
using core::run_state;
using core::settle_kind;

namespace {

constexpr auto hourly = "0 * * * *; zone UTC";
constexpr auto at_eleven = "@at 2026-11-21T11:00:00Z; zone UTC";

core::job_definition planned(const std::string& schedule, std::int64_t most = 0,
                             overlap policy = overlap::allow) {
  auto d = a_job("planned");
  d.timing.schedule = schedule;
  d.timing.policy.most_runs = most;
  d.on_overlap = policy;
  d.max_concurrent = policy == overlap::allow ? 1'000 : 1;
  return d;
}

core::job_definition until_successes(std::int64_t most, const std::string& schedule = hourly) {
  auto d = planned(schedule, most);
  d.timing.policy.most_runs_of = core::run_count::successes;
  return d;
}

template <class F>
core::job_id stored(F& f, core::job_definition d) {
  return f.does(st::put_job{{}, 0, std::move(d)}).jobs.at(0).id;
}

template <class F>
core::job row(F& f, core::job_id id) {
  auto j = f.read().find_job(id);
  REQUIRE(j.ok());
  return std::move(*j);
}

template <class F>
job_state state(F& f, core::job_id id) {
  return row(f, id).state;
}

template <class F>
std::vector<core::run_id> plan(F& f, core::job_id id) {
  std::vector<core::run_id> made;
  for (const auto& r : f.does(st::plan_job{id}).runs) made.push_back(r.head.id);
  return made;
}

// An hour later: the run that is planned then.
template <class F>
core::run_id next_run(F& f, core::job_id id) {
  f.now += 1h;
  const auto made = plan(f, id);
  REQUIRE(made.size() == 1);
  return made.front();
}

// As an export says it of that job.
st::put_job line_of(const core::job& j, core::job_definition d, bool replace) {
  st::put_job c;
  c.definition = std::move(d);
  c.import = std::make_shared<const core::import_terms>(core::import_terms{core::past_of(j), replace, false});
  return c;
}

template <class F>
std::int64_t completions(F& f) {
  const auto all = f.events();
  return std::count_if(all.begin(), all.end(),
                       [](const auto& e) { return e.kind == event_kind::job_completed; });
}

}  // namespace

TEMPLATE_TEST_CASE("completion: a one-time job is active until its run has had its final outcome",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = planned(at_eleven);
  d.spec.retry.max_attempts = 2;
  const auto id = stored(f, d);
  const auto run = next_run(f, id);
  CHECK(state(f, id) == job_state::active);
  CHECK(row(f, id).due == core::never);
  CHECK(f.does(st::plan_job{id}).replayed);
  // A failure that is tried again is no end.
  f.finish(run, settle_kind::failed, core::failure_class::error);
  CHECK(f.head(run).state == run_state::retrying);
  CHECK(state(f, id) == job_state::active);
  f.now += 1h;
  f.step(run, core::cmd_wake{});
  CHECK(completions(f) == 0);
  const auto before = f.events().size();
  const auto ended = f.does(st::step_run{run, f.settle(f.claim(run), settle_kind::failed)});
  CHECK(ended.runs.at(0).head.state == run_state::failed);
  // In the same commit, and in its receipt.
  REQUIRE(ended.jobs.size() == 1);
  CHECK(ended.jobs[0].state == job_state::completed);
  CHECK(state(f, id) == job_state::completed);
  CHECK(completions(f) == 1);
  CHECK(f.events().size() > before);
  // What is redriven later is a run of a job that stays completed.
  const auto again = f.does(st::redrive_run{run}).runs.at(0).head.id;
  CHECK(state(f, id) == job_state::completed);
  f.finish(again);
  CHECK(state(f, id) == job_state::completed);
  CHECK(completions(f) == 1);
}

TEMPLATE_TEST_CASE("completion: a node that dies before, and one that dies after, find the same",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(at_eleven));
  const auto run = next_run(f, id);
  f.reopen();
  const auto held = f.claim(run);
  REQUIRE(f.apply(st::step_run{run, f.settle(held)}).ok());
  f.store().rollback();
  CHECK(state(f, id) == job_state::active);
  f.reopen();
  CHECK(state(f, id) == job_state::active);
  f.step(run, f.settle(held));
  CHECK(state(f, id) == job_state::completed);
  f.reopen();
  CHECK(state(f, id) == job_state::completed);
  CHECK(completions(f) == 1);
}

TEMPLATE_TEST_CASE("completion: what was taken back is completed by the next attempt to say it",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(at_eleven));
  const auto run = next_run(f, id);
  const auto held = f.claim(run);
  REQUIRE(f.apply(st::step_run{run, f.settle(held)}).ok());
  f.store().rollback();
  // The second change is refused, and takes the first one along.
  REQUIRE_FALSE(
      f.store().apply(f.set({st::step_run{run, f.settle(held)}, st::archive_job{core::job_id{5}}})).ok());
  f.commit();
  CHECK(state(f, id) == job_state::active);
  f.step(run, f.settle(held));
  CHECK(state(f, id) == job_state::completed);
}

TEMPLATE_TEST_CASE("completion: every open run is waited for, by hand or not", "[jobs][schedule][completion]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(hourly, 2));
  const auto first = next_run(f, id);
  const auto last = next_run(f, id);
  const auto by_hand = f.does(st::trigger_job{id}).runs.at(0).head.id;
  f.finish(last);
  CHECK(state(f, id) == job_state::active);
  f.does(st::step_run{first, core::cmd_cancel{"enough"}});
  CHECK(state(f, id) == job_state::active);
  f.finish(by_hand);
  CHECK(state(f, id) == job_state::completed);
  CHECK(f.refuses(st::trigger_job{id}).code == errc::invalid_transition);
}

TEMPLATE_TEST_CASE("completion: a last occurrence that is skipped leaves the run before it to be waited for",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(hourly, 2, overlap::skip));
  const auto open = next_run(f, id);
  const auto skipped = next_run(f, id);
  CHECK(f.head(skipped).state == run_state::skipped);
  CHECK(state(f, id) == job_state::active);
  f.finish(open);
  CHECK(state(f, id) == job_state::completed);
}

TEMPLATE_TEST_CASE("completion: where nothing is made and nothing is open, the plan completes",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = planned(at_eleven);
  d.timing.policy.missed = core::catch_up::skip;
  const auto id = stored(f, d);
  f.now += 5h;
  const auto done = f.does(st::plan_job{id});
  CHECK(done.runs.empty());
  CHECK(done.jobs.at(0).state == job_state::completed);
  CHECK(completions(f) == 1);
}

TEMPLATE_TEST_CASE("completion: a replaced run does not complete the job of the one that replaced it",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(hourly, 2, overlap::replace));
  const auto first = next_run(f, id);
  const auto last = next_run(f, id);
  CHECK(f.head(first).state == run_state::cancelled);
  CHECK(state(f, id) == job_state::active);
  f.finish(last);
  CHECK(state(f, id) == job_state::completed);
}

TEMPLATE_TEST_CASE("completion: a job that is paused meanwhile is completed when it is resumed",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto one = stored(f, planned(at_eleven));
  const auto run = next_run(f, one);
  const auto held = f.claim(run);
  f.does(st::pause_job{one, {"manual", {}, "", f.now}});
  f.step(run, f.settle(held));
  CHECK(state(f, one) == job_state::paused);
  CHECK(completions(f) == 0);
  CHECK(f.does(st::resume_job{one, "manual"}).jobs.at(0).state == job_state::completed);
  // Its number of runs is used up, though its schedule has more.
  auto d = planned(hourly, 1);
  d.name = d.spec.name = "counted";
  const auto counted = stored(f, d);
  const auto last = next_run(f, counted);
  f.does(st::pause_job{counted, {"manual", {}, "", f.now}});
  const auto resumed = f.does(st::resume_job{counted, "manual"}).jobs.at(0);
  CHECK(resumed.state == job_state::active);
  CHECK(resumed.due == core::never);
  f.finish(last);
  CHECK(state(f, counted) == job_state::completed);
}

TEMPLATE_TEST_CASE("completion: an edit that gives a waiting job more time lets it go on",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(hourly, 1));
  const auto run = next_run(f, id);
  CHECK(row(f, id).due == core::never);
  const auto more = f.does(st::put_job{id, 0, planned(hourly, 2)}).jobs.at(0);
  CHECK(more.state == job_state::active);
  CHECK(more.due == f.now + 1h);
  f.finish(run);
  CHECK(state(f, id) == job_state::active);
  const auto last = next_run(f, id);
  // Words alone change nothing of that.
  auto described = planned(hourly, 2);
  described.description = "the last one is under way";
  CHECK(f.does(st::put_job{id, 0, described}).jobs.at(0).state == job_state::active);
  f.finish(last);
  CHECK(state(f, id) == job_state::completed);
  // Without a schedule it is one that runs by hand.
  const auto by_hand = f.does(st::put_job{id, 0, a_job("planned")}).jobs.at(0);
  CHECK(by_hand.state == job_state::active);
  f.finish(f.does(st::trigger_job{id}).runs.at(0).head.id);
  CHECK(state(f, id) == job_state::active);
}

TEMPLATE_TEST_CASE("completion: an archived job is not completed", "[jobs][schedule][completion]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(at_eleven));
  const auto run = next_run(f, id);
  f.does(st::archive_job{id});
  f.finish(run);
  CHECK(state(f, id) == job_state::archived);
  CHECK(completions(f) == 0);
}

TEMPLATE_TEST_CASE("completion: whoever waits for the end of a job hears of it in that commit",
                   "[jobs][events][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto after = planned("@event job_completed where job=planned; zone UTC");
  after.name = after.spec.name = "after";
  stored(f, after);
  const auto id = stored(f, planned(at_eleven));
  const auto run = next_run(f, id);
  const auto ended = f.does(st::step_run{run, f.settle(f.claim(run))});
  REQUIRE(ended.also.size() == 1);
  CHECK(ended.also.front().head.name == "after");
}

TEMPLATE_TEST_CASE("completion: a job that counts successes goes on until so many have succeeded",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, until_successes(2));
  CHECK(row(f, id).definition->timing.policy.most_runs_of == core::run_count::successes);
  f.fail_for_good(next_run(f, id));
  CHECK(row(f, id).cursor.succeeded == 0);
  f.finish(next_run(f, id));
  CHECK(row(f, id).cursor.succeeded == 1);
  f.reopen();
  CHECK(row(f, id).cursor.succeeded == 1);
  // By hand is not planned.
  f.finish(f.does(st::trigger_job{id}).runs.at(0).head.id);
  CHECK(row(f, id).cursor.succeeded == 1);
  f.fail_for_good(next_run(f, id));
  f.finish(next_run(f, id));
  CHECK(row(f, id).cursor.succeeded == 2);
  CHECK(row(f, id).cursor.made == 4);
  CHECK(state(f, id) == job_state::completed);
  CHECK(f.read().due_jobs({}, 10)->empty());
}

TEMPLATE_TEST_CASE("completion: no more are under way than successes are left to make",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  for (const auto policy : {overlap::allow, overlap::queue_all, overlap::replace}) {
    auto d = until_successes(1);
    d.name = d.spec.name = "policy-" + std::string{to_text(policy)};
    d.on_overlap = policy;
    d.max_concurrent = policy == overlap::allow ? 10 : 1;
    const auto id = stored(f, d);
    const auto open = next_run(f, id);
    const auto held_back = next_run(f, id);
    CHECK(f.head(open).state == run_state::queued);
    CHECK(f.head(held_back).state == run_state::skipped);
    CHECK(f.head(held_back).reason == "max_runs: 0 of 1 successes, and 1 more under way");
    // The one that might have been the last was not.
    f.fail_for_good(open);
    CHECK(state(f, id) == job_state::active);
    const auto last = next_run(f, id);
    CHECK(f.head(last).state == run_state::queued);
    f.finish(last);
    CHECK(state(f, id) == job_state::completed);
  }
}

TEMPLATE_TEST_CASE("completion: many that are caught up are as many as successes are left",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = until_successes(3);
  d.timing.policy.missed = core::catch_up::all;
  const auto id = stored(f, d);
  f.finish(next_run(f, id));
  f.now += 6h;
  const auto made = f.does(st::plan_job{id}).runs;
  CHECK(std::count_if(made.begin(), made.end(),
                      [](const auto& r) { return r.head.state == run_state::queued; }) == 2);
}

TEMPLATE_TEST_CASE("completion: a redrive that succeeds is a success of its planned run",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, until_successes(1));
  const auto run = next_run(f, id);
  f.fail_for_good(run);
  f.finish(f.does(st::redrive_run{run}).runs.at(0).head.id);
  CHECK(state(f, id) == job_state::completed);
}

TEMPLATE_TEST_CASE("completion: successes are counted from when the job says so, also while it is paused",
                   "[jobs][schedule][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(hourly, 9));
  f.finish(next_run(f, id));
  CHECK(row(f, id).cursor.succeeded == 0);
  f.does(st::put_job{id, 0, until_successes(2)});
  const auto held = f.claim(next_run(f, id));
  f.does(st::pause_job{id, {"manual", {}, "", f.now}});
  f.step(held.id, f.settle(held));
  CHECK(row(f, id).cursor.succeeded == 1);
  f.reopen();
  f.does(st::resume_job{id, "manual"});
  CHECK(row(f, id).due == f.now + 1h);
  // Fewer than there were are refused; counting something else forgets them.
  const auto no = f.refuses(st::put_job{id, 0, until_successes(1)});
  CHECK(no.problems.at(0).pointer == "/max_runs");
  f.does(st::put_job{id, 0, planned(hourly, 9)});
  CHECK(row(f, id).cursor.succeeded == 0);
}

TEMPLATE_TEST_CASE("completion: a job of events counts successes too", "[jobs][events][completion]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, until_successes(1, "@event deploy.finished; zone UTC"));
  const auto deploy = [&] { return f.does(st::emit_event{{"deploy.finished", {}}}).runs; };
  const auto first = deploy().at(0).head.id;
  CHECK(deploy().at(0).head.state == run_state::skipped);
  f.fail_for_good(first);
  CHECK(state(f, id) == job_state::active);
  f.finish(deploy().at(0).head.id);
  CHECK(state(f, id) == job_state::completed);
  CHECK(deploy().empty());
}

TEMPLATE_TEST_CASE("completion: a line of a job whose last run is elsewhere arrives as one that is over",
                   "[jobs][import][completion]", sqlite_kind, memory_kind) {
  fixture<TestType> there, here;
  const auto id = stored(there, planned(at_eleven));
  (void)next_run(there, id);
  const auto waiting = row(there, id);
  here.now = there.now;
  const auto line = line_of(waiting, *waiting.definition, false);
  CHECK(here.does(line).jobs.at(0).state == job_state::completed);
  CHECK(here.does(line).imported == core::import_verdict::unchanged);
  // Where the run is, the job waits for it.
  const auto same = there.does(line);
  CHECK(same.jobs.at(0).state == job_state::active);
}

TEMPLATE_TEST_CASE("completion: what an edit does to a schedule is told by its event, old and new",
                   "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = stored(f, planned(hourly));
  f.does(st::put_job{id, 0, planned("@every 5m; zone UTC")});
  CHECK(f.events().back().kind == event_kind::job_replaced);
  CHECK(f.events().back().text ==
        "planned revision=2 schedule \"0 * * * *; zone UTC\" -> \"@every 5m; zone UTC\"");
  auto far = row(f, id);
  far.updated_at = f.now + 1h;
  f.does(line_of(far, planned("@every 7m; zone UTC"), true));
  CHECK(f.events().back().text.find("\"@every 5m; zone UTC\" -> \"@every 7m; zone UTC\"") !=
        std::string::npos);
}
