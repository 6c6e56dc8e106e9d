// LEASE SWEEPER: takes back what its holder has not renewed. One heap of instants; oldest first, at most a
// hundred per pass, each run a change set of its own, so that one bad row stops no other.
//
// A machine that slept, or whose clock was set, judges nobody at once: every lease that was good before the
// jump is renewed by the node for one grace period, as of the moment before the jump, so that its holder
// finds it alive and can speak. A step of the clock that is too small for that still takes nothing from a
// lease: whoever holds it far away counts on a clock of its own. What happened to the clock while the node
// was away nobody can say: leases of members that it finds when it begins last a whole lease longer, one
// grace period at most.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/clock_jump.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/queue/deadlines.hpp"

namespace belfry::actors {

struct lease_sweeper_deps {
  storage_client store;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  voice says;
  core::span clock_jump = std::chrono::minutes{2};
  core::span clock_grace = std::chrono::minutes{5};
};

class lease_sweeper : public messages::lease_sweeper_actor::base {
 public:
  lease_sweeper(caf::actor_config& cfg, lease_sweeper_deps deps);
  const char* name() const override { return "lease-sweeper"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct held {
    std::uint64_t fencing = 0;
    core::token_hash hash{};
    core::instant expires_at = core::never;
    core::span length{0};                     // of the lease when it was last heard of
    core::instant lasts_until = core::never;  // clock::through_sleep: not before that
  };
  using start_answer = std::shared_ptr<promise_guard<core::result<messages::swept>>>;

  void watch(const messages::watch_leases& news);
  held lease_of(const messages::run_lease& l, const held* before, core::instant now) const;
  void note_step();
  void look();
  bool look_for_jump();
  void bridge(const clock_jump::jump& seen, core::instant now);
  void sweep(core::instant now);
  void after_pass();
  void again_later(core::run_id run, std::uint64_t fencing);

  lease_sweeper_deps deps_;
  core::deadlines expiries_;
  std::unordered_map<core::run_id, held> leases_;
  clock_jump jump_;
  // How far the wall clock was set forward within the last seconds: a lease that was granted before that and
  // is heard of after it seems shorter by as much.
  core::instant wall_, slept_;
  core::span forward_{0};
  core::instant forward_until_{};
  alarm alarm_{std::chrono::seconds{10}};
  bool started_ = false;
  bool passing_ = false;  // a pass is on its way to the store
  std::uint64_t expired_ = 0;
  start_answer starting_;
  std::vector<std::shared_ptr<promise_guard<messages::leases_recovered>>> asked_;
  core::counted_runs taken_back_;  // since somebody asked
};

}  // namespace belfry::actors
