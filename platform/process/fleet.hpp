// FLEET: several reactors as one port. A child belongs to the reactor that its key falls to.
//
// The thread that starts a child stands still until the child has replaced its image: some 0.3 ms in which
// one reactor alone leaves the other cores idle. With two of them on two cores /bin/true runs a quarter
// faster.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/process/reactor.hpp"

namespace belfry::platform {

class fleet final : public processes {
 public:
  /// `reactors` is at least 1. They share the limits of output evenly.
  fleet(std::size_t reactors, const process_options& options, const clock& time);

  void start(std::string key, process_order order, process_events events) override;
  void stop(const std::string& key, stop_reason why) override { of(key).stop(key, why); }
  void abandon(const std::string& key, std::function<void()> gone) override {
    of(key).abandon(key, std::move(gone));
  }
  std::size_t running() const override;

 private:
  reactor& of(const std::string& key) { return *all_[std::hash<std::string>{}(key) % all_.size()]; }

  std::vector<std::unique_ptr<reactor>> all_;
};

}  // namespace belfry::platform
