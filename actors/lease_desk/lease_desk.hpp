// LEASE DESK: what workers say of the runs they hold: start, heartbeat, progress, checkpoint, log, and how it
// ended. Each in its own right.
//
// It remembers when each lease spoke last, which answers whether its holder is still at work; after a restart
// everybody has the whole time again. It passes signs of life on to the session registry.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "actors/storage/role.hpp"
#include "actors/support/clock_jump.hpp"
#include "actors/support/life.hpp"
#include "actors/support/note.hpp"
#include "core/session/liveness.hpp"

namespace belfry::actors {

struct lease_desk_deps {
  storage_client store;
  messages::clock_watch_actor sweeper;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  core::span clock_jump = std::chrono::minutes{2};
  core::liveness_options liveness = {};
};

class lease_desk : public messages::lease_desk_actor::base {
 public:
  lease_desk(caf::actor_config& cfg, lease_desk_deps deps);
  const char* name() const override { return "lease-desk"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  // The signals of a lease, since this node runs.
  struct signs {
    std::uint64_t fencing = 0;
    core::instant renewed_at = core::never;
    core::instant expires_at = core::never;
    core::instant progress_at = core::never;
    core::instant said_at = core::never;
  };

  caf::result<core::result<messages::touched>> touch(messages::touch_leases& asked);
  caf::result<core::result<messages::claimed_runs>> reissue(const messages::reissue_leases& asked);
  core::result<messages::claimed_runs> reissued_from(commit_results& r, std::vector<std::string> tokens);
  caf::result<core::result<messages::settled>> settle(messages::settle_runs& asked);
  template <class Answer, class Make>
  caf::result<core::result<Answer>> write(std::vector<storage::change_set> sets, Make make);

  core::result<messages::touched> touched_from(commit_results& r, const std::vector<std::size_t>& kinds);
  core::result<messages::settled> settled_from(commit_results& r);
  messages::lease_status heard(const core::run_head& head, std::size_t kind, core::instant now);
  core::lease_signs signs_of(const core::run_head& head) const;
  void drop_old(core::instant now);

  lease_desk_deps deps_;
  clock_jump jump_;
  core::instant since_;  // what was before is not known
  std::unordered_map<core::run_id, signs> signs_;
  std::size_t drop_at_;  // so many leases: some may have run out
  std::unordered_set<core::session_id> draining_;
  life_signs life_;
};

}  // namespace belfry::actors
