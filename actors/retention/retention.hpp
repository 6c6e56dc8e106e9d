// RETENTION: removes what is old, at the start and then every now and then, in bites that are small enough
// for nobody to notice, with pauses between them. It holds nothing: a restart begins again.
#pragma once

#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct retention_deps {
  storage_client store;
  const platform::clock* clock = nullptr;
  voice says;
  retention_options options;
};

class retention : public messages::retention_actor::base {
 public:
  retention(caf::actor_config& cfg, retention_deps deps);
  const char* name() const override { return "retention"; }
  behavior_type make_behavior() override;
  void on_exit() override { deps_.store = nullptr; }

 private:
  // What is pruned, in this order.
  enum class stage : std::uint8_t { runs, events, keys, done };

  void bite();
  storage::change prune(core::instant now) const;
  void rest(core::span for_how_long);

  retention_deps deps_;
  stage stage_ = stage::runs;
  std::uint64_t pruned_ = 0;
  alarm alarm_{std::chrono::hours{24}};
};

}  // namespace belfry::actors
