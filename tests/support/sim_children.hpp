// SIM CHILDREN: the child processes of one node of a simulated cluster, and what became of each: who runs for
// which attempt, how it ended, and that it is the right one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/ports/processes.hpp"
#include "tests/support/fake_processes.hpp"

namespace belfry::tests {

struct cluster_child {
  std::string node, key, mark;
  core::run_id run;
  std::uint64_t fencing = 0;
  std::optional<core::process_end> ended;  // once it was told
};

/// Of all nodes.
class child_log {
 public:
  cluster_child& begin(const std::string& node, const std::string& key, const platform::process_order& order);
  void ended(const std::string& node, const std::string& key, const core::process_end& how);
  const cluster_child* find(core::run_id run, std::uint64_t fencing) const;
  /// Every attempt of a run that has had a child, by fencing number.
  std::vector<const cluster_child*> of(core::run_id run) const;
  std::size_t size() const { return all_.size(); }

 private:
  std::map<std::pair<core::run_id, std::uint64_t>, cluster_child> all_;
};

/// What a node is given for its processes: the fake ones, watched.
class sim_children final : public platform::processes {
 public:
  sim_children(std::string node, fake_processes& real, child_log& log)
      : node_(std::move(node)), real_(real), log_(log) {}
  void start(std::string key, platform::process_order order, platform::process_events events) override;
  void stop(const std::string& key, platform::stop_reason why) override;
  void abandon(const std::string& key, std::function<void()> gone) override;
  std::size_t running() const override { return real_.running(); }

  /// Told of each child that begins.
  std::function<void(const cluster_child&)> began;
  /// A planted fault: nobody is stopped.
  bool deaf = false;

 private:
  std::string node_;
  fake_processes& real_;
  child_log& log_;
};

}  // namespace belfry::tests
