// Workers that the node starts by itself: their rows, the events of what changes, and when they go.
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::worker_end;
using core::worker_state;

namespace {

core::spawned_worker a_worker(core::run_id run, std::uint64_t episode, core::instant now) {
  core::agent_type t;
  t.name = "claude";
  core::session who;
  who.workspace = "team";
  return core::new_worker(t, who, run, episode, hash_of(9), now);
}

template <class Fixture>
core::spawned_worker spawned(Fixture& f, core::run_id run = core::run_id{5}, std::uint64_t episode = 1) {
  core::session who;
  who.name = who.agent_type = "claude";
  const auto done =
      f.does(std::vector<st::change>{st::put_session{who}, st::put_worker{a_worker(run, episode, f.now)}});
  auto w = a_worker(run, episode, f.now);
  w.session = done.sessions.at(0).id;
  return w;
}

template <class Fixture>
std::vector<core::spawned_worker> listed_workers(Fixture& f, st::worker_filter filter = {}) {
  auto all = f.read().list_workers(filter);
  REQUIRE(all.ok());
  return *all;
}

}  // namespace

TEMPLATE_TEST_CASE("spawned: a worker is made with its session, and every step of its life is an event",
                   "[spawned]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto before = f.store().last_event();
  auto w = spawned(f);
  f.reopen();
  CHECK(listed_workers(f) == std::vector{w});
  w.pid = 4711;
  f.does(st::put_worker{w});
  CHECK(f.does(st::put_worker{w}).replayed);  // the same again: no news
  f.now += 1s;
  w.state = worker_state::ready;
  w.since = f.now;
  f.does(st::put_worker{w});
  w.state = worker_state::ended;
  w.end = worker_end::ttl;
  w.text = "its ttl is over";
  f.does(st::put_worker{w});
  CHECK(f.kinds_after(before) == std::vector{event_kind::session_registered, event_kind::spawn_requested,
                                             event_kind::worker_spawned, event_kind::worker_ready,
                                             event_kind::worker_reaped});
  CHECK(f.events().back().run == core::run_id{5});
  CHECK(f.events().back().text.find("ttl: its ttl is over") != std::string::npos);
  f.reopen();
  CHECK(listed_workers(f).empty());
  st::worker_filter all;
  all.ended_too = true;
  CHECK(listed_workers(f, all) == std::vector{w});
}

TEMPLATE_TEST_CASE("spawned: the event of an end says whether it failed to start, ended, or was ended",
                   "[spawned]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const std::vector<std::pair<worker_end, event_kind>> ends{
      {worker_end::not_started, event_kind::spawn_failed},
      {worker_end::never_registered, event_kind::spawn_failed},
      {worker_end::misfit, event_kind::spawn_failed},
      {worker_end::exited, event_kind::worker_ended},
      {worker_end::crashed, event_kind::worker_ended},
      {worker_end::node_gone, event_kind::worker_reaped},
      {worker_end::idle, event_kind::worker_reaped}};
  for (const auto& [end, kind] : ends) {
    auto w = spawned(f);
    w.state = worker_state::ended;
    w.end = end;
    f.does(st::put_worker{w});
    CHECK(f.events().back().kind == kind);
  }
}

TEMPLATE_TEST_CASE("spawned: found by run and type, newest first, within a limit", "[spawned]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto a = spawned(f, core::run_id{5}, 1);
  const auto b = spawned(f, core::run_id{6}, 1);
  const auto c = spawned(f, core::run_id{5}, 2);
  CHECK(listed_workers(f) == std::vector{c, b, a});
  st::worker_filter of_run;
  of_run.run = core::run_id{5};
  CHECK(listed_workers(f, of_run) == std::vector{c, a});
  st::worker_filter few;
  few.limit = 1;
  CHECK(listed_workers(f, few) == std::vector{c});
  st::worker_filter other;
  other.agent_type = "other";
  CHECK(listed_workers(f, other).empty());
}

TEMPLATE_TEST_CASE("spawned: nobody is changed who was never started, and a refused set leaves nothing",
                   "[spawned]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto w = a_worker({}, 0, f.now);
  CHECK(f.refuses(st::put_worker{w}).code == errc::internal);  // no session was registered with it
  w.session = core::session_id{99};
  CHECK(f.refuses(st::put_worker{w}).code == errc::not_found);
  CHECK(listed_workers(f).empty());
}

TEMPLATE_TEST_CASE("spawned: an ended worker is kept as long as its session", "[spawned][retention]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto w = spawned(f);
  const auto alive = spawned(f, core::run_id{6});
  w.state = worker_state::ended;
  w.end = worker_end::exited;
  f.does(st::put_worker{w});
  f.does(st::end_session{w.session, "over"});
  st::worker_filter all;
  all.ended_too = true;
  CHECK(listed_workers(f, all).size() == 2);
  f.now += 24h;
  f.does(st::prune_history{f.now - 1h, core::never, 100, 500, false});
  CHECK(listed_workers(f, all) == std::vector{alive});
}
