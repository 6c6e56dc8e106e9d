// Calendars and maintenance windows, in every store: what a change of one does to the jobs that name it, and
// when a window holds claims, in one commit each.
#include <algorithm>

#include "core/calendar/calendar.hpp"
#include "core/time/text.hpp"
#include "core/window/window.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::skip_reason;

namespace {

core::named_calendar of_dates(const std::string& text, const std::string& name = "holidays") {
  auto read = core::parse_dates(text);
  REQUIRE(read.ok());
  core::named_calendar c;
  c.name = name;
  c.content = std::make_shared<const core::calendar>(std::move(*read));
  return c;
}

core::named_calendar of_hours(core::span from, core::span to, const std::string& name = "holidays") {
  core::calendar c;
  c.fixed.push_back({start + from, start + to});
  core::named_calendar n;
  n.name = name;
  n.source = core::calendar_source::ics;
  n.content = std::make_shared<const core::calendar>(std::move(c));
  return n;
}

core::job_definition due_at(const std::string& schedule, const std::string& name = "nightly") {
  auto d = a_job(name);
  d.timing.schedule = schedule;
  d.on_overlap = core::overlap::allow;
  d.max_concurrent = 1'000;
  return d;
}

template <class F>
core::job job_made(F& f, core::job_definition d) {
  return f.does(st::put_job{{}, 0, std::move(d)}).jobs.at(0);
}

template <class F>
core::calendar_facts facts_of(F& f, const std::string& name = "holidays") {
  const auto all = f.read().list_calendars({name}, true);
  REQUIRE(all.ok());
  REQUIRE(all->size() == 1);
  return all->front();
}

template <class F>
std::vector<core::occurrence_line> lines_of(F& f, core::job_id id) {
  auto page = f.read().occurrences_of(id, core::never, 1'000);
  REQUIRE(page.ok());
  return std::move(page->lines);
}

core::window noon_window(const std::string& schedule = "0 12 * * *; zone UTC") {
  core::window w;
  w.name = "noon";
  w.schedule = schedule;
  w.length = 1h;
  w.text = "new disks";
  return w;
}

st::lift_pause over_of_window(bool only_over) {
  return {core::whole_scheduler(), "maintenance", "window:noon", only_over};
}

template <class F>
core::window the_window(F& f) {
  const auto all = f.read().list_windows();
  REQUIRE(all.ok());
  REQUIRE(all->size() == 1);
  return all->front();
}

constexpr auto at_noon = "0 12 * * *; not calendar holidays; zone UTC";

}  // namespace

TEMPLATE_TEST_CASE("calendars: a job names one that there is, and is planned around it", "[jobs][calendar]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;  // 21 November, 10:00
  const auto no = f.refuses(st::put_job{{}, 0, due_at(at_noon)});
  CHECK(no.code == errc::invalid);
  CHECK(no.command == "belfry calendar ls");
  REQUIRE(no.problems.size() == 1);
  CHECK(no.problems[0].pointer == "/schedule");
  CHECK(no.problems[0].value == "holidays");
  const auto made = f.does(st::put_calendar{of_dates("2026-11-21")});
  REQUIRE(made.calendars.size() == 1);
  CHECK(made.calendars[0].revision == 1);
  CHECK(made.calendars[0].periods == 1);
  const auto j = job_made(f, due_at(at_noon));
  CHECK(j.due == start + 26h);
  f.reopen();
  const auto facts = facts_of(f);
  CHECK(facts.used_by == 1);
  CHECK(facts.planning == 0);
  CHECK(facts.jobs == std::vector<core::calendar_user>{{j.id, "nightly"}});
  CHECK(*facts.calendar.content == *of_dates("2026-11-21").content);
  CHECK(facts.calendar.created_by == "tester");
  f.now = start + 26h;
  CHECK(f.does(st::plan_job{j.id}).runs.size() == 1);
  const auto lines = lines_of(f, j.id);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].skipped.range.reason == skip_reason::excluded);
  CHECK(lines[1].skipped.range.by == "calendar holidays");
  CHECK(lines[1].skipped.range.first == start + 2h);
}

TEMPLATE_TEST_CASE(
    "calendars: a change plans its jobs anew in the same commit, and the same again is nothing",
    "[jobs][calendar]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_calendar{of_dates("2026-11-21")});
  const auto j = job_made(f, due_at(at_noon));
  f.does(st::put_calendar{of_dates("2026-12-25", "other")});
  const auto changed = f.does(st::put_calendar{of_dates("2026-12-25")});
  CHECK(changed.calendars.at(0).revision == 2);
  CHECK(changed.replanned == 1);
  CHECK(changed.replan.empty());
  REQUIRE(changed.jobs.size() == 1);
  CHECK(changed.jobs[0].due == start + 2h);
  f.reopen();
  CHECK(f.read().find_job(j.id)->due == start + 2h);
  CHECK(f.does(st::put_calendar{of_dates("2026-12-25")}).replayed);
  f.does(st::put_calendar{of_dates("2026-11-21..2026-11-22")});
  CHECK(f.read().find_job(j.id)->due == start + 50h);
  // Taken back, it was never said.
  REQUIRE(f.apply(st::put_calendar{of_dates("2026-12-25")}).ok());
  f.store().rollback();
  CHECK(f.read().find_job(j.id)->due == start + 50h);
  const auto again = job_made(f, due_at(at_noon, "second"));
  CHECK(again.due == start + 50h);
}

TEMPLATE_TEST_CASE("calendars: what is due when one changes is settled by what it said before",
                   "[jobs][calendar]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_calendar{of_hours(10h, 11h)});
  const auto j = job_made(f, due_at("30 * * * *; not calendar holidays; zone UTC"));
  f.now = start + 40min;  // 10:30 is due and not planned yet
  const auto changed = f.does(st::put_calendar{of_hours(0h, 2h)});
  REQUIRE(changed.runs.size() == 1);
  const auto lines = lines_of(f, j.id);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].made.at == start + 30min);
  CHECK(f.read().find_job(j.id)->due == start + 2h + 30min);
}

TEMPLATE_TEST_CASE("calendars: what one has postponed is made exactly once, whatever changes and restarts",
                   "[jobs][calendar]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_calendar{of_hours(1h, 5h)});  // 11:00 to 15:00
  const auto j = job_made(f, due_at("30 * * * *; postpone calendar holidays; zone UTC"));
  f.now = start + 30min;
  CHECK(f.does(st::plan_job{j.id}).jobs.at(0).due == start + 5h);
  f.now = start + 2h;  // noon; 11:30 waits for 15:00
  SECTION("set free, it is made in the commit of the change") {
    const auto freed = f.does(st::put_calendar{of_hours(1h, 1h + 45min)});
    REQUIRE(freed.runs.size() == 1);
    CHECK(f.read().find_job(j.id)->due == start + 2h + 30min);
    f.reopen();
    const auto lines = lines_of(f, j.id);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].made.at == start + 2h);
    CHECK(lines[0].made.meant == start + 1h + 30min);
    CHECK(lines[1].skipped.range.reason == skip_reason::postponed);
    CHECK(lines[1].skipped.range.by == "calendar holidays");
    f.now = start + 2h + 30min;
    CHECK(f.does(st::plan_job{j.id}).runs.size() == 1);
  }
  SECTION("postponed further, it is made then") {
    f.does(st::put_calendar{of_hours(0h, 8h)});
    f.reopen();
    CHECK(f.read().find_job(j.id)->due == start + 8h);
    f.now = start + 8h;
    const auto last = f.does(st::plan_job{j.id});
    REQUIRE(last.runs.size() == 1);
    const auto lines = lines_of(f, j.id);
    CHECK(lines[0].made.meant == start + 1h + 30min);
    CHECK(std::count_if(lines.begin(), lines.end(), [](const auto& l) { return bool{l.made.run}; }) == 2);
  }
  SECTION("an edit of the job does not lose it either") {
    auto d = *j.definition;
    d.timing.policy.on_time = 5min;
    f.does(st::put_job{j.id, 0, d});
    CHECK(f.read().find_job(j.id)->due == start + 5h);
    f.now = start + 5h;
    CHECK(f.does(st::plan_job{j.id}).runs.size() == 1);
  }
}

TEMPLATE_TEST_CASE("calendars: one that is used cannot be removed, and the users are named",
                   "[jobs][calendar]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_calendar{of_dates("2026-12-25")});
  const auto j = job_made(f, due_at(at_noon));
  auto w = noon_window("0 12 * * *; not calendar holidays; zone UTC");
  f.does(st::put_window{w});
  const auto no = f.refuses(st::remove_calendar{"holidays"});
  CHECK(no.code == errc::conflict);
  CHECK(no.text.find("job nightly") != std::string::npos);
  CHECK(no.text.find("window noon") != std::string::npos);
  CHECK(facts_of(f).windows == std::vector<std::string>{"noon"});
  f.does(st::remove_window{"noon"});
  auto d = *j.definition;
  d.timing.schedule = "0 12 * * *; zone UTC";
  f.does(st::put_job{j.id, 0, d});
  const auto second = job_made(f, due_at(at_noon, "second"));
  f.does(st::archive_job{second.id});
  f.does(st::remove_calendar{"holidays"});
  CHECK(f.refuses(st::remove_calendar{"holidays"}).code == errc::not_found);
  CHECK(f.read().list_calendars({}, false)->empty());
}

TEMPLATE_TEST_CASE("calendars: many jobs follow in bites, over a restart, and none is planned twice",
                   "[jobs][calendar]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_calendar{of_dates("2026-11-21")});
  std::vector<core::job_id> ids;
  for (int i = 0; i < 250; ++i) ids.push_back(job_made(f, due_at(at_noon, "job-" + std::to_string(i))).id);
  const auto first = f.does(st::put_calendar{of_dates("2026-12-25")});
  CHECK(first.replanned == 100);
  CHECK(first.replan == std::vector<std::string>{"holidays"});
  CHECK(f.refuses(st::put_calendar{of_dates("2026-12-26")}).code == errc::conflict);
  f.reopen();
  CHECK(facts_of(f).planning == 150);
  CHECK(facts_of(f).jobs.size() == st::calendar_users_told);
  CHECK(f.does(st::replan_calendar{"holidays"}).replan.size() == 1);
  CHECK(facts_of(f).planning == 50);
  const auto last = f.does(st::replan_calendar{"holidays"});
  CHECK(last.replanned == 50);
  CHECK(last.replan.empty());
  CHECK(facts_of(f).planning == 0);
  for (const auto id : ids) REQUIRE(f.read().find_job(id)->due == start + 2h);
  CHECK(f.does(st::replan_calendar{"holidays"}).replayed);
  CHECK(f.does(st::replan_calendar{"unknown"}).replayed);
  CHECK_FALSE(f.does(st::put_calendar{of_dates("2026-12-26")}).replayed);
}

TEMPLATE_TEST_CASE("windows: while one is open claims are held by its name, and it comes back by itself",
                   "[pauses][window]", sqlite_kind, memory_kind) {
  fixture<TestType> f;  // 10:00
  const auto made = f.does(st::put_window{noon_window()});
  REQUIRE(made.windows.size() == 1);
  CHECK(made.windows[0].opens == start + 2h);
  CHECK(made.windows[0].closes == start + 3h);
  CHECK(f.does(st::put_window{noon_window()}).replayed);
  const auto before = f.submit().head.id;
  f.claim(before);
  const auto run = f.submit().head.id;
  f.now = start + 2h;
  const auto held =
      f.refuses(st::step_run{run, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}});
  CHECK(held.code == errc::paused);
  CHECK(held.text.find("window noon: new disks") != std::string::npos);
  f.reopen();
  CHECK(f.refuses(st::step_run{run, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}}).code ==
        errc::paused);
  CHECK(f.does(over_of_window(true)).replayed);  // it is not over
  f.now = start + 3h;
  f.claim(run);
  CHECK(f.does(over_of_window(true)).windows.at(0).opens == start + 26h);
  CHECK(the_window(f).opens == start + 26h);
  // No node lives for three days; the next one finds itself in an opening, before it has planned anything.
  const auto late = f.submit().head.id;
  f.now = start + 74h + 30min;
  f.reopen();
  CHECK(f.refuses(st::step_run{late, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}}).code ==
        errc::paused);
  f.does(over_of_window(true));
  CHECK(the_window(f).opens == start + 74h);
  CHECK(the_window(f).closes == start + 75h);
  CHECK(f.refuses(st::step_run{late, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}}).code ==
        errc::paused);
  f.now = start + 75h;
  f.claim(late);
}

TEMPLATE_TEST_CASE("windows: lifted by hand it does not open again, before its time it is passed over",
                   "[pauses][window]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_window{noon_window()});
  f.does(over_of_window(false));  // not at noon today
  CHECK(the_window(f).opens == start + 26h);
  f.now = start + 26h + 10min;
  const auto run = f.submit().head.id;
  CHECK(f.refuses(st::step_run{run, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}}).code ==
        errc::paused);
  f.does(over_of_window(false));
  f.claim(run);
  CHECK(the_window(f).opens == start + 50h);
  // Another length, and it is open now: since now, not since noon.
  auto longer = noon_window();
  longer.length = 3h;
  longer.drain = true;
  f.now = start + 50h - 23h;  // 13:00
  const auto changed = f.does(st::put_window{longer});
  CHECK(changed.windows.at(0).revision == 2);
  CHECK(changed.windows.at(0).opens == start + 26h);
  const auto book = f.store().pauses();
  REQUIRE(book.ok());
  REQUIRE(book->standing.size() == 1);
  CHECK(book->standing[0].why.since == f.now);
  CHECK(core::draining(book->standing[0].why));
  f.does(st::remove_window{"noon"});
  CHECK(f.store().pauses()->standing.empty());
  CHECK(f.refuses(st::remove_window{"noon"}).code == errc::not_found);
}

TEMPLATE_TEST_CASE("windows: a bad one is refused and a calendar moves it", "[pauses][window]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  auto w = noon_window();
  w.length = 25h;
  CHECK(f.refuses(st::put_window{w}).problems.at(0).pointer == "/for");
  w = noon_window("0 12 * * *; not calendar holidays; zone UTC");
  CHECK(f.refuses(st::put_window{w}).command == "belfry calendar ls");
  w = noon_window("@at 2026-01-01T00:00:00Z; zone UTC");
  CHECK(f.refuses(st::put_window{w}).problems.at(0).pointer == "/schedule");
  f.does(st::put_calendar{of_dates("2026-11-21")});
  w = noon_window("0 12 * * *; not calendar holidays; zone UTC");
  w.on = core::the_workspace("blue");
  CHECK(f.does(st::put_window{w}).windows.at(0).opens == start + 26h);
  const auto moved = f.does(st::put_calendar{of_dates("2026-12-25")});
  REQUIRE(moved.windows.size() == 1);
  CHECK(the_window(f).opens == start + 2h);
  const auto book = f.store().pauses();
  REQUIRE(book->standing.size() == 1);
  CHECK(book->standing[0].why.since == start + 2h);
  CHECK(book->standing[0].on == core::the_workspace("blue"));
  // Work of another workspace goes on.
  f.now = start + 2h + 1min;
  f.claim(f.submit().head.id);
}
