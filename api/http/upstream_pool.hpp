// UPSTREAM POOL: how many requests of a member's clients may be on their way, and the connections that are
// kept for the next one. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "api/http/upstream.hpp"
#include "platform/descriptor.hpp"

namespace belfry::api {

class upstream_pool {
 public:
  using clock = std::chrono::steady_clock;

  upstream_pool(upstream& to, forwarding_limits l) : limits(l), to_(to) {}

  const forwarding_limits limits;
  upstream& to() const { return to_; }

  // Calls `turn` when a place is free, perhaps at once; it answers whether it takes it, and then has to
  // leave. False: too many wait already.
  bool enter(std::function<bool()> turn);
  void leave();
  // A connection that is still open and silent; none: make one.
  platform::descriptor idle();
  void keep(platform::descriptor d);
  void clear();

  // Since when nobody has answered; nothing: the last connect went well.
  std::optional<core::instant> unreachable(bool reached, core::instant now);

 private:
  struct kept {
    platform::descriptor fd;
    clock::time_point since;
  };
  upstream& to_;
  std::mutex mutex_;
  std::vector<kept> idle_;
  std::deque<std::function<bool()>> waiting_;
  std::size_t taken_ = 0;
  std::optional<core::instant> unreachable_;
};

}  // namespace belfry::api
