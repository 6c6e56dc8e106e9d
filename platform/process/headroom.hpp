// HEADROOM: no new process when the machine is about to run out of them, so that a person can still log in
// and repair.
//
// Sources: the user's RLIMIT_NPROC (not for root, whom the kernel exempts), kernel.pid_max,
// kernel.threads-max, and the pids controller of the node's cgroup. Measured at most once a second; between
// two measurements the node's own children are counted in. A source that cannot be read is left out: the
// guard must never be the reason that nothing runs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/ports/processes.hpp"
#include "platform/process/output_gate.hpp"

namespace belfry::platform {

struct process_numbers {
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
  std::string source;  // what a person would change, for example "ulimit -u of user belfry"
};

using process_probe = std::function<std::vector<process_numbers>(const process_options&)>;

/// Reads /proc and the cgroup; a user's processes are counted only when a cheap upper bound is not good
/// enough.
std::vector<process_numbers> probe_processes(const process_options& options);

/// Why one more process would be one too many; `extra` were started since the numbers were read.
std::optional<std::string> too_crowded(const std::vector<process_numbers>& numbers, std::uint64_t extra,
                                       const process_options& options);

class headroom_guard {
 public:
  headroom_guard(const process_options& options, process_probe probe)
      : options_(options), probe_(std::move(probe)) {}
  /// `running`: children of this node now.
  std::optional<std::string> refuses(std::uint64_t running, steady_time now);

 private:
  process_options options_;
  process_probe probe_;
  std::vector<process_numbers> numbers_;
  std::uint64_t running_then_ = 0;
  std::optional<steady_time> read_at_;
};

}  // namespace belfry::platform
