// PROCESS EXECUTOR, the role: it hears from the reactor thread of platform::processes.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/interfaces.hpp"
#include "platform/ports/processes.hpp"

namespace belfry::actors {

// From the thread of the child processes; `fencing` tells which attempt is meant.
struct output_arrived {
  std::uint64_t fencing = 0;
  core::run_id run;
  std::vector<platform::output_line> lines;
};
struct process_ended {
  std::uint64_t fencing = 0;
  core::run_id run;
  platform::process_report report;
};

// What its supervisor tells.
using executor_actor = messages::attempt_stopper::extend<caf::reacts_to<messages::begin_work>,
                                                         caf::reacts_to<messages::finish_work>,
                                                         caf::reacts_to<messages::hand_back>>;
using process_executor_actor =
    executor_actor::extend<caf::reacts_to<output_arrived>, caf::reacts_to<process_ended>,
                           caf::reacts_to<messages::alarm_rang>>;  // heartbeat, or a settle that is tried
                                                                   // again

}  // namespace belfry::actors
