// Sessions and their leases in a whole node, in virtual time.
#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using core::session_health;
using core::session_state;

namespace {

struct sessions_node : virtual_node {
  sessions_node() : virtual_node{outside_only()} {}
  static actors::node_options outside_only() {
    auto o = usual_options();
    o.executor.none = true;
    o.board.limits = {0, 0, 0, 0};
    return o;
  }
  messages::session_view look(core::session_id id) {
    const auto seen = ask<messages::sessions_seen>(messages::look_at_sessions{id, true});
    REQUIRE(seen.ok());
    REQUIRE(seen->sessions.size() == 1);
    return seen->sessions.front();
  }
  messages::session_view beat(core::session_id id, std::optional<bool> paused = {},
                              std::optional<bool> prompting = {}) {
    const auto seen =
        ask<messages::sessions_seen>(messages::heartbeat_session{id, paused, prompting, "test"});
    REQUIRE(seen.ok());
    return seen->sessions.front();
  }
  void steer(core::session_id id, bool draining) {
    REQUIRE(ask<messages::sessions_seen>(messages::steer_session{id, draining, "", "test"}).ok());
  }
  pending<messages::claimed_runs> wait_for_work(core::session_id who, core::span wait = 30s) {
    messages::claim_runs m;
    m.who = who;
    m.wait = wait;
    auto p = send<messages::claimed_runs>(m);
    run();
    return p;
  }
  template <class Command>
  core::result<messages::lease_status> say(const messages::claimed_run& c, Command command) {
    command.proof = {c.run.head.fencing, platform::sha256(c.token)};
    messages::touch_leases m;
    m.calls.push_back({c.run.head.id, std::move(command)});
    auto r = ask<messages::touched>(std::move(m));
    REQUIRE(r.ok());
    return r->answers.front();
  }
  core::run work(const std::string& name = "w") { return submit(payload(name)); }
};

}  // namespace

TEST_CASE_METHOD(sessions_node, "session: silent for two minutes it is stale, and back with the next word",
                 "[actors][session]") {
  const auto who = worker("w");
  CHECK(look(who).health == session_health::live);
  advance(61s);
  CHECK(look(who).health == session_health::suspect);
  CHECK(look(who).who.state == session_state::active);
  advance(60s);
  CHECK(look(who).who.state == session_state::stale);
  CHECK(look(who).health == session_health::missing);
  CHECK(count_events(core::event_kind::session_stale) == 1);
  CHECK(beat(who).who.state == session_state::active);
  CHECK(count_events(core::event_kind::session_back) == 1);
  CHECK(look(who).health == session_health::live);
}

TEST_CASE_METHOD(sessions_node,
                 "session: whoever claims lives, and a stale one gets work with its first claim",
                 "[actors][session]") {
  const auto who = worker("w");
  work();
  advance(5min);
  CHECK(look(who).who.state == session_state::stale);
  const auto held = claim(who);
  REQUIRE(held.size() == 1);
  CHECK(look(who).who.state == session_state::active);
  CHECK(settle(held.front(), core::settle_kind::succeeded).ok());
  for (int i = 0; i < 10; ++i) {
    advance(1min);
    CHECK(claim(who).empty());
    CHECK(look(who).who.state == session_state::active);
  }
}

TEST_CASE_METHOD(sessions_node, "session: heartbeats of its leases keep it alive", "[actors][session]") {
  const auto who = worker("w");
  work();
  const auto held = claim(who);
  for (int i = 0; i < 10; ++i) {
    advance(1min);
    REQUIRE(renew(held.front()).ok());
    run();
    CHECK(look(who).who.state == session_state::active);
  }
}

TEST_CASE_METHOD(sessions_node,
                 "session: stale and without leases for an hour it is gone, with a lease it stays",
                 "[actors][session]") {
  const auto idle = worker("idle");
  const auto busy = worker("busy");
  work();
  const auto held = claim(busy, 1, 3h);
  advance(62min);
  CHECK(look(idle).who.state == session_state::gone);
  CHECK(look(busy).who.state == session_state::stale);
  CHECK(look(busy).health == session_health::orphaned);
  CHECK(settle(held.front(), core::settle_kind::succeeded).ok());  // nothing was taken from it
  // It comes back under its id.
  core::session again;
  again.id = idle;
  again.name = "idle";
  REQUIRE(ask<messages::session_answer>(messages::register_session{again, "test", {}}).ok());
  work();
  CHECK(claim(idle).size() == 1);
}

TEST_CASE_METHOD(sessions_node, "session: after a jump of the clock everybody has the whole time again",
                 "[actors][session]") {
  const auto who = worker("w");
  work();
  const auto held = claim(who);
  jump(8h);
  advance(31s);
  CHECK(look(who).who.state == session_state::active);
  advance(119s);
  CHECK(look(who).who.state == session_state::stale);
  CHECK(renew(held.front()).ok());  // within the grace that the lease got
}

TEST_CASE_METHOD(sessions_node, "session: a restart of the node gives everybody the whole time again",
                 "[actors][session]") {
  const auto who = worker("w");
  work();
  const auto held = claim(who);
  advance(110s);
  crash();
  restart();
  advance(60s);
  CHECK(look(who).who.state == session_state::active);
  CHECK(look(who).leases.size() == 1);
  CHECK(renew(held.front()).ok());
  CHECK(settle(held.front(), core::settle_kind::succeeded).ok());
}

TEST_CASE_METHOD(sessions_node,
                 "session: drained it gets nothing, is told so at once, and keeps what it holds",
                 "[actors][session]") {
  const auto who = worker("w", 2);
  work("first");
  const auto held = claim(who);
  auto waiting = wait_for_work(who);
  CHECK_FALSE(waiting.answered());
  steer(who, true);
  run();
  REQUIRE(waiting.answered());
  CHECK(waiting.get()->runs.empty());
  CHECK(waiting.get()->state == session_state::draining);
  CHECK(waiting.get()->reasons.front().code == "session_draining");
  work("second");
  CHECK(claim(who).empty());
  CHECK(renew(held.front())->drain);
  // Asking again does not become a circle of empty answers.
  auto patient = wait_for_work(who);
  CHECK_FALSE(patient.answered());
  advance(1s);
  CHECK(patient.answered());
  CHECK(settle(held.front(), core::settle_kind::succeeded).ok());
  crash();
  restart();
  CHECK(look(who).who.state == session_state::draining);
  CHECK(claim(who).empty());
  steer(who, false);
  CHECK(claim(who).size() == 1);
}

TEST_CASE_METHOD(sessions_node, "session: paused or prompting it gets nothing, says which, and takes it back",
                 "[actors][session]") {
  const auto who = worker("w");
  work();
  beat(who, true);
  CHECK(claim(who).empty());
  const auto why = ask<messages::session_explanation>(messages::explain_session{who, {}, {}});
  REQUIRE(why.ok());
  CHECK(why->reasons.front().code == "session_paused");
  CHECK(why->ready == 1);
  beat(who, false, true);
  CHECK(claim(who).empty());
  CHECK(look(who).who.prompting);
  auto waiting = wait_for_work(who);
  beat(who, {}, false);
  run();
  REQUIRE(waiting.answered());
  CHECK(waiting.get()->runs.size() == 1);
}

TEST_CASE_METHOD(sessions_node,
                 "session: asked about a late heartbeat and about missing progress, before anything is lost",
                 "[actors][session]") {
  const auto who = worker("w");
  work();
  const auto held = claim(who);
  REQUIRE(say(held.front(), core::cmd_start{}).ok());
  advance(199s);
  CHECK_FALSE(beat(who).renew);
  advance(2s);
  const auto asked = beat(who);
  CHECK(asked.renew);
  CHECK(asked.health == session_health::suspect);
  for (int i = 0; i < 5; ++i) {
    const auto status = renew(held.front());
    REQUIRE(status.ok());
    CHECK_FALSE(status->report);
    advance(90s);
  }
  CHECK(renew(held.front())->report);  // ten minutes since the start
  CHECK(look(who).health == session_health::stalled);
  CHECK_FALSE(say(held.front(), core::cmd_progress{{}, 0.5, "half"})->report);
  CHECK_FALSE(renew(held.front())->report);
  CHECK(look(who).health == session_health::live);
}

TEST_CASE_METHOD(sessions_node, "lease: a worker that is slow but heartbeats in time is never robbed",
                 "[actors][lease]") {
  const auto who = worker("slow");
  const auto other = worker("quick");
  const auto id = work().head.id;
  const auto held = claim(who, 1, 10s);
  REQUIRE(say(held.front(), core::cmd_start{}).ok());
  for (int i = 0; i < 100; ++i) {  // no progress, no session heartbeat, each renewal at the last moment
    advance(10s - 1us);
    REQUIRE(renew(held.front(), 10s).ok());
    CHECK(claim(other).empty());
  }
  CHECK(settle(held.front(), core::settle_kind::succeeded).ok());
  CHECK(attempts_of(id).size() == 1);
}

TEST_CASE_METHOD(sessions_node, "slots: ten thousand crashed workers leak none", "[actors][claim]") {
  options.board.limits = {};
  std::vector<core::session_id> fleet;
  for (int i = 0; i < 4; ++i) fleet.push_back(worker("w" + std::to_string(i), 5));
  auto spec = payload("doomed");
  spec.retry.max_losses = 100;
  spec.concurrency_key = "k";
  spec.concurrency_limit = 20;
  spec.lane = "lane";
  std::size_t crashes = 0;
  for (int i = 0; i < 40; ++i) submit(spec);
  while (crashes < 10'000) {
    std::size_t held = 0;
    for (const auto who : fleet) held += claim(who, 5, 1s).size();
    REQUIRE(held == 20);
    advance(1s);  // all of them vanish
    crashes += held;
    if (crashes % 4000 == 0)
      for (int i = 0; i < 40; ++i) submit(spec);
    const auto q = queue();
    REQUIRE(q.counts.live == 0);
    REQUIRE(q.counts.reserved == 0);
    REQUIRE(q.live_by_lane.empty());
  }
  CHECK(read(messages::list_leases{})->empty());
  for (const auto who : fleet) {
    CHECK(look(who).leases.empty());
    const auto why = ask<messages::session_explanation>(messages::explain_session{who, {}, {}});
    CHECK(why->slots_used == 0);
  }
}

TEST_CASE_METHOD(sessions_node, "claim: each lease takes one slot, and a full session says so",
                 "[actors][claim]") {
  const auto who = worker("w", 3);
  for (int i = 0; i < 9; ++i) work();
  CHECK(claim(who, 9).size() == 3);
  auto full = wait_for_work(who, 0s);
  REQUIRE(full.answered());
  CHECK(full.get()->runs.empty());
  CHECK(full.get()->reasons.front().code == "no_free_slot");
  CHECK(look(who).leases.size() == 3);
}

TEST_CASE_METHOD(sessions_node,
                 "adopt: a late success counts, and whoever has the run meanwhile is fenced off",
                 "[actors][lease]") {
  const auto who = worker("stopped");
  const auto id = work().head.id;
  const auto held = claim(who, 1, 10s);
  advance(11s);
  CHECK(settle(held.front(), core::settle_kind::succeeded).refused_with(errc::stale_lease));
  const auto other = worker("other");
  const auto second = claim(other);
  REQUIRE(second.size() == 1);
  const auto done = ask<messages::adopted>(messages::adopt_result{id, 0, "checked", "test"});
  REQUIRE(done.ok());
  CHECK(done->head.state == run_state::succeeded);
  CHECK(renew(second.front()).refused_with(errc::stale_lease));
  CHECK(settle(second.front(), core::settle_kind::succeeded).refused_with(errc::conflict));
  CHECK(state_of(id) == run_state::succeeded);
  CHECK(queue().counts.live == 0);
  CHECK(look(other).leases.empty());
  work();
  CHECK(claim(other).size() == 1);  // its slot is free
}
