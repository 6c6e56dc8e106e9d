// TOWN: a coordinator and its members, to all of which things happen: KILL, STOP and CONT, links that are
// cut, mended and severed, at random moments. Whoever is killed is started again.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/real_cluster.hpp"

namespace belfry::test {

struct town_counts {
  std::size_t member_kills = 0, member_stops = 0, coordinator_kills = 0, coordinator_stops = 0, cuts = 0,
              severed = 0;
};

class town {
 public:
  using clock = std::chrono::steady_clock;
  town(real_cluster& all, std::uint64_t seed) : all_(all), chance_(seed) {}

  void trouble();        // one thing happens to somebody
  void wake_sleepers();  // whoever slept, or was cut off, for long enough by now
  void calm();           // all are awake, linked and there
  bool coordinator_up() const { return !coordinator_wakes_; }
  const town_counts& counts() const { return counts_; }

 private:
  std::chrono::milliseconds between(int least, int most) {
    return std::chrono::milliseconds{least +
                                     static_cast<int>(chance_() % static_cast<unsigned>(most - least))};
  }
  std::string somebody() { return all_.members()[chance_() % all_.members().size()]; }
  void kill_member(const std::string& name);
  void stop_member(const std::string& name);
  void cut_link(const std::string& name);
  void kill_coordinator();
  void stop_coordinator();

  real_cluster& all_;
  std::mt19937_64 chance_;
  std::map<std::string, clock::time_point> asleep_, cut_;
  std::optional<clock::time_point> coordinator_wakes_;
  town_counts counts_;
};

}  // namespace belfry::test
