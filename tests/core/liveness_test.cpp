#include "core/session/liveness.hpp"

#include <catch2/catch.hpp>

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

constexpr instant noon = from_micros(1'795'255'200'000'000);

session outside(session_state state = session_state::active) {
  session s;
  s.id = session_id{7};
  s.state = state;
  return s;
}
// Renewed and worked on at noon, for five minutes.
lease_signs a_lease() { return {run_id{1}, noon, noon + 5min, noon}; }

session_health after(span silence, const std::vector<lease_signs>& leases = {},
                     session_state state = session_state::active) {
  return judge(outside(state), noon, leases, {}, noon + silence);
}

}  // namespace

TEST_CASE("liveness: suspect after half of the silence that makes a session missing", "[core][session]") {
  CHECK(after(0s) == session_health::live);
  CHECK(after(60s - 1us) == session_health::live);
  CHECK(after(60s) == session_health::suspect);
  CHECK(after(120s - 1us) == session_health::suspect);
  CHECK(after(120s) == session_health::missing);
  CHECK(after(120s, {a_lease()}) == session_health::orphaned);
  CHECK(after(0s, {}, session_state::stale) == session_health::missing);
  CHECK(after(0s, {}, session_state::gone) == session_health::gone);
  CHECK(after(0s, {a_lease()}, session_state::gone) == session_health::orphaned);
}

TEST_CASE("liveness: a lease in the last third of its time is asked about, not taken", "[core][session]") {
  const auto l = a_lease();
  CHECK_FALSE(renewal_is_late(l, noon + 200s - 1us));
  CHECK(renewal_is_late(l, noon + 200s));
  CHECK(judge(outside(), noon + 200s, {l}, {}, noon + 200s) == session_health::suspect);
  CHECK(judge(outside(), noon + 199s, {l}, {}, noon + 199s) == session_health::live);
}

TEST_CASE("liveness: a run without progress stalls its session, however much it heartbeats",
          "[core][session]") {
  auto l = a_lease();
  l.renewed_at = noon + 10min;
  l.expires_at = noon + 15min;
  CHECK_FALSE(is_stalled(l, {}, noon + 10min - 1us));
  CHECK(is_stalled(l, {}, noon + 10min));
  CHECK(judge(outside(), noon + 10min, {l}, {}, noon + 10min) == session_health::stalled);
  l.progress_at = never;  // claimed, not started: nothing is expected yet
  CHECK_FALSE(is_stalled(l, {}, noon + 10h));
  l.progress_at = noon;
  liveness_options not_watched;
  not_watched.progress_within = 0s;
  CHECK_FALSE(is_stalled(l, not_watched, noon + 10h));
}

TEST_CASE("liveness: an executor of the node is never silent", "[core][session]") {
  auto s = outside();
  s.local = true;
  CHECK(judge(s, noon, {}, {}, noon + 10h) == session_health::live);
}

TEST_CASE("liveness: silence makes stale, and much later gone", "[core][session]") {
  const liveness_options o;
  using enum session_state;
  CHECK(judge_silence(active, noon, o, noon + 2min - 1us) == silence::nothing);
  CHECK(judge_silence(active, noon, o, noon + 2min) == silence::goes_stale);
  CHECK(judge_silence(draining, noon, o, noon + 2min) == silence::goes_stale);
  CHECK(judge_silence(stale, noon, o, noon + 1h - 1us) == silence::nothing);
  CHECK(judge_silence(stale, noon, o, noon + 1h) == silence::leaves);
  CHECK(judge_silence(gone, noon, o, noon + 99h) == silence::nothing);
  CHECK(next_look(active, noon, o) == noon + 2min);
  CHECK(next_look(stale, noon, o) == noon + 1h);
}
