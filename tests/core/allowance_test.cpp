#include <catch2/catch.hpp>

#include "core/operators/allowance.hpp"
#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {
const std::string agent = to_string(session_id{5});
constexpr run_id one{1'000'000};
}  // namespace

TEST_CASE("allowance: an agent has so many actions a minute on one run, people have no limit",
          "[core][operators]") {
  allowance a{3};
  for (int i = 0; i < 3; ++i) CHECK_FALSE(a.take(agent, one, noon + 10s * i));
  const auto no = a.take(agent, one, noon + 30s);
  REQUIRE(no);
  CHECK(no->code == errc::rate_limited);
  CHECK(no->retry_ms == 30'000);
  CHECK(no->text.find("10:01:00") != std::string::npos);
  CHECK_FALSE(a.take(agent, run_id{2'000'000}, noon + 30s));
  CHECK_FALSE(a.take(to_string(session_id{6}), one, noon + 30s));
  for (int i = 0; i < 50; ++i) {
    CHECK_FALSE(a.take("cli:alice", one, noon));
    CHECK_FALSE(a.take("ses_nonsense", one, noon));
  }
}

TEST_CASE("allowance: the window slides, and what was refused is not counted", "[core][operators]") {
  allowance a{2};
  CHECK_FALSE(a.take(agent, one, noon));
  CHECK_FALSE(a.take(agent, one, noon + 50s));
  for (int i = 51; i < 60; ++i) CHECK(a.take(agent, one, noon + 1s * i));
  CHECK_FALSE(a.take(agent, one, noon + 60s));
  REQUIRE(a.take(agent, one, noon + 60s));
  CHECK(a.take(agent, one, noon + 60s)->retry_ms == 50'000);
}

TEST_CASE("allowance: a clock that was set back makes nobody wait for ever", "[core][operators]") {
  allowance a{1};
  CHECK_FALSE(a.take(agent, one, noon + 24h));
  CHECK_FALSE(a.take(agent, one, noon));
  CHECK(a.take(agent, one, noon));
}

TEST_CASE("allowance: the table is bounded, the longest silent goes first", "[core][operators]") {
  allowance a{1, 100};
  for (std::int64_t i = 1; i <= 1000; ++i) CHECK_FALSE(a.take(agent, run_id{i * 1'000'000}, noon));
  CHECK(a.pairs() == 100);
  CHECK(a.take(agent, run_id{1000 * 1'000'000}, noon));
  CHECK_FALSE(a.take(agent, run_id{1'000'000}, noon));
  allowance off{0};
  for (int i = 0; i < 100; ++i) CHECK_FALSE(off.take(agent, one, noon));
}
