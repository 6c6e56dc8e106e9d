// A queue that is too long, and limits of providers, in a whole node under virtual time.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::event_kind;
using core::pressure_mode;
using core::priority;
using messages::claimed_runs;
using messages::pauses_seen;
using messages::submitted;
using tests::virtual_node;

namespace {

actors::node_options pressing_at(std::uint64_t at, pressure_mode mode) {
  auto o = virtual_node::usual_options();
  o.executor.none = true;
  o.board.limits = {0, 0, 0, 0};
  o.backpressure = {at, 0, mode, priority::normal};
  return o;
}

struct pressed_node : virtual_node {
  explicit pressed_node(std::uint64_t at = 3, pressure_mode mode = pressure_mode::reject)
      : virtual_node{pressing_at(at, mode)} {}

  core::result<submitted> send_in(priority prio = priority::normal) {
    messages::submit_runs m;
    core::submission s;
    auto spec = payload("work");
    spec.prio = prio;
    s.spec = std::make_shared<const core::run_spec>(std::move(spec));
    m.runs.push_back(s);
    m.actor = "cli:alice";
    return ask<submitted>(std::move(m));
  }
  core::result<pauses_seen> limit(const std::string& type, core::span length, std::string actor = "cli:alice",
                                  std::string reason = "quota") {
    messages::set_pause m;
    m.on = core::the_agent_type(type);
    m.entry.reason = std::move(reason);
    m.entry.owner = "anthropic";
    m.entry.until = now() + length;
    m.actor = std::move(actor);
    m.limit = true;
    return ask<pauses_seen>(std::move(m));
  }
  tests::pending<claimed_runs> wait_for_work(core::session_id who, core::span wait = 60s,
                                             std::uint32_t most = 1) {
    messages::claim_runs m;
    m.who = who;
    m.wait = wait;
    m.max = most;
    auto p = send<claimed_runs>(m);
    run();
    return p;
  }
};

}  // namespace

TEST_CASE("backpressure: a node refuses at its number, tells its doors, and takes in again well below it",
          "[actors][pressure]") {
  pressed_node node{5};
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(core::pressing(node.port().pressure()));
    REQUIRE(node.send_in());
  }
  CHECK(core::pressing(node.port().pressure()));
  CHECK(node.port().pressure().queued == 5);
  CHECK(core::pressing(node.queue().pressure));
  const auto no = node.send_in();
  REQUIRE(no.refused_with(errc::overloaded));
  CHECK(no.error().retry_ms >= 1000);
  CHECK(node.meter->exposition().find("belfry_backpressure_refusals_total 1") != std::string::npos);
  const auto who = node.worker("robot", 10);
  REQUIRE(node.claim(who).size() == 1);
  CHECK(node.send_in().refused_with(errc::overloaded));  // hysteresis: four is not below four
  REQUIRE(node.claim(who).size() == 1);
  CHECK_FALSE(core::pressing(node.port().pressure()));
  CHECK(node.send_in());
  CHECK(node.count_events(event_kind::backpressure_started) == 1);
  CHECK(node.count_events(event_kind::backpressure_ended) == 1);
}

TEST_CASE("backpressure: alert refuses nobody, and a wait is estimated once runs are taken",
          "[actors][pressure]") {
  pressed_node node{3, pressure_mode::alert};
  for (int i = 0; i < 8; ++i) REQUIRE(node.send_in(priority::low));
  CHECK_FALSE(node.port().pressure().wait);
  const auto who = node.worker("robot", 10);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(node.claim(who).size() == 1);
    node.advance(2s);
  }
  REQUIRE(node.send_in());
  REQUIRE(node.port().pressure().wait);
  CHECK(*node.port().pressure().wait > 6s);
  CHECK(*node.port().pressure().wait < 30s);
}

TEST_CASE("backpressure: a node that was killed goes on with the episode and tells of it no second time",
          "[actors][pressure]") {
  pressed_node node{2};
  REQUIRE(node.send_in());
  REQUIRE(node.send_in());
  node.crash();
  node.restart();
  CHECK(core::pressing(node.port().pressure()));
  CHECK(node.send_in().refused_with(errc::overloaded));
  CHECK(node.count_events(event_kind::backpressure_started) == 1);
}

TEST_CASE("backpressure: retries and delays that are over enter a queue that refuses others",
          "[actors][pressure]") {
  pressed_node node{2};
  const auto delayed = node.submit(node.payload("later"), 1min);
  REQUIRE(node.send_in());
  REQUIRE(node.send_in());
  REQUIRE(node.send_in().refused_with(errc::overloaded));
  node.advance(61s);
  CHECK(node.state_of(delayed.head.id) == core::run_state::queued);
}

TEST_CASE("limit: whoever waits for work is given one run when the time has come, the others when it worked",
          "[actors][pressure][probe]") {
  pressed_node node{0, pressure_mode::alert};
  const auto a = node.worker("a", 5, "claude"), b = node.worker("b", 5, "claude");
  for (int i = 0; i < 4; ++i) REQUIRE(node.send_in());
  REQUIRE(node.limit("claude", 30s));
  auto first = node.wait_for_work(a, 60s, 5), second = node.wait_for_work(b, 60s, 5);
  CHECK_FALSE(first.answered());
  node.advance(29s);
  CHECK_FALSE(first.answered());
  node.advance(2s);
  REQUIRE(first.answered() != second.answered());
  auto& lucky = first.answered() ? first : second;
  auto& waits = first.answered() ? second : first;
  REQUIRE(lucky.get());
  REQUIRE(lucky.get()->runs.size() == 1);
  CHECK(lucky.get()->delay == 1s);
  const auto probe = lucky.get()->runs.front();
  const auto seen = node.ask<pauses_seen>(messages::look_at_pauses{});
  REQUIRE(seen);
  REQUIRE(seen->pauses.size() == 1);
  CHECK(seen->pauses.front().why.probe == probe.run.head.id);
  node.advance(5s);
  CHECK_FALSE(waits.answered());
  REQUIRE(node.settle(probe, core::settle_kind::succeeded));
  node.run();
  REQUIRE(waits.answered());
  CHECK(waits.get()->runs.size() == 3);
  CHECK(node.ask<pauses_seen>(messages::look_at_pauses{})->pauses.empty());
}

TEST_CASE("limit: a probe whose lease runs out lets the next one go, also after a crash",
          "[actors][pressure][probe]") {
  pressed_node node{0, pressure_mode::alert};
  const auto a = node.worker("a", 5, "claude"), b = node.worker("b", 5, "claude");
  for (int i = 0; i < 3; ++i) REQUIRE(node.send_in());
  REQUIRE(node.limit("claude", 10s));
  node.advance(10s);
  REQUIRE(node.claim(a, 5, 30s).size() == 1);
  CHECK(node.claim(b).empty());
  node.crash();
  node.restart();
  CHECK(node.claim(b).empty());
  node.advance(31s);
  CHECK(node.claim(b, 5).size() == 1);
}

TEST_CASE("limit: an agent may report it for its own type and no other; nobody else's pause is touched",
          "[actors][pressure][probe]") {
  pressed_node node{0, pressure_mode::alert};
  const auto who = node.worker("a", 1, "claude");
  CHECK(node.limit("claude", 1min, to_string(who)));
  CHECK(node.limit("codex", 1min, to_string(who)).refused_with(errc::forbidden));
  CHECK(node.limit("claude", 0s).refused_with(errc::invalid));
  const auto lifted = node.ask<pauses_seen>(
      messages::lift_pause{core::the_agent_type("claude"), "quota", "anthropic", "cli:a"});
  REQUIRE(lifted);
  CHECK(lifted->changed);
}

TEST_CASE("learned delay: claimers of the type are told of it, over a restart", "[actors][pressure][delay]") {
  pressed_node node{0, pressure_mode::alert};
  const auto who = node.worker("a", 5, "claude"), other = node.worker("b", 5, "codex");
  for (int i = 0; i < 4; ++i) REQUIRE(node.send_in());
  for (int i = 0; i < 2; ++i) {
    const auto held = node.claim(who);
    REQUIRE(held.size() == 1);
    REQUIRE(node.settle(held.front(), core::settle_kind::failed, core::failure_class::rate_limited));
  }
  node.crash();
  node.restart();
  CHECK(node.queue().delays == std::vector<core::learned_delay>{{"claude", 1500ms}});
  auto told = node.wait_for_work(who, 0s);
  REQUIRE(told.answered());
  CHECK(told.get()->delay == 1500ms);
  auto free = node.wait_for_work(other, 0s);
  REQUIRE(free.answered());
  CHECK(free.get()->delay == 0s);
  CHECK(node.meter->exposition().find("belfry_provider_delay_seconds{agent_type=\"claude\"} 1.5") !=
        std::string::npos);
}

TEST_CASE(
    "limit: work that only held agents could take does not climb the ladder; it does once they are free",
    "[actors][pressure][probe]") {
  auto o = pressing_at(0, pressure_mode::alert);
  o.ladder.minimum_age = 2min;
  virtual_node node{o};
  const auto who = node.worker("a", 5, "claude");
  const auto run = node.submit(node.payload("work"));
  messages::set_pause m;
  m.on = core::the_agent_type("claude");
  m.entry = {"quota", "anthropic", "429", core::never, node.now() + 1h};
  m.actor = to_string(who);
  m.limit = true;
  REQUIRE(node.ask<pauses_seen>(m));
  for (int i = 0; i < 59; ++i) {
    node.advance(1min);
    REQUIRE(node.ask<messages::sessions_seen>(messages::heartbeat_session{who, {}, {}, "test"}));
  }
  CHECK(node.state_of(run.head.id) == core::run_state::queued);
  CHECK(node.count_events(event_kind::run_starved) == 0);
  for (int i = 0; i < 30; ++i) {
    node.advance(1min);
    node.ask<messages::sessions_seen>(messages::heartbeat_session{who, {}, {}, "test"});
  }
  CHECK(node.state_of(run.head.id) == core::run_state::needs_attention);
}
