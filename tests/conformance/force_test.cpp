// What operators do by force, and what the doctor reads: the same from every store.
#include <algorithm>

#include "storage/contract/troubles.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::run_state;

namespace {

// The ladder's last rung is somebody else's: here the row is put where it would leave it.
template <class Fixture>
core::run_id one_that_needs_attention(Fixture& f) {
  const auto id = f.submit().head.id;
  f.step(id, core::cmd_give_up{"nobody took it"});
  return id;
}

}  // namespace

TEMPLATE_TEST_CASE("store: a forced release ends the attempt, keeps the place in line and counts nothing",
                   "[force]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  const auto since = held.eligible_since;
  f.now += 1min;
  const auto before = f.events().back().seq;
  const auto done = f.does(st::step_run{id, core::cmd_force_release{"its host is gone"}});
  REQUIRE(done.ended.size() == 1);
  CHECK(done.ended.front().stopped_with == "operator");
  f.reopen();
  const auto head = f.head(id);
  CHECK(head.state == run_state::queued);
  CHECK(head.eligible_since == since);
  CHECK(head.used == 0);
  CHECK(head.losses == 0);
  CHECK(f.kinds_after(before) == std::vector{event_kind::run_force_released, event_kind::run_released});
  CHECK(f.events().back().actor == "tester");
  const auto attempts = f.read().attempts_of(id);
  REQUIRE(attempts->size() == 1);
  CHECK(attempts->front().outcome == run_state::queued);
  CHECK(attempts->front().stopped_with == "operator");
  // Whoever had it is refused, and its success is kept so that it can be adopted.
  CHECK(f.refuses(st::step_run{id, fixture<TestType>::settle(held)}).code == errc::stale_lease);
  REQUIRE(f.read().late_results_of(id)->size() == 1);
  f.does(st::adopt_result{id, held.fencing, "it was done"});
  CHECK(f.head(id).state == run_state::succeeded);
}

TEMPLATE_TEST_CASE("store: a forced failure is a dead letter that can be redriven", "[force]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto waiting = f.submit().head.id, held = f.submit().head.id;
  f.claim(held);
  for (const auto id : {waiting, held}) f.step(id, core::cmd_force_fail{"nobody needs it"});
  f.reopen();
  core::run_filter dead;
  dead.dead_letters = true;
  CHECK(f.listed(dead) == std::vector{waiting, held});
  CHECK(f.head(waiting).last_class == core::failure_class::permanent);
  CHECK(f.read().attempts_of(waiting)->empty());
  CHECK(f.read().attempts_of(held)->size() == 1);
  CHECK(f.does(st::redrive_run{waiting, {}}).runs.at(0).head.predecessor == waiting);
  CHECK(f.refuses(st::step_run{held, core::cmd_force_fail{"again"}}).code == errc::invalid_transition);
}

TEMPLATE_TEST_CASE("store: recover closes the run and makes its successor, both or neither", "[force]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = one_that_needs_attention(f);
  const auto before = f.events().back().seq;
  const auto done = f.does(st::recover_run{id, "a worker is there now"});
  REQUIRE(done.runs.size() == 2);
  const auto next = done.runs[0].head;
  CHECK(next.state == run_state::queued);
  CHECK(next.predecessor == id);
  REQUIRE(done.runs[0].spec);
  CHECK(done.runs[0].spec->payload == "{\"n\":1}");
  f.reopen();
  const auto old = f.head(id);
  CHECK(old.state == run_state::cancelled);
  CHECK(old.successor == next.id);
  CHECK(old.reason == "recovered by tester: a worker is there now");
  CHECK(f.kinds_after(before) == std::vector{event_kind::run_recovered, event_kind::run_cancelled,
                                             event_kind::run_redriven, event_kind::run_submitted});
  const auto facts = f.read().facts();
  CHECK(facts->runs_by_state[static_cast<std::size_t>(run_state::needs_attention)] == 0);
  CHECK(facts->runs_by_state[static_cast<std::size_t>(run_state::cancelled)] == 1);
  CHECK(facts->runs_by_state[static_cast<std::size_t>(run_state::queued)] == 1);
  const auto last = f.events().back().seq;
  CHECK(f.refuses(st::recover_run{id, "again"}).code == errc::invalid_transition);
  CHECK(f.refuses(st::recover_run{f.submit().head.id, "why"}).code == errc::invalid_transition);
  CHECK(f.refuses(st::recover_run{core::run_id{5}, "why"}).code == errc::not_found);
  CHECK(f.events().back().seq == last + 1);  // the submission alone
}

TEMPLATE_TEST_CASE("store: a recover that cannot have a successor changes nothing", "[force]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  auto id = f.submit().head.id;
  for (int i = 0; i < 10; ++i) {
    f.fail_for_good(id);
    id = f.does(st::redrive_run{id, {}}).runs.at(0).head.id;
  }
  f.step(id, core::cmd_give_up{"nobody took it"});
  const auto head = f.head(id);
  const auto last = f.events().back().seq;
  CHECK(f.refuses(st::recover_run{id, "why"}).code == errc::limit_exceeded);
  CHECK(f.head(id) == head);
  CHECK(f.events().back().seq == last);
}

TEMPLATE_TEST_CASE("store: an expectation that does not hold refuses, and a dry run writes nothing",
                   "[force]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  const auto last = f.events().back().seq;
  st::step_run asked{id, core::cmd_force_release{"why"}, true, {run_state::claimed, {}, {}}};
  CHECK(f.refuses(asked).code == errc::precondition_failed);
  asked.expected = {run_state::running, held.fencing + 1, {}};
  CHECK(f.refuses(asked).code == errc::precondition_failed);
  asked.expected = {run_state::running, held.fencing, {}};
  asked.dry_run = true;
  const auto planned = f.does(asked);
  CHECK(planned.runs.empty());
  CHECK(planned.ended.empty());
  CHECK(planned.first_event == 0);
  REQUIRE(planned.planned.size() == 1);
  CHECK(planned.planned.front().state == run_state::queued);
  CHECK(f.head(id) == held);
  asked.dry_run = false;
  CHECK(f.does(asked).runs.at(0).head.state == run_state::queued);

  const auto needy = one_that_needs_attention(f);
  st::recover_run recover{needy, "why", {}, true};
  CHECK(f.does(recover).planned.at(0).state == run_state::cancelled);
  CHECK(f.head(needy).state == run_state::needs_attention);
  const auto dead = f.submit().head.id;
  f.fail_for_good(dead);
  st::redrive_run again{dead, {}, false, {}, true};
  CHECK(f.does(again).planned.at(0).id == dead);
  CHECK_FALSE(f.head(dead).successor);
  CHECK(f.events().back().seq > last);
}

TEMPLATE_TEST_CASE("store: runs that are due are found by their time, whatever else waits", "[force][doctor]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto at = [&](core::span delay) {
    auto s = a_submission();
    s.due_at = f.now + delay;
    return f.does(st::insert_runs{{s}}).runs.at(0).head.id;
  };
  const auto first = at(1min), second = at(2min), third = at(1h);
  f.submit();
  core::run_filter overdue;
  overdue.due_before = f.now + 2min;
  CHECK(f.listed(overdue) == std::vector{first});
  overdue.due_before = f.now + 2min + 1us;
  CHECK(f.listed(overdue) == std::vector{first, second});
  overdue.states = {run_state::queued};
  CHECK(f.listed(overdue).empty());
  f.step(first, core::cmd_run_now{});
  overdue.states = {};
  CHECK(f.listed(overdue) == std::vector{second});
  f.step(third, core::cmd_cancel{"x"});
  overdue.due_before = f.now + 24h;
  CHECK(f.listed(overdue) == std::vector{second});
}

TEMPLATE_TEST_CASE("store: the doctor is told what is overdue, dead, failing, paused and waiting",
                   "[force][doctor]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto none = st::troubles_of(f.read(), f.now, 15s);
  REQUIRE(none.ok());
  CHECK(none->overdue.count == 0);
  CHECK(none->dead.count == 0);
  CHECK(none->failing.empty());
  CHECK(none->oldest.empty());

  auto late = a_submission();
  late.due_at = f.now + 1s;
  const auto overdue = f.does(st::insert_runs{{late}}).runs.at(0).head.id;
  const auto job = f.does(st::put_job{{}, 0, a_job("backup")}).jobs.at(0);
  const auto other = f.does(st::put_job{{}, 0, a_job("mail")}).jobs.at(0);
  core::run_id last;
  for (int i = 0; i < 4; ++i) {
    last = f.does(st::trigger_job{job.id, {}, true}).runs.at(0).head.id;
    i == 0 ? f.finish(last) : f.fail_for_good(last);
  }
  f.does(st::pause_job{other.id, {"manual", "alice", "holiday", f.now}});
  const auto waiting = f.submit().head.id;
  const auto needy = one_that_needs_attention(f);
  f.now += 1h;
  const auto t = st::troubles_of(f.read(), f.now, 15s, {2, 2, 100, 10, 20});
  REQUIRE(t.ok());
  CHECK(t->overdue.count == 1);
  CHECK(t->overdue.first.at(0).id == overdue);
  CHECK(t->dead.count == 2);
  CHECK(t->dead.more);
  CHECK(t->dead.first.size() == 2);
  CHECK(t->attention.count == 1);
  CHECK(t->attention.first.at(0).id == needy);
  REQUIRE(t->failing.size() == 1);
  CHECK(t->failing[0].name == "backup");
  CHECK(t->failing[0].in_a_row == 3);
  CHECK(t->failing[0].last == last);
  REQUIRE(t->held.size() == 1);
  CHECK(t->held[0].pauses.at(0).owner == "alice");
  REQUIRE(t->oldest.size() == 1);
  CHECK(t->oldest[0].head.id == waiting);
  CHECK(t->oldest[0].handler == core::handler_kind::none);
}

TEMPLATE_TEST_CASE("store: statistics tell the busiest hours and what failures say", "[statistics]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto none = f.read().statistics({});
  REQUIRE(none.ok());
  CHECK(none->failures.empty());
  CHECK(
      std::all_of(none->started_by_hour.begin(), none->started_by_hour.end(), [](auto n) { return n == 0; }));
  core::run_id last;
  for (int i = 0; i < 5; ++i) {
    last = f.submit().head.id;
    auto how = fixture<TestType>::settle(f.claim(last), core::settle_kind::failed);
    how.klass = core::failure_class::permanent;
    how.message = "request " + std::to_string(10'000 + i) + " was refused with 503";
    f.step(last, how);
  }
  f.now += 3h;
  f.finish(f.submit().head.id);
  const auto s = f.read().statistics({});
  REQUIRE(s.ok());
  CHECK(s->started_by_hour[10] == 5);
  CHECK(s->started_by_hour[13] == 1);
  REQUIRE(s->failures.size() == 1);
  CHECK(s->failures[0].text == "request # was refused with 503");
  CHECK(s->failures[0].count == 5);
  CHECK(s->failures[0].klass == core::failure_class::permanent);
  CHECK(s->failures[0].last == last);
}
