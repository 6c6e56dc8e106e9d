// SESSION REGISTRY: who is here and what they can do, durably. The dispatcher hears of a session before the
// one who asked is answered, so that a claim can follow at once.
//
// At boot the executors of a former process are ended; outside sessions live on with their leases.
#pragma once

#include "actors/storage/role.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct session_registry_deps {
  storage_client store;
  messages::reader_actor reader;
  messages::session_listener dispatcher;
  const platform::clock* clock = nullptr;
  voice says;
};

class session_registry : public messages::session_registry_actor::base {
 public:
  session_registry(caf::actor_config& cfg, session_registry_deps deps);
  const char* name() const override { return "session-registry"; }
  behavior_type make_behavior() override;
  void on_exit() override { deps_ = {}; }

 private:
  caf::result<core::result<messages::session_answer>> enter(const messages::register_session& asked);
  caf::result<core::result<messages::session_answer>> end(const messages::end_session& asked);
  caf::result<core::result<messages::sessions_loaded>> load();

  session_registry_deps deps_;
};

}  // namespace belfry::actors
