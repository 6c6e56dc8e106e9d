// The last wakes of a run: what became of each, and how much is remembered.
#include <catch2/catch.hpp>

#include "core/session/wake_log.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const instant start{1000h};

open_wake a_wake(std::int64_t id, std::int64_t run = 1, std::int64_t session = 7) {
  open_wake w;
  w.id = wake_id{id};
  w.run = run_id{run};
  w.session = session_id{session};
  w.sent_at = start + std::chrono::seconds{id};
  return w;
}

}  // namespace

TEST_CASE("wake log: tells the wakes of a run, newest first, with what became of each", "[core][wake]") {
  wake_log log;
  log.sent(a_wake(1));
  log.sent(a_wake(2, 1, 8));
  log.sent(a_wake(3, 2));
  log.ended(a_wake(1), wake_outcome::failed, "not acknowledged within 10000 ms", start + 11s);
  log.ended(a_wake(2), wake_outcome::claimed, {}, start + 3s);
  auto late = a_wake(0, 1, 9);
  late.starved = true;
  log.refused(late, std::string(500, 'x'), start + 20s);
  const auto told = log.of(run_id{1});
  REQUIRE(told.wakes.size() == 3);
  CHECK(told.all == 3);
  CHECK(told.wakes[0].outcome == wake_outcome::refused);
  CHECK(told.wakes[0].starved);
  CHECK(told.wakes[0].text.size() == 200);
  CHECK(told.wakes[1].session == session_id{8});
  CHECK(told.wakes[1].outcome == wake_outcome::claimed);
  CHECK(told.wakes[1].ended_at == start + 3s);
  CHECK(told.wakes[2].text == "not acknowledged within 10000 ms");
  CHECK(log.of(run_id{2}).wakes.front().outcome == wake_outcome::waiting);
  CHECK(log.of(run_id{2}).wakes.front().ended_at == never);
  CHECK(log.of(run_id{3}).wakes.empty());
  log.ended(a_wake(9, 3), wake_outcome::failed, "of nobody", start);
  CHECK(log.of(run_id{3}).wakes.empty());
}

TEST_CASE("wake log: remembers the last of a run and of all runs, and counts the rest", "[core][wake]") {
  wake_log log{3, 10};
  for (int i = 1; i <= 5; ++i) log.sent(a_wake(i));
  CHECK(log.size() == 3);
  CHECK(log.of(run_id{1}).all == 5);
  CHECK(log.of(run_id{1}).wakes.front().id == wake_id{5});
  CHECK(log.of(run_id{1}).wakes.back().id == wake_id{3});
  for (int i = 6; i <= 1000; ++i) {
    log.sent(a_wake(i, i % 7 + 2));
    REQUIRE(log.size() <= 10);
  }
  CHECK(log.of(run_id{1}).wakes.empty());
  std::size_t left = 0;
  for (int run = 2; run <= 8; ++run) {
    left += log.of(run_id{run}).wakes.size();
    CHECK_FALSE(log.of(run_id{run}).wakes.empty());
  }
  CHECK(left == log.size());
}
