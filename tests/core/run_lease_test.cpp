#include <catch2/catch.hpp>
#include <limits>

#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

TEST_CASE("claim: a queued run is leased once, and both numbers grow by one", "[core][run][lease]") {
  a_run r;
  REQUIRE(r.claim());
  CHECK(r.head.state == run_state::claimed);
  CHECK(r.head.attempt == 1);
  CHECK(r.head.fencing == 1);
  CHECK(r.head.held.holder == worker);
  CHECK(r.head.held.claimed_at == noon);
  CHECK(r.head.held.expires_at == noon + 5min);
  CHECK(r.head.held.started_at == never);
  CHECK(r.head.held.deadline_at == never);
  REQUIRE(r.step->events.size() == 1);
  const auto& e = r.step->events[0];
  CHECK(e.kind == event_kind::run_claimed);
  CHECK(e.run == r.head.id);
  CHECK(e.fencing == 1);
  CHECK(e.attempt == 1);
  CHECK(e.at == noon);
  CHECK(e.actor == "test");
  CHECK_FALSE(r.claim());
  CHECK(r.refused_with(errc::invalid_transition));
  CHECK_FALSE(r.no->late.has_value());
}

TEST_CASE("claim: the node's own executors begin in the same commit", "[core][run][lease]") {
  a_run r;
  REQUIRE(r.claim(true));
  CHECK(r.head.state == run_state::running);
  CHECK(r.head.held.started_at == noon);
  CHECK(r.head.held.deadline_at == noon + 30min);
  REQUIRE(r.step->events.size() == 1);
  CHECK(r.step->events[0].text == "started");
}

TEST_CASE("claim: without a timeout there is no deadline", "[core][run][lease]") {
  auto spec = a_spec();
  spec->timeout = 0s;
  a_run r{spec};
  REQUIRE(r.claim(true));
  CHECK(r.head.held.deadline_at == never);
  r.now += 1000h;
  CHECK_FALSE(r.tell(cmd_overdue{1}));
}

TEST_CASE("claim: a lease takes from a second to a day, and a session has to be named",
          "[core][run][lease]") {
  for (const span bad : {span{0}, span{-1s}, span{999'999us}, span{24h + 1us}, span::max()}) {
    a_run r;
    CHECK_FALSE(r.claim(false, bad));
    CHECK(r.refused_with(errc::invalid));
    CHECK(r.no->why.problems.at(0).pointer == "/lease");
  }
  for (const span good : {span{1s}, span{24h}}) CHECK(a_run{}.claim(false, good));
  a_run r;
  CHECK_FALSE(r.tell(cmd_claim{}));
  CHECK(r.refused_with(errc::invalid));
}

TEST_CASE("claim: only what is queued can be claimed", "[core][run][lease]") {
  a_run r{a_spec(), noon + 1h};
  CHECK(r.head.state == run_state::scheduled);
  CHECK_FALSE(r.claim());
  for (const auto s : all_run_states()) {
    r.head.state = s;
    CHECK(r.tell(cmd_claim{worker}) == (s == run_state::queued));
    r = a_run{};
  }
}

TEST_CASE("start: the clock of the timeout begins, and saying it again changes nothing",
          "[core][run][lease]") {
  a_run r;
  r.claim();
  r.now += 10s;
  REQUIRE(r.tell(cmd_start{r.proof()}));
  CHECK(r.head.state == run_state::running);
  CHECK(r.head.held.started_at == noon + 10s);
  CHECK(r.head.held.deadline_at == noon + 10s + 30min);
  CHECK(r.head.held.expires_at == noon + 5min);
  CHECK(r.told(event_kind::run_started));
  const auto before = r.head;
  r.now += 10s;
  REQUIRE(r.tell(cmd_start{r.proof()}));
  CHECK(r.head == before);
  CHECK(r.step->events.empty());
}

TEST_CASE("renew: extends from now until the instant of expiry, which is too late", "[core][run][lease]") {
  a_run r;
  r.claim(true, 30s);
  r.now += 29s;
  REQUIRE(r.tell(cmd_renew{r.proof(), 30s}));
  CHECK(r.head.held.expires_at == noon + 59s);
  CHECK(r.step->events.empty());
  r.now = noon + 59s - 1us;
  REQUIRE(r.tell(cmd_renew{r.proof(), 1s}));
  r.now += 1s;
  CHECK_FALSE(r.tell(cmd_renew{r.proof(), 30s}));
  CHECK(r.refused_with(errc::stale_lease));
  REQUIRE(r.no->late.has_value());
  CHECK(r.no->late->kind == "stale_renew");
  CHECK(r.no->late->fencing == 1);
  CHECK(r.no->late->run == r.head.id);
  CHECK(r.no->late->at == r.now);
  r.now -= 1s;
  CHECK_FALSE(r.tell(cmd_renew{r.proof(), 25h}));
  CHECK(r.refused_with(errc::invalid));
}

TEST_CASE(
    "every write of a worker: a wrong token, an old number or no lease at all is stale and kept as evidence",
    "[core][run][lease]") {
  const auto writes = [](const lease_proof& p) {
    cmd_settle settle;
    settle.proof = p;
    return std::vector<std::pair<run_command, std::string>>{{cmd_start{p}, "stale_start"},
                                                            {cmd_renew{p}, "stale_renew"},
                                                            {cmd_progress{p, 0.5, ""}, "stale_progress"},
                                                            {settle, "stale_settle"}};
  };
  const auto all_stale = [&](a_run& r, const lease_proof& p) {
    for (const auto& [command, kind] : writes(p)) {
      const auto before = r.head;
      CHECK_FALSE(r.tell(command));
      CHECK(r.refused_with(errc::stale_lease));
      REQUIRE(r.no->late.has_value());
      CHECK(r.no->late->kind == kind);
      CHECK_FALSE(r.no->late->text.empty());
      CHECK(r.head == before);
    }
  };
  a_run queued;
  all_stale(queued, a_run::proof_of(1));
  a_run r;
  r.claim(true);
  auto wrong = r.proof();
  wrong.hash[31] ^= 1;
  all_stale(r, wrong);
  wrong = r.proof();
  wrong.hash[0] ^= 128;
  all_stale(r, wrong);
  all_stale(r, {r.head.fencing + 1, r.proof().hash});
  all_stale(r, {0, r.proof().hash});
  r.tell(cmd_lose{1, "crash"});
  all_stale(r, a_run::proof_of(1));  // lost, not claimed again
  r.claim(true);
  all_stale(r, a_run::proof_of(1));
  all_stale(r, {2, a_hash(1)});
  r.now += 5min;
  all_stale(r, r.proof());  // expired, not swept yet
}

TEST_CASE("every write of a worker: a run that never was claimed has a hash of zeros, which opens nothing",
          "[core][run][lease]") {
  a_run r;
  CHECK_FALSE(r.tell(cmd_start{{0, {}}}));
  CHECK(r.refused_with(errc::stale_lease));
}

TEST_CASE("progress: is kept, told once, and begins anew with the next attempt", "[core][run][lease]") {
  a_run r;
  r.claim(true);
  REQUIRE(r.tell(cmd_progress{r.proof(), 0.25, "a quarter"}));
  CHECK(r.head.progress == 0.25);
  CHECK(r.told(event_kind::run_progress));
  REQUIRE(r.tell(cmd_progress{r.proof(), 0.25, "a quarter"}));
  CHECK(r.step->events.empty());
  for (const double bad :
       {-0.01, 1.01, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CHECK_FALSE(r.tell(cmd_progress{r.proof(), bad, ""}));
    CHECK(r.refused_with(errc::invalid));
  }
  CHECK(r.tell(cmd_progress{r.proof(), 1.0, std::string(1000, 'x')}));
  CHECK_FALSE(r.tell(cmd_progress{r.proof(), 1.0, std::string(1001, 'x')}));
  CHECK_FALSE(r.tell(cmd_progress{r.proof(), 1.0, "\xFF"}));
  r.tell(cmd_lose{1, "crash"});
  r.claim(true);
  CHECK(r.head.progress == 0);
  CHECK(r.head.progress_text.empty());
}

TEST_CASE("refusals: say the state, what would be allowed, and where to look", "[core][run]") {
  a_run r;
  r.claim();
  CHECK_FALSE(r.claim());
  CHECK(r.no->why.text == to_string(r.head.id) + " is claimed; to claim it must be queued");
  CHECK(r.no->why.command == "belfry run show " + to_string(r.head.id));
}

TEST_CASE("a decision that needs the spec is not made without it", "[core][run]") {
  a_run r;
  r.claim(true);
  CHECK(needs_spec(cmd_expire{}));
  CHECK(needs_spec(cmd_lose{}));
  CHECK(needs_spec(cmd_overdue{}));
  CHECK(needs_spec(r.settle(settle_kind::failed)));
  CHECK_FALSE(needs_spec(r.settle(settle_kind::succeeded)));
  CHECK_FALSE(needs_spec(cmd_claim{}));
  const auto answer = decide(r.head, {}, cmd_lose{1, ""}, "test", r.now);
  CHECK(std::get<run_refusal>(answer).why.code == errc::internal);
}
