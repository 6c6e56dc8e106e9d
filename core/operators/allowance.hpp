// ALLOWANCE: how often an agent may use operator actions on one run, and on whose runs it may use force.
//
// People and their tools are not limited. An agent is an actor that names itself by the id of a session; it
// is a program that may go in circles, and a circle of force releases keeps a run from ever being done. So
// many actions of one agent on one run within a minute, counted in a window that slides; what is refused does
// not count. The table is bounded: the pairs that have been silent longest are forgotten first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/pause/pause.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// On whose runs an agent may use force (force-release, force-fail, recover).
enum class agent_force : std::uint8_t { none = 0, own = 1, any = 2 };

struct operator_options {
  /// Operator actions of one agent on one run within a minute. Default 10. 0: no limit.
  std::uint32_t agents_per_minute = 10;
  /// Runs on which an agent may use force: none, own (that it holds or has submitted), any. Default own.
  agent_force agents_force = agent_force::own;
};

class allowance {
 public:
  explicit allowance(std::uint32_t per_minute, std::size_t most_pairs = 10'000)
      : per_minute_(per_minute), most_pairs_(most_pairs) {}

  // Counts one action. Refused (rate_limited, with the time until the next one) when the agent has used up
  // what it may; nothing is counted then. Actors that are no agents are never refused.
  std::optional<failure> take(const std::string& actor, run_id run, instant now);
  std::size_t pairs() const { return used_.size(); }

 private:
  using pair_key = std::pair<std::string, run_id>;
  struct use {
    std::deque<instant> times;  // within the last minute, oldest first
    std::list<pair_key>::iterator turn;
  };
  std::uint32_t per_minute_;
  std::size_t most_pairs_;
  std::map<pair_key, use> used_;
  std::list<pair_key> turns_;  // longest silent first
};

}  // namespace belfry::core
