// SIM DISK: what survives the death of a node, and how a store is opened on it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "storage/contract/open.hpp"

namespace belfry::tests {

class sim_disk {
 public:
  virtual ~sim_disk() = default;
  virtual core::result<std::unique_ptr<storage::store>> open(core::instant now) = 0;
  /// From now on nothing that is written reaches it: what follows is only the end of the actor system.
  virtual void freeze() {}
  /// Whether it froze by itself, in the middle of a write.
  virtual bool frozen() const { return false; }
  /// The power goes; called when the store is closed.
  virtual void lose_power() {}
  /// What is wrong with what is on it, if anything is. Called after lose_power, before the store is opened
  /// again.
  virtual std::optional<std::string> damage() { return std::nullopt; }
  /// Whether a commit that was under way may turn out to have been kept.
  virtual bool may_keep_more() const { return false; }
};

class memory_sim_disk final : public sim_disk {
 public:
  core::result<std::unique_ptr<storage::store>> open(core::instant now) override {
    return storage::open_memory(disk_, now);
  }

 private:
  std::shared_ptr<storage::memory_disk> disk_ = storage::make_memory_disk();
};

}  // namespace belfry::tests
