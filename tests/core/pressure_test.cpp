#include <catch2/catch.hpp>

#include "core/pressure/backpressure.hpp"
#include "core/pressure/learned_delay.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

constexpr instant noon = from_micros(1'795'255'200'000'000);

pressure pressed(pressure_mode mode, std::uint64_t queued = 12) {
  pressure p;
  p.rule = {10, 0, mode, priority::normal};
  p.queued = queued;
  p.since = noon;
  return p;
}

}  // namespace

TEST_CASE("backpressure: an episode begins at its number and ends only well below it", "[core][pressure]") {
  const backpressure_options o{10, 0, pressure_mode::alert, priority::normal};
  CHECK(end_of(o) == 8);
  CHECK(decide_pressure(o, false, 9) == pressure_change::none);
  CHECK(decide_pressure(o, false, 10) == pressure_change::began);
  for (const std::uint64_t n : {10U, 9U, 8U, 5000U})
    CHECK(decide_pressure(o, true, n) == pressure_change::none);
  CHECK(decide_pressure(o, true, 7) == pressure_change::ended);
  CHECK(decide_pressure({10, 3, pressure_mode::alert, priority::normal}, true, 3) == pressure_change::none);
  CHECK(decide_pressure({10, 3, pressure_mode::alert, priority::normal}, true, 2) == pressure_change::ended);
}

TEST_CASE("backpressure: without a number nothing begins, and what lasted ends", "[core][pressure]") {
  const backpressure_options off{0, 0, pressure_mode::reject, priority::normal};
  CHECK(decide_pressure(off, false, 1'000'000) == pressure_change::none);
  CHECK(decide_pressure(off, true, 1'000'000) == pressure_change::ended);
}

TEST_CASE("backpressure: the least number still has an end below it", "[core][pressure]") {
  const backpressure_options o{1, 0, pressure_mode::alert, priority::normal};
  CHECK(decide_pressure(o, false, 1) == pressure_change::began);
  CHECK(decide_pressure(o, true, 0) == pressure_change::ended);
  CHECK(end_of({UINT64_MAX, 0, pressure_mode::alert, priority::normal}) < UINT64_MAX);
}

TEST_CASE("backpressure: alert refuses nobody, reject everybody, shed the lower classes",
          "[core][pressure]") {
  for (const auto p : {priority::urgent, priority::normal, priority::low}) {
    CHECK_FALSE(refuse_submission(pressed(pressure_mode::alert), p));
    CHECK(refuse_submission(pressed(pressure_mode::reject), p));
  }
  const auto shed = pressed(pressure_mode::shed);
  CHECK_FALSE(refuse_submission(shed, priority::normal));
  const auto no = refuse_submission(shed, priority::low);
  REQUIRE(no);
  CHECK(no->code == errc::overloaded);
  REQUIRE(no->problems.size() == 1);
  CHECK(no->problems.front().pointer == "/priority");
  auto over = pressed(pressure_mode::reject);
  over.since = never;
  CHECK_FALSE(refuse_submission(over, priority::low));
}

TEST_CASE("backpressure: a refusal names the number, the end, the command and when to come again",
          "[core][pressure]") {
  auto p = pressed(pressure_mode::reject);
  auto no = refuse_submission(p, priority::normal);
  REQUIRE(no);
  CHECK(no->text.find("12 runs are queued (backpressure.at 10)") != std::string::npos);
  CHECK(no->text.find("taken again below 8") != std::string::npos);
  CHECK(no->command == "belfry scheduler status");
  CHECK(no->retry_ms == 30'000);
  p.relief = 42s;
  CHECK(refuse_submission(p, priority::normal)->retry_ms == 42'000);
  p.relief = 1h;
  CHECK(refuse_submission(p, priority::normal)->retry_ms == 300'000);
  p.relief = 1us;
  CHECK(refuse_submission(p, priority::normal)->retry_ms == 1'000);
}

TEST_CASE("backpressure: the signal is short and says what is known", "[core][pressure]") {
  auto p = pressed(pressure_mode::alert);
  CHECK(signal_of(p) == "alert; queued=12");
  p.wait = 90s;
  CHECK(signal_of(p) == "alert; queued=12; wait_ms=90000");
  CHECK(told(p) == "12 runs are queued (backpressure.at 10), a new one waits about 1m30s");
}

TEST_CASE("backpressure: mistakes of the options are named", "[core][pressure]") {
  CHECK(check(backpressure_options{}).empty());
  CHECK(check({10, 10, pressure_mode::alert, priority::normal}).empty());
  CHECK(check({10, 11, pressure_mode::alert, priority::normal}).at(0).pointer == "backpressure.until");
  CHECK(check({10, 0, pressure_mode::shed, priority::low}).at(0).pointer == "backpressure.shed_below");
  CHECK(check(delay_options{2s, 1s}).at(0).pointer == "provider.most_delay");
}

TEST_CASE("departures: the speed of the last minute tells how long the queue takes", "[core][pressure]") {
  departures d;
  CHECK_FALSE(d.time_for(5, noon));
  for (int i = 0; i < 60; ++i) d.left(noon + i * 1s);
  const auto told = d.time_for(10, noon + 60s);
  REQUIRE(told);
  CHECK(*told > 8s);
  CHECK(*told < 12s);
  CHECK(d.time_for(10, noon + 90s) > told);  // it has slowed down
  CHECK_FALSE(d.time_for(10, noon + 3min));  // and stands
  d.left(noon + 10min);                      // what was before is forgotten
  CHECK(d.time_for(1, noon + 10min + 1s) <= span{2s});
  d.left(noon);  // a clock that was set back harms nothing
  CHECK(d.time_for(1, noon + 10min + 2s));
}

TEST_CASE("learned delay: half as long again with each limit, a tenth shorter after ten successes",
          "[core][pressure]") {
  const delay_options o{1s, 5s};
  learned_delays all;
  CHECK(all.of("claude") == 0s);
  CHECK(all.limited("claude", o) == 1s);
  CHECK(all.limited("claude", o) == 1500ms);
  for (int i = 0; i < 9; ++i) CHECK_FALSE(all.succeeded("claude", o));
  CHECK(all.succeeded("claude", o));
  CHECK(all.of("claude") == 1350ms);
  for (int i = 0; i < 20; ++i) all.limited("claude", o);
  CHECK(all.of("claude") == 5s);
  CHECK_FALSE(all.succeeded("codex", o));
  for (int i = 0; i < 5; ++i) CHECK_FALSE(all.succeeded("claude", o));
  all.limited("claude", o);  // in a row: a limit begins the count anew
  for (int i = 0; i < 9; ++i) CHECK_FALSE(all.succeeded("claude", o));
}

TEST_CASE("learned delay: below the least it is forgotten", "[core][pressure]") {
  const delay_options o{1s, 5min};
  learned_delays all;
  all.limited("claude", o);
  for (int i = 0; i < 10; ++i) all.succeeded("claude", o);
  CHECK(all.empty());
}

TEST_CASE("learned delay: what is written is read; what cannot be read is counted and left out",
          "[core][pressure]") {
  learned_delays all;
  all.limited("claude code", {});
  all.limited("codex", {});
  all.limited("codex", {});
  const auto [again, lost] = learned_delays::decode(all.encode());
  CHECK(lost == 0);
  CHECK(again.all() == all.all());
  for (const auto* bad : {"x", "12", "-5 a", "0 a", "99999999999999999999 a", "5 ", "1000claude", "\n"}) {
    const auto [none, n] = learned_delays::decode(bad);
    INFO(bad);
    CHECK(none.empty());
    CHECK(n == 1);
  }
  const auto [half, one] = learned_delays::decode("1000000 a\nrubbish\n2000000 b\n");
  CHECK(one == 1);
  CHECK(half.all() == std::vector<learned_delay>{{"a", 1s}, {"b", 2s}});
}

TEST_CASE("learned delay: there are no more than a thousand", "[core][pressure]") {
  learned_delays all;
  for (int i = 0; i < 1100; ++i) all.limited("t" + std::to_string(i), {});
  CHECK(all.all().size() == learned_delays::most_types);
  CHECK(all.limited("one more", {}) == 0s);
}
