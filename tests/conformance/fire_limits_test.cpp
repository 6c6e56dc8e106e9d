// Fire limits of workspaces and of the node, retries that give way, and runs whose condition said no: in
// every store.
#include <algorithm>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::fire_scope;
using core::run_state;
using core::skip_reason;

namespace {

constexpr auto at_eleven = "0 * * * *; zone UTC";

core::job_definition fired(const std::string& name, const std::string& workspace = {}) {
  auto d = a_job(name);
  d.spec.needs.workspace = workspace;
  d.timing.schedule = at_eleven;
  d.on_overlap = core::overlap::allow;
  d.max_concurrent = 1'000;
  return d;
}

template <class F>
core::job kept(F& f, core::job_definition d) {
  return f.does(st::put_job{{}, 0, std::move(d)}).jobs.at(0);
}

template <class F>
void limit(F& f, std::uint32_t fires, std::uint32_t per_workspace, core::span window = 1h) {
  core::limit_options l;
  l.fires = fires;
  l.fires_per_workspace = per_workspace;
  l.fire_window = window;
  f.does(st::put_limits{l});
}

template <class F>
core::occurrence newest(F& f, core::job_id id) {
  const auto page = f.read().occurrences_of(id, core::never, 1);
  REQUIRE(page.ok());
  REQUIRE(page->lines.size() == 1);
  return page->lines[0].made;
}

}  // namespace

TEMPLATE_TEST_CASE("fire limits: the node starts so many in a window, the others later and in order",
                   "[jobs][schedule][fires]", sqlite_kind, memory_kind) {
  fixture<TestType> f;  // it is 10:00:00
  limit(f, 2, 0);
  std::vector<core::job> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(kept(f, fired("job-" + std::to_string(i))));
  f.now = start + 1h;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (i == 3) f.reopen();  // what was started is durable
    const auto run = f.does(st::plan_job{jobs[i].id}).runs.at(0).head;
    const auto o = newest(f, jobs[i].id);
    const auto later = std::chrono::hours{i / 2};
    CHECK(o.at == start + 1h);
    CHECK(o.start == start + 1h + later);
    CHECK(o.limited == (i >= 2));
    CHECK(o.limited_by == (i >= 2 ? fire_scope::node : fire_scope::none));
    CHECK(run.state == (i >= 2 ? run_state::scheduled : run_state::queued));
    if (i < 2) continue;
    CHECK(run.due_at == o.start);
    CHECK(run.reason.starts_with(core::by_fire_limit));
    CHECK(core::wait_reason_of(run, f.now)->code == "fire_limit");
  }
  // When its time has come it is a run like any other.
  f.now = start + 2h;
  const auto moved = newest(f, jobs[2].id).run;
  const auto head = f.step(moved, core::cmd_wake{});
  CHECK(head.state == run_state::queued);
  CHECK(head.reason.empty());
  const auto told = f.events();
  CHECK(std::count_if(told.begin(), told.end(), [](const auto& e) {
          return e.kind == core::event_kind::job_fired &&
                 e.text.find("limit of the node") != std::string::npos;
        }) == 3);
}

TEMPLATE_TEST_CASE("fire limits: each workspace has its own, and the node's goes over all",
                   "[jobs][schedule][fires]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  limit(f, 3, 1);
  const auto a = kept(f, fired("a", "blue")), b = kept(f, fired("b", "blue")), c = kept(f, fired("c", "red")),
             d = kept(f, fired("d")), e = kept(f, fired("e", "green"));
  f.now = start + 1h;
  for (const auto& j : {a, b, c, d, e}) f.does(st::plan_job{j.id});
  CHECK_FALSE(newest(f, a.id).limited);
  CHECK(newest(f, b.id).limited_by == fire_scope::workspace);
  CHECK(newest(f, b.id).start == start + 2h);
  CHECK_FALSE(newest(f, c.id).limited);
  CHECK_FALSE(newest(f, d.id).limited);
  CHECK(newest(f, e.id).limited_by == fire_scope::node);
  CHECK(newest(f, e.id).start == start + 2h);
}

TEMPLATE_TEST_CASE(
    "fire limits: what the overlap policy skips uses nothing up, and afterwards nothing comes in a heap",
    "[jobs][schedule][fires]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  limit(f, 1, 0);
  auto d = fired("busy");
  d.on_overlap = core::overlap::skip;
  d.max_concurrent = 1;
  const auto busy = kept(f, d);
  const auto other = kept(f, fired("other"));
  f.now = start + 1h;
  const auto first = f.does(st::plan_job{busy.id}).runs.at(0).head.id;
  f.does(st::plan_job{other.id});
  CHECK(newest(f, other.id).start == start + 2h);
  f.now = start + 3h;
  CHECK(f.does(st::plan_job{busy.id}).runs.at(0).head.state == run_state::skipped);
  f.does(st::plan_job{other.id});
  CHECK_FALSE(newest(f, other.id).limited);
  // Far later everything is as if there had been nothing.
  f.step(first, core::cmd_cancel{"enough"});
  f.now = start + 50h;
  f.does(st::plan_job{busy.id});
  CHECK_FALSE(newest(f, busy.id).limited);
}

TEMPLATE_TEST_CASE("fire limits: one too many to wait is skipped with the reason, and the job goes on",
                   "[jobs][schedule][fires]", memory_kind) {
  fixture<TestType> f;
  limit(f, 1, 0, 7 * 24h);
  auto d = fired("all");
  d.timing.schedule = "* * * * *; zone UTC";
  d.timing.policy.missed = core::catch_up::all;
  d.timing.policy.all_at_most = 1'000;
  d.timing.policy.grace = 48h;
  const auto j = kept(f, d);
  f.now = start + 24h;
  f.does(st::plan_job{j.id});
  f.now = start + 24h + 10min;
  const auto after = f.does(st::plan_job{j.id}).jobs.at(0);
  CHECK(after.due == f.now + 1min);
  const auto page = f.read().occurrences_of(j.id, core::never, 5);
  REQUIRE(page.ok());
  CHECK(page->lines.front().skipped.range.reason == skip_reason::fire_limit);
  CHECK(after.cursor.made == 1'001);
}

TEMPLATE_TEST_CASE("fire limits: live limits go before those of the configuration, old rows are read",
                   "[jobs][schedule][fires]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  st::store_rules rules;
  rules.limits.fires = 1;
  f.store().follow(rules);
  const auto a = kept(f, fired("a")), b = kept(f, fired("b"));
  f.now = start + 1h;
  f.does(st::plan_job{a.id});
  f.does(st::plan_job{b.id});
  CHECK(newest(f, b.id).limited);
  limit(f, 0, 0);
  f.now = start + 1h + 61min;
  f.does(st::plan_job{a.id});
  f.does(st::plan_job{b.id});
  CHECK_FALSE(newest(f, b.id).limited);
}

TEMPLATE_TEST_CASE("retry: one that would not start before the job's next occurrence is dropped",
                   "[jobs][schedule][retry]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = fired("nightly");
  d.spec.retry.base = 2h;
  d.spec.retry.cap = 2h;
  d.spec.retry.jitter = 0;
  const auto j = kept(f, d);
  auto other = d;
  other.name = other.spec.name = "patient";
  other.timing.policy.retry_past_next = true;
  const auto patient = kept(f, other);
  f.now = start + 1h;
  const auto failed = [&](core::run_id id) {
    return f.finish(id, core::settle_kind::failed, core::failure_class::error);
  };
  const auto dropped = failed(f.does(st::plan_job{j.id}).runs.at(0).head.id);
  CHECK(dropped.state == run_state::failed);
  CHECK(dropped.reason.find("retry_superseded") != std::string::npos);
  const auto goes_on = failed(f.does(st::plan_job{patient.id}).runs.at(0).head.id);
  CHECK(goes_on.state == run_state::retrying);
  // It is stored, and read back.
  f.reopen();
  CHECK(f.read().find_job(patient.id)->definition->timing.policy.retry_past_next);
  CHECK_FALSE(f.read().find_job(j.id)->definition->timing.policy.retry_past_next);
  // By hand, of a job that is paused, and of one without a schedule: the next occurrence does not matter.
  CHECK(failed(f.does(st::trigger_job{j.id, {}, true}).runs.at(0).head.id).state == run_state::retrying);
  f.now = start + 2h;
  const auto last = f.claim(f.does(st::plan_job{j.id}).runs.at(0).head.id);
  f.does(st::pause_job{j.id, {"manual", {}, "", f.now}});
  auto how = f.settle(last, core::settle_kind::failed);
  how.klass = core::failure_class::error;
  CHECK(f.step(last.id, how).state == run_state::retrying);
  const auto plain = kept(f, [&] {
    auto p = d;
    p.name = p.spec.name = "plain";
    p.timing = {};
    return p;
  }());
  CHECK(failed(f.does(st::trigger_job{plain.id}).runs.at(0).head.id).state == run_state::retrying);
}

TEMPLATE_TEST_CASE("condition: it is stored with the run, and a run that it skipped is found as such",
                   "[runs][condition]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto spec = a_spec();
  spec.condition.argv = {"test", "-e", "/tmp/ready"};
  spec.condition.timeout = 5s;
  const auto id = f.submit(spec).head.id;
  f.reopen();
  CHECK(f.read().find_run(id)->spec->condition == spec.condition);
  auto how = f.settle(f.claim(id), core::settle_kind::skipped);
  how.result.clear();
  how.message = "exit code 1";
  const auto head = f.step(id, how);
  CHECK(head.state == run_state::skipped);
  CHECK(head.reason == "condition: exit code 1");
  f.reopen();
  CHECK(f.head(id).state == run_state::skipped);
  CHECK(f.read().attempts_of(id)->at(0).outcome == run_state::skipped);
  core::run_filter skipped;
  skipped.states = {run_state::skipped};
  CHECK(f.listed(skipped) == std::vector<core::run_id>{id});
}
