// DOOR: what all handlers share: the way to the node, the clock, the options and the counters of what is
// open.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "api/http/forwarding.hpp"
#include "api/http/router.hpp"
#include "api/http/server.hpp"
#include "messages/node_port.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/metrics.hpp"

namespace belfry::api {

// The way to the node. A member has none: what would ask one belongs to its coordinator, and is passed on
// before it gets here.
class node_way {
 public:
  explicit node_way(messages::node_port* to) : to_(to) {}
  template <class M, class R>
  void call(M m, R done) const {
    at().call(std::move(m), std::move(done));
  }
  template <class Q, class R>
  void ask(Q q, R done) const {
    at().ask(std::move(q), std::move(done));
  }
  core::pressure pressure() const { return at().pressure(); }
  std::unique_ptr<messages::watch> watch_events(std::function<void(messages::watched)> told) const {
    return at().watch_events(std::move(told));
  }
  std::unique_ptr<messages::watch> watch_run(core::run_id id,
                                             std::function<void(messages::watched)> told) const {
    return at().watch_run(id, std::move(told));
  }

 private:
  messages::node_port& at() const {
    if (to_ == nullptr) throw std::logic_error("a member has no store to ask");
    return *to_;
  }
  messages::node_port* to_;
};

struct door {
  door(messages::node_port* n, platform::meter& m, const platform::clock& t, server_options o)
      : node(n),
        meter(m),
        time(t),
        options(std::move(o)),
        chance(platform::system_randomness()),
        paths(routes()) {}

  const node_way node;
  std::shared_ptr<forwarding> elsewhere;  // of a member: where everything goes that is not about itself
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
