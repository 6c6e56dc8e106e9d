// LEASE DESK: what workers say of the runs they hold: start, heartbeat, progress, and how it ended. Each in
// its own right.
#pragma once

#include <functional>

#include "actors/storage/role.hpp"
#include "actors/support/clock_jump.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct lease_desk_deps {
  storage_client store;
  messages::clock_watch_actor sweeper;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  core::span clock_jump = std::chrono::minutes{2};
};

class lease_desk : public messages::lease_desk_actor::base {
 public:
  lease_desk(caf::actor_config& cfg, lease_desk_deps deps);
  const char* name() const override { return "lease-desk"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  template <class Answer, class Make>
  caf::result<core::result<Answer>> write(std::vector<storage::change_set> sets, Make make);

  lease_desk_deps deps_;
  clock_jump jump_;
};

}  // namespace belfry::actors
