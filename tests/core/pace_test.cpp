#include <catch2/catch.hpp>

#include "core/queue/pace.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {
constexpr instant noon = from_micros(1'795'255'200'000'000);
}

TEST_CASE("pace: a line that moves tells when the one at a position starts, and why", "[core][queue][pace]") {
  pace line;
  for (int i = 0; i < 4; ++i) line.started(noon + i * 2s);
  const auto early = line.start_of(1, noon + 8s);
  CHECK_FALSE(early.in);
  CHECK(early.basis.rfind("unknown: fewer than 5", 0) == 0);
  line.started(noon + 8s);
  const auto told = line.start_of(3, noon + 9s);
  REQUIRE(told.in);
  CHECK(*told.in == 6s);
  CHECK(told.basis == "position 3, the last 5 starts of this lane and priority took 8s");
}

TEST_CASE("pace: only the newest starts count, and a line that stands tells nothing", "[core][queue][pace]") {
  pace line;
  for (int i = 0; i < 40; ++i) line.started(noon + i * 1h);
  for (int i = 1; i <= 32; ++i) line.started(noon + 40h + i * 1s);
  const auto now = noon + 40h + 32s;
  CHECK(*line.start_of(10, now).in == 10s);
  CHECK(line.start_of(10, now + 31s).in);
  const auto standing = line.start_of(10, now + 32s);
  CHECK_FALSE(standing.in);
  CHECK(standing.basis.find("nothing of this lane and priority has started for 32s") != std::string::npos);
  CHECK_FALSE(line.start_of(10, now - 1s).in);  // a clock that went back
}

TEST_CASE("pace: each lane and priority has its own, and there are never too many", "[core][queue][pace]") {
  paces all;
  for (int i = 0; i < 5; ++i) all.started("a", priority::high, noon + i * 1s);
  CHECK(all.start_of("a", priority::high, 2, noon + 5s).in == 2s);
  CHECK_FALSE(all.start_of("a", priority::low, 2, noon + 5s).in);
  CHECK_FALSE(all.start_of("b", priority::high, 2, noon + 5s).in);
  for (int i = 0; i < 1000; ++i) all.started("lane " + std::to_string(i), priority::normal, noon + 6s);
  CHECK_FALSE(all.start_of("a", priority::high, 2, noon + 6s).in);  // stood longest
}

TEST_CASE("estimate: what is left goes as fast as what is done", "[core][queue][pace]") {
  CHECK(estimate_rest(10, 5, 20s).in == 10s);
  CHECK(estimate_rest(10, 5, 20s).basis == "10 ended in 20s, 5 are left");
  CHECK(estimate_rest(10, 0, 20s).in == 0s);
  CHECK_FALSE(estimate_rest(2, 5, 20s).in);
  CHECK(estimate_rest(3, 5, -20s).in == 0s);
}

TEST_CASE("estimate_end: by what was said of the progress, less what has passed since",
          "[core][queue][pace]") {
  const auto begun = noon;
  const auto said = noon + 40s;
  CHECK(estimate_end(0.25, begun, said, said).in == span{120s});
  CHECK(estimate_end(0.25, begun, said, said + 30s).in == span{90s});
  CHECK(estimate_end(0.25, begun, said, said).basis == "25 % in 40s");
  CHECK(estimate_end(1, begun, said, said + 1h).in == span{0});
}

TEST_CASE("estimate_end: unknown rather than a wrong number", "[core][queue][pace]") {
  const auto begun = noon;
  const auto said = noon + 40s;
  const auto unknown = [](const estimate& e) { return !e.in && e.basis.starts_with("unknown"); };
  CHECK(unknown(estimate_end(0.5, never, never, said)));                 // not started
  CHECK(unknown(estimate_end(0.5, begun, never, said)));                 // said before this node ran
  CHECK(unknown(estimate_end(0.01, begun, said, said)));                 // nearly nothing is done
  CHECK(unknown(estimate_end(0.25, begun, said, said + 41s)));           // the last word is too old
  CHECK(unknown(estimate_end(0.9, begun, said, said + 10s)));            // it should be over
  CHECK(unknown(estimate_end(0.5, said, begun, said)));                  // of an earlier attempt
  CHECK(unknown(estimate_end(0.5, begun, begun + 90ms, begun + 90ms)));  // too little to go by
}
