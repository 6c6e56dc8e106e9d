// MEMBER DESK, the role: to the executors of a member it is dispatcher, registry, store and sweeper in one.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "actors/cluster/links.hpp"
#include "actors/storage/role.hpp"
#include "messages/interfaces.hpp"

namespace belfry::actors {

// What a thread of the links has to tell.
struct link_rose {
  link_id id = 0;
  std::string node, address;
};
struct link_spoke {
  link_id id = 0;
  envelope what;
};
struct link_fell {
  link_id id = 0;
  std::string why;
};
struct dial_failed {
  std::uint64_t dial = 0;  // which one
  core::failure why;
};
struct link_news {
  std::variant<link_rose, link_spoke, link_fell, dial_failed> what;
};

// What runs may end up to the deadline; then good-bye.
struct leave_cluster {
  core::span deadline{0};
};

using member_desk_actor =
    messages::claim_actor::extend_with<messages::session_client>::extend_with<storage_client>::extend_with<
        messages::clock_watch_actor>::extend_with<messages::child_listener>::
        extend<caf::reacts_to<link_news>, caf::reacts_to<leave_cluster>,
               caf::reacts_to<messages::alarm_rang>>;  // something is due: a beat, a renewal, a question again

}  // namespace belfry::actors
