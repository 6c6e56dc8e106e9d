#include "tests/support/sim_cluster.hpp"

#include <algorithm>
#include <utility>

#include "tests/support/sim_specs.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_steps_of_calm = 150'000;
constexpr core::span longest_calm = std::chrono::hours{2};
// After the last trouble, until everybody has found everybody again: dials back off up to ten seconds.
constexpr core::span settling = 30s;
// By how many millionths the clock of a machine may be wrong.
constexpr std::uint64_t worst_clock = 200;

std::int64_t some_ppm(dice& luck) {
  return static_cast<std::int64_t>(luck.below(2 * worst_clock + 1)) - static_cast<std::int64_t>(worst_clock);
}

}  // namespace

std::string cluster_replay_command(std::uint64_t seed) {
  return "BELFRY_CLUSTER_SEED=" + std::to_string(seed) + " ./build/release/test_sim \"[cluster]\"";
}

sim_cluster_options usual_cluster(std::uint64_t seed) {
  sim_cluster_options o;
  o.seed = seed;
  if (seed % 3 == 0) o.trouble = 0.015;
  if (seed % 4 == 0) o.loss = 0.1, o.late = 0.2;
  if (seed % 5 == 0) o.late_timer = 0.1;
  if (seed % 6 == 0) o.loss = 0, o.late = 0;
  if (seed % 7 == 0) o.guest = 0.1;
  return o;
}

sim_cluster::member::member(std::string name, std::int64_t ppm, core::span skew, child_log& log,
                            std::uint64_t seed)
    : machine(std::move(name), ppm, skew),
      processes(machine.clock),
      children(machine.name(), processes, log),
      chance(platform::seeded_randomness(seed)) {}

sim_cluster::sim_cluster(const sim_cluster_options& options)
    : sim_town(options.seed, home_.clock),
      options_(options),
      trace_(options.trace),
      home_("hq", some_ppm(luck), core::span{0}),
      processes_(home_.clock),
      children_("hq", processes_, log_),
      network_(luck, [this] { return now_; }),
      wire_rules_(truth),
      wire_(std::make_shared<store_wire>()),
      chance_(platform::seeded_randomness(options.seed)) {
  wire_->watcher = this;
  wire_rules_.home = home_.name();
  wire_rules_.forgets_held = options.fault == cluster_fault::forgets_held;
  wire_rules_.other_words = options.fault == cluster_fault::other_words;
  network_.serves("hq:7700", home_.name());
  network_.quality.loss = options.loss;
  network_.quality.late = options.late;
  network_.quality.dial_fails = network_.quality.dial_hangs = 0.1;
  network_.touch = [this](const std::string& from, const std::string& to, actors::envelope& e) {
    return wire_rules_.sees(from, to, e);
  };
  membership_.beat = luck.chance(0.5) ? 500ms : 1s;
  membership_.suspect_after = 4 * membership_.beat;
  membership_.lost_after = luck.between(5s, 10s);
  const auto watch = [this](sim_children& children, fake_processes& processes) {
    children.began = [this](const cluster_child& c) { check_child(c); };
    processes.use_script(
        [this](const std::string&, const platform::process_order& order) { return plan_of(order); });
  };
  watch(children_, processes_);
  for (const char* name : {"alder", "birch", "cedar"}) {
    const auto skew = luck.between(0s, 20min) - 10min;
    members_.push_back(
        std::make_unique<member>(name, some_ppm(luck), skew, log_, options.seed * 31 + members_.size()));
    watch(members_.back()->children, members_.back()->processes);
    members_.back()->children.deaf = options.fault == cluster_fault::deaf_to_stops;
    book_[name] = {};
  }
  for (const char* name : {"client1", "client2"})
    clients_.push_back(std::make_unique<sim_client>(name, true));
  workers_.push_back(std::make_unique<sim_worker>("worker1", "", true));
  workers_.push_back(std::make_unique<sim_worker>("worker2", "w1", true));
  operator_ =
      std::make_unique<sim_operator>("operator", book_, options.fault == cluster_fault::drain_unheard);
  for (auto& c : clients_) guests_.push_back(c.get());
  for (auto& w : workers_) guests_.push_back(w.get());
  guests_.push_back(operator_.get());
}

sim_cluster::~sim_cluster() {
  // Only after a violation is anybody still there: nobody asks how they end.
  dying_ = true;
  wire_->cut = true;
  for (auto& m : members_) {
    network_.crash(m->name(), false);
    m->processes.crash_node();
    m->node.reset();
  }
  network_.crash(home_.name(), false);
  processes_.crash_node();
  rows_.reset();
  node_.reset();
}

cluster_outcome sim_cluster::run() {
  if (begin_home()) {
    for (auto& m : members_) later(luck.between(0s, 2s), [this, each = m.get()] { begin_member(*each); });
    storm();
    if (!truth.broken()) settle_down();
  }
  out_.broken = truth.broken();
  if (out_.broken) out_.report = report();
  out_.trace_hash = trace_.hash();
  out_.digest = truth.digest();
  out_.runs = truth.shadow().runs.all().size();
  for (const auto& [id, run] : truth.shadow().runs.all()) {
    out_.attempts += run.attempts.size();
    for (const auto& a : run.attempts) out_.lost += a.outcome == core::run_state::lost ? 1 : 0;
  }
  out_.children = log_.size();
  out_.promises = oracle.promises();
  out_.network = network_.counts();
  out_.virtual_time = now_ - core::instant{};
  return out_;
}

std::string sim_cluster::report() const {
  return "seed " + std::to_string(options_.seed) + ", step " + std::to_string(out_.steps) + ", life " +
         std::to_string(life_) + (calm_ ? ", calm" : "") + ": [" + truth.broken()->rule + "] " +
         truth.broken()->text + "\n" + trace_.tail() + "replay: " + cluster_replay_command(options_.seed) +
         "\n";
}

// ---- storm and calm

void sim_cluster::storm() {
  while (out_.steps < options_.steps && !truth.broken()) {
    const auto chance = luck.unit();
    if (chance < options_.trouble)
      trouble();
    else if (chance < options_.trouble + options_.guest && node_ && !home_.frozen)
      luck.one_of(guests_)->act(*this);
    else if (!step())
      return truth.report("stuck", "nothing is ready and nothing will ever be");
  }
}

sim_cluster::member* sim_cluster::some_member(bool running) {
  std::vector<member*> found;
  for (auto& m : members_)
    if (!running || (m->node && !m->machine.frozen)) found.push_back(m.get());
  return found.empty() ? nullptr : luck.one_of(found);
}

void sim_cluster::trouble() {
  disturbed_ = now_;
  const auto kind = luck.weighted({3, 8, 3, 9, 3, 8, 8, 8, 3, 3});
  auto* m = some_member(kind != 5 && kind != 6 && kind != 7 && kind != 9);
  if (m == nullptr) return;
  const auto wait = luck.chance(0.2)   ? luck.between(0ms, 300ms)
                    : luck.chance(0.5) ? luck.between(0s, 20s)
                                       : luck.between(10s, 60s);
  switch (kind) {
    case 0:
      if (!node_) return;
      crash_home("the coordinator crashes");
      return later(luck.between(0s, 6s), [this] {
        if (!node_ && !truth.broken()) begin_home();
      });
    case 1: crash_member(*m, "crashes"); return later(luck.between(0s, 12s), [this, m] { begin_member(*m); });
    case 2:
      if (!node_ || home_.frozen) return;
      return freeze(home_, processes_, luck.between(0s, 12s));
    case 3: return freeze(m->machine, m->processes, wait);
    case 4: return stop_member(*m);
    case 5:  // one way
    case 6: {
      const bool out = luck.chance(0.5);
      const auto& from = out ? m->name() : home_.name();
      const auto& to = out ? home_.name() : m->name();
      ++out_.cuts;
      trace_.line("==", kind == 5 ? "nothing gets from " + from + " to " + to : m->name() + " is cut off");
      network_.cut(from, to);
      if (kind == 6) network_.cut(to, from);
      return later(wait, [this, from, to] { network_.mend(from, to), network_.mend(to, from); });
    }
    case 7:
      ++out_.severed;
      trace_.line("==", "the link to " + m->name() + " dies");
      return network_.sever(home_.name(), m->name(), luck.chance(0.6), luck.chance(0.6));
    default: {
      auto& clock_of = kind == 8 ? home_.clock : m->machine.clock;
      auto by = luck.between(1s, luck.chance(0.2) ? core::span{3h} : core::span{3min});
      if (luck.chance(0.4)) by = std::max(-by, -core::span{10min});
      clock_of.jump(by);
      if (kind == 8) set_back_ += std::max(-by, core::span{0});
      ++out_.jumps;
      return trace_.line("==", "the wall clock of " + (kind == 8 ? home_.name() : m->name()) + " jumps by " +
                                   std::to_string(core::millis(by)) + " ms");
    }
  }
}

void sim_cluster::make_calm() {
  calm_ = true;
  disturbed_ = now_;
  trace_.line("==", "calm");
  network_.quality = {};
  network_.mend_all();
  if (home_.frozen) thaw(home_, processes_);
  for (auto& m : members_)
    if (m->machine.frozen) thaw(m->machine, m->processes);
}

// Nothing bad happens any more, and everything comes to its end.
void sim_cluster::settle_down() {
  make_calm();
  if (luck.chance(0.3) && node_) stop_home();
  const auto begun = now_;
  const auto first_step = out_.steps;
  core::instant looked{};
  while (!truth.broken() && !(finished() && now_ - begun > settling)) {
    if (!step())
      return truth.report("stuck", "nothing is ready, nothing will ever be, and not everything has ended");
    if (now_ - looked > 500ms) {
      looked = now_;
      check_agreement();
    }
    if (out_.steps - first_step > most_steps_of_calm) return finish("there was no end to the steps");
    if (now_ - begun > longest_calm) return finish("two hours were not enough");
  }
  if (truth.broken()) return;
  drain();  // what was applied is committed
  check_nodes(core::node_state::up);
  if (const auto open = ledger.open(false)) truth.report("answer", "never answered: " + *open);
  if (truth.broken()) return;
  for (auto& m : members_) stop_member(*m);
  live_for(20s);
  check_nodes(core::node_state::left);
  for (auto& m : members_)
    if (m->node) end_member(*m);
  stop_home();  // begins another life, which finds everything as it was
  if (truth.broken()) return;
  drain();
  oracle.check(*rows_, true);
  oracle.check_secrets(*rows_);
  if (!truth.broken()) crash_home("the end");
}

bool sim_cluster::finished() {
  if (!node_ || truth.open_runs() != 0 || !operator_->content()) return false;
  for (const auto& m : members_)
    if (!m->node || !m->node->status().joined || m->processes.running() != 0) return false;
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->content(); });
}

void sim_cluster::finish(const char* why_not) {
  std::string open;
  for (const auto& [id, run] : truth.shadow().runs.all())
    if (!terminal(run.head.state))
      open += "\n  " + to_string(id) + " " + std::string{to_text(run.head.state)} + " " + run.head.name +
              " " + run.head.reason;
  for (const auto& m : members_)
    if (!m->node || !m->node->status().joined)
      open +=
          "\n  " + m->name() + (m->node ? " has not joined: " + m->node->status().trouble : " is not there");
  if (!operator_->content()) open += "\n  the operator has not freed all nodes";
  truth.report("unfinished", std::string{why_not} + "; still open:" + open);
}

// ---- steps

void sim_cluster::later(core::span wait, std::function<void()> what) {
  agenda_.emplace(now_ + wait, std::move(what));
}

void sim_cluster::move_to(core::instant truth_time) {
  if (truth_time <= now_) return;
  now_ = truth_time;
  home_.follow(now_);
  for (auto& m : members_) m->machine.follow(now_);
  trace_.at(out_.steps, now_);
}

bool sim_cluster::step() {
  ++out_.steps;
  trace_.at(out_.steps, now_);
  std::vector<sim_machine*> ready;
  if (home_.ready()) ready.push_back(&home_);
  for (auto& m : members_)
    if (m->machine.ready()) ready.push_back(&m->machine);
  const auto one_message = [&] {
    auto& machine = *luck.one_of(ready);
    trace_.line(machine.name(), machine.deliver(luck));
  };
  const bool late = !calm_ && luck.chance(options_.late_timer);
  if (!ready.empty() && !late)
    one_message();
  else if (!pass_time()) {
    if (ready.empty()) return false;
    one_message();
  }
  if (std::exchange(fatal_, false) && node_) {
    crash_home("the coordinator said that it cannot go on");
    later(1s, [this] {
      if (!node_ && !truth.broken()) begin_home();
    });
  }
  for (auto& m : members_)
    if (std::exchange(m->refused, false) && m->node) {
      crash_member(*m, "said that it cannot go on");
      later(luck.between(1s, 3s), [this, each = m.get()] { begin_member(*each); });
    }
  return true;
}

// Whatever comes next in true time.
bool sim_cluster::pass_time() {
  auto at = core::end_of_time;
  std::function<void()> what;
  const auto offer = [&](std::optional<core::instant> when, auto then) {
    if (!when || *when >= at) return;
    at = std::max(*when, now_);
    what = std::move(then);
  };
  const auto offer_children = [&](sim_machine& machine, fake_processes& processes) {
    const auto due = processes.next_due();
    if (!due) return;
    offer(machine.truth_of(*due), [this, &machine, &processes] {
      trace_.line(machine.name(), "a child begins or ends");
      processes.advance(machine.clock.steady());
    });
  };
  const auto offer_timer = [&](sim_machine& machine) {
    offer(machine.next_timer(), [this, &machine] {
      trace_.line(machine.name(), "a timer");
      machine.ring();
    });
  };
  if (!agenda_.empty())
    offer(agenda_.begin()->first, [this] {
      const auto next = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      next();
    });
  for (auto& m : members_)
    if (m->doomed != core::never && m->processes.running() != 0)
      offer(m->machine.truth_of(m->doomed), [this, each = m.get()] { guard(*each); });
  offer_timer(home_);
  offer_children(home_, processes_);
  for (auto& m : members_) {
    offer_timer(m->machine);
    offer_children(m->machine, m->processes);
  }
  offer(network_.next(), [this] { network_.deliver(); });
  if (node_ && !home_.frozen && !stopping_)
    for (auto* g : guests_) offer(home_.truth_of(g->next_at()), [this, g] { g->act(*this); });
  if (at == core::end_of_time) return false;
  move_to(at);
  what();
  return true;
}

// Everything that is ready is done; no time passes.
void sim_cluster::drain() {
  for (std::size_t i = 0;; ++i) {
    if (i > 100'000) return truth.report("endless", "the actors never stop talking");
    std::vector<sim_machine*> ready;
    if (home_.ready()) ready.push_back(&home_);
    for (auto& m : members_)
      if (m->machine.ready()) ready.push_back(&m->machine);
    if (ready.empty()) return;
    ++out_.steps;
    auto& machine = *luck.one_of(ready);
    trace_.line(machine.name(), machine.deliver(luck));
  }
}

void sim_cluster::live_for(core::span time) {
  const auto until = now_ + time;
  later(time, [] {});  // so that there is a next thing
  while (now_ < until && !truth.broken())
    if (!step()) return;
}

}  // namespace belfry::tests
