#include <catch2/catch.hpp>

#include <set>

#include "tests/core/board_parts.hpp"

using namespace belfry::core;
using namespace belfry::core::test;
using namespace std::chrono_literals;

namespace {

judging by(span after_start, span age = 2min) {
  judging j;
  j.now = board_start + after_start;
  j.minimum_age = age;
  return j;
}

std::set<std::int64_t> begun(const starving_news& news) {
  std::set<std::int64_t> all;
  for (const auto& run : news.begun) all.insert(run.id.value);
  return all;
}
std::set<std::int64_t> over(const starving_news& news) {
  std::set<std::int64_t> all;
  for (const auto run : news.over) all.insert(run.value);
  return all;
}

struct shop {
  board it;
  explicit shop(limit_options l = no_limits) : it{board_options{10min, 1, l}} {}
  void put(const line_entry& e, instant now = never) { it.put(e.head, e.handler, e.job_limit, now); }
  void take(std::int64_t id, span when) {
    line_entry e{id};
    const auto got = it.pick(a_wish(a_worker()), board_start + when);
    REQUIRE(got == std::vector<run_id>{run_id{id}});
    e.head.state = run_state::claimed;
    e.head.fencing = 1;
    e.head.held.holder = session_id{1};
    e.head.held.claimed_at = board_start + when;
    it.live(e.head, "python");
  }
};

}  // namespace

TEST_CASE("board: a run starves after the minimum age, and is told of once", "[core][board][waiting]") {
  shop s;
  s.put(line_entry{1}.since(0s));
  s.put(line_entry{2}.since(60s));
  CHECK(begun(s.it.judge(by(119s))).empty());
  CHECK(begun(s.it.judge(by(120s))) == std::set<std::int64_t>{1});
  CHECK(begun(s.it.judge(by(121s))).empty());
  CHECK(begun(s.it.judge(by(180s))) == std::set<std::int64_t>{2});
}

TEST_CASE("board: who stands behind others of its kind in a line that moves does not starve",
          "[core][board][waiting]") {
  shop s;
  for (std::int64_t id = 1; id <= 10; ++id) s.put(line_entry{id});
  for (std::int64_t id = 1; id <= 5; ++id) {
    s.take(id, 100s * id);
    CHECK(begun(s.it.judge(by(100s * id + 90s))).empty());
  }
  CHECK(begun(s.it.judge(by(500s + 120s))) == std::set<std::int64_t>{6, 7, 8, 9, 10});
  s.take(6, 700s);
  const auto news = s.it.judge(by(701s));
  CHECK(over(news) == std::set<std::int64_t>{6, 7, 8, 9, 10});
  CHECK(begun(s.it.judge(by(700s + 119s))).empty());
  CHECK(begun(s.it.judge(by(700s + 120s))).size() == 4);
}

TEST_CASE("board: a line of another kind that moves helps nobody", "[core][board][waiting]") {
  shop s;
  s.put(line_entry{1}.able({"gpu"}).since(0s));
  s.put(line_entry{2}.since(0s));
  s.take(2, 100s);
  CHECK(begun(s.it.judge(by(120s))) == std::set<std::int64_t>{1});
}

TEST_CASE("board: who was taken and came back has waited only since then", "[core][board][waiting]") {
  shop s;
  s.put(line_entry{1}.since(0s));
  s.take(1, 10s);
  s.it.ended(run_id{1});
  auto again = line_entry{1}.since(0s).fencing(1);
  s.put(again, board_start + 5min);
  CHECK(begun(s.it.judge(by(6min))).empty());
  CHECK(begun(s.it.judge(by(7min))) == std::set<std::int64_t>{1});
}

TEST_CASE("board: a claim that the store refuses ends no episode", "[core][board][waiting]") {
  shop s;
  s.put(line_entry{1}.since(0s));
  REQUIRE(begun(s.it.judge(by(2min))).size() == 1);
  REQUIRE(s.it.pick(a_wish(a_worker()), board_start + 2min).size() == 1);
  CHECK(over(s.it.judge(by(2min + 1s))).empty());  // nobody knows yet
  s.it.unreserve(run_id{1}, true);
  const auto news = s.it.judge(by(2min + 2s));
  CHECK(over(news).empty());
  CHECK(begun(news).empty());  // it goes on
  CHECK(s.it.fronts(10, board_start + 3min).front().starving);
}

TEST_CASE("board: what a limit holds does not starve", "[core][board][waiting]") {
  shop s{limit_options{0, 1, 0, 0}};
  s.put(line_entry{1}.in("a").since(0s));
  s.put(line_entry{2}.in("a").since(0s).able({"gpu"}));
  s.take(1, 1s);
  CHECK(begun(s.it.judge(by(10min))).empty());
  s.it.ended(run_id{1});
  CHECK(begun(s.it.judge(by(11min))).empty());
  CHECK(begun(s.it.judge(by(12min))) == std::set<std::int64_t>{2});
}

TEST_CASE("board: who starves and is then held by a limit is told of, and when it is free again",
          "[core][board][waiting]") {
  shop s{limit_options{0, 1, 0, 0}};
  s.put(line_entry{1}.in("a").since(0s).able({"gpu"}));
  s.put(line_entry{2}.in("a").since(1min));
  REQUIRE(begun(s.it.judge(by(150s))) == std::set<std::int64_t>{1});
  CHECK(s.it.holds(by(151s)).empty());
  s.take(2, 152s);
  auto changes = s.it.holds(by(153s));
  REQUIRE(changes.size() == 1);
  CHECK(changes.front().held);
  CHECK(s.it.holds(by(154s)).empty());
  s.it.ended(run_id{2});
  changes = s.it.holds(by(155s));
  REQUIRE(changes.size() == 1);
  CHECK_FALSE(changes.front().held);
}

TEST_CASE("board: kinds whose workers come by themselves do not starve", "[core][board][waiting]") {
  shop s;
  s.put(line_entry{1}.since(0s));
  auto j = by(1h);
  j.excused = [](const requirement&, handler_kind) { return true; };
  CHECK(begun(s.it.judge(j)).empty());
  CHECK(begun(s.it.judge(by(1h + 119s))).empty());
  CHECK(begun(s.it.judge(by(1h + 120s))) == std::set<std::int64_t>{1});  // they are gone since
  j.now = board_start + 2h;
  CHECK(over(s.it.judge(j)) == std::set<std::int64_t>{1});  // and here again
}

TEST_CASE("board: judging many goes on where it stopped", "[core][board][waiting]") {
  shop s;
  for (std::int64_t id = 1; id <= 2500; ++id) s.put(line_entry{id});
  std::set<std::int64_t> all;
  int passes = 0;
  for (bool more = true; more; ++passes) {
    auto j = by(5min);
    j.at_most = 1000;
    const auto news = s.it.judge(j);
    CHECK(news.begun.size() <= 1000);
    for (const auto id : begun(news)) CHECK(all.insert(id).second);
    more = news.more;
  }
  CHECK(all.size() == 2500);
  CHECK(passes == 3);
}

TEST_CASE("board: a starving run that gets another priority starves on", "[core][board][waiting]") {
  shop s;
  s.put(line_entry{1}.since(0s));
  REQUIRE(begun(s.it.judge(by(2min))).size() == 1);
  s.put(line_entry{1}.since(0s).of(priority::urgent));
  const auto news = s.it.judge(by(3min));
  CHECK(over(news).empty());
  CHECK(begun(news).empty());
}

TEST_CASE("board: the fronts come in the order of the claims", "[core][board][waiting]") {
  shop s;
  s.put(line_entry{1}.in("a").since(1s));
  s.put(line_entry{2}.in("a").since(2s));
  s.put(line_entry{3}.in("b").since(3s));
  s.put(line_entry{4}.in("b").since(4s).of(priority::urgent));
  std::vector<std::int64_t> order;
  for (const auto& run : s.it.fronts(10, board_start + 10s)) order.push_back(run.id.value);
  std::vector<std::int64_t> claimed;
  for (;;) {
    const auto got = s.it.pick(a_wish(a_worker()), board_start + 10s);
    if (got.empty()) break;
    claimed.push_back(got.front().value);
  }
  CHECK(order == claimed);
}

TEST_CASE("board: fronts leave out what a limit holds and stay few", "[core][board][waiting]") {
  shop s{limit_options{0, 0, 5, 0}};
  for (std::int64_t id = 1; id <= 1000; ++id) s.put(line_entry{id}.batch(id <= 500 ? 1 : 0));
  for (std::int64_t id = 1; id <= 5; ++id) s.take(id, 1s);
  const auto fronts = s.it.fronts(10, board_start + 2s);
  REQUIRE(fronts.size() == 10);
  for (const auto& run : fronts) CHECK(run.id.value > 500);
}
