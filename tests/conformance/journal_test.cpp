#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::event_kind;

TEMPLATE_TEST_CASE("journal: numbered without gaps, whatever was refused or rolled back between", "[journal]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  for (int i = 0; i < 10; ++i) {
    f.submit();
    CHECK(
        !f.store().apply(f.set({st::insert_runs{{a_submission()}}, st::archive_job{core::job_id{1}}})).ok());
    REQUIRE(f.apply(st::insert_runs{{a_submission()}}).ok());
    f.store().rollback();
    if (i % 3 == 0) f.reopen();
  }
  const auto events = f.events();
  REQUIRE(events.size() == 10);
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].seq == static_cast<std::int64_t>(i) + 1);
}

TEMPLATE_TEST_CASE("journal: a receipt says which events are its own, and they can be asked for at once",
                   "[journal]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto first = f.apply(st::insert_runs{{a_submission(), a_submission()}});
  core::event what;
  what.kind = event_kind::node_started;
  what.text = "4.2";
  const auto second = f.apply(st::note_event{what});
  f.commit();
  CHECK(first->first_event == 1);
  CHECK(first->last_event == 2);
  CHECK(second->first_event == 3);
  CHECK(second->last_event == 3);
  const auto asked = f.store().events_between(2, 3);
  REQUIRE(asked.ok());
  REQUIRE(asked->size() == 2);
  CHECK(asked->at(0).kind == event_kind::run_submitted);
  CHECK(asked->at(1).kind == event_kind::node_started);
  CHECK(asked->at(1).actor == "tester");
  CHECK(asked->at(1).at == f.now);
  CHECK(asked->at(1).text == "4.2");
  f.submit();
  CHECK(*f.store().events_between(1, 4) == f.events());
  CHECK(f.store().events_between(5, 9)->empty());
  CHECK(f.store().last_event() == 4);
}

TEMPLATE_TEST_CASE("journal: pages go on where they stopped, also when a filter lets little through",
                   "[journal]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  for (int i = 0; i < 30; ++i) f.submit();
  f.finish(id);
  st::event_filter only;
  only.run = id;
  std::vector<event_kind> kinds;
  std::int64_t at = 0;
  for (;;) {
    const auto page = f.read().events_after(at, 2, only);
    REQUIRE(page.ok());
    for (const auto& e : page->events) kinds.push_back(e.kind);
    if (page->last_scanned == at) break;
    at = page->last_scanned;
  }
  CHECK(kinds == std::vector{event_kind::run_submitted, event_kind::run_claimed, event_kind::run_succeeded});
  CHECK(at == f.store().last_event());
  const auto some =
      f.read().events_after(0, 100, {.kinds = {event_kind::run_claimed, event_kind::run_succeeded}});
  CHECK(some->events.size() == 2);
  CHECK(f.read().events_after(0, 5, {})->events.size() == 5);
  CHECK(f.read().events_after(0, 5, {})->oldest_kept == 1);
}

TEMPLATE_TEST_CASE("journal: old events go as a prefix, the newest stays, numbers go on after a restart",
                   "[journal][retention]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  for (int i = 0; i < 10; ++i) {
    f.submit();
    f.now += 1min;
  }
  CHECK(f.does(st::prune_events{start, 100}).pruned == 0);
  CHECK(f.does(st::prune_events{start + 3min, 2}).pruned == 2);
  CHECK(f.does(st::prune_events{start + 3min, 100}).pruned == 1);
  auto page = f.read().events_after(0, 100, {});
  CHECK(page->oldest_kept == 4);
  CHECK(page->events.size() == 7);
  CHECK(f.does(st::prune_events{start + 1h, 100}).pruned == 6);
  f.reopen();
  f.submit();
  CHECK(f.events().back().seq == 11);
  CHECK(f.read().events_after(0, 100, {})->oldest_kept == 10);
}
