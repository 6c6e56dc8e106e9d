// TIMERS: timers of systemd and the services that they start, as jobs.
//
// A timer and its service become one job of the timer's name. Like a unit, it does not start while it runs,
// and is not tried again. A key that is not understood is told as a note of its job; one without which the
// job would do something else refuses it.
#pragma once

#include <map>
#include <string>

#include "app/imports/source.hpp"

namespace belfry::app {

// File names below the folder ("backup.timer", "backup.timer.d/10-more.conf") and what they say.
using unit_files = std::map<std::string, std::string>;

struct timers_options {
  std::string origin;  // the folder
  std::string zone = "UTC";
  std::string account;      // whom the node runs as
  std::string home;         // of that user
  bool may_switch = false;  // the node can run commands as another user
  std::string prefix;
};

import_source read_timers(const unit_files& files, const timers_options& options);

}  // namespace belfry::app
