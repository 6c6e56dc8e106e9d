// SIM CRASH DISK: the SQLite store on a disk whose power can go: between two steps, in the middle of any
// write, and again while the store is opened after that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/crash_vfs.hpp"
#include "tests/support/sim_dice.hpp"
#include "tests/support/sim_disk.hpp"

namespace belfry::tests {

struct crash_disk_options {
  storage::durability sync = storage::durability::full;
  /// Chance that the power goes in the middle of a write of this life, and the most writes until then.
  double dies_writing = 0.5;
  std::uint64_t most_writes = 400;
  /// Pages in the journal from which they are copied: few, so that copying happens in every life.
  std::uint32_t checkpoint_pages = 6;
};

class crash_sim_disk final : public sim_disk {
 public:
  crash_sim_disk(std::uint64_t seed, crash_disk_options options);

  core::result<std::unique_ptr<storage::store>> open(core::instant now) override;
  void freeze() override { vfs_->freeze(); }
  bool frozen() const override { return vfs_->frozen(); }
  void lose_power() override;
  std::optional<std::string> damage() override;
  bool may_keep_more() const override { return true; }

  const crash_vfs& vfs() const { return *vfs_; }
  std::size_t checked() const { return checked_; }

 private:
  std::shared_ptr<crash_vfs> vfs_;
  crash_disk_options options_;
  dice luck_;
  std::size_t checked_ = 0;
};

}  // namespace belfry::tests
