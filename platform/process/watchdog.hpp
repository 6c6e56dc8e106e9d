// WATCHDOG: a program that learns at once when this process is gone, however it died: its stdin is a pipe
// that nobody writes to, and that ends with us. It stands in a session of its own, so that what is meant for
// our process group does not reach it.
//
// Rejected: PR_SET_PDEATHSIG for each child; it follows the thread that spawned, reaches no grandchildren and
// needs code between fork and exec.
#pragma once

#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "platform/descriptor.hpp"

namespace belfry::platform {

class watchdog {
 public:
  /// Starts `argv` with an empty environment, stdout and stderr to nowhere. errc::internal says why not.
  static core::result<watchdog> start(const std::vector<std::string>& argv);

 private:
  explicit watchdog(descriptor leash) : leash_(std::move(leash)) {}
  descriptor leash_;
};

// In the watchdog: returns when whoever holds the other end of its stdin is gone.
void wait_for_end_of_stdin();

}  // namespace belfry::platform
