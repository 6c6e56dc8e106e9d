// SIM STORE: a store that is watched, and that can be cut off. It stands between the node and the store under
// test.
//
// The watcher hears of every change set and of every commit, when they happen: that is what lets invariants
// be checked after every step without reading all rows. After `cut()` nothing reaches the store any more, as
// if the process were gone: what a dying actor system still tries to write is refused.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "storage/contract/store.hpp"

namespace belfry::tests {

class store_watcher {
 public:
  virtual ~store_watcher() = default;
  virtual void applied(const storage::change_set& set, const core::result<storage::receipt>& answer) = 0;
  /// The transaction is durable; `events` are all that it wrote, in order.
  virtual void committed(const std::vector<core::event>& events) = 0;
  /// The open transaction is lost.
  virtual void lost() = 0;
};

/// Shared by the store that the node owns and by the test.
struct store_wire {
  /// The store itself lives until the test lets it go: a dying actor system may end its readers after its
  /// store.
  std::shared_ptr<storage::store> real;
  store_watcher* watcher = nullptr;
  bool cut = false;
  /// Something was applied and not committed. Where readers share the writer's connection they see it.
  bool open = false;
  /// Asked before each commit: a failure makes it fail and the transaction is lost. May be empty.
  std::function<std::optional<core::failure>()> commit_fault;
  /// Whether the disk died; the wire is cut at once then. May be empty.
  std::function<bool()> dead;
  std::size_t commits = 0, sets = 0;
};

class sim_store final : public storage::store {
 public:
  sim_store(std::unique_ptr<storage::store> real, std::shared_ptr<store_wire> wire);
  ~sim_store() override;

  core::result<storage::receipt> apply(const storage::change_set& set) override;
  core::result<void> commit() override;
  void rollback() override;
  core::result<storage::open_page> scan_open(core::run_id after, std::size_t limit) override;
  core::result<core::limit_options> limits(const core::limit_options& configured) override;
  core::result<core::pause_book> pauses() override;
  core::result<std::vector<core::event>> events_between(std::int64_t first, std::int64_t last) override;
  std::int64_t last_event() const override { return real_->last_event(); }
  void follow(const storage::store_rules& rules) override { real_->follow(rules); }
  core::pressure pressure(core::instant now) const override { return real_->pressure(now); }
  void maintain() override;
  std::unique_ptr<storage::reader> open_reader() override { return real_->open_reader(); }

 private:
  void look_at_disk();

  std::shared_ptr<storage::store> real_;
  std::shared_ptr<store_wire> wire_;
  std::int64_t told_ = 0;  // the watcher has been given events up to here
};

}  // namespace belfry::tests
