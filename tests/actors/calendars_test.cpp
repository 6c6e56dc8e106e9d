// Calendars and maintenance windows through the whole node, under virtual time.
#include <catch2/catch.hpp>

#include <algorithm>

#include "core/calendar/calendar.hpp"
#include "core/window/window.hpp"
#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::event_kind;
using core::run_state;
using tests::virtual_node;

namespace {

messages::job_stored planned_by_calendar(virtual_node& node, const std::string& name,
                                         const std::string& schedule) {
  messages::put_job m;
  m.definition.name = name;
  m.definition.spec = virtual_node::payload(name);
  m.definition.on_overlap = core::overlap::queue_all;
  m.definition.timing.schedule = schedule;
  m.actor = "test";
  const auto made = node.ask<messages::job_stored>(std::move(m));
  REQUIRE(made);
  return *made;
}

messages::put_calendar from_now(virtual_node& node, core::span from, core::span to) {
  core::calendar c;
  c.fixed.push_back({node.now() + from, node.now() + to});
  messages::put_calendar m;
  m.what.name = "quiet";
  m.what.source = core::calendar_source::ics;
  m.what.content = std::make_shared<const core::calendar>(std::move(c));
  m.actor = "test";
  return m;
}

}  // namespace

TEST_CASE_METHOD(virtual_node,
                 "window: it opens and closes by itself, twice, and over a restart in the middle",
                 "[actors][window]") {
  advance(11min);  // past the window of 10:00
  messages::put_window m;
  m.what.name = "hourly";
  m.what.schedule = "0 * * * *; zone UTC";
  m.what.length = 10min;
  m.actor = "test";
  const auto made = ask<messages::window_stored>(m);
  REQUIRE(made);
  CHECK(made->changed);
  const auto opens = made->window.opens;
  CHECK(opens > now());
  for (int round = 0; round < 2; ++round) {
    const auto name = [&](const char* role) { return role + std::to_string(round); };
    const auto id = submit(payload("work-" + std::to_string(round))).head.id;
    advance(opens + 1h * round - now() - 1s);
    const auto early = claim(worker(name("early-")));
    REQUIRE(early.size() == 1);  // a second before
    REQUIRE(settle(early[0], core::settle_kind::succeeded));
    CHECK(state_of(id) == run_state::succeeded);
    const auto held = submit(payload("held-" + std::to_string(round))).head.id;
    advance(1s);
    CHECK(claim(worker(name("held-"))).empty());
    const auto why = explain(held).reasons;
    REQUIRE_FALSE(why.empty());
    CHECK(why[0].code == "scheduler_paused");
    CHECK(why[0].text.find("window hourly") != std::string::npos);
    CHECK(queue().paused);
    advance(5min);
    if (round == 0) {
      crash();
      restart();
      run();
    }
    CHECK(claim(worker(name("middle-"))).empty());
    advance(5min);
    CHECK_FALSE(queue().paused);
    const auto late = claim(worker(name("late-")));
    REQUIRE(late.size() == 1);
    CHECK(late[0].run.head.id == held);
    REQUIRE(settle(late[0], core::settle_kind::succeeded));
    const auto all = read(messages::list_windows{});
    REQUIRE(all);
    CHECK(all->at(0).opens == opens + 1h * (round + 1));
    const auto planned = queue().planned;
    REQUIRE(planned.size() == 1);
    CHECK(planned[0].why.since == opens + 1h * (round + 1));
  }
}

TEST_CASE_METHOD(virtual_node, "window: a node that slept through openings is held if now lies in one",
                 "[actors][window]") {
  advance(11min);
  messages::put_window m;
  m.what.name = "hourly";
  m.what.schedule = "0 * * * *; zone UTC";
  m.what.length = 10min;
  m.what.drain = true;
  m.actor = "test";
  const auto made = ask<messages::window_stored>(m);
  REQUIRE(made);
  const auto id = submit(payload("work")).head.id;
  crash();
  time.jump(made->window.opens + 50h + 1min - now());
  restart();
  run();
  CHECK(claim(worker("claude")).empty());
  CHECK(queue().paused);
  CHECK(count_events(event_kind::drained) == 1);  // nothing runs
  advance(9min);
  const auto late = claim(worker("codex"));
  REQUIRE(late.size() == 1);
  CHECK(late[0].run.head.id == id);
}

TEST_CASE_METHOD(virtual_node, "calendar: a job follows its calendar while the node runs",
                 "[actors][calendar]") {
  REQUIRE(ask<messages::calendar_stored>(from_now(*this, 0s, 1h)));
  const auto job = planned_by_calendar(*this, "minutely", "* * * * *; not calendar quiet; zone UTC").job;
  advance(10min);
  CHECK(count_events(event_kind::job_fired) == 0);
  const auto freed = ask<messages::calendar_stored>(from_now(*this, 20min, 30min));
  REQUIRE(freed);
  CHECK(freed->replanned == 1);
  CHECK_FALSE(freed->more);
  for (int i = 0; i < 5; ++i) advance(1min);
  CHECK(count_events(event_kind::job_fired) == 5);
  crash();
  restart();
  for (int i = 0; i < 5; ++i) advance(1min);
  CHECK(count_events(event_kind::job_fired) == 10);
  const auto page = read(messages::list_occurrences{job.id, core::never, 100});
  REQUIRE(page);
  CHECK(std::any_of(page->lines.begin(), page->lines.end(), [](const auto& l) {
    return l.skipped.range.by == "calendar quiet" && l.skipped.range.count >= 10;
  }));
}

TEST_CASE_METHOD(virtual_node,
                 "calendar: the planner leads the jobs of a calendar through its change, in bites",
                 "[actors][calendar]") {
  REQUIRE(ask<messages::calendar_stored>(from_now(*this, 0s, 5h)));
  std::vector<core::job_id> ids;
  for (int i = 0; i < 250; ++i)
    ids.push_back(
        planned_by_calendar(*this, "job-" + std::to_string(i), "0 * * * *; not calendar quiet; zone UTC")
            .job.id);
  const auto before = now();
  const auto stored = ask<messages::calendar_stored>(from_now(*this, 10h, 11h));
  REQUIRE(stored);
  CHECK(stored->replanned == 100);
  CHECK(stored->more);
  run();
  const auto facts = read(messages::list_calendars{});
  REQUIRE(facts);
  CHECK(facts->at(0).planning == 0);
  CHECK(now() == before);
  for (const auto id : ids) {
    const auto j = read(messages::get_job{core::to_string(id)});
    REQUIRE(j);
    REQUIRE(j->due <= before + 1h);
  }
}
