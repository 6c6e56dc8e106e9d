// EVENT HUB, the role: its messages carry callbacks of the doors.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "actors/storage/role.hpp"
#include "messages/node_port.hpp"

namespace belfry::actors {

struct watch_entry {
  std::function<void(messages::watched)> told;
  core::run_id run;               // 0: the whole journal
  std::atomic<bool> alive{true};  // cleared by the watch when it is destroyed, on any thread
};
struct add_watch {
  std::shared_ptr<watch_entry> entry;
};
struct drop_watch {
  std::shared_ptr<watch_entry> entry;
};
struct tell_watchers {};

using event_hub_client = caf::typed_actor<caf::reacts_to<add_watch>, caf::reacts_to<drop_watch>>;
using event_hub_actor = event_hub_client::extend_with<journal_listener>::extend<
    caf::reacts_to<tell_watchers>>;  // by itself: what was gathered goes out

}  // namespace belfry::actors
