// OPERATOR DESK: an operator's word on runs: cancel, run now, reprioritise, discard, redrive. Each in its own
// right.
#pragma once

#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::actors {

struct operator_desk_deps {
  storage_client store;
  const platform::clock* clock = nullptr;
  retention_options policy;  // of retention, where a request says nothing else
};

class operator_desk : public messages::operator_desk_actor::base {
 public:
  operator_desk(caf::actor_config& cfg, operator_desk_deps deps);
  const char* name() const override { return "operator-desk"; }
  behavior_type make_behavior() override;
  void on_exit() override { deps_ = {}; }

 private:
  operator_desk_deps deps_;
};

}  // namespace belfry::actors
