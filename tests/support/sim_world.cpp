#include "actors/support/message_types.hpp"
// after the message types
#include "tests/support/sim_world.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tests/support/sim_labels.hpp"
#include "tests/support/sim_specs.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_steps_of_calm = 60'000;
constexpr core::span longest_calm = std::chrono::hours{24};

}  // namespace

std::string replay_command(std::uint64_t seed) {
  return "BELFRY_SIM_SEED=" + std::to_string(seed) + " ./build/release/test_sim \"simulator*\"";
}

sim_options usual_options(std::uint64_t seed) {
  sim_options o;
  o.seed = seed;
  if (seed % 4 == 0) o.commit_fails = 0.01;
  if (seed % 5 == 0) o.late_timer = 0.1;
  if (seed % 3 == 0) o.crash = 0.005;
  if (seed % 7 == 0) o.guest = 0.2, o.clients = 4;
  if (seed % 6 == 0) o.executor_throws = 0.15;
  if (seed % 8 == 0) o.retention = true;
  return o;
}

sim_world::sim_world(const sim_options& options, sim_disk& disk)
    : sim_town(options.seed, time_),
      options_(options),
      disk_(disk),
      trace_(options.trace),
      chance_(platform::seeded_randomness(options.seed)),
      processes_(time_),
      wire_(std::make_shared<store_wire>()) {
  oracle.strict = options.strict_answers;
  wire_->watcher = &truth;
  wire_->dead = [this] { return disk_.frozen(); };
  wire_->commit_fault = [this]() -> std::optional<core::failure> {
    if (calm_ || dying_ || !luck.chance(options_.commit_fails)) return std::nullopt;
    ++out_.failed_commits;
    disturbed_ = clock.steady();
    trace_.line("==", "a commit fails");
    return core::failure{luck.chance(0.7) ? core::errc::storage_full : core::errc::unavailable,
                         "the simulated disk refuses",
                         {},
                         {}};
  };
  processes_.use_script(
      [this](const std::string& key, const platform::process_order& order) { return fate_of(key, order); });
  for (std::size_t i = 0; i < options.clients; ++i)
    clients_.push_back(std::make_unique<sim_client>("client" + std::to_string(i + 1), !options.retention));
  workers_.push_back(std::make_unique<sim_worker>("worker1", "", true));
  workers_.push_back(std::make_unique<sim_worker>("worker2", "w1", true));
  if (luck.chance(0.5))
    workers_.push_back(std::make_unique<sim_worker>("worker3", luck.chance(0.5) ? "w1" : "", false));
  for (auto& c : clients_) guests_.push_back(c.get());
  for (auto& w : workers_) guests_.push_back(w.get());
}

sim_world::~sim_world() {
  // Only after a violation is there still a node: nobody asks how it ends.
  if (node_) {
    dying_ = true;
    wire_->cut = true;
    processes_.crash_node();
    watch_.reset();
    rows_.reset();
    node_.reset();
  }
}

sim_outcome sim_world::run() {
  if (begin_life()) {
    storm();
    if (!truth.broken() && options_.to_the_end)
      settle_down();
    else if (!truth.broken())
      crash("the end");
  }
  out_.broken = truth.broken();
  if (out_.broken) out_.report = report();
  out_.trace_hash = trace_.hash();
  out_.digest = truth.digest();
  out_.runs = truth.shadow().runs.all().size();
  for (const auto& [id, run] : truth.shadow().runs.all()) out_.attempts += run.attempts.size();
  out_.promises = oracle.promises();
  out_.commits = wire_->commits;
  out_.comparisons = truth.comparisons();
  out_.virtual_time = clock.steady() - core::instant{};
  return out_;
}

std::string sim_world::report() const {
  return "seed " + std::to_string(options_.seed) + ", step " + std::to_string(out_.steps) + ", life " +
         std::to_string(life_) + ": [" + truth.broken()->rule + "] " + truth.broken()->text + "\n" +
         trace_.tail() + "replay: " + replay_command(options_.seed) + "\n";
}

void sim_world::storm() {
  while (out_.steps < options_.steps && !truth.broken()) {
    if (options_.most_lives != 0 && life_ > options_.most_lives) return;
    const auto chance = luck.unit();
    if (chance < options_.crash) {
      crash("crash");
    } else if (chance < options_.crash + options_.restart) {
      stop_in_order();
    } else if (chance < options_.crash + options_.restart + options_.jump) {
      jump();
    } else if (chance < options_.crash + options_.restart + options_.jump + options_.guest) {
      luck.one_of(guests_)->act(*this);
    } else if (!step()) {
      return truth.report("stuck", "nothing is ready and nothing will ever be");
    }
    look_after_step();
  }
}

// What ends a life by itself, and the checks that come now and then.
void sim_world::look_after_step() {
  if (truth.broken() || !node_) return;
  if (disk_.frozen()) return crash("the disk lost its power");
  if (std::exchange(fatal_, false)) return crash("the node said that it cannot go on");
  if (out_.steps - compared_at_ >= options_.compare_every) {
    compared_at_ = out_.steps;
    if (!truth.shadow().open() && !wire_->open) truth.compare(*rows_, clock.now());
  }
}

// Nothing bad happens any more, and everything comes to its end.
void sim_world::settle_down() {
  calm_ = true;
  trace_.line("==", "calm");
  if (luck.chance(0.3)) stop_in_order();
  const auto begun = clock.steady();
  const auto first_step = out_.steps;
  while (!truth.broken() && !finished()) {
    if (!step())
      return truth.report("stuck", "nothing is ready, nothing will ever be, and not everything has ended");
    look_after_step();
    if (out_.steps - first_step > most_steps_of_calm) return finish("there was no end to the steps");
    if (clock.steady() - begun > longest_calm) return finish("a day was not enough");
  }
  if (truth.broken()) return;
  drain();
  check_quiet();
  if (const auto open = ledger.open(false)) truth.report("answer", "never answered: " + *open);
  check_output();
  stop_in_order();  // begins another life, which finds everything as it was
  if (!truth.broken()) drain();
  if (!truth.broken()) {
    oracle.check(*rows_, true);
    oracle.check_secrets(*rows_);
  }
  if (!truth.broken()) crash("the end");
}

void sim_world::finish(const char* why_not) {
  std::string open;
  for (const auto& [id, run] : truth.shadow().runs.all())
    if (!terminal(run.head.state))
      open += "\n  " + to_string(id) + " " + std::string{to_text(run.head.state)} + " " + run.head.name +
              " " + run.head.reason;
  truth.report("unfinished", std::string{why_not} + "; still open:" + open);
}

bool sim_world::finished() {
  if (truth.open_runs() != 0) return false;
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->content(); });
}

// ---- steps

bool sim_world::step() {
  ++out_.steps;
  trace_.at(out_.steps, clock.steady());
  const bool somebody = !coordinator_->jobs.empty();
  if (somebody && !luck.chance(options_.late_timer)) {
    deliver();
    return true;
  }
  if (!somebody && out_.steps - quiet_at_ > 60 && luck.chance(0.1)) {
    quiet_at_ = out_.steps;
    check_quiet();
    if (truth.broken()) return true;
  }
  if (pass_time()) return true;
  if (!somebody) return false;
  deliver();
  return true;
}

// One message of one ready actor.
void sim_world::deliver() {
  auto& jobs = coordinator_->jobs;
  const auto i = static_cast<std::ptrdiff_t>(luck.below(jobs.size()));
  std::rotate(jobs.begin(), jobs.begin() + i, jobs.begin() + i + 1);
  if (auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs.front())) {
    const auto* element = actor->mailbox().peek();
    trace_.line(std::string{actor->name()} + "#" + std::to_string(actor->id()),
                element != nullptr ? label_of(element->content()) : "starts");
  }
  coordinator_->try_run_once();
}

core::instant sim_world::timer_due() const {
  const auto at = coordinator_->clock().schedule().begin()->first.time_since_epoch().count() - caf_origin_;
  return origin_ + core::span{(at + 999) / 1000};
}

std::optional<core::instant> sim_world::next_timer() const {
  if (coordinator_->clock().schedule().empty()) return std::nullopt;
  return timer_due();
}

void sim_world::move_to(core::instant steady) {
  if (steady <= clock.steady()) return;
  clock.advance(steady - clock.steady());
  coordinator_->clock().current_time = caf::actor_clock::time_point{
      caf::actor_clock::duration_type{caf_origin_ + (clock.steady() - origin_).count() * 1000}};
  trace_.at(out_.steps, clock.steady());
}

// Whatever comes next: a timer, the end of a child, a guest.
bool sim_world::pass_time() {
  const auto timer = next_timer();
  const auto child = processes_.next_due();
  sim_guest* guest = nullptr;
  for (auto* g : guests_)
    if (guest == nullptr || g->next_at() < guest->next_at()) guest = g;
  const auto at = std::min({timer.value_or(core::end_of_time), child.value_or(core::end_of_time),
                            guest != nullptr ? guest->next_at() : core::end_of_time});
  if (at == core::end_of_time) return false;
  move_to(at);
  if (timer && *timer == at) {
    trace_.line("clock", "a timer");
    coordinator_->clock().trigger_timeout();
  } else if (child && *child == at) {
    trace_.line("clock", "a child ends");
    processes_.advance(clock.steady());
  } else {
    guest->act(*this);
  }
  return true;
}

// Everything that is on its way arrives; no time passes and nobody asks anything new.
void sim_world::drain() {
  for (std::size_t i = 0; !coordinator_->jobs.empty() && !disk_.frozen(); ++i) {
    if (i > 100'000) return truth.report("endless", "the actors never stop talking");
    ++out_.steps;
    trace_.at(out_.steps, clock.steady());
    deliver();
  }
}

void sim_world::jump() {
  const bool far = luck.chance(0.2);
  auto by = luck.between(1s, far ? core::span{3h} : core::span{3min});
  if (luck.chance(0.4)) by = std::max(-by, -core::span{10min});
  clock.jump(by);
  ++out_.jumps;
  disturbed_ = jumped_ = clock.steady();
  trace_.line("==", "the wall clock jumps by " + std::to_string(core::millis(by)) + " ms");
}

child_plan sim_world::fate_of(const std::string& key, const platform::process_order& order) {
  child_fate fate;
  for (const auto& [name, value] : order.env) {
    if (name == "BELFRY_RUN_ID")
      if (const auto id = core::parse_id<core::run_id>(value)) fate.run = *id;
    if (name == "BELFRY_FENCING") fate.fencing = std::strtoull(value.c_str(), nullptr, 10);
  }
  if (!fate.run || fate.fencing == 0)
    truth.report("process", "a child was started without its run and its fencing number");
  if (order.mark.empty()) truth.report("process", "a child was started without the mark of its node");
  oracle.process_started(fate.run, fate.fencing);
  if (const auto* row = truth.committed_run(fate.run);
      row != nullptr && row->handler != core::handler_kind::process)
    truth.report("eligible",
                 "a child was started for a run that is for outside sessions only: " + to_string(fate.run));
  // The child of an earlier attempt may still be dying, but then that attempt has ended.
  for (const auto& [other, earlier] : fates_) {
    if (earlier.run != fate.run || !processes_.is_running(other)) continue;
    const auto* row = truth.committed_run(fate.run);
    const bool ended = row != nullptr && std::any_of(row->attempts.begin(), row->attempts.end(),
                                                     [fencing = earlier.fencing](const auto& a) {
                                                       return a.fencing == fencing;
                                                     });
    if (!ended) truth.report("process", "two children of one run: " + key + " beside " + other);
  }
  ++out_.processes;
  trace_.line("child", "starts " + key);
  auto plan = a_plan(luck, order, calm_);
  fate.output = plan.output;
  fates_[key] = std::move(fate);
  return plan;
}

}  // namespace belfry::tests
