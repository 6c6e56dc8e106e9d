#include <catch2/catch.hpp>

#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {
// A run whose attempt is under way since noon.
a_run at_work(std::shared_ptr<const run_spec> spec = a_spec()) {
  a_run r{std::move(spec)};
  r.claim(true);
  r.now += 10s;
  return r;
}
}  // namespace

TEST_CASE("complete: the run has succeeded and the attempt has its record", "[core][run][settle]") {
  auto r = at_work();
  auto done = r.settle(settle_kind::succeeded);
  done.result = "{\"ok\":true}";
  done.exit_code = 0;
  done.used.user_cpu = 3s;
  done.output_bytes = 5;
  REQUIRE(r.tell(done));
  CHECK(r.head.state == run_state::succeeded);
  CHECK(r.head.ended_at == r.now);
  CHECK(r.head.held == lease{});
  CHECK(r.step->finished);
  CHECK(r.told(event_kind::run_succeeded));
  REQUIRE(r.step->ended.has_value());
  const auto& record = *r.step->ended;
  CHECK(record.run == r.head.id);
  CHECK(record.number == 1);
  CHECK(record.fencing == 1);
  CHECK(record.holder == worker);
  CHECK(record.claimed_at == noon);
  CHECK(record.started_at == noon);
  CHECK(record.ended_at == r.now);
  CHECK(record.outcome == run_state::succeeded);
  CHECK(record.result == done.result);
  CHECK(record.exit_code == 0);
  CHECK(record.used.user_cpu == 3s);
}

TEST_CASE("complete: a worker that never said that it began may end all the same", "[core][run][settle]") {
  a_run r;
  r.claim();
  REQUIRE(r.tell(r.settle(settle_kind::succeeded)));
  CHECK(r.step->ended->started_at == never);
}

TEST_CASE("complete: the same again has the same answer, other content is a conflict",
          "[core][run][settle]") {
  auto r = at_work();
  auto done = r.settle(settle_kind::succeeded);
  done.result = "1";
  REQUIRE(r.tell(done));
  const auto before = r.head;
  r.now += 1h;
  REQUIRE(r.tell(done));
  CHECK(r.step->replayed);
  CHECK(r.step->events.empty());
  CHECK_FALSE(r.step->ended.has_value());
  CHECK_FALSE(r.step->finished);
  CHECK(r.head == before);

  auto other = done;
  other.result = "2";
  CHECK_FALSE(r.tell(other));
  CHECK(r.refused_with(errc::conflict));
  REQUIRE(r.no->late.has_value());
  CHECK(r.no->late->kind == "conflicting_settle");
  other = done;
  other.kind = settle_kind::failed;
  CHECK_FALSE(r.tell(other));
  CHECK(r.refused_with(errc::conflict));
  CHECK(r.head == before);
}

TEST_CASE("complete: a repetition is known even when the run has gone on with another worker",
          "[core][run][settle]") {
  auto r = at_work();
  const auto failed = r.settle(settle_kind::failed, failure_class::error, "oops");
  REQUIRE(r.tell(failed));
  r.now = r.head.due_at;
  REQUIRE(r.tell(cmd_wake{}));
  REQUIRE(r.claim(true));
  const auto before = r.head;
  REQUIRE(r.tell(failed));
  CHECK(r.step->replayed);
  CHECK(r.head == before);
  auto other = failed;
  other.kind = settle_kind::succeeded;
  CHECK_FALSE(r.tell(other));
  CHECK(r.refused_with(errc::conflict));
}

TEST_CASE("complete: after the attempt was given up as lost it is stale, and kept", "[core][run][settle]") {
  auto r = at_work();
  const auto done = r.settle(settle_kind::succeeded);
  r.now += 1h;
  REQUIRE(r.tell(cmd_expire{1}));
  CHECK_FALSE(r.tell(done));
  CHECK(r.refused_with(errc::stale_lease));
  REQUIRE(r.no->late.has_value());
  CHECK(r.no->late->kind == "stale_settle");
  CHECK(r.no->late->text == "said: succeeded");
}

TEST_CASE("fail: is tried again after the delay until the attempts are used up", "[core][run][settle]") {
  a_run r;
  const span delays[] = {1s, 2s, 4s};
  for (std::uint32_t n = 1; n <= 4; ++n) {
    REQUIRE(r.claim(true));
    REQUIRE(r.tell(r.settle(settle_kind::failed, failure_class::error, "exit code 3")));
    CHECK(r.head.used == n);
    CHECK(r.head.reason == "exit code 3");
    CHECK(r.head.last_class == failure_class::error);
    CHECK(r.step->ended->outcome == run_state::failed);
    if (n == 4) break;
    CHECK(r.head.state == run_state::retrying);
    CHECK(r.told(event_kind::run_retrying));
    CHECK(r.head.due_at == r.now + delays[n - 1]);
    CHECK_FALSE(r.step->finished);
    r.now = r.head.due_at;
    REQUIRE(r.tell(cmd_wake{}));
  }
  CHECK(r.head.state == run_state::failed);
  CHECK(r.step->finished);
  CHECK(r.told(event_kind::run_failed));
  CHECK(r.head.due_at == never);
  CHECK(r.records.size() == 4);
}

TEST_CASE("fail: without retries there is exactly one attempt", "[core][run][settle]") {
  auto spec = a_spec();
  spec->retry.max_attempts = 1;
  auto r = at_work(spec);
  REQUIRE(r.tell(r.settle(settle_kind::failed)));
  CHECK(r.head.state == run_state::failed);
}

TEST_CASE("fail: the class decides whether it is tried again", "[core][run][settle]") {
  const auto after = [](failure_class klass) {
    auto r = at_work();
    REQUIRE(r.tell(r.settle(settle_kind::failed, klass, "why")));
    CHECK(r.head.last_class == (klass == failure_class::none ? failure_class::error : klass));
    return r.head.state;
  };
  for (const auto klass : {failure_class::none, failure_class::error, failure_class::timeout,
                           failure_class::resource, failure_class::rate_limited})
    CHECK(after(klass) == run_state::retrying);
  for (const auto klass : {failure_class::permanent, failure_class::spawn})
    CHECK(after(klass) == run_state::failed);
  for (const auto klass : {failure_class::lost, failure_class::cancelled}) {
    auto r = at_work();
    CHECK_FALSE(r.tell(r.settle(settle_kind::failed, klass)));
    CHECK(r.refused_with(errc::invalid));
  }
}

TEST_CASE("fail: a last timeout ends as timed_out", "[core][run][settle]") {
  auto spec = a_spec();
  spec->retry.max_attempts = 1;
  auto r = at_work(spec);
  REQUIRE(r.tell(r.settle(settle_kind::failed, failure_class::timeout)));
  CHECK(r.head.state == run_state::timed_out);
  CHECK(r.step->ended->outcome == run_state::timed_out);
  CHECK(r.told(event_kind::run_timed_out));
}

TEST_CASE("fail: a retry-after is the least delay, and absurd ones lead to an instant that exists",
          "[core][run][settle]") {
  const auto due = [](span wish) {
    auto r = at_work();
    auto c = r.settle(settle_kind::failed, failure_class::rate_limited);
    c.retry_after = wish;
    REQUIRE(r.tell(c));
    return r.head.due_at - r.now;
  };
  CHECK(due(1min) == 1min);
  CHECK(due(10ms) == 1s);
  CHECK(due(-1h) == 1s);
  CHECK(due(span::max()) == 365 * 24h);
}

TEST_CASE("fail: the seeded unit moves the delay", "[core][run][settle]") {
  auto spec = a_spec();
  spec->retry.jitter = 0.3;
  const auto due = [&](double unit) {
    auto r = at_work(spec);
    auto c = r.settle(settle_kind::failed);
    c.unit = unit;
    r.tell(c);
    return r.head.due_at - r.now;
  };
  CHECK(due(0.0) == 700ms);
  CHECK(due(0.5) == 1s);
}

TEST_CASE("release: uses up nothing and keeps the place in the line", "[core][run][settle]") {
  auto r = at_work();
  REQUIRE(r.tell(r.settle(settle_kind::released, failure_class::none, "not for me")));
  CHECK(r.head.state == run_state::queued);
  CHECK(r.head.eligible_since == noon);
  CHECK(r.head.used == 0);
  CHECK(r.head.losses == 0);
  CHECK(r.head.held == lease{});
  CHECK(r.head.reason == "not for me");
  CHECK(r.told(event_kind::run_released));
  CHECK(r.step->ended->outcome == run_state::queued);
  CHECK(r.step->ended->klass == failure_class::none);
}

TEST_CASE("release: with a delay it is scheduled and waits anew afterwards", "[core][run][settle]") {
  auto r = at_work();
  auto c = r.settle(settle_kind::released);
  c.retry_after = 30s;
  REQUIRE(r.tell(c));
  CHECK(r.head.state == run_state::scheduled);
  CHECK(r.head.due_at == r.now + 30s);
  r.now += 30s;
  REQUIRE(r.tell(cmd_wake{}));
  CHECK(r.head.eligible_since == r.now);
}

TEST_CASE("park: waits for the named time and uses up nothing", "[core][run][settle]") {
  auto r = at_work();
  auto c = r.settle(settle_kind::parked, failure_class::rate_limited, "quota of api.example");
  CHECK_FALSE(r.tell(c));
  CHECK(r.refused_with(errc::invalid));
  c.retry_after = 0s;
  CHECK_FALSE(r.tell(c));
  c.retry_after = 1h;
  REQUIRE(r.tell(c));
  CHECK(r.head.state == run_state::parked);
  CHECK(r.head.due_at == r.now + 1h);
  CHECK(r.head.used == 0);
  CHECK(r.head.last_class == failure_class::rate_limited);
  CHECK(r.told(event_kind::run_parked));
  CHECK(r.step->ended->outcome == run_state::parked);
  REQUIRE(r.tell(c));
  CHECK(r.step->replayed);
}

TEST_CASE("cancelled: only when somebody asked for it", "[core][run][settle]") {
  auto r = at_work();
  CHECK_FALSE(r.tell(r.settle(settle_kind::cancelled)));
  CHECK(r.refused_with(errc::invalid_transition));
  CHECK_FALSE(r.no->late.has_value());
  REQUIRE(r.tell(cmd_cancel{"not needed"}));
  REQUIRE(r.tell(r.settle(settle_kind::cancelled)));
  CHECK(r.head.state == run_state::cancelled);
  CHECK(r.head.reason == "not needed");
  CHECK(r.head.used == 0);
  CHECK(r.step->ended->outcome == run_state::cancelled);
  CHECK(r.step->ended->klass == failure_class::cancelled);
  CHECK(r.told(event_kind::run_cancelled));
}

TEST_CASE("cancel asked for: a failure, a release and a parking end as cancelled, a success stays one",
          "[core][run][settle]") {
  const auto after = [](settle_kind kind) {
    auto r = at_work();
    r.tell(cmd_cancel{"enough"});
    auto c = r.settle(kind, failure_class::none, "said at the end");
    c.retry_after = 1h;
    REQUIRE(r.tell(c));
    CHECK(r.step->finished);
    const auto state = r.head.state;
    REQUIRE(r.tell(c));
    CHECK(r.step->replayed);
    return state;
  };
  CHECK(after(settle_kind::failed) == run_state::cancelled);
  CHECK(after(settle_kind::cancelled) == run_state::cancelled);
  CHECK(after(settle_kind::released) == run_state::cancelled);
  CHECK(after(settle_kind::parked) == run_state::cancelled);
  CHECK(after(settle_kind::succeeded) == run_state::succeeded);
}

TEST_CASE("settle: what is too large is refused, what is too long to be a reason is cut",
          "[core][run][settle]") {
  auto r = at_work();
  auto c = r.settle(settle_kind::succeeded);
  c.result = std::string(64 * 1024 + 1, '1');
  CHECK_FALSE(r.tell(c));
  CHECK(r.refused_with(errc::too_large));
  c.result.pop_back();
  c.kind = settle_kind::failed;
  c.message = std::string(10'000, 'x');
  REQUIRE(r.tell(c));
  CHECK(r.head.reason.size() == 4096);
  REQUIRE(r.tell(c));
  CHECK(r.step->replayed);
}

TEST_CASE("settle: kinds have names", "[core][run][settle]") {
  CHECK(to_text(settle_kind::succeeded) == "succeeded");
  CHECK(to_text(settle_kind::failed) == "failed");
  CHECK(to_text(settle_kind::cancelled) == "cancelled");
  CHECK(to_text(settle_kind::released) == "released");
  CHECK(to_text(settle_kind::parked) == "parked");
}
