#include <catch2/catch.hpp>

#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

TEST_CASE("expire: only at or after the end of the lease, and only under the same number",
          "[core][run][timers]") {
  a_run r;
  r.claim(true, 30s);
  r.now = noon + 30s - 1us;
  CHECK_FALSE(r.tell(cmd_expire{1}));
  CHECK(r.refused_with(errc::invalid_transition));
  CHECK_FALSE(r.no->late.has_value());
  r.now = noon + 30s;
  CHECK_FALSE(r.tell(cmd_expire{2}));
  REQUIRE(r.tell(cmd_expire{1}));
  CHECK(r.head.state == run_state::queued);
  CHECK(r.head.eligible_since == noon);
  CHECK(r.head.losses == 1);
  CHECK(r.head.used == 0);
  CHECK(r.head.last_class == failure_class::lost);
  CHECK(r.told(event_kind::lease_expired));
  CHECK_FALSE(r.told(event_kind::run_lost));
  CHECK(r.step->ended->outcome == run_state::lost);
  CHECK(r.step->ended->klass == failure_class::lost);
  CHECK_FALSE(r.tell(cmd_expire{1}));
}

TEST_CASE("expire: a run that keeps losing its workers is given up with a record of each",
          "[core][run][timers]") {
  a_run r;
  for (int n = 1; n <= 3; ++n) {
    REQUIRE(r.claim(true, 30s));
    r.now += 30s;
    REQUIRE(r.tell(cmd_expire{r.head.fencing}));
  }
  CHECK(r.head.state == run_state::lost);
  CHECK(r.step->finished);
  CHECK(r.told(event_kind::lease_expired));
  CHECK(r.told(event_kind::run_lost));
  CHECK(r.step->events.size() == 2);
  CHECK(r.records.size() == 3);
  CHECK(r.head.used == 0);
}

TEST_CASE("lose: the holder is dead, so nothing is waited for", "[core][run][timers]") {
  a_run r;
  r.claim(true, 24h);
  CHECK_FALSE(r.tell(cmd_lose{2, ""}));
  REQUIRE(r.tell(cmd_lose{1, "the node was restarted"}));
  CHECK(r.head.state == run_state::queued);
  CHECK(r.head.eligible_since == noon);
  CHECK(r.head.losses == 1);
  CHECK(r.head.reason == "the node was restarted");
  CHECK(r.step->ended->message == "the node was restarted");
  CHECK_FALSE(r.tell(cmd_lose{1, ""}));
}

TEST_CASE("loss and failure are counted apart", "[core][run][timers]") {
  a_run r;
  for (int n = 1; n <= 2; ++n) {
    r.claim(true);
    r.tell(cmd_lose{r.head.fencing, ""});
    r.claim(true);
    r.tell(r.settle(settle_kind::failed));
    r.tell(cmd_run_now{});
  }
  CHECK(r.head.losses == 2);
  CHECK(r.head.used == 2);
  CHECK(r.head.attempt == 4);
  CHECK(r.head.state == run_state::queued);
}

TEST_CASE("loss of a run that was to stop ends it as cancelled", "[core][run][timers]") {
  a_run r;
  r.claim(true);
  r.tell(cmd_cancel{"enough"});
  REQUIRE(r.tell(cmd_lose{1, "crash"}));
  CHECK(r.head.state == run_state::cancelled);
  CHECK(r.head.reason == "enough");
  CHECK(r.step->ended->outcome == run_state::lost);
  CHECK(r.told(event_kind::run_cancelled));
  CHECK(r.step->finished);
}

TEST_CASE("overdue: at the deadline the attempt has timed out and is tried again within its budget",
          "[core][run][timers]") {
  auto spec = a_spec();
  spec->timeout = 60s;
  spec->retry.max_attempts = 2;
  a_run r{spec};
  r.claim(true);
  r.now = noon + 60s - 1us;
  CHECK_FALSE(r.tell(cmd_overdue{1}));
  r.now = noon + 60s;
  CHECK_FALSE(r.tell(cmd_overdue{7}));
  REQUIRE(r.tell(cmd_overdue{1}));
  CHECK(r.head.state == run_state::retrying);
  CHECK(r.head.used == 1);
  CHECK(r.head.reason == "timed out after 1m");
  CHECK(r.step->ended->outcome == run_state::timed_out);
  CHECK(r.step->ended->klass == failure_class::timeout);
  r.tell(cmd_run_now{});
  r.claim(true);
  r.now += 61s;
  REQUIRE(r.tell(cmd_overdue{2}));
  CHECK(r.head.state == run_state::timed_out);
  CHECK(r.told(event_kind::run_timed_out));
}

TEST_CASE("overdue: a run that was to stop ends as cancelled", "[core][run][timers]") {
  a_run r;
  r.claim(true, 24h);
  r.tell(cmd_cancel{"enough"});
  r.now += 30min;
  REQUIRE(r.tell(cmd_overdue{1}));
  CHECK(r.head.state == run_state::cancelled);
}

TEST_CASE("overdue: a claimed run that did not start has no deadline", "[core][run][timers]") {
  a_run r;
  r.claim(false, 24h);
  r.now += 23h;
  CHECK_FALSE(r.tell(cmd_overdue{1}));
}

TEST_CASE("wake: at the due time, not before, and the waiting begins then", "[core][run][timers]") {
  a_run r{a_spec(), noon + 1h};
  CHECK(r.head.eligible_since == never);
  r.now = noon + 1h - 1us;
  CHECK_FALSE(r.tell(cmd_wake{}));
  CHECK(r.refused_with(errc::invalid_transition));
  r.now = noon + 1h;
  REQUIRE(r.tell(cmd_wake{}));
  CHECK(r.head.state == run_state::queued);
  CHECK(r.head.eligible_since == noon + 1h);
  CHECK(r.head.due_at == never);
  CHECK(r.told(event_kind::run_queued));
  CHECK_FALSE(r.tell(cmd_wake{}));
}

TEST_CASE("run now: the same without waiting", "[core][run][timers]") {
  a_run r{a_spec(), noon + 1h};
  REQUIRE(r.tell(cmd_run_now{}));
  CHECK(r.head.state == run_state::queued);
  CHECK(r.head.eligible_since == noon);
  CHECK_FALSE(r.tell(cmd_run_now{}));
  CHECK(r.refused_with(errc::invalid_transition));
}
