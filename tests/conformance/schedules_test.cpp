// What schedules bring about, in every store: runs, records of skips and a cursor, in one commit.
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

core::job_definition due_every(const std::string& schedule, const std::string& name = "nightly") {
  auto d = a_job(name);
  d.timing.schedule = schedule;
  d.on_overlap = overlap::allow;
  d.max_concurrent = 1'000;
  return d;
}

constexpr auto hourly = "0 * * * *; zone UTC";

template <class F>
core::job made(F& f, core::job_definition d) {
  return f.does(st::put_job{{}, 0, std::move(d)}).jobs.at(0);
}

template <class F>
core::occurrence_page all_of(F& f, core::job_id id) {
  auto page = f.read().occurrences_of(id, core::never, 1'000);
  REQUIRE(page.ok());
  return std::move(*page);
}

template <class F>
std::int64_t events(F& f, event_kind kind) {
  const auto facts = f.read().facts();
  REQUIRE(facts.ok());
  for (const auto& [name, count] : facts->totals)
    if (name == core::to_text(kind)) return count;
  return -1;
}

}  // namespace

TEMPLATE_TEST_CASE("schedules: what is due becomes a run, and the cursor moves in the same commit",
                   "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;  // it is 10:00:00
  const auto j = made(f, due_every(hourly));
  CHECK(j.due == start + 1h);
  CHECK(j.cursor.covered == start);
  CHECK(f.does(st::plan_job{j.id}).replayed);  // nothing is due yet
  f.now = start + 1h;
  const auto first = f.does(st::plan_job{j.id});
  REQUIRE(first.runs.size() == 1);
  CHECK(first.runs[0].head.state == run_state::queued);
  CHECK_FALSE(first.runs[0].head.manual);
  CHECK(first.runs[0].head.job == j.id);
  CHECK(first.jobs.at(0).due == start + 2h);
  CHECK(first.jobs.at(0).cursor.made == 1);
  CHECK(first.jobs.at(0).triggered == 1);
  // Asked again, by another node or by hand: it is done.
  CHECK(f.does(st::plan_job{j.id}).runs.empty());
  f.reopen();
  CHECK(f.does(st::plan_job{j.id}).runs.empty());
  const auto kept = f.read().find_job(j.id);
  REQUIRE(kept.ok());
  CHECK(kept->due == start + 2h);
  CHECK(kept->cursor == first.jobs.at(0).cursor);
  CHECK(kept->definition->timing.schedule == hourly);
  const auto page = all_of(f, j.id);
  REQUIRE(page.lines.size() == 1);
  CHECK(page.lines[0].made.at == start + 1h);
  CHECK(page.lines[0].made.run == first.runs[0].head.id);
  CHECK(page.lines[0].state == run_state::queued);
  CHECK(events(f, event_kind::job_fired) == 1);
  const auto due = f.read().due_jobs({}, 10);
  REQUIRE(due.ok());
  CHECK(*due == std::vector<core::job_due>{{j.id, start + 2h, core::timing_number(hourly)}});
  // A clock that was put back makes nothing twice.
  f.now = start + 30min;
  CHECK(f.does(st::plan_job{j.id}).runs.empty());
}

TEMPLATE_TEST_CASE("schedules: a commit that did not happen planned nothing", "[jobs][schedule]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto j = made(f, due_every(hourly));
  f.now = start + 1h;
  REQUIRE(f.apply(st::plan_job{j.id}).ok());
  f.store().rollback();
  CHECK(all_of(f, j.id).lines.empty());
  CHECK(f.read().find_job(j.id)->due == start + 1h);
  CHECK(f.does(st::plan_job{j.id}).runs.size() == 1);
  CHECK(all_of(f, j.id).lines.size() == 1);
}

TEMPLATE_TEST_CASE("schedules: what was missed is made up for by the job's policy, the rest has its reason",
                   "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto once = due_every(hourly, "once");
  auto all = due_every(hourly, "all");
  all.timing.policy.missed = core::catch_up::all;
  all.timing.policy.all_at_most = 3;
  auto none = due_every(hourly, "none");
  none.timing.policy.missed = core::catch_up::skip;
  const auto a = made(f, once), b = made(f, all), c = made(f, none), d = made(f, due_every(hourly, "loop"));
  f.now = start + 10h + 30min;  // ten were missed
  CHECK(f.does(st::plan_job{a.id}).runs.size() == 1);
  const auto three = f.does(st::plan_job{b.id});
  CHECK(three.runs.size() == 3);
  CHECK(f.does(st::plan_job{c.id}).runs.empty());
  CHECK(f.does(st::plan_job{d.id, true}).runs.empty());
  f.reopen();
  const auto of_a = all_of(f, a.id);
  REQUIRE(of_a.lines.size() == 2);
  CHECK(of_a.lines[0].made.at == start + 10h);
  CHECK(of_a.lines[0].made.caught_up);
  CHECK(of_a.lines[1].skipped.range.reason == skip_reason::missed);
  CHECK(of_a.lines[1].skipped.range.count == 9);
  CHECK(of_a.lines[1].skipped.range.first == start + 1h);
  CHECK(of_a.lines[1].skipped.range.last == start + 9h);
  CHECK(of_a.lines[1].skipped.noted_at == f.now);
  const auto of_b = all_of(f, b.id);
  REQUIRE(of_b.lines.size() == 4);
  CHECK(of_b.lines[3].skipped.range.reason == skip_reason::catch_up_limit);
  CHECK(of_b.lines[3].skipped.range.count == 7);
  CHECK(all_of(f, c.id).lines.at(0).skipped.range.count == 10);
  CHECK(all_of(f, d.id).lines.at(0).skipped.range.reason == skip_reason::crash_loop);
  CHECK(events(f, event_kind::occurrences_skipped) == 4);
}

TEMPLATE_TEST_CASE("schedules: a year asleep is one decision", "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = made(f, due_every("* * * * *; zone UTC"));
  f.now = start + 24h * 365 + 10s;
  CHECK(f.does(st::plan_job{j.id}).runs.size() == 1);
  CHECK(f.read().find_job(j.id)->cursor.made == 1);
  CHECK(all_of(f, j.id).lines.size() <= 4);
}

TEMPLATE_TEST_CASE("schedules: what was planned while a job was paused is recorded when it goes on",
                   "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = made(f, due_every(hourly));
  f.now = start + 30min;
  CHECK(f.does(st::pause_job{j.id, {"manual", {}, "", f.now}}).jobs.at(0).due == core::never);
  CHECK(f.read().due_jobs({}, 10)->empty());
  f.now = start + 3h + 30min;
  CHECK(f.does(st::plan_job{j.id}).runs.empty());
  const auto resumed = f.does(st::resume_job{j.id, "manual"}).jobs.at(0);
  CHECK(resumed.due == start + 4h);
  const auto page = all_of(f, j.id);
  REQUIRE(page.lines.size() == 1);
  CHECK(page.lines[0].skipped.range.reason == skip_reason::paused);
  CHECK(page.lines[0].skipped.range.count == 3);
  f.reopen();
  CHECK(f.read().find_job(j.id)->due == start + 4h);
}

TEMPLATE_TEST_CASE("schedules: an edit counts from now, and settles what the old schedule had planned",
                   "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = made(f, due_every(hourly));
  f.now = start + 1h + 1s;
  const auto edited = f.does(st::put_job{j.id, 1, due_every("30 * * * *; zone UTC")});
  CHECK(edited.jobs.at(0).revision == 2);
  CHECK(edited.jobs.at(0).due == start + 1h + 30min);
  REQUIRE(edited.runs.size() == 1);
  CHECK(edited.runs[0].head.revision == 1);
  // Something else of the definition changes nothing of the plan.
  auto described = due_every("30 * * * *; zone UTC");
  described.description = "new words";
  CHECK(f.does(st::put_job{j.id, 2, described}).jobs.at(0).due == start + 1h + 30min);
  // Without a schedule nothing is due.
  CHECK(f.does(st::put_job{j.id, 3, a_job()}).jobs.at(0).due == core::never);
  CHECK(f.read().due_jobs({}, 10)->empty());
  CHECK(f.does(st::archive_job{made(f, due_every(hourly, "other")).id}).jobs.at(0).due == core::never);
  CHECK(f.read().due_jobs({}, 10)->empty());
}

TEMPLATE_TEST_CASE("schedules: a job is completed by its last time, its end and its number of runs",
                   "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto once = made(f, due_every("@at 2026-11-21T11:00:00Z; zone UTC", "once"));
  auto twice = due_every(hourly, "twice");
  twice.timing.policy.most_runs = 2;
  twice.timing.policy.missed = core::catch_up::all;
  const auto two = made(f, twice);
  const auto ends = made(f, due_every("0 * * * *; zone UTC; end 2026-11-21T11:30:00Z", "ends"));
  f.now = start + 1h;
  const auto planned = [&](core::job_id id) {
    std::vector<core::run_id> runs;
    for (const auto& r : f.does(st::plan_job{id}).runs) runs.push_back(r.head.id);
    return runs;
  };
  auto open = planned(once.id);
  CHECK(open.size() == 1);
  for (const auto id : planned(ends.id)) open.push_back(id);
  for (const auto id : planned(two.id)) open.push_back(id);
  f.now = start + 5h;
  for (const auto id : planned(two.id)) open.push_back(id);
  CHECK(f.read().find_job(two.id)->cursor.made == 2);
  CHECK(f.read().due_jobs({}, 10)->empty());
  // Nothing is due of any of them, and none is over: their last runs are not.
  for (const auto id : {once.id, ends.id, two.id})
    CHECK(f.read().find_job(id)->state == core::job_state::active);
  CHECK(events(f, event_kind::job_completed) == 0);
  for (const auto id : open) f.finish(id);
  for (const auto id : {once.id, ends.id, two.id})
    CHECK(f.read().find_job(id)->state == core::job_state::completed);
  CHECK(events(f, event_kind::job_completed) == 3);
  // A new schedule makes it active again; one that lies in the past is refused.
  CHECK(f.does(st::put_job{once.id, 1, due_every(hourly, "once")}).jobs.at(0).state ==
        core::job_state::active);
  const auto no = f.refuses(st::put_job{{}, 0, due_every("@at 2026-11-21T11:00:00Z; zone UTC", "late")});
  CHECK(no.code == errc::invalid);
  CHECK(no.problems.at(0).pointer == "/schedule");
}

TEMPLATE_TEST_CASE("schedules: an occurrence that meets an open run follows the overlap policy",
                   "[jobs][schedule]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = due_every(hourly);
  d.on_overlap = overlap::skip;
  d.max_concurrent = 1;
  const auto j = made(f, d);
  f.now = start + 1h;
  CHECK(f.does(st::plan_job{j.id}).runs.at(0).head.state == run_state::queued);
  f.now = start + 2h;
  CHECK(f.does(st::plan_job{j.id}).runs.at(0).head.state == run_state::skipped);
  const auto page = all_of(f, j.id);
  REQUIRE(page.lines.size() == 2);
  CHECK(page.lines[0].state == run_state::skipped);
  CHECK(page.lines[0].reason.find("overlap") != std::string::npos);
  CHECK(f.read().find_job(j.id)->due == start + 3h);
}

TEMPLATE_TEST_CASE("schedules: jitter delays the run and not the plan", "[jobs][schedule]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto j = made(f, due_every("0 * * * *; zone UTC; jitter 20m"));
  f.now = start + 1h;
  const auto run = f.does(st::plan_job{j.id}).runs.at(0);
  const auto line = all_of(f, j.id).lines.at(0);
  CHECK(line.made.at == start + 1h);
  CHECK(line.made.start >= line.made.at);
  CHECK(line.made.start <= line.made.at + 20min);
  if (line.made.start > f.now) {
    CHECK(run.head.state == run_state::scheduled);
    CHECK(run.head.due_at == line.made.start);
  }
  CHECK(f.read().find_job(j.id)->due == start + 2h);
}

TEMPLATE_TEST_CASE("schedules: pages of occurrences are whole and without repetition", "[jobs][schedule]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = made(f, due_every(hourly));
  for (int i = 1; i <= 7; ++i) {
    f.now = start + std::chrono::hours{2 * i};  // each time one is missed and one is on time
    f.does(st::plan_job{j.id});
  }
  std::vector<core::instant> seen;
  for (auto before = core::never;;) {
    const auto page = f.read().occurrences_of(j.id, before, 4);
    REQUIRE(page.ok());
    for (const auto& line : page->lines) seen.push_back(line.at());
    before = page->next;
    if (before == core::never) break;
    REQUIRE(seen.size() < 100);
  }
  CHECK(seen.size() == 14);
  CHECK(std::is_sorted(seen.rbegin(), seen.rend()));
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEMPLATE_TEST_CASE("schedules: a run that retention removes takes its occurrence along", "[jobs][schedule]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto j = made(f, due_every(hourly));
  for (int i = 1; i <= 3; ++i) {
    f.now = start + std::chrono::hours{i};
    const auto run = f.does(st::plan_job{j.id}).runs.at(0).head.id;
    f.does(st::step_run{run, core::cmd_cancel{"enough"}});
  }
  CHECK(all_of(f, j.id).lines.size() == 3);
  st::prune_history old;
  old.before = f.now;
  old.dead_before = f.now;
  old.keep_per_job = 1;
  f.does(old);
  const auto left = all_of(f, j.id).lines;
  CHECK(left.size() < 3);
  for (const auto& line : left) CHECK(f.read().find_run(line.made.run).ok());
}

TEMPLATE_TEST_CASE("schedules: the members of a timing group are the active and paused jobs of its schedule",
                   "[jobs][schedule][timing]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto bounded = due_every("0 * * * *; zone UTC; end 2030-01-01T00:00:00Z", "bounded");
  const auto a = made(f, due_every(hourly, "a"));
  const auto b = made(f, due_every("0 9 * * *; zone UTC", "b"));
  const auto c = made(f, std::move(bounded));
  const auto d = made(f, due_every(hourly, "d"));
  const auto by_hand = made(f, due_every("", "by-hand"));
  const auto gone = made(f, due_every(hourly, "gone"));
  f.does(st::archive_job{gone.id});
  f.does(st::pause_job{d.id, {"timing", {}, "", start}});
  f.now = start + 1h;
  const auto fired = f.does(st::plan_job{a.id}).runs.at(0).head.id;
  f.now += 1min;
  const auto by = f.does(st::trigger_job{a.id}).runs.at(0).head.id;

  const auto all = f.read().scheduled_jobs({}, 100, "");
  REQUIRE(all.ok());
  REQUIRE(all->jobs.size() == 4);
  CHECK_FALSE(all->next);
  CHECK(all->jobs[1].id == b.id);
  CHECK(all->jobs[1].fired == core::never);
  CHECK_FALSE(all->jobs[1].last_run);

  const auto group = f.read().scheduled_jobs({}, 100, hourly);
  REQUIRE(group.ok());
  REQUIRE(group->jobs.size() == 3);
  const auto& first = group->jobs[0];
  CHECK(first.id == a.id);
  CHECK(first.name == "a");
  CHECK(first.fired == start + 1h);
  CHECK(first.due == start + 2h);
  CHECK(first.last_run == by);
  CHECK(first.last_run != fired);
  CHECK(first.last_state == run_state::queued);
  CHECK(group->jobs[1].id == c.id);
  CHECK(group->jobs[1].schedule == "0 * * * *; zone UTC; end 2030-01-01T00:00:00Z");
  CHECK(group->jobs[2].id == d.id);
  CHECK(group->jobs[2].state == core::job_state::paused);
  CHECK(group->jobs[2].due == core::never);

  // Page by page, each member once.
  std::vector<core::job_id> seen;
  core::job_id after;
  do {
    const auto page = f.read().scheduled_jobs(after, 1, hourly);
    REQUIRE(page.ok());
    for (const auto& j : page->jobs) seen.push_back(j.id);
    after = page->next;
  } while (after);
  CHECK(seen == std::vector<core::job_id>{a.id, c.id, d.id});
  (void)by_hand;
}
