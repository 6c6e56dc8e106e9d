// Fleets of every kind, and work of every kind: whoever is not taken needs attention within the time that the
// configuration says, and nobody who is taken gets there. BELFRY_WAITING_SEED=n replays one seed,
// BELFRY_LONG=1 takes ten times as many.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "tests/support/virtual_node.hpp"

namespace {

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;

enum class temper { deaf, busy, crashing, elsewhere, honest };

struct townsman {
  core::session_id id;
  temper how = temper::deaf;
  std::vector<std::string> able;
  std::vector<messages::claimed_run> holds;
};

struct fact {
  core::instant eligible = core::never;
  bool taken = false;  // somebody had it, ever
  core::instant kind_moved = core::never;
};

// One seed: a town of sessions and runs; minutes pass; the node is killed now and then.
class waiting_town {
 public:
  explicit waiting_town(std::uint64_t seed) : dice_{seed}, node_{options(dice_), false} {
    node_.deliver = [this](const messages::deliver_wakes& m) {
      messages::wakes_delivered how;
      for (std::size_t i = 0; i < m.targets.size(); ++i) {
        if (dice_() % 4 == 0)
          how.answers.emplace_back(core::failure{core::errc::unavailable, "it has no sink", {}, {}});
        else
          how.answers.emplace_back(messages::wake_sent{core::wake_id{++wake_}});
      }
      return how;
    };
    node_.restart();
    lives_since_ = steady();
  }

  void live() {
    const auto people = 1 + dice_() % 5;
    for (std::uint64_t i = 0; i < people; ++i) join();
    for (int i = 0; i < 6; ++i) submit();
    for (int round = 0; round < 60; ++round) {
      if (dice_() % 8 == 0) submit();
      if (dice_() % 15 == 0) restart();
      if (dice_() % 25 == 0) {
        node_.jump(core::span{std::chrono::minutes{static_cast<int>(dice_() % 60)}} - 30min);
        jumps_.push_back(steady());
      }
      for (auto& t : town_) act(t);
      node_.advance(core::span{std::chrono::milliseconds{200 + dice_() % 1500}});
      judge();
    }
    check_end();
  }

 private:
  static actors::node_options options(std::mt19937_64& dice) {
    auto o = virtual_node::usual_options();
    o.executor.processes = 1;
    o.ladder.minimum_age = core::span{std::chrono::seconds{2 + dice() % 4}};
    o.ladder.fan_out = 1 + static_cast<std::uint32_t>(dice() % 2);
    o.ladder.spawn = o.ladder.fan_out + static_cast<std::uint32_t>(dice() % 2);
    o.ladder.event = o.ladder.spawn + static_cast<std::uint32_t>(dice() % 2);
    o.ladder.needs_attention = o.ladder.event + 1 + static_cast<std::uint32_t>(dice() % 2);
    o.wake.interval = core::span{std::chrono::milliseconds{500 + dice() % 1500}};
    o.board.limits.per_agent_type = 0;  // what a limit holds is not bounded by the ladder
    o.liveness.stale_after = 24h;
    o.clock_jump = 1s;  // whoever holds a lease keeps it when the clock is set
    return o;
  }

  void join() {
    townsman t;
    t.how = static_cast<temper>(dice_() % 5);
    messages::register_session m;
    m.who.name = "one";
    m.who.agent_type = "robot";
    if (t.how == temper::elsewhere) m.who.workspace = "shop";
    if (dice_() % 2 == 0) m.who.capabilities = {"gpu"};
    t.able = m.who.capabilities;
    const auto made = node_.ask<messages::session_answer>(std::move(m));
    REQUIRE(made);
    t.id = made->who.id;
    town_.push_back(std::move(t));
  }

  void submit() {
    auto s = virtual_node::payload("work");
    if (dice_() % 2 == 0) s.needs.capabilities = {"gpu"};
    if (dice_() % 6 == 0) s.needs.workspace = "nowhere";
    const auto run = node_.submit(std::move(s));
    runs_[run.head.id] = {steady(), false, core::never};
    needs_[run.head.id] = run.head.needs;
  }

  void restart() {
    node_.crash();
    node_.time.advance(core::span{std::chrono::milliseconds{dice_() % 3000}});
    node_.restart();
    ++restarts_;
    lives_since_ = steady();
    for (auto& t : town_) t.holds.clear();  // they forget, and their leases run out
  }

  void act(townsman& t) {
    switch (t.how) {
      case temper::deaf:
      case temper::elsewhere: return;
      case temper::busy:
        if (t.holds.empty() && dice_() % 4 == 0) take(t, 1h);
        return;
      case temper::crashing:
        if (dice_() % 6 == 0) take(t, 1s);
        t.holds.clear();
        return;
      case temper::honest:
        for (const auto& one : t.holds) (void)node_.settle(one, core::settle_kind::succeeded);
        t.holds.clear();
        if (dice_() % 3 == 0) take(t, 1min);
        return;
    }
  }

  void take(townsman& t, core::span lease) {
    messages::claim_runs m;
    m.who = t.id;
    m.lease = lease;
    const auto got = node_.ask<messages::claimed_runs>(m);
    if (!got) return;
    for (const auto& one : got->runs) {
      auto& f = runs_[one.run.head.id];
      f.taken = true;
      for (auto& [id, other] : runs_)
        if (needs_[id] == one.run.head.needs) other.kind_moved = steady();
      t.holds.push_back(one);
    }
  }

  // While it is queued and nobody takes any of its kind, its time is limited.
  void judge() {
    const auto& o = node_.options;
    const auto bound =
        core::longest_wait(o.ladder, o.wake.interval) + o.wake.interval + 2s;  // a round is up to 1.7 s long
    for (const auto& [id, f] : runs_) {
      const auto state = node_.state_of(id);
      if (state == core::run_state::needs_attention) {
        // Somebody had it and gave it back, or nobody ever had it; but never while somebody has it.
        for (const auto& t : town_)
          for (const auto& one : t.holds) {
            INFO(to_string(id) << " was given up while somebody holds it");
            CHECK(one.run.head.id != id);
          }
        continue;
      }
      if (state != core::run_state::queued) {
        last_away_[id] = steady();
        continue;
      }
      auto since = std::max({f.eligible, f.kind_moved, lives_since_});
      if (const auto it = last_away_.find(id); it != last_away_.end()) since = std::max(since, it->second);
      // A clock that is set may cost one tick.
      const auto limit = bound + o.wake.interval * std::count_if(jumps_.begin(), jumps_.end(),
                                                                 [&](core::instant j) { return j >= since; });
      if (steady() - since <= limit) continue;
      INFO(to_string(id) << " has been waiting for " << (steady() - since).count() / 1000 << " ms of "
                         << limit.count() / 1000 << "; eligible " << ago(f.eligible) << ", its kind moved "
                         << ago(f.kind_moved) << ", the node began " << ago(lives_since_) << " before now; "
                         << all_of(node_.events_of(id)));
      CHECK(steady() - since <= limit);
    }
  }

  void check_end() {
    for (const auto& [id, f] : runs_) {
      const auto events = node_.events_of(id);
      std::size_t asked = 0, told = 0, claims = 0;
      for (const auto& e : events) {
        if (e == "needs_attention") ++asked;
        if (e == "run_starved") ++told;
        if (e == "run_claimed" || e == "run_started") ++claims;
        if (asked > 0) CHECK(e != "run_claimed");
      }
      INFO(to_string(id));
      CHECK(asked <= 1);
      CHECK(asked <= told);
      if (node_.state_of(id) == core::run_state::succeeded) CHECK(asked == 0);
    }
  }

  core::instant steady() const { return node_.time.steady(); }
  std::string ago(core::instant at) const {
    return at == core::never ? "never" : std::to_string((steady() - at).count() / 1000) + " ms";
  }
  static std::string all_of(const std::vector<std::string>& events) {
    std::string all;
    for (const auto& e : events) (all += all.empty() ? "" : " ") += e;
    return all;
  }

  std::mt19937_64 dice_;
  virtual_node node_;
  std::vector<townsman> town_;
  std::map<core::run_id, fact> runs_;
  std::map<core::run_id, core::requirement> needs_;
  std::map<core::run_id, core::instant> last_away_;
  core::instant lives_since_ = core::never;
  std::vector<core::instant> jumps_;
  std::int64_t wake_ = 0;
  int restarts_ = 0;
};

}  // namespace

TEST_CASE("waiting: whoever is not taken needs attention in time, whoever is taken does not",
          "[sim][waiting]") {
  const char* one = std::getenv("BELFRY_WAITING_SEED");
  const char* much = std::getenv("BELFRY_LONG");
  const std::uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t seeds = one != nullptr ? 1 : much != nullptr ? 10'000 : 1000;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    INFO("replay: BELFRY_WAITING_SEED=" << seed);
    waiting_town{seed}.live();
  }
}
