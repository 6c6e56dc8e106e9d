// FAKE PORT: the node as the doors see it, in memory. It decides with core, so that states and refusals are
// the true ones; what a store, queues and actors add is left out. Answers come from a thread of their own, as
// those of a node do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/session/wake_box.hpp"
#include "messages/node_port.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::test {

class fake_port final : public messages::node_port {
 public:
  explicit fake_port(const platform::clock& time);
  ~fake_port() override;

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
  void call(messages::look_at_nodes m, messages::reply<messages::nodes_seen> done) override;
  void call(messages::steer_node m, messages::reply<messages::nodes_seen> done) override;
  void call(messages::remove_node m, messages::reply<messages::nodes_seen> done) override;
  void call(messages::look_at_ladder m, messages::reply<messages::ladder_seen> done) override;
  void call(messages::look_at_backlog m, messages::reply<messages::backlog_seen> done) override;
  void call(messages::query q, messages::reply<messages::query_answer> done) override;
  std::unique_ptr<messages::watch> watch_events(std::function<void(messages::watched)> told) override;
  std::unique_ptr<messages::watch> watch_run(core::run_id id,
                                             std::function<void(messages::watched)> told) override;

  core::pressure pressure() const override { return pressed; }

  // ---- what a test may do to it; from any thread
  void refuse_next(core::errc code, int times = 1,
                   std::int64_t retry_ms = 0);  // the next questions, whatever they are
  void drop_next(int times = 1);                // their replies are destroyed unasked
  void hold();                                  // answers nothing until release()
  void release();
  std::size_t questions() const { return questions_; }
  std::size_t waiting_claims() const;
  void note_events(std::size_t n, const std::string& text = "noted");  // n facts without a run
  void prune_events(std::int64_t oldest);
  void write_log(core::run_id id, std::uint32_t attempt, const std::vector<std::string>& lines);
  core::run run(core::run_id id) const;
  std::vector<core::event> events() const;
  std::vector<core::agent_type> agent_types;  // before the first request only
  messages::node_status status;               // before the first request only
  core::pressure pressed;                     // before the first request only
  messages::nodes_seen cluster;               // before the first request only
  // The ladder's last rung, as its actor would do it: queued, and then it needs attention.
  void needs_attention(core::run_id id);
  std::string last_actor() const;

 private:
  struct watcher {
    std::function<void(messages::watched)> told;
    core::run_id run;
  };
  class watching;
  struct waiting_poll {
    messages::await_wakes wish;
    messages::reply<messages::waiting_wakes> done;
    core::instant until;
  };
  struct waiting_claim {
    messages::claim_runs wish;
    messages::reply<messages::claimed_runs> done;
    core::instant until;
  };

  // Runs `work` on the node's thread with the lock held; its answer goes out without it.
  template <class T, class F>
  void ask(messages::reply<T> done, F work);
  void post(std::function<void()> job);
  void loop();
  void answer_waiting();

  core::run_id new_run(const core::submission& s, core::batch_id batch);
  core::result<core::run_head> step(core::run_id id, const core::run_command& c, const std::string& actor,
                                    bool* replayed = nullptr);
  core::result<messages::submitted> submit(const messages::submit_runs& m);
  core::result<messages::job_stored> put(const messages::put_job& m);
  core::result<messages::job_stored> import(const messages::put_job& m);
  core::result<messages::submitted> trigger(const messages::trigger_job& m);
  messages::claimed_runs claim(const messages::claim_runs& m);
  messages::waiting_wakes waiting_wakes_for(const messages::await_wakes& m) const;
  core::result<messages::sessions_seen> seen(core::session_id id, bool gone_too) const;
  messages::pauses_seen seen_of(const std::optional<core::pause_target>& on) const;
  core::result<core::run_head> control(core::run_id id, const messages::control_runs& m);
  core::result<core::run> redrive(core::run_id id, const messages::redrive_runs& m);
  void note(core::event e);
  void tell(core::run_id run);

  core::result<core::run> find_run(const std::string& text) const;
  core::result<core::job> find_job(const std::string& text) const;
  bool fits(const core::run& r, const core::run_filter& f) const;
  core::result<messages::query_answer> read(const messages::query& q) const;
  core::run_page list(const messages::list_runs& q) const;
  core::log_page logs(const messages::get_logs& q) const;
  core::event_page events_page(const messages::get_events& q) const;
  core::store_facts facts() const;

  const platform::clock& time_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_queue_;
  bool held_ = false;
  bool ending_ = false;
  int refusals_ = 0;
  int drops_ = 0;
  core::errc refusal_ = core::errc::overloaded;
  std::int64_t retry_ms_ = 0;
  std::atomic<std::size_t> questions_{0};

  core::id_source ids_{1};
  std::map<core::run_id, core::run> runs_;
  std::map<core::run_id, std::vector<core::attempt_record>> attempts_;
  std::map<core::run_id, std::vector<core::evidence>> late_;
  std::map<core::run_id, core::attempt_record> said_;
  std::map<core::run_id, core::checkpoint> checkpoints_;
  std::map<core::run_id, std::vector<core::log_line>> logs_;
  std::map<core::job_id, core::job> jobs_;
  std::map<core::pause_target, std::vector<core::pause_entry>> pauses_;
  std::map<core::session_id, core::session> sessions_;
  std::vector<core::spawned_worker> workers_;
  std::map<std::string, std::pair<messages::once_key, messages::submitted>> once_;
  std::map<std::string, core::named_calendar> calendars_;
  std::map<std::string, core::window> windows_;
  std::map<std::string, std::pair<messages::once_key, messages::job_stored>> once_jobs_;
  std::vector<core::event> journal_;
  std::int64_t oldest_event_ = 1;
  core::limit_options limits_;
  std::deque<waiting_claim> claims_;
  std::deque<waiting_poll> polls_;
  core::wake_box wakes_{core::wake_bounds{}};
  core::wake_log wake_log_;
  std::map<int, watcher> watchers_;
  int next_watcher_ = 0;
  std::string last_actor_;
  std::thread thread_;
};

template <class T, class F>
void fake_port::ask(messages::reply<T> done, F work) {
  ++questions_;
  post([this, done = std::move(done), work = std::move(work)]() mutable {
    std::unique_lock lock{mutex_};
    if (drops_ > 0) {
      --drops_;
      return;
    }
    if (refusals_ > 0) {
      --refusals_;
      core::failure f{refusal_, "as the test wishes", {}, {}};
      f.retry_ms = retry_ms_;
      lock.unlock();
      return done(f);
    }
    auto answer = work();
    lock.unlock();
    done(std::move(answer));
  });
}

}  // namespace belfry::test
