// Events that start jobs, in every store: the event, the runs and what is held back, in one commit.
#include <algorithm>

#include "core/time/text.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::overlap;
using core::run_state;
using core::skip_reason;

namespace {

core::job_definition on_event(const std::string& words, const std::string& name = "deployer") {
  auto d = a_job(name);
  d.timing.schedule = "@event " + words + "; zone UTC";
  d.on_overlap = overlap::allow;
  d.max_concurrent = 1'000;
  d.spec.payload.clear();
  return d;
}

template <class F>
core::job stored(F& f, core::job_definition d) {
  return f.does(st::put_job{{}, 0, std::move(d)}).jobs.at(0);
}

st::emit_event deploy(const std::string& env = "prod") {
  return st::emit_event{{"deploy.finished", {{"env", env}}}};
}

template <class F>
core::occurrence_page occurrences(F& f, core::job_id id) {
  auto page = f.read().occurrences_of(id, core::never, 1'000);
  REQUIRE(page.ok());
  return std::move(*page);
}

template <class F>
std::int64_t told(F& f, event_kind kind) {
  const auto all = f.events();
  return std::count_if(all.begin(), all.end(), [&](const auto& e) { return e.kind == kind; });
}

template <class F>
std::vector<core::run> runs_of(F& f, core::job_id id) {
  core::run_filter filter;
  filter.job = id;
  auto page = f.read().list_runs(filter, {500, 0, core::run_sort::oldest});
  REQUIRE(page.ok());
  return std::move(page->runs);
}

}  // namespace

TEMPLATE_TEST_CASE("events: one that is emitted starts the jobs that wait for it, in its own commit",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto a = stored(f, on_event("deploy.finished", "a"));
  const auto b = stored(f, on_event("deploy.* where env=prod", "b"));
  const auto c = stored(f, on_event("deploy.* where env!=prod", "c"));
  auto with_payload = on_event("deploy.finished", "d");
  with_payload.spec.payload = "{\"n\":1}";
  const auto d = stored(f, with_payload);
  CHECK(a.due == core::never);
  f.now += 1s;
  const auto done = f.does(deploy());
  CHECK(done.emitted.jobs == 3);
  CHECK(done.emitted.started == 3);
  REQUIRE(done.runs.size() == 3);
  CHECK(runs_of(f, c.id).empty());
  const auto run = f.read().find_run(done.runs[0].head.id);
  REQUIRE(run.ok());
  CHECK(run->head.job == a.id);
  CHECK(run->head.state == run_state::queued);
  CHECK(run->spec->payload ==
        "{\"event\":{\"name\":\"deploy.finished\",\"at\":\"2026-11-21T10:00:01.000Z\",\"fields\":{"
        "\"env\":\"prod\"}},\"count\":1,\"first_at\":\"2026-11-21T10:00:01.000Z\"}");
  const auto own = f.read().find_run(runs_of(f, d.id).at(0).head.id);
  REQUIRE(own.ok());
  CHECK(own->spec->payload == "{\"n\":1}");
  const auto page = occurrences(f, b.id);
  REQUIRE(page.lines.size() == 1);
  CHECK(page.lines[0].made.at == f.now);
  CHECK(f.read().find_job(a.id)->cursor.made == 1);
  CHECK(f.read().find_job(a.id)->triggered == 1);
  const auto all = f.events();
  const auto received = std::find_if(all.begin(), all.end(),
                                     [](const auto& e) { return e.kind == event_kind::event_received; });
  REQUIRE(received != all.end());
  CHECK(received->text == "deploy.finished env=prod");
  CHECK(received->seq == done.emitted.seq);
  CHECK(told(f, event_kind::job_fired) == 3);
}

TEMPLATE_TEST_CASE("events: a commit that did not happen has emitted nothing", "[jobs][events]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished"));
  const auto held = stored(f, on_event("deploy.finished debounce 10s", "held"));
  f.now += 1s;
  REQUIRE(f.apply(deploy()).ok());
  f.store().rollback();
  CHECK(runs_of(f, j.id).empty());
  CHECK(f.read().find_job(held.id)->due == core::never);
  CHECK(told(f, event_kind::event_received) == 0);
  CHECK(f.does(deploy()).emitted.started == 1);
  CHECK(runs_of(f, j.id).size() == 1);
}

TEMPLATE_TEST_CASE("events: who waits is known again after a restart, and follows what becomes of the jobs",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished"));
  const auto other = stored(f, on_event("deploy.*", "other"));
  f.reopen();
  CHECK(f.does(deploy()).emitted.started == 2);
  // Another event.
  f.does(st::put_job{j.id, 1, on_event("build.finished")});
  CHECK(f.does(deploy()).emitted.jobs == 1);
  CHECK(f.does(st::emit_event{{"build.finished", {}}}).emitted.jobs == 1);
  f.does(st::archive_job{other.id});
  CHECK(f.does(deploy()).emitted.jobs == 0);
  // A change that was taken back changed nothing.
  REQUIRE(f.apply(st::archive_job{j.id}).ok());
  f.store().rollback();
  CHECK(f.does(st::emit_event{{"build.finished", {}}}).emitted.jobs == 1);
  REQUIRE(f.apply(st::put_job{j.id, 2, on_event("test.finished")}).ok());
  f.store().rollback();
  CHECK(f.does(st::emit_event{{"test.finished", {}}}).emitted.jobs == 0);
  CHECK(f.does(st::emit_event{{"build.finished", {}}}).emitted.jobs == 1);
  // By hand only.
  f.does(st::put_job{j.id, 2, a_job("deployer")});
  CHECK(f.does(st::emit_event{{"build.finished", {}}}).emitted.jobs == 0);
  f.reopen();
  CHECK(f.does(st::emit_event{{"build.finished", {}}}).emitted.jobs == 0);
}

TEMPLATE_TEST_CASE("events: a thousand in one instant are a thousand occurrences", "[jobs][events]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished"));
  for (int i = 0; i < 100; ++i) REQUIRE(f.apply(deploy()).ok());
  f.commit();
  CHECK(runs_of(f, j.id).size() == 100);
  const auto page = occurrences(f, j.id);
  REQUIRE(page.lines.size() == 100);
  for (std::size_t i = 1; i < page.lines.size(); ++i)
    CHECK(page.lines[i].made.at < page.lines[i - 1].made.at);
  CHECK(f.read().find_job(j.id)->cursor.made == 100);
}

TEMPLATE_TEST_CASE("events: a burst is one run, also when the node is restarted in the middle of it",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished debounce 10s hold 1m"));
  const auto first = f.does(deploy("one"));
  CHECK(first.emitted.held == 1);
  CHECK(first.runs.empty());
  CHECK(first.jobs.at(0).due == start + 10s);
  f.now = start + 5s;
  f.does(deploy("two"));
  f.reopen();
  const auto due = f.read().due_jobs({}, 10)->at(0);
  CHECK(due.job == j.id);
  CHECK(due.at == start + 15s);
  const auto waiters = f.read().event_waiters({}, 10);
  REQUIRE(waiters.ok());
  REQUIRE(waiters->size() == 1);
  CHECK(waiters->front().name == "deployer");
  CHECK(waiters->front().hold.wait.held == 2);
  CHECK(waiters->front().hold.newest.fields.at(0).second == "two");
  CHECK(f.read().event_waiters(j.id, 10)->empty());
  f.now = start + 6s;
  CHECK(f.does(deploy("three")).jobs.at(0).due == start + 16s);
  f.now = start + 15s;
  CHECK(f.does(st::plan_job{j.id}).runs.empty());
  f.reopen();
  f.now = start + 16s;
  const auto fired = f.does(st::plan_job{j.id});
  REQUIRE(fired.runs.size() == 1);
  CHECK(fired.jobs.at(0).due == core::never);
  const auto run = f.read().find_run(fired.runs[0].head.id);
  REQUIRE(run.ok());
  CHECK(run->spec->payload.find("\"env\":\"three\"") != std::string::npos);
  CHECK(run->spec->payload.find("\"count\":3") != std::string::npos);
  CHECK(run->spec->payload.find("\"at\":\"2026-11-21T10:00:06.000Z\"") != std::string::npos);
  CHECK(run->spec->payload.find("\"first_at\":\"2026-11-21T10:00:00.000Z\"") != std::string::npos);
  CHECK(f.does(st::plan_job{j.id}).replayed);
  f.reopen();
  CHECK(f.does(st::plan_job{j.id}).runs.empty());
  CHECK(occurrences(f, j.id).lines.size() == 1);
  CHECK(told(f, event_kind::event_held) == 1);
  CHECK(told(f, event_kind::event_received) == 3);
}

TEMPLATE_TEST_CASE("events: the same idempotency key emits once, and is answered from the store",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished"));
  auto set = f.set({deploy()});
  set.once = st::idempotency{"emit/7", {}};
  const auto first = f.store().apply(set);
  REQUIRE(first.ok());
  f.commit();
  f.reopen();
  set.now += 1h;
  const auto again = f.store().apply(set);
  REQUIRE(again.ok());
  f.commit();
  CHECK(again->replayed);
  CHECK(again->emitted == first->emitted);
  REQUIRE(again->runs.size() == 1);
  CHECK(again->runs[0].head.id == first->runs.at(0).head.id);
  CHECK(runs_of(f, j.id).size() == 1);
  set.once->fingerprint.fill(1);
  CHECK(f.store().apply(set).refused_with(errc::idempotency_mismatch));
}

TEMPLATE_TEST_CASE("events: when a run of one job fails another job is started", "[jobs][events]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto backup = a_job("backup");
  const auto watched = stored(f, backup);
  const auto alarm = stored(f, on_event("run_failed where job=backup,class=permanent", "alarm"));
  const auto ended = stored(f, on_event("run_ended where state!=succeeded", "ended"));
  const auto good = f.does(st::trigger_job{watched.id}).runs.at(0).head.id;
  f.finish(good);
  CHECK(runs_of(f, alarm.id).empty());
  CHECK(runs_of(f, ended.id).empty());
  const auto bad = f.does(st::trigger_job{watched.id}).runs.at(0).head.id;
  const auto held = f.claim(bad);
  auto how = f.settle(held, core::settle_kind::failed);
  how.klass = core::failure_class::permanent;
  how.message = "disk full";
  const auto done = f.does(st::step_run{bad, how});
  CHECK(done.runs.size() == 1);  // what was asked for
  CHECK(done.also.size() == 2);  // what followed from it
  REQUIRE(runs_of(f, alarm.id).size() == 1);
  REQUIRE(runs_of(f, ended.id).size() == 1);
  const auto run = f.read().find_run(runs_of(f, alarm.id)[0].head.id);
  REQUIRE(run.ok());
  for (const auto* part : {"\"name\":\"run_failed\"", "\"job\":\"backup\"", "\"class\":\"permanent\"",
                           "\"state\":\"failed\"", "disk full"}) {
    INFO(run->spec->payload << " has no " << part);
    CHECK(run->spec->payload.find(part) != std::string::npos);
  }
  CHECK(run->spec->payload.find(core::to_string(bad)) != std::string::npos);
  // Runs without a job, and of other jobs, are others.
  f.fail_for_good(f.submit().head.id);
  CHECK(runs_of(f, alarm.id).size() == 1);
  CHECK(runs_of(f, ended.id).size() == 2);
}

TEMPLATE_TEST_CASE("events: a job that is started by its own failure ends at the depth of its trigger",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("run_failed where job=loop depth 3", "loop"));
  auto next = f.does(st::trigger_job{j.id}).runs.at(0).head.id;
  std::size_t runs = 1;
  for (; runs < 20; ++runs) {
    f.now += 1s;
    f.fail_for_good(next);
    f.reopen();  // how deep it is survives
    const auto all = runs_of(f, j.id);
    if (all.size() == runs) break;
    next = all.back().head.id;
  }
  CHECK(runs == 4);  // by hand, and three that followed
  CHECK(told(f, event_kind::event_too_deep) == 1);
}

TEMPLATE_TEST_CASE("events: a chain through emitted events and redrives is as deep as its runs",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished depth 2"));
  auto next = deploy();
  const auto one = f.does(next).runs.at(0).head.id;
  next.by = one;
  const auto two = f.does(next).runs.at(0).head.id;
  f.fail_for_good(two);
  const auto again = f.does(st::redrive_run{two}).runs.at(0).head.id;
  next.by = again;
  const auto last = f.does(next);
  CHECK(last.runs.empty());
  CHECK(last.emitted.too_deep == 1);
  next.by = core::run_id{12345};
  CHECK(f.refuses(next).code == errc::not_found);
  CHECK(runs_of(f, j.id).size() == 3);
}

TEMPLATE_TEST_CASE("events: jobs that start each other in one commit do so a bounded number of times",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  // Each skip of a run starts both, and each start is a skip: 2^60 without a bound.
  for (const auto* name : {"a", "b"}) {
    auto d = on_event("run_skipped depth 60", name);
    d.on_overlap = overlap::skip;
    d.max_concurrent = 1;
    const auto j = stored(f, d);
    f.does(st::trigger_job{j.id});
  }
  const auto j = f.read().find_job_by_text("a");
  const auto done = f.does(st::trigger_job{j->id});
  CHECK(done.also.size() == 1000);
  const auto due = f.read().due_jobs({}, 10);
  REQUIRE(due.ok());
  CHECK_FALSE(due->empty());  // the rest is gathered, and goes on with the next commit
  CHECK(f.does(st::plan_job{due->at(0).job}).runs.size() <= 1001);
}

TEMPLATE_TEST_CASE("events: the fire limit is the rate limit of the trigger, and nothing of a burst is lost",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = on_event("deploy.finished");
  d.timing.policy.limit = {2, 1min};
  const auto j = stored(f, d);
  for (int i = 0; i < 50; ++i) f.does(deploy());
  CHECK(runs_of(f, j.id).size() == 2);
  f.reopen();
  CHECK(f.read().find_job(j.id)->due == start + 1min);
  f.now = start + 1min;
  const auto fired = f.does(st::plan_job{j.id});
  REQUIRE(fired.runs.size() == 1);
  CHECK(f.read().find_run(fired.runs[0].head.id)->spec->payload.find("\"count\":48") != std::string::npos);
  CHECK(occurrences(f, j.id).lines.at(0).made.limited);
}

TEMPLATE_TEST_CASE(
    "events: what comes while a job is paused is recorded when it goes on; what was held fires",
    "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished debounce 1m"));
  f.does(deploy());
  f.now = start + 10s;
  CHECK(f.does(st::pause_job{j.id, {"manual", {}, "", f.now}}).jobs.at(0).due == core::never);
  f.now = start + 20s;
  CHECK(f.does(deploy()).emitted.aside == 1);
  f.now = start + 30s;
  f.does(deploy());
  f.reopen();
  f.now = start + 1h;
  CHECK(f.does(st::plan_job{j.id}).runs.empty());
  const auto resumed = f.does(st::resume_job{j.id, "manual"});
  const auto page = occurrences(f, j.id);
  REQUIRE(page.lines.size() == 2);
  const auto& skip = page.lines[1].skipped.range;
  CHECK(skip.reason == skip_reason::paused);
  CHECK(skip.count == 2);
  CHECK(skip.first == start + 20s);
  CHECK(skip.last == start + 30s);
  // The one from before the pause: its time has come.
  REQUIRE(runs_of(f, j.id).size() == 1);
  CHECK(page.lines[0].made.run == runs_of(f, j.id)[0].head.id);
  CHECK(f.does(deploy()).emitted.held == 1);
}

TEMPLATE_TEST_CASE("events: an edit settles what was held, by what the job was", "[jobs][events]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished debounce 1m"));
  f.does(deploy());
  f.does(deploy());
  auto described = on_event("deploy.finished debounce 1m");
  described.description = "other words";
  CHECK(f.does(st::put_job{j.id, 1, described}).jobs.at(0).due == start + 1min);
  const auto edited = f.does(st::put_job{j.id, 2, on_event("deploy.finished debounce 2m")});
  CHECK(edited.jobs.at(0).due == core::never);
  const auto runs = runs_of(f, j.id);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].head.revision == 2);
  // Paused, they are skipped with the others of the pause; archived, they are told as skipped.
  f.now += 1s;
  f.does(deploy());
  f.does(st::pause_job{j.id, {"manual", {}, "", f.now}});
  f.does(deploy());
  f.does(st::put_job{j.id, 3, on_event("deploy.finished")});
  CHECK(occurrences(f, j.id).lines.at(0).skipped.range.count == 2);
  const auto other = stored(f, on_event("deploy.finished debounce 1m", "other"));
  f.does(deploy());
  f.does(st::archive_job{other.id});
  CHECK(occurrences(f, other.id).lines.at(0).skipped.range.count == 1);
  CHECK(f.read().due_jobs({}, 10)->empty());
}

TEMPLATE_TEST_CASE("events: a job with overlap skip records the runs that it did not make", "[jobs][events]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = on_event("deploy.finished");
  d.on_overlap = overlap::skip;
  d.max_concurrent = 1;
  const auto j = stored(f, d);
  f.does(deploy());
  const auto second = f.does(deploy());
  CHECK(second.emitted.started == 1);
  CHECK(second.runs.at(0).head.state == run_state::skipped);
  CHECK(occurrences(f, j.id).lines.size() == 2);
}

TEMPLATE_TEST_CASE("events: a job ends by its number of runs and by its last time", "[jobs][events]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto twice = on_event("deploy.finished", "twice");
  twice.timing.policy.most_runs = 2;
  const auto two = stored(f, twice);
  auto ends = on_event("deploy.finished", "ends");
  ends.timing.schedule += "; end 2026-11-21T11:00:00Z";
  const auto until = stored(f, ends);
  CHECK(until.due == start + 1h + 1us);
  f.does(deploy());
  f.does(deploy());
  CHECK(f.read().find_job(two.id)->state == core::job_state::active);  // its runs are open
  CHECK(f.does(deploy()).emitted.jobs == 1);
  for (const auto& r : runs_of(f, two.id)) f.finish(r.head.id);
  CHECK(f.read().find_job(two.id)->state == core::job_state::completed);
  f.now = start + 1h + 1s;
  CHECK(f.does(deploy()).emitted.jobs == 0);
  CHECK(f.does(st::plan_job{until.id}).jobs.at(0).state == core::job_state::active);
  CHECK(f.read().find_job(until.id)->due == core::never);
  for (const auto& r : runs_of(f, until.id)) f.finish(r.head.id);
  CHECK(f.read().find_job(until.id)->state == core::job_state::completed);
  auto over = on_event("deploy.finished", "over");
  over.timing.schedule += "; end 2026-11-21T11:00:00Z";
  CHECK(f.refuses(st::put_job{{}, 0, over}).code == errc::invalid);
  f.reopen();
  CHECK(f.does(deploy()).emitted.jobs == 0);
}

TEMPLATE_TEST_CASE("events: a run that retention removes takes along what events know of it",
                   "[jobs][events]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = stored(f, on_event("deploy.finished"));
  const auto first = f.does(deploy()).runs.at(0).head.id;
  f.finish(first);
  f.finish(f.does(deploy()).runs.at(0).head.id);
  f.now += 24h;
  st::prune_history prune;
  prune.before = prune.dead_before = f.now;
  CHECK(f.does(prune).pruned == 1);
  CHECK(occurrences(f, j.id).lines.size() == 1);
  CHECK(f.does(deploy()).emitted.started == 1);
}
