#include "tests/sim/waiting_town.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/virtual_node.hpp"

namespace belfry::tests {
namespace {

using namespace std::chrono_literals;
using core::run_state;

enum class temper : std::uint8_t { deaf, busy, crashing, elsewhere, honest };
enum class fate : std::uint8_t { no_program, dies, hangs, misfit, crashes, honest };

struct townsman {
  core::session_id id;
  temper how = temper::deaf;
  core::wake_via via = core::wake_via::poll;
  std::vector<messages::claimed_run> holds;
};
// A process that the node has started for an agent type.
struct hired {
  core::session_id id;
  std::string key, type;
  core::token_hash token{};
  fate how = fate::hangs;
  std::vector<messages::claimed_run> holds;
};
struct fact {
  core::requirement needs;
  core::instant eligible = core::never;    // steady, as everything here
  core::instant kind_moved = core::never;  // somebody took one of its kind
  core::instant away = core::never;        // last seen elsewhere than in the line
  core::span held{0};                      // of the time in line, at least so long
  core::span held_most{0};                 // ... and at most so long
  bool given_up = false;
};

struct broken_rule {
  std::string text;
};

class waiting_town {
 public:
  waiting_town(std::uint64_t seed, waiting_fault planted)
      : dice_{seed}, planted_{planted}, node_{options(dice_), false} {
    node_.real_desk = node_.real_spawner = true;
    node_.next_of = [this](std::size_t ready) { return below(ready); };
    node_.processes.use_script([this](const std::string& key, const platform::process_order& order) {
      return key.starts_with("wake/") ? wake_command(order) : hire(key, order);
    });
    node_.faults.touch = [this](storage::change_set& set) { look_at(set); };
  }

  waiting_outcome live() {
    try {
      restart();
      guarded([this] {
        for (auto people = 1 + below(5); people > 0; --people) join();
        for (int i = 0; i < 5; ++i) submit();
      });
      for (int round = 0; round < 45; ++round)
        guarded([this] {
          if (below(12) == 0) node_.dies_at = node_.steps_taken() + below(400);
          live_a_round();
        });
      node_.dies_at.reset();
      guarded([this] { check_end(); });
    } catch (const broken_rule& rule) {
      out_.broken = rule.text;
    }
    out_.seen.runs = runs_.size();
    for (const auto& [id, f] : runs_) out_.seen.given_up += f.given_up ? 1 : 0;
    return out_;
  }

 private:
  static actors::node_options options(std::mt19937_64& dice) {
    auto o = virtual_node::usual_options();
    o.executor.none = true;
    o.ladder.minimum_age = core::span{std::chrono::seconds{2 + dice() % 4}};
    o.ladder.fan_out = 1 + static_cast<std::uint32_t>(dice() % 2);
    o.ladder.spawn = o.ladder.fan_out + static_cast<std::uint32_t>(dice() % 2);
    o.ladder.event = o.ladder.spawn + static_cast<std::uint32_t>(dice() % 2);
    o.ladder.needs_attention = o.ladder.event + 1 + static_cast<std::uint32_t>(dice() % 3);
    o.wake.interval = core::span{std::chrono::milliseconds{500 + dice() % 1500}};
    o.wake.cooldown = core::span{std::chrono::seconds{dice() % 5}};
    o.wakes.acknowledge_within = core::span{std::chrono::seconds{1 + dice() % 3}};
    o.wakes.commands = true;
    o.board.limits = {0, 0, 0, 0};  // what a limit holds is not bounded by the ladder
    o.liveness.stale_after = 24h;
    o.clock_jump = 1s;  // whoever holds a lease keeps it when the clock is set
    o.spawner.url = "http://127.0.0.1:1";
    for (auto types = dice() % 3; types > 0; --types) {
      core::agent_type t;
      t.name = types == 1 ? "narrow" : "wide";
      t.command = {"agent"};
      t.capabilities = types == 1 ? std::vector<std::string>{"gpu"} : std::vector<std::string>{"code", "gpu"};
      t.max = 1 + static_cast<std::uint32_t>(dice() % 3);
      t.per_workspace = 1 + static_cast<std::uint32_t>(dice() % 2);
      t.ttl = core::span{std::chrono::seconds{4 + dice() % 20}};
      t.drain = 1s;
      t.idle_ttl = core::span{std::chrono::seconds{dice() % 4}};
      t.start_timeout = 2s;
      t.grace = 200ms;
      t.backoff = 500ms;
      t.backoff_max = 2s;
      o.spawner.types.push_back(std::move(t));
    }
    return o;
  }
  std::size_t below(std::size_t n) { return n < 2 ? 0 : static_cast<std::size_t>(dice_() % n); }
  core::instant steady() const { return node_.time.steady(); }
  [[noreturn]] static void breaks(std::string text) { throw broken_rule{std::move(text)}; }
  // What a step of the test does, with the node dying in the middle of it.
  template <class F>
  void guarded(F what) {
    try {
      what();
    } catch (const node_dies&) {
      restart();
    }
  }

  // ---- what happens

  void live_a_round() {
    if (below(8) == 0) submit();
    if (below(25) == 0) {
      node_.jump(core::span{std::chrono::minutes{static_cast<int>(below(60))}} - 30min);
      jumps_.push_back(steady());
      ++out_.seen.jumps;
    }
    if (below(10) == 0) pause_or_resume();
    note_pauses();
    answer_webhooks();
    for (auto& t : town_) act(t);
    work();
    const auto before = steady();
    node_.advance(core::span{std::chrono::milliseconds{200 + below(1500)}});
    judge(before);
  }

  void restart() {
    ++out_.seen.crashes;
    for (;;) {
      node_.dies_at.reset();
      node_.crash();
      for (auto& t : town_) t.holds.clear();  // they forget, and their leases run out
      hired_.clear();
      if (std::exchange(claiming_, false))  // a claim that may have been granted
        for (auto& [id, f] : runs_) f.kind_moved = steady();
      const auto down = core::span{std::chrono::milliseconds{below(3000)}};
      node_.time.advance(down);
      restarts_.push_back({steady(), down});
      if (below(6) == 0) node_.dies_at = node_.steps_taken() + below(120);  // also while it starts
      try {
        node_.restart();
        break;
      } catch (const node_dies&) {
      }
    }
    node_.dies_at.reset();
    // What was under way when it died may have happened.
    messages::list_runs all;
    all.page.limit = 500;
    const auto page = node_.read(all);
    if (!page.ok()) breaks("the runs cannot be read: " + page.error().text);
    for (const auto& run : page->runs)
      if (!runs_.contains(run.head.id)) know(run.head);
  }

  void know(const core::run_head& head) {
    fact f;
    f.needs = head.needs;
    f.eligible = steady();
    runs_.emplace(head.id, std::move(f));
  }

  void submit() {
    auto s = virtual_node::payload("work");
    if (below(2) == 0) s.needs.capabilities = {"gpu"};
    if (below(5) == 0) s.needs.workspace = "nowhere";
    if (below(4) == 0) s.needs.workspace = "shop";
    know(node_.submit(std::move(s)).head);
  }

  void join() {
    townsman t;
    t.how = static_cast<temper>(below(5));
    messages::register_session m;
    m.who.name = "one";
    m.who.agent_type = "robot";
    if (t.how == temper::elsewhere)
      m.who.workspace = "far away";
    else if (below(4) == 0)
      m.who.workspace = "shop";
    if (below(2) == 0) m.who.capabilities = {"gpu"};
    m.actor = "test";
    t.via = static_cast<core::wake_via>(below(4));
    m.who.wake.via = t.via;
    if (t.via == core::wake_via::webhook) {
      m.who.wake.url = "http://example.org/";
      m.who.wake.secret = "whsec_x";
    }
    if (t.via == core::wake_via::command) m.who.wake.argv = {"nudge"};
    const auto made = node_.ask<messages::session_answer>(std::move(m));
    if (!made.ok()) breaks("a session is refused: " + made.error().text);
    t.id = made->who.id;
    town_.push_back(std::move(t));
  }

  void pause_or_resume() {
    const core::pause_target targets[] = {core::whole_scheduler(), core::the_workspace("shop"),
                                          core::the_agent_type("narrow"), core::the_agent_type("robot")};
    const auto& on = targets[below(4)];
    ++out_.seen.pauses;
    const auto seen = node_.ask<messages::pauses_seen>(messages::look_at_pauses{on});
    if (!seen.ok()) breaks("the pauses cannot be looked at: " + seen.error().text);
    pause_changes_.push_back(steady());
    if (on.scope == core::pause_scope::scheduler) scheduler_changes_.push_back(steady());
    if (on.scope == core::pause_scope::workspace) shop_changes_.push_back(steady());
    if (seen->pauses.empty()) {
      messages::set_pause m;
      m.on = on;
      m.entry.reason = "manual";
      m.actor = "test";
      (void)node_.ask<messages::pauses_seen>(std::move(m));
    } else {
      (void)node_.ask<messages::pauses_seen>(messages::lift_pause{on, "manual", {}, "test"});
    }
  }
  void note_pauses() {
    const auto seen = node_.ask<messages::pauses_seen>(messages::look_at_pauses{});
    if (!seen.ok()) breaks("the pauses cannot be looked at: " + seen.error().text);
    scheduler_held_ = shop_held_ = type_held_ = false;
    for (const auto& p : seen->pauses) {
      if (p.on.scope == core::pause_scope::scheduler) scheduler_held_ = true;
      if (p.on.scope == core::pause_scope::workspace) shop_held_ = true;
      if (p.on.scope == core::pause_scope::agent_type) type_held_ = true;
    }
  }
  bool held_now(const fact& f) const {
    return scheduler_held_ || (shop_held_ && f.needs.workspace == "shop");
  }

  bool hears(core::session_id who) const {
    const auto it = std::find_if(town_.begin(), town_.end(), [&](const townsman& t) { return t.id == who; });
    return it != town_.end() && it->how == temper::honest;
  }
  child_plan wake_command(const platform::process_order& order) {
    child_plan plan;
    ++out_.seen.wakes;
    for (const auto& [name, value] : order.env)
      if (name == "BELFRY_SESSION")
        if (const auto id = core::parse_id<core::session_id>(value); id && hears(*id)) {
          ++out_.seen.heard;
          plan.after = 50ms;
          plan.report = exited(0);
          return plan;
        }
    if (below(2) == 0) {
      plan.after = 100ms;
      plan.report = exited(1);
    }  // else it hangs until it is stopped
    return plan;
  }
  void answer_webhooks() {
    for (; webhooks_seen_ < node_.webhooks.orders.size(); ++webhooks_seen_) {
      ++out_.seen.wakes;
      if (below(3) == 0) continue;  // nobody answers
      node_.webhooks.answer(webhooks_seen_, below(2) == 0 ? 200 : 500);
    }
  }

  void act(townsman& t) {
    if (t.via == core::wake_via::poll && t.how == temper::honest) {
      messages::await_wakes q;
      q.who = t.id;
      const auto told = node_.ask<messages::waiting_wakes>(q);
      if (told.ok() && !told->wakes.empty()) {
        ++out_.seen.heard;
        messages::acknowledge_wakes ack;
        ack.who = t.id;
        for (const auto& w : told->wakes) ack.wakes.push_back(w.id);
        (void)node_.ask<messages::wakes_heard>(std::move(ack));
      }
    }
    switch (t.how) {
      case temper::deaf:
      case temper::elsewhere: return;
      case temper::busy:
        if (t.holds.empty() && below(4) == 0) take(t.id, {}, 1h, t.holds);
        return;
      case temper::crashing:
        if (below(6) == 0) take(t.id, {}, 1s, t.holds);
        t.holds.clear();
        return;
      case temper::honest:
        finish(t.holds);
        if (below(3) == 0) take(t.id, {}, 1min, t.holds);
        return;
    }
  }

  void finish(std::vector<messages::claimed_run>& holds) {
    for (const auto& one : std::exchange(holds, {})) (void)node_.settle(one, core::settle_kind::succeeded);
  }

  void take(core::session_id who, std::optional<core::token_hash> shown, core::span lease,
            std::vector<messages::claimed_run>& holds) {
    messages::claim_runs m;
    m.who = who;
    m.lease = lease;
    m.shown = shown;
    claiming_ = true;
    const auto got = node_.ask<messages::claimed_runs>(m);
    claiming_ = false;
    if (!got.ok()) return;
    for (const auto& one : got->runs) {
      ++out_.seen.taken;
      for (auto& [id, other] : runs_)
        if (other.needs == one.run.head.needs) other.kind_moved = steady();
      if (const auto it = runs_.find(one.run.head.id); it != runs_.end() && it->second.given_up)
        breaks(to_string(it->first) + " was given away after it was given up");
      holds.push_back(one);
    }
  }

  // ---- workers that the node starts

  child_plan hire(const std::string& key, const platform::process_order& order) {
    hired h;
    core::run_id run;
    h.key = key;
    for (const auto& [name, value] : order.env) {
      if (name == "BELFRY_SESSION")
        if (const auto id = core::parse_id<core::session_id>(value)) h.id = *id;
      if (name == "BELFRY_RUN_ID")
        if (const auto id = core::parse_id<core::run_id>(value)) run = *id;
      if (name == "BELFRY_TOKEN") h.token = platform::sha256(value);
      if (name == "BELFRY_AGENT_TYPE") h.type = value;
    }
    h.how = static_cast<fate>(below(6));
    ++out_.seen.workers;
    if (h.how != fate::no_program && ++processes_for_[run] > episodes_of_[run].size())
      fault_ = to_string(run) + " got " + std::to_string(processes_for_[run]) + " workers in " +
               std::to_string(episodes_of_[run].size()) + " episodes";
    std::uint32_t alive = 1;
    for (const auto& other : hired_)
      if (other.type == h.type && node_.processes.is_running(other.key)) ++alive;
    for (const auto& t : node_.options.spawner.types)
      if (t.name == h.type && alive > t.max)
        fault_ = "agent type " + t.name + " has " + std::to_string(alive) + " workers, its max is " +
                 std::to_string(t.max);
    child_plan plan;
    if (h.how == fate::no_program) {
      plan.after = 0s;
      plan.report = not_spawned(2, "no such program");
    }
    if (h.how == fate::dies) {
      plan.after = core::span{std::chrono::milliseconds{below(300)}};
      plan.report = exited(3);
    }
    plan.when_stopped = below(3) == 0 ? stop_answer::ignores_term : stop_answer::obeys;
    hired_.push_back(std::move(h));
    return plan;
  }

  void work() {
    std::erase_if(hired_, [this](const hired& h) { return !node_.processes.is_running(h.key); });
    for (std::size_t i = 0; i < hired_.size(); ++i) {
      auto& h = hired_[i];
      switch (h.how) {
        case fate::no_program:
        case fate::dies:
        case fate::hangs: break;
        case fate::misfit: {
          messages::register_session m;
          m.who.id = h.id;
          m.who.name = "liar";
          m.who.agent_type = "liar";
          m.shown = h.token;
          m.actor = "test";
          if (node_.ask<messages::session_answer>(std::move(m)).ok() && works(h.id))
            breaks(to_string(h.id) + " was registered as something else than declared");
          h.how = fate::hangs;
          break;
        }
        case fate::crashes:
          if (below(2) != 0) break;
          take(h.id, h.token, 1min, h.holds);
          (void)node_.processes.finish(h.key, killed_by(9));
          h.holds.clear();
          break;
        case fate::honest:
          finish(h.holds);
          if (below(2) == 0) take(h.id, h.token, 1min, h.holds);
          break;
      }
    }
  }

  // It is somebody's worker, and not just being ended.
  bool works(core::session_id id) {
    const auto rows = node_.read(messages::list_workers{});
    if (!rows.ok()) breaks("the workers cannot be read: " + rows.error().text);
    return std::any_of(rows->begin(), rows->end(), [&](const core::spawned_worker& w) {
      return w.session == id &&
             (w.state == core::worker_state::starting || w.state == core::worker_state::ready);
    });
  }

  // What goes to the store; a planted fault changes it.
  void look_at(storage::change_set& set) {
    for (auto& change : set.changes) {
      if (auto* w = std::get_if<storage::put_worker>(&change)) {
        if (w->who.run) episodes_of_[w->who.run].insert(w->who.episode);
        if (planted_ == waiting_fault::worker_forgotten) w->who.episode = 0;
      }
      if (auto* c = std::get_if<storage::climb_ladder>(&change)) {
        if (planted_ == waiting_fault::count_stands) c->tick = 0;
        if (planted_ == waiting_fault::hold_forgotten)
          for (auto& row : c->rows) row.held.reset();
      }
    }
  }

  // ---- what must hold

  void judge(core::instant before) {
    if (!fault_.empty()) breaks(fault_);
    const auto& o = node_.options;
    const auto past = steady() - before;
    // Since the last look it was one life, and what is paused now was so before any time passed.
    const bool whole = std::exchange(lives_judged_, restarts_.size()) == restarts_.size();
    for (auto& [id, f] : runs_) {
      const auto state = node_.state_of(id);
      if (state == run_state::needs_attention) {
        if (!std::exchange(f.given_up, true)) {
          if (whole && held_now(f)) breaks(to_string(id) + " was given up while a pause held it");
          check_not_too_early(id, f);
        }
        for (const auto& t : town_) check_not_held(id, t.holds);
        for (const auto& h : hired_) check_not_held(id, h.holds);
        continue;
      }
      if (f.given_up) breaks(to_string(id) + " left needs_attention by itself");
      if (state != run_state::queued) {
        f.away = steady();
        f.held = f.held_most = core::span{0};
        continue;
      }
      if (held_now(f)) {
        f.held += past;
        f.held_most += past;
      } else if (type_held_) {
        f.held_most += past;  // where all who are here and may take it are of that type
      }
      check_in_time(id, f, o);
    }
    for (const auto& row : starving()) {
      auto& highest = rungs_[{row.run, row.episode}];
      if (row.fired < highest)
        breaks(to_string(row.run) + " fell from rung " + std::string{to_text(highest)} + " to " +
               std::string{to_text(row.fired)});
      highest = row.fired;
    }
  }
  std::vector<core::starvation> starving() {
    const auto rows = node_.read(messages::list_starvations{});
    if (!rows.ok()) breaks("the ladder cannot be read: " + rows.error().text);
    return *rows;
  }
  template <class T>
  core::span::rep after(const std::vector<T>& all, core::instant since) const {
    return std::count_if(all.begin(), all.end(), [&](core::instant at) { return at >= since; });
  }

  // How often what may hold this run was paused or resumed.
  core::span::rep pauses_changed(const fact& f, core::instant since) const {
    return after(scheduler_changes_, since) + (f.needs.workspace == "shop" ? after(shop_changes_, since) : 0);
  }

  // While it is queued and nobody takes any of its kind, its time is limited.
  void check_in_time(core::run_id id, const fact& f, const actors::node_options& o) {
    const auto since = std::max({f.eligible, f.kind_moved, f.away});
    auto limit =
        core::longest_wait(o.ladder, o.wake.interval) + o.wake.interval + 2s;  // a round is up to 1.7 s long
    limit += o.wake.interval * after(jumps_, since);
    // Also of an agent type: whoever could have been woken or started was held, and a round goes by.
    limit += (o.ladder.minimum_age + o.wake.interval) * after(pause_changes_, since);
    for (const auto& [at, down] : restarts_)
      if (at >= since) limit += down + o.ladder.minimum_age + o.wake.interval + 2s;
    const auto waits = steady() - since - f.held_most;
    if (waits <= limit) return;
    std::string events;
    for (const auto& e : node_.events_of(id)) events += " " + e;
    breaks(to_string(id) + " has been waiting for " + std::to_string(core::millis(waits)) + " ms of " +
           std::to_string(core::millis(limit)) + ":" + events);
  }
  // Its count rises once per interval, and not while it is held.
  void check_not_too_early(core::run_id id, const fact& f) {
    const auto& o = node_.options;
    const auto since = std::max(f.eligible, f.away);
    auto waited = steady() - since - f.held;
    // One count for each pause that began or ended: the ticks may all have fallen between them.
    waited += o.wake.interval * (after(jumps_, since) + pauses_changed(f, since));
    const auto least = o.wake.interval * static_cast<core::span::rep>(o.ladder.needs_attention - 1);
    if (waited + 50ms < least)
      breaks(to_string(id) + " was given up after " + std::to_string(core::millis(waited)) + " ms of " +
             std::to_string(core::millis(least)) + ", held for " + std::to_string(core::millis(f.held)));
  }
  static void check_not_held(core::run_id id, const std::vector<messages::claimed_run>& holds) {
    for (const auto& one : holds)
      if (one.run.head.id == id) breaks(to_string(id) + " was given up while somebody holds it");
  }

  void check_end() {
    if (!fault_.empty()) breaks(fault_);
    for (const auto& [id, f] : runs_) {
      messages::get_events q;
      q.filter.run = id;
      const auto page = node_.read(q);
      if (!page.ok()) breaks("the journal cannot be read: " + page.error().text);
      std::size_t asked = 0, told = 0;
      std::set<std::string> episodes;
      for (const auto& e : page->events) {
        if (asked > 0 && (e.kind == core::event_kind::run_claimed || e.kind == core::event_kind::run_started))
          breaks(to_string(id) + " was taken after it was given up");
        if (e.kind == core::event_kind::needs_attention) ++asked;
        if (e.kind != core::event_kind::run_starved) continue;
        ++told;
        if (!episodes.insert(e.text.substr(0, e.text.find(' '))).second)
          breaks(to_string(id) + " was told to starve twice in one episode: " + e.text);
      }
      if (asked > 1) breaks(to_string(id) + " was given up " + std::to_string(asked) + " times");
      if (asked > told) breaks(to_string(id) + " was given up without a word before");
      if (asked > 0 && node_.state_of(id) == run_state::succeeded)
        breaks(to_string(id) + " has succeeded and was given up");
    }
    // A node that ends takes its workers along, and their ends are written.
    node_.stop(2s);
    if (node_.processes.running() != 0 || node_.processes.orphans() != 0)
      breaks(std::to_string(node_.processes.running()) + " processes are left at the end");
    node_.restart();
    messages::list_workers q;
    q.ended_too = true;
    const auto rows = node_.read(q);
    if (!rows.ok()) breaks("the workers cannot be read: " + rows.error().text);
    // The new life may have started somebody already.
    for (const auto& w : *rows)
      if ((w.state != core::worker_state::ended || w.end == core::worker_end::none) &&
          !node_.processes.is_running("worker/" + to_string(w.session)))
        breaks(to_string(w.session) + " is " + std::string{to_text(w.state)} + " and has no end");
  }

  std::mt19937_64 dice_;
  waiting_fault planted_;
  virtual_node node_;
  waiting_outcome out_;
  std::vector<townsman> town_;
  std::deque<hired> hired_;  // they stay where they are while others come
  std::map<core::run_id, fact> runs_;
  std::map<core::run_id, std::set<std::uint64_t>> episodes_of_;  // for which a worker was asked for
  std::map<core::run_id, std::size_t> processes_for_;
  std::map<std::pair<core::run_id, std::uint64_t>, core::rung> rungs_;
  std::vector<core::instant> jumps_, pause_changes_, scheduler_changes_, shop_changes_;
  std::vector<std::pair<core::instant, core::span>> restarts_;  // with the time that it was away
  std::string fault_;                                           // seen in a callback
  std::size_t webhooks_seen_ = 0;
  std::size_t lives_judged_ = 0;
  bool scheduler_held_ = false, shop_held_ = false, type_held_ = false;
  bool claiming_ = false;
};

}  // namespace

waiting_outcome live_in_waiting_town(std::uint64_t seed, waiting_fault planted) {
  return waiting_town{seed, planted}.live();
}

}  // namespace belfry::tests
