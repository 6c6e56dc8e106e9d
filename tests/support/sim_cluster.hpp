// SIM CLUSTER: a coordinator and three members, from one seed. Each runs on a machine with clocks of its own,
// in an actor system of its own; one step is one message of one randomly chosen ready actor of anybody, or
// whatever comes next in true time: a timer, the end of a child, an envelope, a guest, a restart.
//
// What goes wrong: processes die between any two steps, and stay away for a while; they are frozen while
// their children go on; the network loses, delays and cuts; wall clocks jump and steady ones differ by up to
// 200 ppm. Every member has a guard beside it, which kills its children at once when it dies and at the
// instant it was told when nothing is heard of it.
//
// A run: storm → calm (nothing bad any more: all work has to come to its end, and all nodes are up) → orderly
// stop → the store is opened once more. Beside what sim_invariants and sim_oracle check of the store:
//   fence    when a run is handed out, no child of an earlier attempt of it lives on a member
//   success  what has succeeded is what the child of that very attempt did
//   drain    a node that was drained or removed is given nothing
//   wire     what a member says again it says as it did before; open questions are limited
//   agree    in calm, whoever holds a lease has a child for it, and every child has a lease
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/cluster/member.hpp"
#include "actors/node/node.hpp"
#include "tests/support/sim_children.hpp"
#include "tests/support/sim_client.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/sim_machine.hpp"
#include "tests/support/sim_network.hpp"
#include "tests/support/sim_operator.hpp"
#include "tests/support/sim_town.hpp"
#include "tests/support/sim_trace.hpp"
#include "tests/support/sim_wire.hpp"
#include "tests/support/sim_worker.hpp"

namespace belfry::tests {

/// What is planted, and has to be found.
enum class cluster_fault : std::uint8_t {
  none,
  deaf_to_stops,    // neither a member nor its guard stops what its lease is over for [fence]
  gives_away_lost,  // a node that is lost loses its leases at once [fence]
  forgets_held,     // a member that comes back does not say what it holds [fence]
  other_words,      // a member says the end of an attempt again, but otherwise [wire]
  drain_unheard,    // a drain is promised, and nobody told [drain]
};

struct sim_cluster_options {
  std::uint64_t seed = 1;
  /// Steps of the storm.
  std::size_t steps = 2500;
  /// Chances per step.
  double trouble = 0.006, guest = 0.03, late_timer = 0.02;
  double loss = 0.02, late = 0.05;
  cluster_fault fault = cluster_fault::none;
  std::ostream* trace = nullptr;
};

sim_cluster_options usual_cluster(std::uint64_t seed);

struct cluster_outcome {
  std::optional<violation> broken;
  std::string report;  // empty when all is well
  std::uint64_t trace_hash = 0, digest = 0;
  std::size_t steps = 0, crashes = 0, member_crashes = 0, freezes = 0, cuts = 0, severed = 0, jumps = 0,
              guarded = 0, away = 0, runs = 0, attempts = 0, children = 0, at_members = 0, lost = 0,
              promises = 0, agreements = 0;
  network_counts network;
  core::span virtual_time{0};
};

class sim_cluster final : public sim_town, private store_watcher {
 public:
  explicit sim_cluster(const sim_cluster_options& options);
  ~sim_cluster() override;

  cluster_outcome run();

  messages::node_port& port() override { return node_->port(); }
  std::uint64_t life() const override { return life_; }
  bool cut_off() const override { return dying_; }
  bool calm() const override { return calm_; }
  void note_ask(std::string_view who, std::string_view what) override { trace_.line(who, what); }

 private:
  struct member {
    member(std::string name, std::int64_t ppm, core::span skew, child_log& log, std::uint64_t seed);
    sim_machine machine;
    fake_processes processes;
    sim_children children;
    std::unique_ptr<platform::randomness> chance;
    std::unique_ptr<actors::member_node> node;
    core::instant doomed = core::never;  // its steady clock: what the guard was told
    std::uint64_t life = 0;
    bool refused = false;  // it said that it cannot go on
    const std::string& name() const { return machine.name(); }
  };
  struct claim {
    core::run_id run;
    std::uint64_t fencing = 0;
    core::session_id holder;
  };

  // store_watcher (sim_cluster_checks.cpp)
  void applied(const storage::change_set& set, const core::result<storage::receipt>& answer) override;
  void committed(const std::vector<core::event>& events) override;
  void lost() override;

  // Lives (sim_cluster_lives.cpp).
  bool begin_home();
  void crash_home(const char* why);
  void end_home();
  void stop_home();
  void begin_member(member& m);
  void crash_member(member& m, const char* why);
  void end_member(member& m);
  void stop_member(member& m);
  void freeze(sim_machine& machine, fake_processes& processes, core::span how_long);
  void thaw(sim_machine& machine, fake_processes& processes);
  void guard(member& m);
  actors::node_options options_for_home();
  actors::member_options options_for(member& m);

  // Steps (sim_cluster.cpp).
  bool step();
  bool pass_time();
  void move_to(core::instant truth);
  void later(core::span wait, std::function<void()> what);
  void storm();
  void trouble();
  void settle_down();
  void make_calm();
  bool finished();
  void drain();
  void live_for(core::span time);
  void finish(const char* why_not);
  std::string report() const;
  member* some_member(bool running);

  // What must hold (sim_cluster_checks.cpp).
  void check_claim(const claim& c);
  void give_away(const std::string& node);
  void check_successes(const std::vector<core::event>& events);
  void check_child(const cluster_child& c);
  void check_agreement();
  void check_nodes(core::node_state expected);
  void check_stopped();
  bool lives(const cluster_child& c) const;
  std::string node_of(core::session_id holder) const;
  child_plan plan_of(const platform::process_order& order);

  sim_cluster_options options_;
  sim_trace trace_;
  core::instant now_{};  // true time
  sim_machine home_;
  fake_processes processes_;
  child_log log_;
  sim_children children_;
  sim_network network_;
  sim_wire wire_rules_;
  memory_sim_disk disk_;
  std::shared_ptr<store_wire> wire_;
  std::unique_ptr<platform::randomness> chance_;
  std::unique_ptr<storage::reader> rows_;
  std::unique_ptr<actors::node> node_;
  std::vector<std::unique_ptr<member>> members_;
  std::vector<std::unique_ptr<sim_client>> clients_;
  std::vector<std::unique_ptr<sim_worker>> workers_;
  node_book book_;
  std::unique_ptr<sim_operator> operator_;
  std::vector<sim_guest*> guests_;
  std::multimap<core::instant, std::function<void()>> agenda_;  // true time
  core::membership_options membership_;
  std::uint64_t life_ = 0;
  std::vector<claim> claims_;                         // applied, not committed
  std::map<core::run_id, std::uint64_t> handed_out_;  // the last fencing number that was committed
  std::map<std::string, core::instant> disagreed_;    // since when, true time
  core::span set_back_{0};                            // the coordinator's wall clock, in all
  core::instant disturbed_{};                         // true time of the last trouble
  bool dying_ = false, calm_ = false, stopping_ = false, fatal_ = false;
  cluster_outcome out_;
};

/// The command that replays a seed, for reports.
std::string cluster_replay_command(std::uint64_t seed);

}  // namespace belfry::tests
