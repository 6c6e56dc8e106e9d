// SESSION REGISTRY: who is here and what they can do, durably, and whether they live. The dispatcher and the
// lease desk hear of a session before the one who asked is answered, so that a claim can follow at once.
//
// Every word of a session is a sign of its life; the dispatcher and the lease desk pass them on. Who is
// silent for too long goes stale, and is back with the next word; who stays silent and holds nothing is gone.
// Leases are none of its business: they run out by themselves. After a boot, and after the clock has jumped,
// everybody is given the whole time again.
//
// At boot the executors of a former process are ended; outside sessions live on with their leases.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/clock_jump.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/queue/deadlines.hpp"
#include "core/session/liveness.hpp"

namespace belfry::actors {

struct session_registry_deps {
  storage_client store;
  messages::reader_actor reader;
  messages::session_listener dispatcher;
  messages::lease_desk_actor lease_desk;
  const platform::clock* clock = nullptr;
  voice says;
  core::liveness_options liveness;
  core::span clock_jump = std::chrono::minutes{2};
  messages::session_listener wake_desk = {};
  bool wake_commands = false;  // whoever registers may name a command of its own
};

class session_registry : public messages::session_registry_actor::base {
 public:
  session_registry(caf::actor_config& cfg, session_registry_deps deps);
  const char* name() const override { return "session-registry"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  // An outside session that has not gone.
  struct entry {
    core::session who;
    core::instant seen = core::never;
    bool asked = false;                        // a word about it is on its way to the store
    messages::session_follower follower = {};  // the spawner, of a worker that it has started
    bool told = false;                         // that it lives
  };
  using views = core::result<messages::sessions_seen>;
  using views_answer = std::shared_ptr<promise_guard<views>>;

  caf::result<core::result<messages::session_answer>> enter(const messages::register_session& asked);
  caf::result<core::result<messages::session_answer>> end(const messages::end_session& asked);
  caf::result<core::result<messages::sessions_loaded>> load();

  // life.cpp
  caf::result<views> heartbeat(const messages::heartbeat_session& asked);
  caf::result<views> steer(const messages::steer_session& asked);
  caf::result<views> look_at(const messages::look_at_sessions& asked);
  void spoke(const messages::session_spoke& news);
  void look();
  void remember(const core::session& who, core::instant seen);
  void forget(core::session_id id);
  void tell(const core::session& who);
  void tell_gone(const messages::session_gone& news);
  void note_silence(core::instant now);
  void follow(const messages::follow_session& asked);
  void tell_life(entry& e);
  void keep_declared_wake(core::session& who) const;
  std::optional<core::failure> misfit(const core::session& who);
  void change(storage::change_session what, const std::string& actor,
              std::function<void(core::result<core::session>)> then);
  void answer_with(std::vector<core::session> all, const views_answer& answer);
  messages::session_view view_of(core::session who) const;
  void arm(core::instant now);

  session_registry_deps deps_;
  std::unordered_map<core::session_id, entry> here_;
  core::deadlines looks_;
  clock_jump jump_;
  alarm alarm_;
};

}  // namespace belfry::actors
