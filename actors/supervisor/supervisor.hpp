// SUPERVISOR: spawns everybody in order, watches over them, and ends them in the opposite order.
//
// recover → rebuild → serve: sessions that died with the last process are ended, the dispatcher reads the
// open runs and loses what the dead held, the sweeper takes back what ran out, the timers start, then the
// executors, then the doors open. Executors (by their own supervisor), readers, retention, the dead letter
// watch and whoever asks the claim hook hold nothing and are started again. Everybody else holds memory that
// only a boot makes right, and the store has the truth: their death ends the node loudly, and the restart of
// the process recovers. Rejected: restarting them in place, which is a second, rarely walked boot.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/cluster/admission.hpp"
#include "actors/cluster/role.hpp"
#include "actors/executor_supervisor/role.hpp"
#include "actors/gateway/gateway.hpp"
#include "actors/node/node.hpp"
#include "actors/spawner/role.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"
#include "core/supervision/intensity.hpp"

namespace belfry::actors {

struct supervisor_deps {
  node_options options;  // with the number of executors settled
  std::unique_ptr<storage::store> store;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  platform::processes* processes = nullptr;
  platform::webhooks* webhooks = nullptr;
  std::function<std::string(const messages::wake_view&, core::wake_via)> wake_text;
  platform::webhooks* hook_calls = nullptr;
  std::function<std::string(const core::hook_question&)> hook_text;
  std::function<core::result<core::hook_verdict>(std::string_view)> hook_verdict;
  actors::links* links = nullptr;
  std::shared_ptr<admission> admits = {};
  voice says;
  gateway_actor gateway;
  std::shared_ptr<port_state> port;
  std::function<void(core::result<void>)> ready;    // once: it serves, or why not
  std::function<void(core::result<void>)> stopped;  // once
  std::function<void(const std::string&)> fatal;
  std::function<messages::wakes_delivered(const messages::deliver_wakes&)> deliver_wakes = {};
  std::function<core::result<messages::worker_spawned>(const messages::spawn_worker&)> spawn_worker = {};
};

class supervisor : public messages::supervisor_actor::base {
 public:
  supervisor(caf::actor_config& cfg, std::shared_ptr<supervisor_deps> deps);
  const char* name() const override { return "supervisor"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  enum class duty : std::uint8_t { vital, reader, retention, dead_letter_watch, claim_hook };
  struct child {
    std::string name;
    caf::strong_actor_ptr who;
    duty what = duty::vital;
    int wave = 0;  // of the stop: lower ends first
    core::restart_record deaths;
    std::uint32_t restarts = 0;
    std::string note;
    bool ended = false;
    core::instant restart_at = core::never;
  };

  // boot.cpp
  void boot();
  void open_readers(std::size_t left);
  void spawn_queue();
  void spawn_waking();
  void spawn_cluster_desk();
  messages::wake_deliverer deliverer();
  messages::worker_spawner worker_starter();
  void recover();
  void serve(const messages::queue_rebuilt& rebuilt);
  void boot_failed(const core::failure& why);
  messages::dead_letter_watch_actor spawn_dead_letter_watch();
  messages::claim_hook_actor spawn_claim_hook();
  messages::reader_actor spawn_reader(std::size_t index, connection with);
  template <class Handle>
  Handle adopt(std::string name, Handle who, int wave, duty what = duty::vital);

  // supervisor.cpp
  void down(const caf::down_msg& news);
  void restart_due();
  void restart(std::size_t index);
  void fail(const std::string& why);
  void write_event(core::event_kind kind, const std::string& text);
  messages::node_status status() const;

  // stop.cpp
  void stop(core::span deadline);
  void drain(core::span deadline);
  void drained();
  void end_wave();
  void stopped(core::result<void> how);

  std::shared_ptr<supervisor_deps> deps_;
  std::vector<child> children_;
  std::vector<messages::child_status> executors_;
  storage_actor storage_;
  executor_supervisor_actor executors_head_;
  messages::dispatcher_actor dispatcher_;
  messages::lease_sweeper_actor sweeper_;
  messages::timekeeper_actor timekeeper_;
  messages::planner_actor planner_;
  messages::session_registry_actor registry_;
  spawner_actor spawner_;
  messages::escalation_ladder_actor ladder_;
  messages::wake_coordinator_actor coordinator_;
  messages::wake_desk_actor wake_desk_;
  messages::claim_hook_actor claim_hook_;  // where one is configured
  cluster_desk_actor cluster_desk_;
  std::vector<std::string> cluster_issues_;
  doors doors_;
  core::instant started_at_ = core::never;
  core::failure store_trouble_;
  bool store_serving_ = true;
  std::string failed_;  // why the node cannot go on
  bool stopping_ = false;
  int wave_ = 0;
  int drains_ = 0;  // that the first wave waits for
  bool wave_over_due_ = false;
  alarm alarm_;
};

}  // namespace belfry::actors
