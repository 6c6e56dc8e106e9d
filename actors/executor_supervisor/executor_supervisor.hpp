// EXECUTOR SUPERVISOR: keeps the executors alive. One that crashes loses its run at once (its child is
// killed, its lease is ended as lost, so that the run is tried again) and is started anew, more and more
// slowly; one that will not stay up is given up loudly. Nobody else notices.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/executor_supervisor/role.hpp"
#include "actors/node/node.hpp"
#include "actors/process_executor/role.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/supervision/intensity.hpp"

namespace belfry::actors {

struct executor_supervisor_deps {
  storage_client store;
  messages::child_listener supervisor;
  platform::processes* processes = nullptr;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  voice says;
  executor_options options;  // with the number of processes settled
  std::string mark;
  core::span clock_jump = std::chrono::minutes{2};
  core::span patience = std::chrono::seconds{5};
};

class executor_supervisor : public executor_supervisor_actor::base {
 public:
  executor_supervisor(caf::actor_config& cfg, executor_supervisor_deps deps);
  const char* name() const override { return "executor-supervisor"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  enum class health : std::uint8_t { up, restarting, given_up };
  struct slot {
    std::string name;
    executor_actor who;
    core::session_id session;
    core::restart_record deaths;
    std::uint32_t restarts = 0;
    health state = health::up;
    bool idle = false;                    // while draining
    std::uint32_t dying = 0;              // children of the crashed one that are not gone yet
    std::optional<std::string> why_down;  // set while those are waited for
  };

  void spawn_in(std::uint32_t index);
  void died(std::uint32_t index, const std::string& why);
  void replace(std::uint32_t index, const std::string& why);
  void end_session(core::session_id id, const std::string& why);
  void report(const slot& s, const std::string& note);
  void write_event(core::event_kind kind, const std::string& text);
  void drain_done_if_so();

  executor_supervisor_deps deps_;
  start_executors needs_;
  std::vector<slot> slots_;
  bool draining_ = false;
  bool drain_over_ = false;
  messages::executors_drained drained_;
  std::shared_ptr<promise_guard<messages::executors_drained>> drain_answer_;
};

}  // namespace belfry::actors
