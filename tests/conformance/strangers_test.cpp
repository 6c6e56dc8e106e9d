// What another belfry wrote, tokens that are issued anew, dead letters that age, levels of log lines.
#include <algorithm>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::run_state;

namespace {

core::run_spec strange_spec() {
  auto s = a_spec("strange");
  s.handler = static_cast<core::handler_kind>(7);
  return s;
}

template <class F>
std::size_t told(F& f, event_kind kind) {
  const auto all = f.events();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const core::event& e) { return e.kind == kind; }));
}

}  // namespace

TEMPLATE_TEST_CASE("unknown handler: a run is parked for its kind, also after a restart, and is not claimed",
                   "[strangers]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit(strange_spec()).head.id;
  CHECK(f.head(id).state == run_state::parked);
  f.reopen();
  const auto head = f.head(id);
  CHECK(head.state == run_state::parked);
  CHECK(head.due_at == core::never);
  CHECK(head.reason.find("handler:7") != std::string::npos);
  CHECK(f.step(id, core::cmd_meet_handler{}) == head);
  CHECK(f.refuses(st::step_run{id, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}}).code ==
        errc::invalid_transition);
  const auto page = f.store().scan_open({}, 10);
  REQUIRE(page.ok());
  REQUIRE(page->items.size() == 1);
  CHECK(page->items.front().handler == static_cast<core::handler_kind>(7));
  CHECK(f.step(id, core::cmd_cancel{"not here"}).state == run_state::cancelled);
}

TEMPLATE_TEST_CASE("unknown handler: a job's run is parked, and one that comes due is", "[strangers]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto definition = a_job("strange");
  definition.spec = strange_spec();
  const auto job = f.does(st::put_job{{}, 0, definition}).jobs.at(0).id;
  CHECK(f.does(st::trigger_job{job, {}}).runs.at(0).head.state == run_state::parked);

  auto later = a_submission(strange_spec());
  later.due_at = f.now + 1min;
  const auto id = f.does(st::insert_runs{{later}}).runs.at(0).head.id;
  CHECK(f.head(id).state == run_state::scheduled);
  f.now += 1min;
  CHECK(f.step(id, core::cmd_wake{}).state == run_state::parked);
}

TEMPLATE_TEST_CASE("reissue: the old token is refused and the new one settles the same attempt",
                   "[strangers][lease]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto old = f.claim(id);
  f.step(id, core::cmd_checkpoint{f.proof_of(old), "{\"at\":3}"});
  const core::cmd_reissue again{core::session_id{77}, hash_of(9), 10min};
  const auto answer = f.does(st::step_run{id, again, true});
  const auto& run = answer.runs.at(0);
  CHECK(run.head.fencing == old.fencing + 1);
  CHECK(run.head.attempt == old.attempt);
  REQUIRE(run.spec);
  CHECK(run.spec->payload == "{\"n\":1}");
  REQUIRE(run.past);
  REQUIRE(run.past->last);
  CHECK(run.past->last->value == "{\"at\":3}");

  f.reopen();
  CHECK(f.refuses(st::step_run{id, core::cmd_renew{f.proof_of(old)}}).code == errc::stale_lease);
  CHECK(f.refuses(st::step_run{id, f.settle(old)}).code == errc::stale_lease);
  CHECK(f.step(id, f.settle(run.head)).state == run_state::succeeded);
  const auto attempts = f.read().attempts_of(id);
  REQUIRE(attempts.ok());
  REQUIRE(attempts->size() == 1);
  CHECK(attempts->front().fencing == old.fencing + 1);
  CHECK(told(f, event_kind::lease_reissued) == 1);
}

TEMPLATE_TEST_CASE("dead letters: each is told of once when it is old, across restarts", "[strangers][dead]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto old = f.submit().head.id;
  f.fail_for_good(old);
  const auto dismissed = f.submit().head.id;
  f.fail_for_good(dismissed);
  f.step(dismissed, core::cmd_discard{"seen"});
  f.finish(f.submit().head.id);
  f.now += 2h;
  const auto young = f.submit().head.id;
  f.fail_for_good(young);

  const auto facts = f.read().facts();
  REQUIRE(facts.ok());
  CHECK(facts->dead_letters == 2);
  CHECK(facts->oldest_dead_letter == start);

  const auto age = [&] { return f.does(st::age_dead_letters{f.now - 1h, 500}).runs; };
  const auto first = age();
  REQUIRE(first.size() == 1);
  CHECK(first.front().head.id == old);
  CHECK(age().empty());
  f.reopen();
  CHECK(age().empty());
  CHECK(told(f, event_kind::dead_letter_aged) == 1);
  CHECK(f.head(old).aged);
  f.now += 2h;
  CHECK(age().size() == 1);
  CHECK(told(f, event_kind::dead_letter_aged) == 2);

  f.does(st::redrive_run{old, {}});
  CHECK(f.read().facts()->dead_letters == 1);
  CHECK(f.read().facts()->oldest_dead_letter == start + 2h);
}

TEMPLATE_TEST_CASE("dead letters: at most so many at a time, the oldest first", "[strangers][dead]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  std::vector<core::run_id> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(f.submit().head.id);
  for (auto it = ids.rbegin(); it != ids.rend(); ++it) {
    f.fail_for_good(*it);
    f.now += 1s;
  }
  const auto some = f.does(st::age_dead_letters{f.now, 2}).runs;
  REQUIRE(some.size() == 2);
  CHECK(some[0].head.id == ids[4]);
  CHECK(some[1].head.id == ids[3]);
}

TEMPLATE_TEST_CASE("logs: a line keeps its level, and a page can leave out what is less serious",
                   "[strangers][logs]", sqlite_kind, memory_kind) {
  using core::log_level;
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  std::vector<core::log_line> lines;
  for (const auto level :
       {log_level::none, log_level::debug, log_level::info, log_level::warn, log_level::error}) {
    core::log_line l;
    l.text = "says " + std::string{core::to_text(level)};
    l.level = level;
    lines.push_back(l);
  }
  f.step(id, core::cmd_log{f.proof_of(held), lines});
  f.reopen();
  const auto all = f.read().logs(id, {});
  REQUIRE(all.ok());
  REQUIRE(all->lines.size() == 5);
  CHECK(all->lines[0].level == log_level::none);
  CHECK(all->lines[4].level == log_level::error);

  st::log_request serious;
  serious.least = log_level::warn;
  const auto some = f.read().logs(id, serious);
  REQUIRE(some.ok());
  REQUIRE(some->lines.size() == 2);
  CHECK(some->lines[0].number == 4);
  CHECK(some->lines[1].number == 5);
  serious.tail = 1;
  CHECK(f.read().logs(id, serious)->lines.at(0).number == 5);
}
