#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

#include "core/ladder/ladder.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

constexpr instant noon = from_micros(1'795'255'200'000'000);
constexpr run_id one{1};

// A store of ladder rows as small as can be: what it is told survives, everything else is forgotten.
struct ladder_store {
  std::map<run_id, starvation> rows;
  ladder_clock clock;
  std::set<run_id> left_queue;  // somebody has them
  std::vector<std::string> happened;

  void commit(ladder& l, std::size_t at_most = 1000) {
    for (;;) {
      const auto bite = l.bite(at_most);
      if (bite.empty() && bite.tick == clock.tick) {
        l.written(bite, {}, clock);
        return;
      }
      std::vector<starvation> kept;
      for (const auto& gone : bite.over) rows.erase(gone.run);
      for (auto row : bite.rows) {
        if (left_queue.contains(row.run)) continue;
        if (row.episode == 0) row.episode = ++clock.episodes;
        const auto before = rows.contains(row.run) ? rows[row.run].fired : rung::none;
        for (auto r : {rung::fan_out, rung::spawn, rung::event})
          if (before < r && row.fired >= r) tell(row.run, r);
        rows[row.run] = row;
        kept.push_back(row);
      }
      clock.tick = std::max(clock.tick, bite.tick);
      l.written(bite, kept, clock);
      for (const auto run : bite.give_up) {
        if (!left_queue.contains(run)) tell(run, rung::needs_attention);
        rows.erase(run);
        left_queue.insert(run);
        l.gave_up(run);
      }
      if (!bite.more) return;
    }
  }
  void tell(run_id run, rung r) {
    happened.push_back(std::to_string(run.value) + " " + std::string{to_text(r)} + " at " +
                       std::to_string(clock.tick + 1));
  }
  ladder boot(const ladder_options& o = {}) const {
    ladder l{o, clock};
    for (const auto& [run, row] : rows) l.know(row);
    return l;
  }
  std::size_t times(const std::string& text) const {
    std::size_t n = 0;
    for (const auto& h : happened)
      if (h.find(text) != std::string::npos) ++n;
    return n;
  }
};

}  // namespace

TEST_CASE("ladder: each rung fires once, at its count, and the last one ends the episode", "[core][ladder]") {
  ladder_store store;
  auto l = store.boot();
  std::vector<std::pair<std::uint64_t, rung>> seen;
  l.begin(one, noon);
  for (std::uint64_t cycle = 1; cycle <= 12; ++cycle) {
    const auto before = store.happened.size();
    l.tick();
    store.commit(l);
    for (auto n = before; n < store.happened.size(); ++n)
      for (auto r : {rung::fan_out, rung::spawn, rung::event, rung::needs_attention})
        if (store.happened[n].find(" " + std::string{to_text(r)} + " ") != std::string::npos)
          seen.emplace_back(cycle, r);
  }
  CHECK(seen == std::vector<std::pair<std::uint64_t, rung>>{
                    {2, rung::fan_out}, {4, rung::spawn}, {6, rung::event}, {10, rung::needs_attention}});
  CHECK(l.size() == 0);
}

TEST_CASE("ladder: a restart at every step loses no rung and repeats none", "[core][ladder]") {
  ladder_store store;
  auto first = store.boot();
  first.begin(one, noon);
  first.tick();
  store.commit(first);
  for (int cycle = 2; cycle <= 10; ++cycle) {
    auto l = store.boot();  // whoever was there before is dead
    CHECK(count_of(*l.find(one), l.clock().tick) == static_cast<std::uint64_t>(cycle - 1));
    l.tick();
    store.commit(l);
  }
  CHECK(store.happened.size() == 4);
  CHECK(store.times("needs_attention") == 1);
}

TEST_CASE("ladder: an unwritten bite is proposed again and counts once", "[core][ladder]") {
  ladder_store store;
  auto l = store.boot();
  l.begin(one, noon);
  l.tick();
  store.commit(l);
  l.tick();
  const auto lost = l.bite(1000);
  REQUIRE(lost.rows.size() == 1);
  CHECK(lost.rows.front().fired == rung::fan_out);
  l.tick();  // the next interval; the store has been silent
  store.commit(l);
  CHECK(store.clock.tick == 2);
  CHECK(store.times("fan_out") == 1);
}

TEST_CASE("ladder: a rung that fired does not fire again when its threshold changes", "[core][ladder]") {
  ladder_store store;
  auto l = store.boot();
  l.begin(one, noon);
  for (int i = 0; i < 5; ++i) {
    l.tick();
    store.commit(l);
  }
  CHECK(store.times("fan_out") == 1);
  CHECK(store.times("spawn") == 1);
  auto later_thresholds = store.boot({2min, 20, 30, 40, 50});
  for (int i = 0; i < 60; ++i) {
    later_thresholds.tick();
    store.commit(later_thresholds);
  }
  CHECK(store.times("fan_out") == 1);
  CHECK(store.times("spawn") == 1);
  CHECK(store.times("event") == 1);
  CHECK(store.times("needs_attention") == 1);
}

TEST_CASE("ladder: what holds the run holds its count, across a restart too", "[core][ladder]") {
  ladder_store store;
  auto l = store.boot();
  l.begin(one, noon);
  for (int i = 0; i < 3; ++i) {
    l.tick();
    store.commit(l);
  }
  CHECK(count_of(*l.find(one), l.clock().tick) == 3);
  l.hold(one, true);
  for (int i = 0; i < 20; ++i) {
    l.tick();
    store.commit(l);
    if (i == 10) {
      l = store.boot();
      CHECK_FALSE(l.fans_out(one));
    }
    CHECK(count_of(*l.find(one), l.clock().tick) == 3);
  }
  l.hold(one, false);
  l.tick();
  store.commit(l);
  CHECK(count_of(*l.find(one), l.clock().tick) == 4);
  CHECK(store.times("spawn") == 1);
  CHECK(store.times("event") == 0);
}

TEST_CASE("ladder: a run that somebody took ends its episode, and the next one is another",
          "[core][ladder]") {
  ladder_store store;
  auto l = store.boot();
  l.begin(one, noon);
  for (int i = 0; i < 3; ++i) {
    l.tick();
    store.commit(l);
  }
  const auto episode = l.find(one)->episode;
  l.end(one);
  store.commit(l);
  CHECK(store.rows.empty());
  l.begin(one, noon + 1h);
  l.tick();
  store.commit(l);
  CHECK(l.find(one)->episode == episode + 1);
  CHECK(count_of(*l.find(one), l.clock().tick) == 1);
}

TEST_CASE("ladder: a worker is wanted until one was started", "[core][ladder]") {
  ladder_store store;
  auto l = store.boot();
  l.begin(one, noon);
  for (int i = 0; i < 5; ++i) {
    l.tick();
    store.commit(l);
  }
  CHECK(l.wanting_worker(10).size() == 1);
  l.spawned(one);
  CHECK(l.wanting_worker(10).empty());
  store.commit(l);
  CHECK(store.boot().wanting_worker(10).empty());
}

TEST_CASE("ladder: many rows are written in bites, and none is left out", "[core][ladder]") {
  ladder_store store;
  auto l = store.boot();
  for (std::int64_t id = 1; id <= 2500; ++id) l.begin(run_id{id}, noon);
  l.tick();
  const auto bite = l.bite(1000);
  CHECK(bite.rows.size() == 1000);
  CHECK(bite.more);
  store.commit(l);
  CHECK(store.rows.size() == 2500);
  for (int i = 0; i < 9; ++i) {
    l.tick();
    store.commit(l, 700);
  }
  CHECK(store.times("needs_attention") == 2500);
  CHECK(store.happened.size() == 4 * 2500);
}

TEST_CASE("ladder: thresholds are positive and do not decrease", "[core][ladder]") {
  CHECK(check(ladder_options{}, "/ladder").empty());
  CHECK(check({2min, 1, 1, 1, 1}, "/ladder").empty());
  const auto zero = check({2min, 0, 4, 6, 10}, "/ladder");
  REQUIRE(zero.size() == 1);
  CHECK(zero.front().pointer == "/ladder/fan_out");
  const auto back = check({2min, 2, 4, 3, 10}, "/ladder");
  REQUIRE(back.size() == 1);
  CHECK(back.front().pointer == "/ladder/event");
  CHECK(back.front().allowed.find("4 or more") != std::string::npos);
}

TEST_CASE("ladder: the longest wait is calculated from the configuration", "[core][ladder]") {
  CHECK(longest_wait({}, 15s) == 2min + 150s);
  CHECK(longest_wait({1s, 1, 1, 1, 3}, 1s) == 4s);
}

// Runs begin, are taken, are held and let go, the node is restarted at any time: every rung at most once per
// episode, in order, and whoever is neither taken nor held climbs one step per tick.
TEST_CASE("ladder: whatever happens, no rung is skipped, repeated or out of order", "[core][ladder]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 dice{seed};
    ladder_store store;
    auto l = store.boot();
    std::map<run_id, std::pair<std::uint64_t, std::uint64_t>> steps;  // episode, ticks without a hold
    std::map<run_id, bool> held;
    for (int i = 0; i < 200; ++i) {
      const run_id run{static_cast<std::int64_t>(1 + dice() % 4)};
      switch (dice() % 6) {
        case 0:
          if (!store.left_queue.contains(run)) l.begin(run, noon);
          break;
        case 1:
          if (store.rows.contains(run) && dice() % 4 == 0) l.end(run);
          break;
        case 2:
          if (store.rows.contains(run)) {
            held[run] = !held[run];
            l.hold(run, held[run]);
          }
          break;
        case 3: l = store.boot(); break;
        default: l.tick(); store.commit(l, 1 + dice() % 3);
      }
      for (const auto& [id, row] : store.rows) CHECK(row.fired <= rung::event);
    }
    // By episode: the events in the order of the rungs.
    std::map<std::string, std::size_t> at;
    for (const auto& h : store.happened) {
      const auto run = h.substr(0, h.find(' '));
      const auto name = h.substr(run.size() + 1, h.find(" at ") - run.size() - 1);
      const std::vector<std::string> order{"fan_out", "spawn", "event", "needs_attention"};
      const auto place =
          static_cast<std::size_t>(std::find(order.begin(), order.end(), name) - order.begin());
      INFO("seed " << seed << " " << h);
      CHECK((place == 0 || at[run] == place - 1));
      at[run] = place;
    }
  }
}
