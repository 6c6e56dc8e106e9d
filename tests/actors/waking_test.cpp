#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;

namespace {

// A node whose wakes and spawn requests the test answers, with the usual thresholds.
struct waking_node : virtual_node {
  struct heard {
    core::instant at;
    messages::wake_target what;
    core::wake_id id;
  };
  std::vector<heard> wakes;
  std::vector<messages::spawn_worker> spawns;
  bool sinks = true;    // sessions can be reached
  bool hears = false;   // ... and acknowledge at once
  bool agents = false;  // a worker can be started
  std::int64_t next_wake = 1;

  static actors::node_options options_with(core::ladder_options l) {
    auto o = usual_options();
    o.ladder = l;
    o.liveness.stale_after = 24h;
    return o;
  }
  explicit waking_node(core::ladder_options l = {}) : virtual_node{options_with(l), false} {
    deliver = [this](const messages::deliver_wakes& m) {
      messages::wakes_delivered how;
      for (const auto& t : m.targets) {
        if (!sinks) {
          how.answers.emplace_back(core::failure{core::errc::unavailable, "it has no sink", {}, {}});
          continue;
        }
        const core::wake_id id{next_wake++};
        wakes.push_back({now(), t, id});
        how.answers.emplace_back(messages::wake_sent{id});
      }
      return how;
    };
    spawn = [this](const messages::spawn_worker& m) -> core::result<messages::worker_spawned> {
      spawns.push_back(m);
      if (!agents) return core::failure{core::errc::not_found, "no agent type covers gpu", {}, {}};
      return messages::worker_spawned{core::session_id{99}, "robot"};
    };
    restart();
  }
  void became(const heard& w, messages::wake_fate fate) {
    wake_became({w.id, w.what.run, w.what.session, fate, "it was silent"});
  }
  core::cycle_result cycle() {
    auto r = ask<core::cycle_result>(messages::run_cycle{});
    REQUIRE(r);
    return *r;
  }
  messages::ladder_seen ladder(core::run_id run) {
    auto r = ask<messages::ladder_seen>(messages::look_at_ladder{{run}});
    REQUIRE(r);
    return *r;
  }
  std::optional<messages::rung_view> rung_of(core::run_id run) {
    const auto seen = ladder(run);
    if (seen.rows.empty()) return std::nullopt;
    return seen.rows.front();
  }
  std::size_t events_named(core::run_id run, const std::string& name) {
    const auto all = events_of(run);
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), name));
  }
  static core::run_spec gpu(const std::string& name) {
    auto s = payload(name);
    s.needs.capabilities = {"gpu"};
    return s;
  }
};

}  // namespace

TEST_CASE_METHOD(waking_node, "wake coordinator: new work wakes one sleeping session at once",
                 "[actors][wake]") {
  const auto a = worker("a"), b = worker("b");
  advance(1s);
  wakes.clear();
  const auto one = submit(payload("one"));
  run();
  REQUIRE(wakes.size() == 1);
  CHECK(wakes.front().what.run == one.head.id);
  CHECK(wakes.front().what.session == a);
  CHECK(wakes.front().what.name == "one");
  submit(payload("two"));
  advance(50ms);
  REQUIRE(wakes.size() == 2);
  CHECK(wakes.back().what.session == b);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: a stream of changes is one cycle now and then",
                 "[actors][wake]") {
  worker("a");
  advance(1s);
  const auto before = ask<messages::cycles_seen>(messages::look_at_cycles{})->sums.cycles;
  for (int i = 0; i < 100; ++i) {
    submit(payload("task"));
    advance(1ms);
  }
  const auto after = ask<messages::cycles_seen>(messages::look_at_cycles{})->sums.cycles;
  CHECK(after - before >= 2);
  CHECK(after - before <= 8);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: with nobody to wake a change is no cycle, the timer is one",
                 "[actors][wake]") {
  const auto before = ask<messages::cycles_seen>(messages::look_at_cycles{})->sums.cycles;
  for (int i = 0; i < 50; ++i) {
    submit(process("task"));
    advance(10ms);
  }
  CHECK(ask<messages::cycles_seen>(messages::look_at_cycles{})->sums.cycles == before);
  advance(60s);
  const auto after = ask<messages::cycles_seen>(messages::look_at_cycles{})->sums.cycles;
  CHECK(after - before >= 3);
  CHECK(after - before <= 5);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: the cooldown begins with the acknowledgement, and ends",
                 "[actors][wake]") {
  worker("a");
  advance(1s);
  submit(payload("one"));
  run();
  REQUIRE(wakes.size() == 1);
  became(wakes.front(), messages::wake_fate::acknowledged);
  const auto heard_at = now();
  advance(59s);
  CHECK(wakes.size() == 1);
  advance(16s);
  REQUIRE(wakes.size() == 2);
  CHECK(wakes.back().at - heard_at >= 60s);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: a failed wake leaves no cooldown and is tried next cycle",
                 "[actors][wake]") {
  worker("a");
  advance(1s);
  submit(payload("one"));
  run();
  REQUIRE(wakes.size() == 1);
  CHECK(cycle().wakes_attempted == 0);  // it is under way
  became(wakes.front(), messages::wake_fate::failed);
  const auto again = cycle();
  CHECK(again.wakes_attempted == 1);
  CHECK(wakes.size() == 2);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: a session without a sink is told of, and others are tried",
                 "[actors][wake]") {
  worker("a");
  worker("b");
  advance(1s);
  sinks = false;
  submit(payload("one"));
  run();
  const auto first = cycle(), second = cycle();
  REQUIRE(first.not_woken.size() == 1);
  REQUIRE(second.not_woken.size() == 1);
  CHECK(first.wakes_failed == 1);
  CHECK(first.not_woken.front().text == "it has no sink");
  CHECK(first.not_woken.front().who != second.not_woken.front().who);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: a cycle says why nobody was woken", "[actors][wake]") {
  const auto busy = worker("busy");
  submit(payload("first"));
  REQUIRE(claim(busy).size() == 1);
  const auto plain = submit(payload("plain")), rare = submit(gpu("rare"));
  auto elsewhere = payload("elsewhere");
  elsewhere.needs.workspace = "shop";
  const auto scoped = submit(elsewhere);
  const auto r = cycle();
  CHECK(r.pending == 3);
  CHECK(r.active == 1);
  CHECK(r.asked);
  CHECK(r.all_busy.runs == std::vector<core::run_id>{plain.head.id});
  CHECK(r.no_capable.runs == std::vector<core::run_id>{rare.head.id});
  CHECK(r.wrong_scope.runs == std::vector<core::run_id>{scoped.head.id});
  CHECK(r.no_match() == 3);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: a cycle sweeps first and names the leases it took back",
                 "[actors][wake]") {
  const auto a = worker("a");
  const auto one = submit(payload("one"));
  REQUIRE(claim(a, 1, 5s).size() == 1);
  time.advance(6s);  // no timer rings: only the cycle looks
  const auto r = cycle();
  CHECK(r.recovered_leases.runs == std::vector<core::run_id>{one.head.id});
  CHECK(r.pending == 1);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: the sums survive a restart after an orderly stop",
                 "[actors][wake]") {
  worker("a");
  submit(payload("one"));
  cycle();
  const auto sums = ask<messages::cycles_seen>(messages::look_at_cycles{})->sums;
  REQUIRE(sums.wakes_attempted > 0);
  stop();
  restart();
  const auto later = ask<messages::cycles_seen>(messages::look_at_cycles{})->sums;
  CHECK(later.cycles >= sums.cycles);
  CHECK(later.wakes_attempted >= sums.wakes_attempted);
  CHECK(later.since == sums.since);
}

TEST_CASE_METHOD(waking_node, "wake coordinator: a reset of the sums is in the journal", "[actors][wake]") {
  cycle();
  const auto zero = ask<messages::cycles_seen>(messages::look_at_cycles{true, "cli:alice"});
  REQUIRE(zero);
  CHECK(zero->sums.cycles == 0);
  CHECK(count_events(core::event_kind::statistics_reset) == 1);
}

TEST_CASE_METHOD(waking_node,
                 "wake coordinator: a comparison of the queue forgets who was woken, nothing else",
                 "[actors][wake]") {
  worker("a");
  submit(payload("one"));
  run();
  advance(50ms);
  REQUIRE(wakes.size() == 1);
  became(wakes.front(), messages::wake_fate::acknowledged);
  REQUIRE(ask<messages::index_rebuilt>(messages::rebuild_index{"test"}));
  advance(50ms);
  CHECK(wakes.size() == 2);
  CHECK(ask<messages::cycles_seen>(messages::look_at_cycles{})->sums.rebuilds == 1);
}

// ---- the ladder

TEST_CASE_METHOD(waking_node, "ladder: a run that nobody may take climbs rung by rung, each at its count",
                 "[actors][ladder]") {
  const auto run = submit(gpu("rare"));
  const auto id = run.head.id;
  std::vector<std::pair<core::rung, core::span>> fired;
  core::rung last = core::rung::none;
  while (state_of(id) == core::run_state::queued && now() - run.head.eligible_since < 10min) {
    advance(1s);
    const auto view = rung_of(id);
    if (!view || view->row.fired == last) continue;
    fired.emplace_back(last = view->row.fired, now() - run.head.eligible_since);
  }
  REQUIRE(fired.size() == 3);
  const auto interval = options.wake.interval;
  // Counted from the first interval after the minimum age.
  CHECK(fired[0].second >= 2min + interval);
  CHECK(fired[0].second <= 2min + 2 * interval + 1s);
  CHECK(fired[1].second - fired[0].second == 2 * interval);
  CHECK(fired[2].second - fired[1].second == 2 * interval);
  CHECK(state_of(id) == core::run_state::needs_attention);
  CHECK(now() - run.head.eligible_since <= core::longest_wait(options.ladder, interval) + 1s);
  CHECK(events_named(id, "run_starved") == 1);
  CHECK(events_named(id, "needs_attention") == 1);
  CHECK_FALSE(spawns.empty());
  CHECK_FALSE(rung_of(id));
  CHECK(find(id).head.reason.find("nobody took it") != std::string::npos);
}

TEST_CASE_METHOD(waking_node, "ladder: a restart at every step loses no rung and repeats none",
                 "[actors][ladder]") {
  agents = true;
  const auto id = submit(gpu("rare")).head.id;
  advance(2min + 16s);
  REQUIRE(rung_of(id));
  std::uint64_t count = rung_of(id)->count;
  const auto episode = rung_of(id)->row.episode;
  for (int i = 0; i < 60 && state_of(id) == core::run_state::queued; ++i) {
    crash();
    restart();
    if (const auto view = rung_of(id)) {
      CHECK(view->row.episode == episode);
      CHECK(view->count >= count);
      count = view->count;
    }
    advance(7s);
  }
  CHECK(state_of(id) == core::run_state::needs_attention);
  CHECK(events_named(id, "run_starved") == 1);
  CHECK(events_named(id, "needs_attention") == 1);
  for (const auto& s : spawns) CHECK(s.episode == episode);
}

TEST_CASE_METHOD(waking_node, "ladder: another interval changes the pace and fires no rung again",
                 "[actors][ladder]") {
  agents = true;
  const auto id = submit(gpu("rare")).head.id;
  advance(2min + 16s);  // its row is written
  REQUIRE(rung_of(id));
  auto last = core::rung::none;
  std::vector<core::rung> fired;
  std::uint64_t count = 0;
  const core::span intervals[] = {15s, 1s, 40s, 3s, 15s};
  for (std::size_t i = 0; state_of(id) == core::run_state::queued; ++i) {
    REQUIRE(i < 200);
    crash();
    options.wake.interval = intervals[i % 5];
    restart();
    for (int steps = 0; steps < 4; ++steps) {
      advance(options.wake.interval / 2);
      const auto view = rung_of(id);
      if (!view) continue;
      CHECK(view->count >= count);
      CHECK(view->row.fired >= last);
      count = view->count;
      if (view->row.fired != last) fired.push_back(last = view->row.fired);
    }
  }
  CHECK(fired == std::vector<core::rung>{core::rung::fan_out, core::rung::spawn, core::rung::event});
  CHECK(events_named(id, "run_starved") == 1);
  CHECK(events_named(id, "needs_attention") == 1);
  CHECK(state_of(id) == core::run_state::needs_attention);
  std::set<std::uint64_t> episodes;
  for (const auto& s : spawns) episodes.insert(s.episode);
  CHECK(episodes.size() == 1);
}

TEST_CASE_METHOD(waking_node, "ladder: a claim at any moment ends the episode with its own commit",
                 "[actors][ladder]") {
  for (const auto& after : {136s, 151s, 181s, 211s, 251s}) {
    const auto id = submit(gpu("rare " + std::to_string(after.count()))).head.id;
    advance(after);
    REQUIRE(state_of(id) == core::run_state::queued);
    REQUIRE(rung_of(id));
    messages::register_session m;
    m.who.name = "able";
    m.who.capabilities = {"gpu"};
    m.who.agent_type = "robot";
    const auto who = ask<messages::session_answer>(std::move(m))->who.id;
    faults.record = true;
    faults.seen.clear();
    const auto got = claim(who);
    REQUIRE(got.size() == 1);
    REQUIRE(got.front().run.head.id == id);
    CHECK_FALSE(*read(messages::get_starvation{id}));
    faults.record = false;
    advance(1min);
    CHECK_FALSE(rung_of(id));
    REQUIRE(settle(got.front(), core::settle_kind::succeeded));
    REQUIRE(ask<messages::session_answer>(messages::end_session{who, "done", false, "test"}));
    CHECK(events_named(id, "needs_attention") == 0);
  }
}

TEST_CASE_METHOD(waking_node, "ladder: a run that is put back begins another episode", "[actors][ladder]") {
  const auto id = submit(payload("task")).head.id;
  advance(150s);
  REQUIRE(rung_of(id));
  const auto first = rung_of(id)->row.episode;
  const auto who = worker("slow");
  const auto got = claim(who, 1, 5s);
  REQUIRE(got.size() == 1);
  advance(20s);
  REQUIRE(state_of(id) == core::run_state::queued);
  CHECK_FALSE(rung_of(id));
  advance(100s);
  CHECK_FALSE(rung_of(id));
  advance(40s);
  REQUIRE(rung_of(id));
  CHECK(rung_of(id)->row.episode > first);
}

TEST_CASE_METHOD(waking_node, "ladder: a deaf fleet is woken altogether once per interval, within its share",
                 "[actors][ladder]") {
  for (int i = 0; i < 10; ++i) worker("deaf " + std::to_string(i));
  const auto id = submit(payload("task")).head.id;
  advance(2min + 10s);
  const auto settle_all = [&] {
    auto open = wakes;
    for (const auto& w : open) became(w, messages::wake_fate::acknowledged);
  };
  settle_all();
  std::vector<std::size_t> per_interval;
  for (int i = 0; i < 12 && state_of(id) == core::run_state::queued; ++i) {
    wakes.clear();
    advance(15s);
    per_interval.push_back(wakes.size());
    settle_all();
  }
  const auto fans = std::count(per_interval.begin(), per_interval.end(), 5U);
  CHECK(fans >= 7);
  for (const auto n : per_interval) CHECK(n <= 5);
  CHECK(state_of(id) == core::run_state::needs_attention);
}

TEST_CASE_METHOD(waking_node, "ladder: who stands in a line that moves never needs attention",
                 "[actors][ladder]") {
  const auto who = worker("slow");
  std::vector<core::run_id> all;
  for (int i = 0; i < 20; ++i) all.push_back(submit(payload("task")).head.id);
  for (int i = 0; i < 20; ++i) {
    const auto got = claim(who);
    REQUIRE(got.size() == 1);
    advance(100s);
    REQUIRE(settle(got.front(), core::settle_kind::succeeded));
  }
  for (const auto id : all) CHECK(state_of(id) == core::run_state::succeeded);
  CHECK(count_events(core::event_kind::run_starved) == 0);
}

TEST_CASE_METHOD(waking_node, "ladder: work of busy executors of the node is no case for it",
                 "[actors][ladder]") {
  for (int i = 0; i < 2; ++i) {
    auto endless = process("endless");
    endless.timeout = core::span{0};
    endless.process.argv = {"sleep", "100000"};
    submit(endless);
  }
  const auto id = submit(process("behind")).head.id;
  if (state_of(id) != core::run_state::queued) return;  // the fake processes have ended already
  advance(8min);
  CHECK(count_events(core::event_kind::needs_attention) == 0);
}

TEST_CASE_METHOD(waking_node, "ladder: what a limit holds does not climb", "[actors][ladder]") {
  REQUIRE(ask<messages::queue_state>(messages::change_limits{{0, 1, 0, 0}, "test"}));
  auto first = payload("first"), second = gpu("second");
  first.lane = second.lane = "narrow";
  submit(first);
  const auto who = worker("slow");
  auto held = claim(who, 1, 1h);
  REQUIRE(held.size() == 1);
  const auto id = submit(second).head.id;
  advance(20min);
  CHECK(state_of(id) == core::run_state::queued);
  CHECK_FALSE(rung_of(id));
  REQUIRE(settle(held.front(), core::settle_kind::succeeded));
  advance(10min);
  CHECK(state_of(id) == core::run_state::needs_attention);
}

TEST_CASE_METHOD(waking_node, "ladder: a pause holds the count, whatever it is a pause of",
                 "[actors][ladder]") {
  auto s = gpu("rare");
  s.needs.workspace = "shop";
  s.needs.agent_types = {"claude"};
  const auto id = submit(s).head.id;
  for (const auto& on :
       {core::whole_scheduler(), core::the_workspace("shop"), core::the_agent_type("claude")}) {
    advance(2min + 16s);
    REQUIRE(rung_of(id));
    messages::set_pause pause;
    pause.on = on;
    pause.entry.reason = "manual";
    pause.actor = "test";
    REQUIRE(ask<messages::pauses_seen>(std::move(pause)));
    advance(16s);
    REQUIRE(rung_of(id));
    const auto count = rung_of(id)->count;
    wakes.clear();
    advance(20min);
    REQUIRE(rung_of(id));
    CHECK(rung_of(id)->count == count);
    CHECK(wakes.empty());
    CHECK(cycle().paused == (on.scope == core::pause_scope::scheduler));
    CHECK(cycle().paused_runs + (on.scope == core::pause_scope::agent_type ? 1 : 0) == 1);
    if (on.scope == core::pause_scope::scheduler) {
      crash();
      restart();
      REQUIRE(rung_of(id));
      CHECK(rung_of(id)->count == count);
    }
    messages::lift_pause lift;
    lift.on = on;
    lift.reason = "manual";
    lift.actor = "test";
    REQUIRE(ask<messages::pauses_seen>(std::move(lift)));
    advance(16s);
    REQUIRE(rung_of(id));
    CHECK(rung_of(id)->count == count + 1);
    // The next kind of pause meets another episode.
    const auto able = [&] {
      messages::register_session m;
      m.who.name = "able";
      m.who.workspace = "shop";
      m.who.agent_type = "claude";
      m.who.capabilities = {"gpu"};
      return ask<messages::session_answer>(std::move(m))->who.id;
    }();
    const auto got = claim(able);
    REQUIRE(got.size() == 1);
    REQUIRE(settle(got.front(), core::settle_kind::released));
    REQUIRE(ask<messages::session_answer>(messages::end_session{able, "done", false, "test"}));
  }
}

TEST_CASE_METHOD(waking_node, "ladder: a hold that ended while no node ran ends", "[actors][ladder]") {
  const auto id = submit(gpu("rare")).head.id;
  auto s = gpu("shop");
  s.needs.workspace = "shop";
  const auto held = submit(s).head.id;
  advance(2min + 16s);
  messages::set_pause pause;
  pause.on = core::the_workspace("shop");
  pause.entry.reason = "maintenance";
  pause.entry.until = now() + 1min;
  pause.actor = "test";
  REQUIRE(ask<messages::pauses_seen>(pause));
  advance(16s);
  REQUIRE(rung_of(held));
  CHECK(rung_of(held)->row.held);
  crash();
  time.advance(2min);
  restart();
  advance(5min);
  CHECK(state_of(held) == core::run_state::needs_attention);
  CHECK(state_of(id) == core::run_state::needs_attention);
}

TEST_CASE_METHOD(waking_node, "ladder: time in which everything is paused is not waiting",
                 "[actors][ladder]") {
  messages::set_pause pause;
  pause.entry.reason = "manual";
  pause.actor = "test";
  REQUIRE(ask<messages::pauses_seen>(pause));
  const auto id = submit(gpu("rare")).head.id;
  advance(1h);
  CHECK_FALSE(rung_of(id));
  messages::lift_pause lift;
  lift.reason = "manual";
  lift.actor = "test";
  REQUIRE(ask<messages::pauses_seen>(lift));
  advance(110s);
  CHECK_FALSE(rung_of(id));
  advance(30s);
  CHECK(rung_of(id));
}

TEST_CASE_METHOD(waking_node, "ladder: a worker is asked for once per count until there is one",
                 "[actors][ladder]") {
  const auto id = submit(gpu("rare")).head.id;
  advance(2min + 16s + 45s + 16s);
  REQUIRE(rung_of(id));
  REQUIRE_FALSE(spawns.empty());
  const auto before = spawns.size();
  CHECK(spawns.back().run == id);
  CHECK(spawns.back().needs.capabilities == std::vector<std::string>{"gpu"});
  advance(15s);
  CHECK(spawns.size() == before + 1);
  agents = true;
  advance(15s);
  CHECK(spawns.size() == before + 2);
  CHECK(rung_of(id)->row.spawned);
  advance(15s);
  CHECK(spawns.size() == before + 2);
}

TEST_CASE_METHOD(waking_node, "ladder: a jump of the clock is one count at most, and no loss",
                 "[actors][ladder]") {
  const auto id = submit(gpu("rare")).head.id;
  advance(2min + 16s);
  REQUIRE(rung_of(id));
  const auto count = rung_of(id)->count;
  jump(48h);
  advance(1s);
  REQUIRE(rung_of(id));
  CHECK(rung_of(id)->count <= count + 1);
  jump(-96h);
  advance(1s);
  REQUIRE(rung_of(id));
  CHECK(rung_of(id)->count <= count + 2);
  const auto from = rung_of(id)->count;
  advance(15s);
  REQUIRE(rung_of(id));
  CHECK(rung_of(id)->count <= from + 1);
  advance(5min);
  CHECK(state_of(id) == core::run_state::needs_attention);
  CHECK(events_named(id, "needs_attention") == 1);
}

TEST_CASE("ladder: off with a minimum age of zero", "[actors][ladder]") {
  waking_node n{{0s, 2, 4, 6, 10}};
  const auto id = n.submit(waking_node::gpu("rare")).head.id;
  n.advance(1h);
  CHECK(n.state_of(id) == core::run_state::queued);
  CHECK_FALSE(n.rung_of(id));
}

TEST_CASE_METHOD(waking_node, "ladder: a store that fails for a while delays it and repeats nothing",
                 "[actors][ladder]") {
  const auto id = submit(gpu("rare")).head.id;
  advance(2min + 40s);
  faults.every_commit = core::failure{core::errc::storage_full, "no room", {}, {}};
  advance(1min);
  faults.every_commit.reset();
  advance(5min);
  CHECK(state_of(id) == core::run_state::needs_attention);
  CHECK(events_named(id, "run_starved") == 1);
  CHECK(events_named(id, "needs_attention") == 1);
}

TEST_CASE_METHOD(waking_node, "ladder: thousands that starve at once are written in bites",
                 "[actors][ladder]") {
  std::vector<core::run_id> some;
  for (int b = 0; b < 3; ++b) {
    messages::submit_runs m;
    m.actor = "test";
    for (int i = 0; i < 900; ++i) {
      core::submission one;
      one.spec = std::make_shared<const core::run_spec>(gpu("many"));
      one.actor = "test";
      m.runs.push_back(std::move(one));
    }
    some.push_back(ask<messages::submitted>(std::move(m))->runs.front().head.id);
  }
  advance(5min);
  for (const auto id : some) CHECK(state_of(id) == core::run_state::needs_attention);
  CHECK(count_events(core::event_kind::needs_attention) == 500);  // a page of the journal
  CHECK(queue().counts.ready == 0);
}
