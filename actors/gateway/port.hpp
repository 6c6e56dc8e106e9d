// GATEWAY PORT: the bridge from the doors' threads to the actors. A call becomes one closure in the gateway's
// mailbox; the answer comes back on an actor thread. Every question is answered exactly once, whoever dies:
// it is owned by an object that answers when it is destroyed. What is too much is refused on the calling
// thread.
#pragma once

#include <cstdint>
#include <memory>

#include "actors/event_hub/role.hpp"
#include "actors/gateway/question.hpp"
#include "actors/gateway/role.hpp"
#include "messages/node_port.hpp"

namespace belfry::actors {

class gateway_port : public messages::node_port {
 public:
  gateway_port(gateway_actor gateway, std::shared_ptr<port_state> state);

  void call(messages::submit_runs m, messages::reply<messages::submitted> done) override;
  void call(messages::claim_runs m, messages::reply<messages::claimed_runs> done) override;
  void call(messages::touch_leases m, messages::reply<messages::touched> done) override;
  void call(messages::reissue_leases m, messages::reply<messages::claimed_runs> done) override;
  void call(messages::ask_capable m, messages::reply<messages::capable> done) override;
  void call(messages::settle_runs m, messages::reply<messages::settled> done) override;
  void call(messages::control_runs m, messages::reply<messages::controlled> done) override;
  void call(messages::redrive_runs m, messages::reply<messages::redriven> done) override;
  void call(messages::recover_runs m, messages::reply<messages::redriven> done) override;
  void call(messages::prune_runs m, messages::reply<messages::runs_pruned> done) override;
  void call(messages::explain_run m, messages::reply<messages::explanation> done) override;
  void call(messages::ask_queue m, messages::reply<messages::queue_state> done) override;
  void call(messages::change_limits m, messages::reply<messages::queue_state> done) override;
  void call(messages::rebuild_index m, messages::reply<messages::index_rebuilt> done) override;
  void call(messages::put_job m, messages::reply<messages::job_stored> done) override;
  void call(messages::archive_job m, messages::reply<messages::job_stored> done) override;
  void call(messages::set_pause m, messages::reply<messages::pauses_seen> done) override;
  void call(messages::lift_pause m, messages::reply<messages::pauses_seen> done) override;
  void call(messages::look_at_pauses m, messages::reply<messages::pauses_seen> done) override;
  void call(messages::pause_job m, messages::reply<messages::job_stored> done) override;
  void call(messages::resume_job m, messages::reply<messages::job_stored> done) override;
  void call(messages::trigger_job m, messages::reply<messages::submitted> done) override;
  void call(messages::emit_event m, messages::reply<messages::event_emitted> done) override;
  void call(messages::plan_jobs m, messages::reply<messages::jobs_planned> done) override;
  void call(messages::put_calendar m, messages::reply<messages::calendar_stored> done) override;
  void call(messages::remove_calendar m, messages::reply<messages::calendar_stored> done) override;
  void call(messages::put_window m, messages::reply<messages::window_stored> done) override;
  void call(messages::remove_window m, messages::reply<messages::window_stored> done) override;
  void call(messages::register_session m, messages::reply<messages::session_answer> done) override;
  void call(messages::end_session m, messages::reply<messages::session_answer> done) override;
  void call(messages::heartbeat_session m, messages::reply<messages::sessions_seen> done) override;
  void call(messages::steer_session m, messages::reply<messages::sessions_seen> done) override;
  void call(messages::look_at_sessions m, messages::reply<messages::sessions_seen> done) override;
  void call(messages::explain_session m, messages::reply<messages::session_explanation> done) override;
  void call(messages::await_wakes m, messages::reply<messages::waiting_wakes> done) override;
  void call(messages::acknowledge_wakes m, messages::reply<messages::wakes_heard> done) override;
  void call(messages::wake_by_hand m, messages::reply<messages::wake_sent> done) override;
  void call(messages::look_at_wakes m, messages::reply<messages::wakes_seen> done) override;
  void call(messages::adopt_result m, messages::reply<messages::adopted> done) override;
  void call(messages::spawn_by_hand m, messages::reply<messages::worker_spawned> done) override;
  void call(messages::ask_agent_types m, messages::reply<messages::agent_types_told> done) override;
  void call(messages::ask_node m, messages::reply<messages::node_status> done) override;
  void call(messages::run_cycle m, messages::reply<core::cycle_result> done) override;
  void call(messages::look_at_cycles m, messages::reply<messages::cycles_seen> done) override;
  void call(messages::look_at_ladder m, messages::reply<messages::ladder_seen> done) override;
  void call(messages::look_at_backlog m, messages::reply<messages::backlog_seen> done) override;
  void call(messages::look_at_nodes m, messages::reply<messages::nodes_seen> done) override;
  void call(messages::steer_node m, messages::reply<messages::nodes_seen> done) override;
  void call(messages::remove_node m, messages::reply<messages::nodes_seen> done) override;
  void call(messages::query q, messages::reply<messages::query_answer> done) override;

  core::pressure pressure() const override;

  std::unique_ptr<messages::watch> watch_events(std::function<void(messages::watched)> told) override;
  std::unique_ptr<messages::watch> watch_run(core::run_id id,
                                             std::function<void(messages::watched)> told) override;

 private:
  enum class kind : std::uint8_t { new_work, running_work, question, status };

  template <class T>
  std::shared_ptr<open_question<T>> admit(kind k, std::atomic<std::uint32_t>& counter, std::uint32_t most,
                                          messages::reply<T> answer);
  template <class M, class T, class Send>
  void forward_by(kind k, M m, messages::reply<T> done, Send send);
  template <class M, class T, class Door>
  void forward(kind k, M m, messages::reply<T> done, Door door, const char* whom);

  gateway_actor gateway_;
  std::shared_ptr<port_state> state_;
};

}  // namespace belfry::actors
