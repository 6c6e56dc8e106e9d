#include <catch2/catch.hpp>

#include "tests/core/board_parts.hpp"

using namespace belfry::core;
using namespace belfry::core::test;
using namespace std::chrono_literals;

TEST_CASE("board: a picked run is reserved and nobody else gets it", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1});
  CHECK(l.pick() == ids{1});
  CHECK(l.pick().empty());
  CHECK(l.it.counts().ready == 0);
  CHECK(l.it.counts().reserved == 1);
  CHECK(l.it.counts().live == 0);
  CHECK_FALSE(l.it.contains(run_id{1}));
  CHECK(l.it.live_by_lane().empty());
  l.it.live(line_entry{1}.head, "python");
  CHECK(l.it.counts().reserved == 0);
  CHECK(l.it.counts().live == 1);
  CHECK(l.it.live_by_lane().at("") == 1);
  l.it.ended(run_id{1});
  CHECK(l.it.counts().live == 0);
  CHECK(l.it.live_by_lane().empty());
  CHECK(l.it.live_by_agent_type().empty());
}

TEST_CASE("board: a refused claim puts the run back at its place", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 5; ++id) l.put(line_entry{id}.batch(id % 2));
  CHECK(l.pick(3) == ids{1, 2, 3});
  l.it.unreserve(run_id{2}, true);
  CHECK(l.it.position(run_id{2}) == 1u);
  l.it.unreserve(run_id{1}, true);
  l.it.unreserve(run_id{3}, false);
  CHECK(l.it.counts().reserved == 0);
  CHECK_FALSE(l.it.contains(run_id{3}));
  CHECK(l.drain() == ids{1, 2, 4, 5});
}

TEST_CASE("board: the last run of its kind goes back, too", "[core][board]") {
  line l{limit_options{0, 1, 1, 0}};
  auto e = line_entry{1}.in("only").batch(4).key("k").job(2, 1).workspace("w").of(priority::low);
  const auto wish = a_wish(a_worker(1, "w"), 3);
  l.put(e);
  for (int i = 0; i < 3; ++i) {
    CHECK(l.pick(wish) == ids{1});
    CHECK_FALSE(l.it.anything_for(wish.who));
    l.it.unreserve(run_id{1}, true);
    CHECK(l.it.anything_for(wish.who));
  }
}

TEST_CASE("board: a run that is put while its claim is under way is not picked twice", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1});
  l.put(line_entry{2});
  CHECK(l.pick() == ids{1});
  l.put(line_entry{1}.of(priority::high).in("a"));  // somebody changed its priority
  CHECK(l.it.counts().ready == 1);
  CHECK(l.it.counts().reserved == 1);

  SECTION("confirmed: it is live") {
    l.it.live(line_entry{1}.of(priority::high).in("a").head, "python");
    CHECK(l.it.live_by_lane() == std::map<std::string, std::size_t>{{"a", 1}});
    CHECK(l.drain() == ids{2});
  }
  SECTION("refused: it is back, with what was put last") {
    l.it.unreserve(run_id{1}, GENERATE(true, false));
    CHECK(l.it.counts().ready_by_priority == std::array<std::size_t, 4>{0, 1, 1, 0});
    CHECK(l.drain() == ids{1, 2});
  }
}

TEST_CASE("board: cancelled while its claim is under way, it gives its limits back", "[core][board]") {
  line l{limit_options{1, 0, 0, 0}};
  l.put(line_entry{1});
  l.put(line_entry{2});
  CHECK(l.pick() == ids{1});
  l.it.drop(run_id{1});
  CHECK(l.pick() == ids{2});
  l.it.unreserve(run_id{1}, true);  // too late to mean anything
  CHECK_FALSE(l.it.contains(run_id{1}));
}

TEST_CASE("board: a run that is put while live has lost its lease", "[core][board]") {
  line l{limit_options{0, 1, 0, 0}};
  l.put(line_entry{1}.in("a"));
  l.put(line_entry{2}.in("a"));
  CHECK(l.pick() == ids{1});
  l.it.live(line_entry{1}.in("a").fencing(4).head, "python");

  SECTION("it is at its old place again") {
    l.put(line_entry{1}.in("a").fencing(4));
    CHECK(l.it.counts().live == 0);
    CHECK(l.pick() == ids{1});
  }
  SECTION("unless this is news from before the lease") {
    l.put(line_entry{1}.in("a").fencing(3));
    CHECK(l.it.counts().live == 1);
    CHECK(l.pick().empty());
  }
  SECTION("the end of the old lease, told late, does not take it out of line") {
    l.put(line_entry{1}.in("a").fencing(4));
    l.it.ended(run_id{1});
    CHECK(l.it.contains(run_id{1}));
  }
}

TEST_CASE("board: a run that somebody claimed past the board leaves the line", "[core][board]") {
  line l{limit_options{0, 1, 0, 0}};
  l.put(line_entry{1}.in("a"));
  l.put(line_entry{2}.in("a"));
  l.it.live(line_entry{1}.in("a").head, "python");
  l.it.live(line_entry{1}.in("a").head, "python");  // told twice, counted once
  CHECK(l.it.counts().live == 1);
  CHECK(l.pick().empty());
  l.it.ended(run_id{1});
  CHECK(l.pick() == ids{2});
}

TEST_CASE("board: a reservation that moved to another lane counts there", "[core][board]") {
  line l{limit_options{0, 1, 1, 0}};
  l.put(line_entry{1}.in("a").batch(1));
  l.put(line_entry{2}.in("a").batch(2));
  l.put(line_entry{3}.in("b").batch(3));
  CHECK(l.pick() == ids{1});
  l.put(line_entry{1}.in("b").batch(3));
  CHECK(l.pick(9) == ids{2});
  CHECK(l.codes(3) == words{"lane_limit", "batch_limit"});
  l.it.unreserve(run_id{1}, true);
  CHECK(l.pick(9) == ids{1});
}

TEST_CASE("board: it can be moved", "[core][board]") {
  line l;
  l.put(line_entry{1});
  board moved = std::move(l.it);
  l.it = std::move(moved);
  CHECK(l.pick() == ids{1});
}
