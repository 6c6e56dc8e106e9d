// CLUSTER DESK, the role: the doors' questions about nodes, orders to stop attempts wherever they are, and
// what the links tell.
#pragma once

#include <string>

#include "actors/cluster/links.hpp"
#include "messages/interfaces.hpp"

namespace belfry::actors {

// Once the queue is open: the links may speak.
struct begin_cluster {
  messages::member_claims dispatcher;
  messages::member_registry registry;
  messages::lease_desk_actor leases;
};
// The calls of a link_listener, as messages.
struct link_came_up {
  link_id link = 0;
  std::string node, address;
};
struct link_said {
  link_id link = 0;
  envelope what;
};
struct link_went_down {
  link_id link = 0;
  std::string why;
};

using cluster_desk_actor = messages::attempt_stopper::extend_with<messages::node_door>::extend<
    caf::reacts_to<begin_cluster>, caf::reacts_to<link_came_up>, caf::reacts_to<link_said>,
    caf::reacts_to<link_went_down>, caf::reacts_to<messages::read_with>,
    caf::reacts_to<messages::alarm_rang>>;

}  // namespace belfry::actors
