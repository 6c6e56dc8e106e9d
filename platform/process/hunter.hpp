// HUNTER: finds processes that escaped the group of a run (setsid, set -m) and kills them.
//
// They carry the run's BELFRY_RUN_ID and BELFRY_FENCING, and the node's BELFRY_NODE, in their environment;
// those of a worker that the node started its BELFRY_SESSION instead of a fencing number.
// Reading all environments costs milliseconds, so it is done only after a stop, or when somebody still holds
// a pipe after the group has gone; and one pass over /proc serves every hunt that waits for one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "platform/ports/processes.hpp"

namespace belfry::platform {

/// What the descendants of this order carry; nothing when the order has no run and fencing number.
std::optional<std::string> quarry_of(const process_order& order);

class hunter {
 public:
  using done = std::function<void(bool gone)>;  // false: some were still there after `patience`

  /// `ended` is called after each pass that ended a hunt: there may be zombies to take.
  hunter(boost::asio::io_context& io, std::function<void()> ended) : timer_(io), ended_(std::move(ended)) {}
  void hunt(std::string quarry, done then);

 private:
  struct prey {
    done then;
    std::chrono::steady_clock::time_point give_up;
    bool seen = false;
    std::set<pid_t> killed;  // until each has really gone
  };
  void arm(std::chrono::milliseconds pause);
  void pass();

  static constexpr std::chrono::seconds patience{2};
  boost::asio::steady_timer timer_;
  std::function<void()> ended_;
  std::chrono::milliseconds pause_{0};
  bool armed_ = false;
  std::unordered_map<std::string, prey> hunts_;
};

}  // namespace belfry::platform
