#include <catch2/catch.hpp>

#include <random>
#include <set>

#include "core/wake/cycle.hpp"
#include "core/wake/result.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

constexpr instant noon = from_micros(1'795'255'200'000'000);

seated_session sleeper(std::int64_t id, std::vector<std::string> able = {}, std::string workspace = {}) {
  seated_session s;
  s.who.id = session_id{id};
  s.who.agent_type = "robot";
  s.who.capabilities = std::move(able);
  s.who.workspace = std::move(workspace);
  return s;
}

// A snapshot in the making.
struct scene {
  waiting_snapshot seen;
  wake_memory memory;
  wake_options options;
  std::set<run_id> fans;

  scene() { seen.at = noon; }
  scene& session(seated_session s) {
    seen.sessions.push_back(std::move(s));
    return *this;
  }
  std::uint32_t kind(std::vector<std::string> able = {}, std::string workspace = {}) {
    waiting_kind k;
    k.number = static_cast<std::uint32_t>(seen.kinds.size());
    k.needs.capabilities = std::move(able);
    k.needs.workspace = std::move(workspace);
    seen.kinds.push_back(k);
    return k.number;
  }
  scene& run(std::int64_t id, std::uint32_t kind, bool starved = false) {
    waiting_run r;
    r.id = run_id{id};
    r.kind = kind;
    r.since = noon - 1min;
    r.starving = starved;
    seen.fronts.push_back(r);
    ++seen.kinds.at(kind).ready;
    if (starved) fans.insert(r.id);
    return *this;
  }
  wake_choice choose() const {
    return choose_wakes(seen, memory, options, [&](run_id r) { return fans.contains(r); });
  }
};

std::vector<std::pair<std::int64_t, std::int64_t>> pairs(const wake_choice& c) {
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (const auto& w : c.wakes) all.emplace_back(w.run.value, w.who.value);
  return all;
}
using wakes = std::vector<std::pair<std::int64_t, std::int64_t>>;

}  // namespace

TEST_CASE("wake: one session per run, one run per session", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  s.session(sleeper(1)).session(sleeper(2)).run(10, k).run(11, k).run(12, k);
  const auto c = s.choose();
  CHECK(pairs(c) == wakes{{10, 1}, {11, 2}});
  CHECK(c.all_busy == std::vector<run_id>{run_id{12}});
  CHECK(c.sessions_scanned == 2);
}

TEST_CASE("wake: whoever was woken longest ago comes first, ties by id", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  s.session(sleeper(1)).session(sleeper(2)).session(sleeper(3)).run(10, k);
  s.memory.sent(run_id{8}, session_id{1}, noon - 2min);
  s.memory.acknowledged(run_id{8}, session_id{1}, noon - 2min);
  CHECK(pairs(s.choose()) == wakes{{10, 2}});
  s.memory.tried(session_id{2}, noon - 1min);
  CHECK(pairs(s.choose()) == wakes{{10, 3}});
  s.memory.tried(session_id{3}, noon - 30s);
  CHECK(pairs(s.choose()) == wakes{{10, 1}});
}

TEST_CASE("wake: nobody is woken for what the claim hook has just refused them, starved or not",
          "[core][wake][hook]") {
  for (const bool starved : {false, true}) {
    scene s;
    const auto k = s.kind();
    s.session(sleeper(1)).session(sleeper(2)).run(10, k, starved).run(11, k);
    s.seen.refused = {{run_id{10}, session_id{1}}};
    CHECK(pairs(s.choose()) == wakes{{10, 2}, {11, 1}});
    s.seen.refused = {{run_id{10}, session_id{1}}, {run_id{10}, session_id{2}}};
    const auto c = s.choose();
    CHECK(pairs(c) == wakes{{11, 1}});
    CHECK(c.all_cooldown == std::vector<run_id>{run_id{10}});
  }
}

TEST_CASE("wake: a cooldown begins with the acknowledgement, a failed wake leaves none", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  s.session(sleeper(1)).run(10, k);
  s.memory.sent(run_id{10}, session_id{1}, noon);
  CHECK(s.choose().wakes.empty());  // it is being woken
  s.memory.failed(run_id{10}, session_id{1});
  CHECK(pairs(s.choose()) == wakes{{10, 1}});
  s.memory.sent(run_id{10}, session_id{1}, noon);
  s.memory.acknowledged(run_id{10}, session_id{1}, noon);
  auto c = s.choose();
  CHECK(c.wakes.empty());
  CHECK(c.all_cooldown == std::vector<run_id>{run_id{10}});
  CHECK(c.recently_notified == 1);
  s.seen.at = noon + 59s;
  CHECK(s.choose().wakes.empty());
  s.seen.at = noon + 60s;
  CHECK(pairs(s.choose()) == wakes{{10, 1}});
  s.seen.at = noon - 1h;  // the clock was set back: nobody waits an hour longer for that
  CHECK(pairs(s.choose()) == wakes{{10, 1}});
}

TEST_CASE("wake: a session that cools down for one run is woken for another", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  s.session(sleeper(1)).run(10, k).run(11, k);
  s.memory.acknowledged(run_id{10}, session_id{1}, noon);
  CHECK(pairs(s.choose()) == wakes{{11, 1}});
}

TEST_CASE("wake: why a run wakes nobody has five different answers", "[core][wake]") {
  scene s;
  const auto gpu = s.kind({"gpu"}), shop = s.kind({}, "shop"), plain = s.kind(), rare = s.kind({"rare"});
  auto busy = sleeper(1, {"rare"});
  busy.free_slots = 0;
  s.session(busy).session(sleeper(2));
  s.memory.acknowledged(run_id{12}, session_id{2}, noon);
  s.run(10, gpu).run(11, shop).run(12, plain).run(13, rare);
  const auto c = s.choose();
  CHECK(c.no_capable == std::vector<run_id>{run_id{10}});
  CHECK(c.wrong_scope == std::vector<run_id>{run_id{11}});
  CHECK(c.all_cooldown == std::vector<run_id>{run_id{12}});
  CHECK(c.all_busy == std::vector<run_id>{run_id{13}});
  CHECK(c.no_capable_runs == 1);
  CHECK(c.wrong_scope_runs == 1);
}

TEST_CASE("wake: the node's own executors are never woken", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  s.seen.kinds[k].handler = handler_kind::process;
  auto own = sleeper(1);
  own.who.local = true;
  own.who.handlers = {handler_kind::process};
  s.session(own).run(10, k);
  CHECK(s.choose().wakes.empty());
}

TEST_CASE("wake: whom the limit of its agent type keeps from work is not woken", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  auto full = sleeper(1);
  full.room = false;
  s.session(full).run(10, k);
  const auto c = s.choose();
  CHECK(c.wakes.empty());
  CHECK(c.all_busy.size() == 1);
}

TEST_CASE("wake: a starved run wakes its share, cooldown or not, and never everybody", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  for (std::int64_t id = 1; id <= 10; ++id) {
    s.session(sleeper(id));
    s.memory.acknowledged(run_id{20}, session_id{id}, noon);
  }
  s.run(20, k, true);
  CHECK(s.choose().wakes.size() == 5);
  s.run(21, k, true);
  const auto two = s.choose();
  CHECK(two.wakes.size() == 4);  // half of ten, shared by two
  for (const auto& w : two.wakes) CHECK(w.starved);
  s.options.fan_out_share = 1;
  CHECK(s.choose().wakes.size() == 2);  // each at least one
}

TEST_CASE("wake: an owner rule finds its session among many alike", "[core][wake]") {
  scene s;
  const auto k = s.kind();
  s.seen.kinds[k].needs.exact_session = session_id{3};
  for (std::int64_t id = 1; id <= 4; ++id) s.session(sleeper(id));
  s.run(10, k);
  CHECK(pairs(s.choose()) == wakes{{10, 3}});
}

TEST_CASE("wake: what is remembered of cooldowns is bounded", "[core][wake]") {
  wake_memory m{{15s, 10min, 50}};
  for (std::int64_t i = 1; i <= 300'000; ++i)
    m.acknowledged(run_id{i}, session_id{i % 1000}, noon + std::chrono::microseconds{i});
  m.tidy(noon + 1s, {});
  CHECK(m.cooldowns() <= 200'000);
  CHECK(m.cooling(run_id{300'000}, session_id{0}, noon + 1s));
  m.tidy(noon + 11min, {});
  CHECK(m.cooldowns() == 0);
}

// Whatever the sessions and runs are like: whoever is chosen may take the run by the rule of the claim; no
// session twice; a run that is not starved once; and a run that is next and wakes nobody has exactly one
// reason.
TEST_CASE("wake: a choice never breaks the rules of the claim", "[core][wake]") {
  const std::vector<std::string> words{"a", "b", "c"};
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 dice{seed};
    scene s;
    const auto some = [&] {
      std::vector<std::string> all;
      for (const auto& w : words)
        if (dice() % 3 == 0) all.push_back(w);
      return all;
    };
    for (std::int64_t id = 1; id <= 8; ++id) {
      auto one = sleeper(id, some(), dice() % 3 == 0 ? "shop" : "");
      one.free_slots = static_cast<std::uint32_t>(dice() % 3);
      one.who.prompting = dice() % 5 == 0;
      if (dice() % 6 == 0) one.who.state = session_state::draining;
      s.session(one);
      if (dice() % 3 == 0) s.memory.acknowledged(run_id{10}, session_id{id}, noon);
    }
    for (int k = 0; k < 3; ++k) s.kind(some(), dice() % 3 == 0 ? "shop" : "");
    for (std::int64_t id = 10; id < 20; ++id)
      s.run(id, static_cast<std::uint32_t>(dice() % 3), dice() % 4 == 0);
    const auto c = s.choose();
    std::set<session_id> targeted;
    std::map<run_id, int> woken;
    for (const auto& w : c.wakes) {
      INFO("seed " << seed);
      CHECK(targeted.insert(w.who).second);
      ++woken[w.run];
      const auto& session = s.seen.sessions.at(static_cast<std::size_t>(w.who.value - 1));
      const auto& front = s.seen.fronts.at(static_cast<std::size_t>(w.run.value - 10));
      CHECK(why_not(standing{&session.who, session.free_slots}, s.seen.kinds[front.kind].needs,
                    handler_kind::none)
                .empty());
      if (!w.starved) CHECK(woken[w.run] == 1);
    }
    std::map<run_id, int> silent;
    for (const auto* list : {&c.no_capable, &c.all_busy, &c.all_cooldown, &c.wrong_scope})
      for (const auto run : *list) ++silent[run];
    for (const auto& front : s.seen.fronts) CHECK((woken.contains(front.id) ? 1 : 0) + silent[front.id] == 1);
  }
}

TEST_CASE("wake: the sums add up what cycles found", "[core][wake]") {
  cycle_statistics sums;
  cycle_result one;
  one.began = noon;
  one.took = 3ms;
  one.wakes_attempted = 3;
  one.wakes_succeeded = 2;
  one.wakes_failed = 1;
  one.no_capable.add(run_id{1});
  add(sums, one);
  one.began = noon + 15s;
  one.error = "the store was silent";
  add(sums, one);
  CHECK(sums.cycles == 2);
  CHECK(sums.wakes_attempted == 6);
  CHECK(sums.no_capable == 2);
  CHECK(sums.errors == 1);
  CHECK(sums.last_error == "the store was silent");
  CHECK(sums.last_cycle == noon + 15s);
  CHECK(sums.longest == 3ms);
}
