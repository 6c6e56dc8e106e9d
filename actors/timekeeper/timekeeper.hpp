// TIMEKEEPER: delays that end and deadlines that pass. One heap of instants, one delayed message, nothing in
// between.
//
// A delayed run that is due is woken; an attempt whose deadline has passed is stopped where it runs, and
// ended over its holder's head when that does not help in time, or at once when the holder is outside. Each
// run is a change set of its own. What the store could not write is tried again a second later.
#pragma once

#include <unordered_map>

#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"
#include "core/queue/deadlines.hpp"

namespace belfry::actors {

struct timekeeper_deps {
  storage_client store;
  messages::attempt_stopper executors;  // may be nobody
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  voice says;
  core::span overdue_after = std::chrono::seconds{30};
};

class timekeeper : public messages::timekeeper_actor::base {
 public:
  timekeeper(caf::actor_config& cfg, timekeeper_deps deps);
  const char* name() const override { return "timekeeper"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct attempt {
    std::uint64_t fencing = 0;
    core::session_id holder;
    bool stoppable = false;
    core::span grace{0};
    bool stop_asked = false;
    bool far = false;
  };

  void watch(const messages::watch_times& news);
  void look();
  std::optional<core::run_command> what_is_due(core::run_id run, core::instant now);
  void again_later(core::run_id run, std::uint64_t fencing);

  timekeeper_deps deps_;
  core::deadlines due_;  // of delayed runs and of attempts: a run is one or the other
  std::unordered_map<core::run_id, attempt> attempts_;
  alarm alarm_;
  bool started_ = false;
};

}  // namespace belfry::actors
