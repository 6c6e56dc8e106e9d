#include <algorithm>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::run_state;
using ids = std::vector<core::run_id>;

namespace {

template <class Kind>
ids dry(fixture<Kind>& f, st::prune_history how) {
  how.dry_run = true;
  const auto r = f.does(how);
  CHECK(r.pruned == 0);
  return r.prunable;
}

}  // namespace

TEMPLATE_TEST_CASE("retention: finished runs that are old enough go with everything that is theirs",
                   "[retention]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto spec = a_spec();
  spec.tags = {"t"};
  const auto old = f.submit(spec).head.id;
  f.finish(old);
  f.does(st::append_log{{{old, 1, 1, start, core::log_stream::out, "x"}}});
  const auto open = f.submit(spec).head.id;
  f.now += 1h;
  const auto young = f.submit(spec).head.id;
  f.finish(young);
  const st::prune_history how{start + 30min, core::never, 100, 500, false};
  CHECK(dry(f, how) == ids{old});
  const auto done = f.does(how);
  CHECK(done.pruned == 1);
  CHECK(f.events().back().kind == core::event_kind::retention_pruned);
  CHECK(f.listed({}) == ids{open, young});
  CHECK(f.listed({.tags_any = {"t"}}) == ids{open, young});
  CHECK(f.read().attempts_of(old)->empty());
  CHECK(f.does(how).pruned == 0);
  CHECK(f.read().facts()->runs_by_state[static_cast<std::size_t>(run_state::succeeded)] == 1);
}

TEMPLATE_TEST_CASE("retention: dead letters, open successors and open hooks keep a run", "[retention]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto dead = f.submit().head.id;
  f.fail_for_good(dead);
  const auto redriven = f.submit().head.id;
  f.fail_for_good(redriven);
  const auto successor = f.does(st::redrive_run{redriven}).runs[0].head.id;
  auto spec = a_spec();
  spec.hook.shell = "notify";
  const auto hooked = f.submit(spec).head.id;
  const auto hook = f.does(st::step_run{hooked, f.settle(f.claim(hooked))}).also.at(0).head.id;
  const auto discarded = f.submit().head.id;
  f.fail_for_good(discarded);
  f.step(discarded, core::cmd_discard{""});
  f.now += 24h;
  const auto later = f.now + 1h;
  CHECK(dry(f, {later, start, 100, 500, true}) == ids{discarded});
  CHECK(dry(f, {later, later, 100, 500, true}) == ids{dead, discarded});
  f.finish(successor);
  f.finish(hook);
  CHECK(dry(f, {later, start, 100, 500, true}) == ids{redriven, successor, hooked, hook, discarded});
  CHECK(dry(f, {later, start, 100, 2, true}).size() == 2);
}

TEMPLATE_TEST_CASE("retention: a job keeps its newest runs and always its latest result", "[retention]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto job = f.does(st::put_job{{}, 0, a_job()}).jobs[0].id;
  ids runs;
  for (int i = 0; i < 8; ++i) {
    runs.push_back(f.does(st::trigger_job{job}).runs[0].head.id);
    f.finish(runs.back());
    f.now += 1min;
  }
  const auto open = f.does(st::trigger_job{job}).runs[0].head.id;
  const auto skipped = f.does(st::trigger_job{job}).runs[0].head.id;
  const st::prune_history excess{core::never, core::never, 3, 500, false};
  CHECK(dry(f, excess) == ids(runs.begin(), runs.begin() + 6));
  CHECK(f.does(st::prune_history{core::never, core::never, 3, 4, false}).pruned == 4);
  CHECK(f.does(excess).pruned == 2);
  CHECK(f.does(excess).pruned == 0);
  CHECK(f.listed({.job = job}) == ids{runs[6], runs[7], open, skipped});
  // By age all may go but the latest result, which is not the skipped one, and what is open.
  f.now += 24h;
  CHECK(f.does(st::prune_history{f.now, f.now, 3, 500, false}).pruned == 2);
  CHECK(f.listed({.job = job}) == ids{runs[7], open});
}

TEMPLATE_TEST_CASE(
    "retention: the last run of an old revision takes the revision along, the current one stays",
    "[retention]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = a_job();
  d.on_overlap = core::overlap::queue_all;
  const auto job = f.does(st::put_job{{}, 0, d}).jobs[0];
  const auto a = f.does(st::trigger_job{job.id}).runs[0].head.id;
  const auto b = f.does(st::trigger_job{job.id}).runs[0].head.id;
  f.finish(a);
  d.spec.payload = "{\"n\":2}";
  f.does(st::put_job{job.id, 0, d});
  const auto c = f.does(st::trigger_job{job.id}).runs[0].head.id;
  f.finish(c);
  f.now += 1h;
  const st::prune_history how{f.now, f.now, 100, 500, false};
  CHECK(f.does(how).pruned == 1);
  CHECK(f.read().find_run(b)->spec->payload == "{\"n\":1}");  // the old revision is still in use
  f.finish(b);
  f.now += 1h;
  const auto e = f.does(st::trigger_job{job.id}).runs[0].head.id;
  f.finish(e);
  CHECK(f.does(st::prune_history{f.now, f.now, 100, 500, false}).pruned == 2);
  CHECK(f.read().find_job(job.id)->definition->spec.payload == "{\"n\":2}");
  auto s = a_submission();
  s.shared_spec = job.spec;
  CHECK(f.refuses(st::insert_runs{{s}}).code == core::errc::not_found);
}

TEMPLATE_TEST_CASE("retention: bites go round everything, whatever has to stay", "[retention]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  ids dead, good;
  for (int i = 0; i < 60; ++i) {
    auto& to = i % 2 == 0 ? dead : good;
    to.push_back(f.submit().head.id);
    i % 2 == 0 ? f.fail_for_good(to.back()) : f.finish(to.back());
  }
  f.now += 1h;
  std::uint64_t pruned = 0;
  for (int i = 0; i < 30 && pruned < good.size(); ++i) {
    const auto now = f.does(st::prune_history{f.now, start, 100, 7, false}).pruned;
    CHECK(now <= 7);
    pruned += now;
    if (i == 2) f.reopen();
  }
  CHECK(f.listed({}) == dead);
}

TEMPLATE_TEST_CASE("retention: sessions that are gone are forgotten in time", "[retention]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  core::session who;
  who.name = "w";
  const auto gone = f.does(st::put_session{who}).sessions[0].id;
  const auto here = f.does(st::put_session{who}).sessions[0].id;
  f.does(st::end_session{gone, ""});
  f.does(st::prune_history{start, start, 100, 500, false});
  CHECK(f.read().list_sessions(true)->size() == 2);
  f.does(st::prune_history{start + 1s, start, 100, 500, false});
  const auto left = f.read().list_sessions(true);
  REQUIRE(left->size() == 1);
  CHECK(left->at(0).id == here);
}

TEMPLATE_TEST_CASE("retention: a session that is gone stays while it holds a lease", "[retention]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  core::session who;
  who.name = "w";
  who.slots = 2;
  const auto holder = f.does(st::put_session{who}).sessions[0].id;
  const auto run = f.submit().head.id;
  const auto held = f.claim(run, holder);
  f.does(st::end_session{holder, ""});
  const st::prune_history all{start + 1h, start, 100, 500, false};
  f.does(all);
  CHECK(f.read().list_sessions(true)->size() == 1);
  f.does(st::step_run{run, f.settle(held)});
  f.does(all);
  CHECK(f.read().list_sessions(true)->empty());
}
