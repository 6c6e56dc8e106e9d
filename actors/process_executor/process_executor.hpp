// PROCESS EXECUTOR: a session with one slot that claims like any other and performs what it gets as a child
// process.
//
// register → claim (waiting) → start → output … → end → settle, and the next claim is sent right behind the
// settle: the dispatcher gives nothing before the slot is free, so both are on their way at once and the slot
// is never counted here. A settle that the store cannot write is tried again; one that is refused is dropped,
// the store has kept the evidence. It catches nothing: an executor that throws dies, its child with it, and
// its supervisor deals with the rest.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include "actors/node/node.hpp"
#include "actors/process_executor/attempt.hpp"
#include "actors/process_executor/role.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/clock_jump.hpp"
#include "actors/support/note.hpp"

namespace belfry::actors {

struct process_executor_deps {
  std::uint32_t index = 0;
  std::string name;  // "process-1"
  messages::claim_actor dispatcher;
  messages::session_client registry;
  messages::clock_watch_actor sweeper;
  messages::executor_listener supervisor;
  storage_client store;
  platform::processes* processes = nullptr;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  voice says;
  executor_options options;
  std::string mark;
  core::span clock_jump = std::chrono::minutes{2};
};

class process_executor : public process_executor_actor::base {
 public:
  process_executor(caf::actor_config& cfg, process_executor_deps deps);
  const char* name() const override { return "process-executor"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using written = std::function<void(commit_results&)>;

  void enter();
  void claim();
  void claimed(core::result<messages::claimed_runs>& answer);
  void start(const messages::claimed_run& run);
  void start_child(attempt& a);
  void stop(const messages::stop_attempt& asked);
  void send_output(attempt& a);
  void ended(const process_ended& news);
  void settle(attempt& a);
  void settled(core::run_id run, std::uint64_t fencing, const core::result<storage::receipt>& answer);
  void beat(attempt& a, core::instant now);
  void look();
  void arm();
  void again_in(core::span pause);
  void say_if_idle();
  attempt* find(core::run_id run, std::uint64_t fencing);
  void write(std::vector<storage::change_set> sets, written then);
  storage::change_set log(const std::vector<core::log_line>& lines) const;
  storage::change_set step(const attempt& a, core::run_command command) const;

  process_executor_deps deps_;
  core::session_id session_;
  std::list<attempt> attempts_;  // the one whose process lives, and those that are being settled
  bool claiming_ = false;
  std::deque<std::pair<core::run_id, std::uint64_t>> taken_away_;  // by force, and fencing number
  core::instant claim_at_ = core::never;                           // after trouble: when to try again
  bool finishing_ = false;
  bool handed_back_ = false;
  clock_jump jump_;
  alarm alarm_;  // never later than a heartbeat is due: a clock that is set must not cost the lease
};

}  // namespace belfry::actors
