// FLEET: `belfry work` processes and their node, to all of which things happen: KILL, STOP and CONT at random
// moments. Whoever is killed is started again; the node keeps its address, a socket, over its lives.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/real_worker.hpp"

namespace belfry::test {

struct fleet_plan {
  std::size_t workers = 4;
  std::size_t slots = 4;
  std::string script;  // run for each claim
  std::string mark;    // value of FLEET in the environment of the commands
  std::uint64_t seed = 1;
};

struct fleet_counts {
  std::size_t worker_kills = 0, worker_stops = 0, node_kills = 0, node_stops = 0;
};

class fleet {
 public:
  fleet(fleet_plan plan, real_node& node);

  // One thing happens to somebody.
  void trouble();
  // Whoever sleeps long enough by now is woken.
  void wake_sleepers();
  // No more of it: all are awake and there.
  void calm();
  // TERM to all; the exit codes.
  std::vector<int> dismiss();

  // What the workers of all lives have said.
  std::string said() const;
  const fleet_counts& counts() const { return counts_; }

 private:
  using clock = std::chrono::steady_clock;
  struct member {
    std::unique_ptr<background> program;
    std::optional<clock::time_point> wake_at;  // it sleeps
  };
  std::unique_ptr<background> hire() const;
  void kill_worker(member& m);
  void stop_worker(member& m);
  void kill_node();
  void stop_node();

  fleet_plan plan_;
  real_node& node_;
  std::mt19937_64 chance_;
  std::vector<member> workers_;
  std::optional<clock::time_point> node_wakes_at_;
  std::string said_;
  fleet_counts counts_;
};

}  // namespace belfry::test
