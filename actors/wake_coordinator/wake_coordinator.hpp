// WAKE COORDINATOR: runs the cycles, and wakes those who sleep.
//
// A cycle runs when something changed, no two closer than the spacing, and at least once per interval: sweep
// → snapshot → pause check → ladder → select → wake → result. The queue and the sessions belong to the
// dispatcher, the rows to the ladder, the sinks to the wake desk; here is only who was woken when, which is
// derived: losing it costs a repeated wake, never a run. One cycle at a time; who asks for one meanwhile gets
// the next. Rejected: a copy of the queue in here, which is a second truth.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/wake/cycle.hpp"

namespace belfry::actors {

struct wake_coordinator_deps {
  storage_client store;
  messages::reader_actor reader;
  messages::sweep_door sweeper;
  messages::waiting_door dispatcher;
  messages::ladder_climber ladder;
  messages::wake_deliverer desk;  // may be nobody: every wake fails
  const platform::clock* clock = nullptr;
  voice says;
  core::wake_options options;
  core::span minimum_age{0};  // of the ladder; 0: it is off
};

class wake_coordinator : public messages::wake_coordinator_actor::base {
 public:
  wake_coordinator(caf::actor_config& cfg, wake_coordinator_deps deps);
  const char* name() const override { return "wake-coordinator"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using cycle_answer = std::shared_ptr<promise_guard<core::result<core::cycle_result>>>;
  struct wake_under_way {
    core::run_id run;
    core::session_id who;
  };

  void start();
  void begin();
  void snapshot();
  void select(messages::waiting_seen seen, const messages::climbed& ladder);
  void hand_over(const std::shared_ptr<std::vector<core::chosen_wake>>& some, std::vector<std::string> names);
  void deliver(std::vector<core::chosen_wake> wakes);
  void note_delivery(const std::vector<core::chosen_wake>& wakes, messages::wakes_delivered& how);
  void changed(const messages::wake_changed& news);
  void finish(const std::string& error = {});
  void plan();
  caf::result<core::result<messages::cycles_seen>> look(const messages::look_at_cycles& asked);
  void keep(bool now_at_once);

  wake_coordinator_deps deps_;
  core::wake_memory memory_;
  core::cycle_statistics sums_;
  core::cycle_result result_;
  std::unordered_map<core::wake_id, wake_under_way> under_way_;
  std::vector<core::hold_change> known_;  // to the board once, after the boot
  std::vector<cycle_answer> asked_, answering_;
  alarm alarm_;
  core::instant counted_at_ = core::never, ended_at_ = core::never, kept_at_ = core::never;  // steady
  core::instant began_ = core::never;                                                        // steady
  std::size_t batches_ = 0;  // of wakes, not answered yet
  bool started_ = false, running_ = false, change_ = false, more_ = false, closed_ = false, dirty_ = false;
  bool counting_ = false;  // an interval has passed: counts rise
  bool judging_ = false;   // ... or that of the cycle before goes on
};

}  // namespace belfry::actors
