// SPAWNER, the role: it hears from the reactor thread of platform::processes.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/interfaces.hpp"
#include "platform/ports/processes.hpp"

namespace belfry::actors {

// From the thread of the child processes; the session tells which worker is meant.
struct worker_started {
  core::session_id session;
  std::int64_t pid = 0;
};
struct worker_said {
  core::session_id session;
  std::vector<platform::output_line> lines;
};
struct worker_exited {
  core::session_id session;
  platform::process_report report;
};

// What the supervisor tells.
using spawn_master =
    caf::typed_actor<caf::reacts_to<messages::start_spawning>,
                     caf::replies_to<messages::drain_workers>::with<messages::workers_drained>>;
using spawner_actor =
    messages::spawner_door::extend_with<messages::session_follower>::extend_with<spawn_master>::extend<
        caf::reacts_to<worker_started>, caf::reacts_to<worker_said>, caf::reacts_to<worker_exited>,
        caf::reacts_to<messages::read_with>, caf::reacts_to<messages::alarm_rang>>;  // a deadline of a worker

}  // namespace belfry::actors
