// DOOR: what all handlers share: the way to the node, the clock, the options and the counters of what is
// open.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "api/http/router.hpp"
#include "api/http/server.hpp"
#include "messages/node_port.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/metrics.hpp"

namespace belfry::api {

struct door {
  door(messages::node_port& n, platform::meter& m, const platform::clock& t, server_options o)
      : node(n),
        meter(m),
        time(t),
        options(std::move(o)),
        chance(platform::system_randomness()),
        paths(routes()) {}

  messages::node_port& node;
  platform::meter& meter;
  const platform::clock& time;
  const core::instant began = time.now();  // both clocks, so that a jump of the wall clock can be told
  const decltype(time.steady()) began_steady = time.steady();
  server_options options;
  std::unique_ptr<platform::randomness> chance;
  router paths;

  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> requests{0};
  std::atomic<std::size_t> body_bytes{0};
  std::atomic<std::size_t> streams{0};
  std::atomic<bool> stopping{false};
};

// Counts one more while it lives; `full` when the limit was reached already and nothing was counted.
class counted {
 public:
  counted(std::atomic<std::size_t>& counter, std::size_t limit, std::size_t by = 1)
      : counter_(counter), by_(by) {
    full_ = counter_.fetch_add(by_, std::memory_order_relaxed) + by_ > limit;
    if (full_) counter_.fetch_sub(by_, std::memory_order_relaxed);
  }
  ~counted() {
    if (!full_) counter_.fetch_sub(by_, std::memory_order_relaxed);
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  bool full() const { return full_; }

 private:
  std::atomic<std::size_t>& counter_;
  std::size_t by_;
  bool full_ = false;
};

}  // namespace belfry::api
