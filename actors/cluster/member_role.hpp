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
struct member_link_up {
  link_id id = 0;
  std::string node, address;
};
struct member_link_said {
  link_id id = 0;
  envelope what;
};
struct member_link_down {
  link_id id = 0;
  std::string why;
};
struct member_dial_failed {
  std::uint64_t dial = 0;  // which one
  core::failure why;
};
struct member_link_news {
  std::variant<member_link_up, member_link_said, member_link_down, member_dial_failed> what;
};

// What runs may end up to the deadline; then good-bye.
struct leave_cluster {
  core::span deadline{0};
};

using member_desk_actor = messages::claim_actor::extend_with<messages::session_client>::extend_with<
    storage_client>::extend_with<messages::clock_watch_actor>::extend_with<messages::child_listener>::
    extend<caf::reacts_to<member_link_news>, caf::reacts_to<leave_cluster>,
           caf::reacts_to<messages::alarm_rang>>;  // something is due: a beat, a renewal, a question again

}  // namespace belfry::actors
