#include <algorithm>
#include <cstdlib>
#include <map>

#include <catch2/catch.hpp>

#include "tests/core/board_parts.hpp"

using namespace belfry::core;
using namespace belfry::core::test;
using namespace std::chrono_literals;

TEST_CASE("board: an empty line gives nothing", "[core][board]") {
  line l;
  CHECK(l.pick(10).empty());
  CHECK(l.it.counts().ready == 0);
  CHECK_FALSE(l.it.counts().oldest);
  CHECK_FALSE(l.it.position(run_id{1}));
  CHECK(l.it.reasons(run_id{1}, l.now).empty());
}

TEST_CASE("board: priority first, then eligible since, then id", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.of(priority::low));
  l.put(line_entry{2}.of(priority::normal).since(7us));
  l.put(line_entry{3}.of(priority::normal).since(3us));
  l.put(line_entry{4}.of(priority::normal).since(3us));
  l.put(line_entry{5}.of(priority::urgent));
  l.put(line_entry{6}.of(priority::high));
  CHECK(l.drain() == ids{5, 6, 3, 4, 2, 1});
}

TEST_CASE("board: runs that arrive in any order leave in theirs", "[core][board]") {
  auto l = line::unlimited();
  for (const int id : {50, 10, 90, 20, 95, 60, 30, 70, 1, 40, 80, 15, 99, 55}) l.put(line_entry{id});
  l.it.drop(run_id{60});
  l.it.drop(run_id{50});
  l.it.drop(run_id{20});
  CHECK(l.it.position(run_id{55}) == 6u);
  CHECK(l.drain() == ids{1, 10, 15, 30, 40, 55, 70, 80, 90, 95, 99});
}

TEST_CASE("board: a claim takes at most what it asks for and has slots for", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 9; ++id) l.put(line_entry{id});
  auto wish = a_wish(a_worker(), 5);
  wish.free_slots = 2;
  CHECK(l.pick(wish) == ids{1, 2});
  wish.free_slots = 8;
  wish.max = 3;
  CHECK(l.pick(wish) == ids{3, 4, 5});
  wish.free_slots = 0;
  CHECK(l.pick(wish).empty());
}

TEST_CASE("board: a claim for urgent runs only leaves the others, aged or not", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.of(priority::low));
  l.put(line_entry{2}.of(priority::high));
  l.now += 1h;
  auto wish = a_wish(a_worker(), 5);
  wish.at_least = priority::high;
  CHECK(l.pick(wish) == ids{2});
  CHECK(l.pick(5) == ids{1});
}

TEST_CASE("board: a session gets only what it may take", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.workspace("a"));
  l.put(line_entry{2}.workspace("b"));
  l.put(line_entry{3}.workspace("b").able({"gpu"}));
  auto other_handler = line_entry{4}.workspace("b");
  other_handler.handler = handler_kind::process;
  l.put(other_handler);
  CHECK_FALSE(l.it.anything_for(a_worker()));
  CHECK(l.it.anything_for(a_worker(1, "b")));
  CHECK(l.pick(a_wish(a_worker(1, "b"), 9)) == ids{2});
  CHECK_FALSE(l.it.anything_for(a_worker(1, "b")));
  auto gpu = a_worker(2, "b");
  gpu.capabilities = {"gpu"};
  CHECK(l.pick(a_wish(gpu, 9)) == ids{3});
  auto node = a_worker(3, "x");
  node.local = true;
  node.handlers = {handler_kind::process};
  CHECK(l.pick(a_wish(node, 9)) == ids{4});
}

TEST_CASE("board: a session that changes its mind is judged anew", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.able({"gpu"}));
  auto s = a_worker();
  CHECK(l.pick(a_wish(s)).empty());
  s.capabilities = {"gpu"};
  s.state = session_state::draining;
  CHECK(l.pick(a_wish(s)).empty());
  s.state = session_state::active;
  CHECK(l.pick(a_wish(s)) == ids{1});
}

TEST_CASE("board: preferred capabilities exclude nobody", "[core][board]") {
  auto l = line::unlimited();
  auto e = line_entry{1};
  e.head.needs.preferred = {"fast-disk"};
  l.put(e);
  CHECK(l.pick() == ids{1});
}

TEST_CASE("board: in a lane, runs that suit the session better go first", "[core][board]") {
  auto l = line::unlimited();
  const auto liking = [](int id, std::vector<std::string> words) {
    auto e = line_entry{id};
    e.head.needs.preferred = std::move(words);
    return e;
  };
  l.put(liking(1, {}));
  l.put(liking(2, {"tpu"}));
  l.put(liking(3, {"gpu"}));
  l.put(liking(4, {"gpu", "linux"}));
  l.put(liking(5, {"gpu"}).of(priority::high));
  l.put(liking(6, {}).of(priority::high));
  auto s = a_worker();
  s.capabilities = {"gpu", "linux"};
  CHECK(l.pick(a_wish(s, 9)) ==
        ids{5, 6, 4, 3, 1, 2});  // priority before preference, age where that is equal
}

TEST_CASE("board: preference does not break the turns of lanes", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 3; ++id) {
    auto e = line_entry{id}.in("a");
    e.head.needs.preferred = {"gpu"};
    l.put(e);
  }
  for (int id = 11; id <= 13; ++id) l.put(line_entry{id}.in("b"));
  auto s = a_worker();
  s.capabilities = {"gpu"};
  CHECK(l.pick(a_wish(s, 4)) == ids{1, 11, 2, 12});
}

TEST_CASE("board: lanes of one class take turns", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 4; ++id) l.put(line_entry{id}.in("a"));
  for (int id = 11; id <= 12; ++id) l.put(line_entry{id}.in("b"));
  for (int id = 21; id <= 23; ++id) l.put(line_entry{id}.in("c"));
  CHECK(l.drain() == ids{1, 11, 21, 2, 12, 22, 3, 23, 4});
}

TEST_CASE("board: a turn is as long as the quantum", "[core][board]") {
  auto l = line::unlimited(board_options{10min, 2, no_limits});
  for (int id = 1; id <= 5; ++id) l.put(line_entry{id}.in("a"));
  for (int id = 11; id <= 13; ++id) l.put(line_entry{id}.in("b"));
  CHECK(l.drain() == ids{1, 2, 11, 12, 3, 4, 13, 5});
}

TEST_CASE("board: each priority class has its own turns", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 2; ++id) l.put(line_entry{id}.in("a"));
  for (int id = 11; id <= 12; ++id) l.put(line_entry{id}.in("b"));
  l.put(line_entry{21}.in("a").of(priority::high));
  l.put(line_entry{22}.in("a").of(priority::high));
  // The starts of "a" among the high ones cost it nothing among the normal ones.
  CHECK(l.drain() == ids{21, 22, 1, 11, 2, 12});
}

TEST_CASE("board: a new lane gets neither debt nor credit", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 20; ++id) l.put(line_entry{id}.in("a"));
  for (int id = 101; id <= 120; ++id) l.put(line_entry{id}.in("b"));
  CHECK(l.pick(6) == ids{1, 101, 2, 102, 3, 103});
  for (int id = 201; id <= 220; ++id) l.put(line_entry{id}.in("c"));
  CHECK(l.pick(6) == ids{4, 104, 201, 5, 105, 202});
}

TEST_CASE("board: an idle lane loses its credit", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.in("a"));
  for (int id = 101; id <= 120; ++id) l.put(line_entry{id}.in("b"));
  CHECK(l.pick(8) == ids{1, 101, 102, 103, 104, 105, 106, 107});
  for (int id = 2; id <= 5; ++id) l.put(line_entry{id}.in("a"));
  const auto got = l.pick(6);
  CHECK(std::count_if(got.begin(), got.end(), [](auto id) { return id < 100; }) == 3);
}

TEST_CASE("board: a lane whose turn went by while it was idle goes to the end", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{9}.in("a").of(priority::low));  // it stays known
  l.put(line_entry{1}.in("a"));
  for (int id = 101; id <= 109; ++id) l.put(line_entry{id}.in("b"));
  for (int id = 201; id <= 209; ++id) l.put(line_entry{id}.in("c"));
  CHECK(l.pick(7) == ids{1, 101, 201, 102, 202, 103, 203});
  l.put(line_entry{2}.in("a"));
  l.put(line_entry{3}.in("a"));
  CHECK(l.pick(6) == ids{104, 204, 2, 105, 205, 3});
}

TEST_CASE("board: a lane that was away before its turn came keeps its place", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{9}.in("a").of(priority::low));
  for (int id = 101; id <= 109; ++id) l.put(line_entry{id}.in("b"));
  for (int id = 201; id <= 209; ++id) l.put(line_entry{id}.in("c"));
  l.put(line_entry{1}.in("a"));
  for (const int other : {101, 201}) {
    CHECK(l.pick() == ids{other});
    l.it.drop(run_id{1});
    l.put(line_entry{1}.in("a"));
  }
  CHECK(l.pick() == ids{1});
}

TEST_CASE("board: a lane that comes and goes is not served twice in one round", "[core][board]") {
  auto l = line::unlimited();
  std::map<char, int> starts;
  for (int id = 101; id <= 200; ++id) l.put(line_entry{id}.in("b"));
  for (int id = 201; id <= 300; ++id) l.put(line_entry{id}.in("c"));
  for (int id = 1; id <= 40; ++id) {
    l.put(line_entry{id}.in("a"));
    const auto got = l.pick().at(0);
    ++starts[got < 100 ? 'a' : got <= 200 ? 'b' : 'c'];
    l.it.ended(run_id{got});
    if (got > 100)
      l.it.drop(run_id{id});  // "a" never has anything waiting when it is put again
    else
      l.it.ended(run_id{id});
  }
  CHECK(starts['a'] <= starts['b'] + 1);
  CHECK(std::abs(starts['b'] - starts['c']) <= 1);
}

TEST_CASE("board: a run that waits is treated as one class higher per step", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.of(priority::low).since(0s));
  l.put(line_entry{2}.of(priority::normal).since(10min));
  const auto claim_one = [&](span after) {
    l.now = board_start + after;
    const auto got = l.pick();
    for (const auto id : got) l.it.unreserve(run_id{id}, true);
    return got;
  };
  CHECK(claim_one(10min - 1us) == ids{2});
  CHECK(claim_one(10min) == ids{1});  // both are normal now, and it has waited longer
  l.put(line_entry{3}.of(priority::urgent).since(20min));
  CHECK(claim_one(30min - 1us) == ids{3});
  CHECK(claim_one(30min) == ids{1});  // urgent, and never more than that
  CHECK(claim_one(9min) == ids{3});   // a clock that was set back makes it younger again
}

TEST_CASE("board: an aged run competes in its lane's turn", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 3; ++id) l.put(line_entry{id}.in("a").of(priority::normal).since(0s));
  for (int id = 11; id <= 13; ++id) l.put(line_entry{id}.in("b").of(priority::high).since(9min));
  l.now = board_start + 10min;
  const auto got = l.pick(6);
  // Both lanes have high runs now, as it were: they alternate, whoever begins.
  for (std::size_t i = 1; i < got.size(); ++i) CHECK((got[i] < 10) != (got[i - 1] < 10));
}

TEST_CASE("board: ageing can be turned off", "[core][board]") {
  auto l = line::unlimited(board_options{span{0}, 1, no_limits});
  l.put(line_entry{1}.of(priority::low));
  l.put(line_entry{2}.of(priority::normal));
  l.now += 24h;
  CHECK(l.drain() == ids{2, 1});
}

TEST_CASE("board: under endless urgent load every run starts within three steps and a round",
          "[core][board]") {
  for (const std::string lane : {"a", "b"}) {
    auto l = line::unlimited();
    l.put(line_entry{1}.in(lane).of(priority::low).since(0s));
    std::int64_t id = 100;
    span waited{0};
    for (bool started = false; !started; waited += 1s) {
      REQUIRE(waited < 30min + 10s);
      // Two arrive for each that can start: the urgent ones alone would never let it through.
      for (int i = 0; i < 2; ++i) l.put(line_entry{++id}.in("a").of(priority::urgent).since(waited));
      l.now = board_start + waited;
      const auto got = l.pick().at(0);
      l.it.ended(run_id{got});
      started = got == 1;
    }
    CHECK(waited >= 30min);
  }
}

TEST_CASE("board: put again replaces the older entry", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 4; ++id) l.put(line_entry{id});
  l.put(line_entry{3}.of(priority::urgent));
  l.put(line_entry{1}.since(1s));
  l.put(line_entry{2}.in("elsewhere").since(2s));
  l.put(line_entry{4});  // nothing new
  CHECK(l.it.counts().ready == 4);
  CHECK(l.it.counts().ready_by_priority == std::array<std::size_t, 4>{1, 0, 3, 0});
  CHECK(l.it.position(run_id{1}) == 2u);
  CHECK(l.drain() == ids{3, 4, 2, 1});
  CHECK(l.it.counts().ready == 0);
}

TEST_CASE("board: what leaves the line is not picked, and unknown ids are fine", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 3; ++id) l.put(line_entry{id});
  l.it.drop(run_id{2});
  l.it.drop(run_id{77});
  l.it.ended(run_id{77});
  l.it.ended(run_id{1});  // it has no lease
  l.it.unreserve(run_id{77}, true);
  l.it.unreserve(run_id{1}, false);
  CHECK_FALSE(l.it.contains(run_id{2}));
  CHECK(l.it.contains(run_id{1}));
  CHECK(l.drain() == ids{1, 3});
}

TEST_CASE("board: position, counts and the oldest", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.in("a").since(5s));
  l.put(line_entry{2}.in("a").since(3s));
  l.put(line_entry{3}.in("b").since(1s));
  l.put(line_entry{4}.in("a").of(priority::high).since(9s));
  l.put(line_entry{5}.in("a").workspace("other").batch(8).since(4s));
  CHECK(l.it.position(run_id{1}) == 3u);
  CHECK(l.it.position(run_id{2}) == 1u);
  CHECK(l.it.position(run_id{3}) == 1u);
  CHECK(l.it.position(run_id{4}) == 1u);
  CHECK(l.it.position(run_id{5}) == 2u);
  CHECK(l.it.counts().oldest == board_start + 1s);
  l.it.drop(run_id{3});
  CHECK(l.it.counts().oldest == board_start + 3s);
  CHECK(l.it.counts().ready_by_priority == std::array<std::size_t, 4>{0, 1, 3, 0});
}
