// EXECUTOR SUPERVISOR, the role: the order to start carries the handles of those that the executors need.
#pragma once

#include "messages/interfaces.hpp"

namespace belfry::actors {

// Once the queue is open.
struct start_executors {
  messages::claim_actor dispatcher;
  messages::session_client registry;
  messages::clock_watch_actor sweeper;
};

using executor_supervisor_actor = messages::attempt_stopper::extend_with<messages::executor_listener>::extend<
    caf::reacts_to<start_executors>,
    caf::replies_to<messages::drain_executors>::with<messages::executors_drained>,  // answered when nothing
                                                                                    // runs any more
    caf::reacts_to<messages::drain_is_over>, caf::reacts_to<messages::restart_executor>,
    caf::reacts_to<messages::end_session_again>>;

}  // namespace belfry::actors
