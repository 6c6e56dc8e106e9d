// SIM WORLD: a whole node and everything around it, from one seed.
//
// The node runs under CAF's test coordinator. One step is one message of one randomly chosen ready actor or,
// when nothing is ready and now and then although something is, whatever comes next in time: a timer, the end
// of a child process, a guest that acts. Around the node: fake processes with seeded fates, clients, outside
// workers, a wall clock that jumps, executors that throw, commits that fail, and crashes of the node between
// any two steps. What the node promised is kept by the oracle, what it did is checked by the invariants after
// every step.
//
// A run: storm (everything bad may happen) → calm (nothing bad any more: all work has to come to its end) →
// orderly stop → the store is opened once more.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "tests/support/fake_processes.hpp"
#include "tests/support/sim_client.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/sim_faulty_store.hpp"
#include "tests/support/sim_town.hpp"
#include "tests/support/sim_trace.hpp"
#include "tests/support/sim_worker.hpp"

namespace caf::scheduler {
class test_coordinator;
}

namespace belfry::tests {

struct sim_options {
  std::uint64_t seed = 1;
  /// Steps of the storm.
  std::size_t steps = 1200;
  /// Chances per step.
  double crash = 0.0015, restart = 0.0004, jump = 0.001, guest = 0.05, late_timer = 0.02;
  /// Chances per start of a run in an executor, and per commit.
  double executor_throws = 0.03, commit_fails = 0.0;
  /// Calm, orderly stop and a last look follow the storm.
  bool to_the_end = true;
  /// Steps between two full comparisons with the rows; they also follow every crash.
  std::size_t compare_every = 300;
  /// A storm ends after so many lives. 0: no limit.
  std::size_t most_lives = 0;
  std::size_t clients = 2;
  /// Finished runs are removed soon, and only a few per job are kept.
  bool retention = false;
  planted bug = planted::none;
  bool answer_before_commit = false;
  /// An early answer is a violation in itself; off, only what a crash then loses is.
  bool strict_answers = true;
  std::ostream* trace = nullptr;
};

/// The usual mixture: what is rare in one seed is frequent in another.
sim_options usual_options(std::uint64_t seed);

struct sim_outcome {
  std::optional<violation> broken;
  std::string report;  // seed, rule, the last lines: empty when all is well
  std::uint64_t trace_hash = 0, digest = 0;
  std::size_t steps = 0, lives = 0, crashes = 0, stops = 0, runs = 0, attempts = 0, promises = 0, commits = 0,
              comparisons = 0, quiet_checks = 0, thrown = 0, jumps = 0, failed_commits = 0, processes = 0;
  core::span virtual_time{0};
};

class sim_world final : public sim_town {
 public:
  sim_world(const sim_options& options, sim_disk& disk);
  ~sim_world() override;

  sim_outcome run();

  // What the guests see.
  messages::node_port& port() override { return node_->port(); }
  std::uint64_t life() const override { return life_; }
  bool cut_off() const override { return dying_ || disk_.frozen(); }
  bool calm() const override { return calm_; }
  void note_ask(std::string_view who, std::string_view what) override { trace_.line(who, what); }

 private:
  struct child_fate {
    core::run_id run;
    std::uint64_t fencing = 0;
    std::vector<std::string> output;
  };

  // Lives (sim_lives.cpp).
  bool begin_life();
  actors::node_options options_for_node();
  void crash(const char* why);
  void stop_in_order();
  void end_life();
  void watch_journal();
  void check_rows(storage::reader& rows, bool rebooted);

  // Steps (sim_world.cpp).
  bool step();
  void deliver();
  bool pass_time();
  void move_to(core::instant steady);
  void storm();
  void settle_down();
  bool finished();
  bool ready() const;
  std::optional<core::instant> next_timer() const;
  core::instant timer_due() const;
  child_plan fate_of(const std::string& key, const platform::process_order& order);
  void jump();
  void look_after_step();
  void drain();
  void finish(const char* why_not);
  std::string report() const;

  // What must hold when nothing is under way (sim_quiet.cpp).
  void check_quiet();
  void check_queue(const messages::queue_state& told);
  void check_idle_hands(const messages::queue_state& told);
  void check_explanations();
  void check_delays();
  void check_stopped();
  void check_output();
  bool undisturbed(core::span since) const;

  sim_options options_;
  sim_disk& disk_;
  sim_trace trace_;
  virtual_clock time_;
  std::unique_ptr<platform::randomness> chance_;
  fake_processes processes_;
  std::shared_ptr<store_wire> wire_;
  std::unique_ptr<storage::reader> rows_;
  std::unique_ptr<actors::node> node_;
  std::unique_ptr<messages::watch> watch_;
  std::int64_t watched_ = 0;  // the journal is said to have grown up to here
  caf::scheduler::test_coordinator* coordinator_ = nullptr;
  core::instant origin_ = core::never;  // steady time at which this life's CAF clock began
  std::int64_t caf_origin_ = 0;         // and where that clock stood, in nanoseconds
  std::vector<std::unique_ptr<sim_client>> clients_;
  std::vector<std::unique_ptr<sim_worker>> workers_;
  std::vector<sim_guest*> guests_;
  std::map<std::string, child_fate> fates_;  // of every child ever started, by its key
  actors::node_options setup_;
  std::uint64_t life_ = 0;
  std::size_t compared_at_ = 0, quiet_at_ = 0;  // steps
  bool dying_ = false, calm_ = false, fatal_ = false, served_ = false;
  std::optional<core::instant> disturbed_;  // steady time of the last fault
  std::optional<core::instant> jumped_;     // ... of the last jump of the wall clock
  sim_outcome out_;
};

/// The command that replays a seed, for reports.
std::string replay_command(std::uint64_t seed);

}  // namespace belfry::tests
