// WATCHDOG: a program that learns at once when this process is gone, however it died: its stdin is one end of
// a pair of sockets, and that ends with us. It stands in a session of its own, so that what is meant for our
// process group does not reach it.
//
// A process that is stopped or starved is not gone. Therefore it may say by when everything has to be dead
// unless it says better: `doom`. The instant is of CLOCK_BOOTTIME: the leases behind it run out somewhere
// else, also while this machine sleeps, and nobody sets that clock. (CLOCK_MONOTONIC stands still in sleep.)
// A word is a line, "MICROSECONDS\n"; 0: nothing has to die. What is no such line is passed over: whoever
// talks nonsense keeps the deadline that he had.
//
// Rejected: PR_SET_PDEATHSIG for each child; it follows the thread that spawned, reaches no grandchildren and
// needs code between fork and exec. A pipe: writing into one whose reader is gone is a signal.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"
#include "platform/descriptor.hpp"

namespace belfry::platform {

class watchdog {
 public:
  /// Starts `argv` with an empty environment, stdout and stderr to nowhere. errc::internal says why not.
  static core::result<watchdog> start(const std::vector<std::string>& argv);

  /// By when (clock::through_sleep) everything has to be dead unless something later is said; never: nothing
  /// has to. Never blocks, any thread but one at a time. errc::unavailable: the watchdog is gone, or has not
  /// listened for long, and what it heard last stands.
  core::result<void> doom(core::instant at);

 private:
  explicit watchdog(descriptor leash) : leash_(std::move(leash)) {}
  descriptor leash_;
};

// In the watchdog: calls `kill` whenever what was said by `doom` has come, and once more when whoever holds
// the other end of stdin is gone; then returns.
void guard(const std::function<void()>& kill);

// What a watchdog has heard, put together from pieces of any size. A value.
class doom_lines {
 public:
  void take(std::string_view piece);
  core::instant at() const { return at_; }  // never: nothing has to die
  void passed() { at_ = core::never; }

 private:
  std::string line_;
  bool too_long_ = false;
  core::instant at_ = core::never;
};

}  // namespace belfry::platform
