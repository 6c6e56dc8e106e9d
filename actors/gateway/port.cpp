#include "actors/support/message_types.hpp"
// after the message types
#include "actors/gateway/port.hpp"

#include <caf/send.hpp>

#include "actors/gateway/gateway.hpp"
#include "actors/gateway/intake.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

failure refused_by(gate g) {
  switch (g) {
    case gate::starting:
      return {errc::unavailable, "starting: the node is reading its store", {}, "belfry status"};
    case gate::stopping:
      return {errc::unavailable, "stopping: the node takes no new work", {}, "belfry status"};
    case gate::failed:
      return {errc::unavailable,
              "failed: the node lost a part that it cannot do without, and ends",
              {},
              "belfry status"};
    case gate::closed:
    case gate::serving: break;
  }
  return {errc::unavailable, "the node is not running", {}, "belfry status"};
}

gateway_port::gateway_port(gateway_actor gateway, std::shared_ptr<port_state> state)
    : gateway_{std::move(gateway)}, state_{std::move(state)} {}

// The question, or nothing: it was answered with a refusal.
template <class T>
std::shared_ptr<open_question<T>> gateway_port::admit(kind k, std::atomic<std::uint32_t>& counter,
                                                      std::uint32_t most, reply<T> answer) {
  const auto now = state_->passes.load();
  const bool passes = now == gate::serving || (now == gate::stopping && k != kind::new_work) ||
                      (k == kind::status && (now == gate::starting || now == gate::failed));
  if (!passes) {
    answer(refused_by(now));
    return nullptr;
  }
  if (counter.fetch_add(1) >= most) {
    counter.fetch_sub(1);
    std::string text = "too many questions are open";
    if (&counter == &state_->waiting_claims) text = "too many claims are waiting";
    if (&counter == &state_->waiting_polls) text = "too many sessions are waiting for wakes";
    answer(failure{errc::overloaded, std::move(text), {}, {}});
    return nullptr;
  }
  return std::make_shared<open_question<T>>(std::move(answer), state_, counter);
}

std::optional<failure> gateway::refuses(core::session_id who,
                                        const std::optional<core::token_hash>& shown) const {
  const auto it = tokens_.find(who);
  if (it == tokens_.end()) {
    // The door lets a session's token stand for an access token: a made-up one must not pass here.
    if (!shown) return std::nullopt;
    return failure{errc::forbidden,
                   "no token belongs to " + (who.value == 0 ? "a new session" : to_string(who)),
                   {},
                   "leave out the header Belfry-Session-Token, or use the session of BELFRY_SESSION"};
  }
  if (!shown)
    return failure{errc::unauthorised,
                   to_string(who) +
                       " belongs to a worker that this node has started; whoever speaks for it shows its "
                       "BELFRY_TOKEN in the header Belfry-Session-Token",
                   {},
                   {}};
  // As long for a nearly right one as for a wrong one.
  std::uint8_t differing = 0;
  for (std::size_t i = 0; i < shown->size(); ++i)
    differing = static_cast<std::uint8_t>(differing | ((*shown)[i] ^ it->second[i]));
  if (differing == 0) return std::nullopt;
  return failure{errc::forbidden, "that is not the token of " + to_string(who), {}, {}};
}

namespace {

// Who speaks with a message that a session's token may have to come with.
core::session_id speaker_of(const claim_runs& m) { return m.who; }
core::session_id speaker_of(const heartbeat_session& m) { return m.id; }
core::session_id speaker_of(const register_session& m) { return m.who.id; }
core::session_id speaker_of(const reissue_leases& m) { return m.who; }
core::session_id speaker_of(const await_wakes& m) { return m.who; }
core::session_id speaker_of(const acknowledge_wakes& m) { return m.who; }

template <class M>
concept spoken_by_session = requires(const M& m) {
  speaker_of(m);
  m.shown;
};

}  // namespace

template <class M, class T, class Send>
void gateway_port::forward_by(kind k, M m, reply<T> answer, Send send) {
  auto* counter = &state_->open_calls;
  auto most = state_->max_open_calls;
  if constexpr (std::is_same_v<M, claim_runs> || std::is_same_v<M, await_wakes>)
    if (m.wait > core::span{0}) {
      constexpr bool claims = std::is_same_v<M, claim_runs>;
      counter = claims ? &state_->waiting_claims : &state_->waiting_polls;
      most = claims ? state_->max_waiting_claims : state_->max_waiting_polls;
    }
  auto question = admit(k, *counter, most, std::move(answer));
  if (!question) return;
  caf::anon_send(gateway_,
                 gateway_call{[question = std::move(question), m = std::move(m), send](gateway& g) mutable {
                   if constexpr (spoken_by_session<M>)
                     if (auto no = g.refuses(speaker_of(m), m.shown)) return question->answer(std::move(*no));
                   question->asked = true;
                   send(g, std::move(m), question);
                 }});
}

template <class M, class T, class Door>
void gateway_port::forward(kind k, M m, reply<T> answer, Door door, const char* whom) {
  forward_by(k, std::move(m), std::move(answer),
             [door, whom](gateway& g, M asked, const std::shared_ptr<open_question<T>>& question) {
               g.ask(door(g), std::move(asked), question, whom);
             });
}

void gateway_port::call(submit_runs m, reply<submitted> done) {
  auto question = admit(kind::new_work, state_->open_calls, state_->max_open_calls, std::move(done));
  if (!question) return;
  if (auto no = state_->submissions->refuses(m)) return question->answer(std::move(*no));
  state_->submissions->put({std::move(m), std::move(question)});
}
void gateway_port::call(claim_runs m, reply<claimed_runs> done) {
  forward_by(kind::new_work, std::move(m), std::move(done),
             [](gateway& g, claim_runs asked, const std::shared_ptr<open_question<claimed_runs>>& question) {
               g.hand_on(std::move(asked), question);
             });
}
void gateway_port::call(touch_leases m, reply<touched> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().lease_desk; },
      "lease desk");
}
void gateway_port::call(reissue_leases m, reply<claimed_runs> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().lease_desk; },
      "lease desk");
}
void gateway_port::call(ask_capable m, reply<capable> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(settle_runs m, reply<settled> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().lease_desk; },
      "lease desk");
}
void gateway_port::call(control_runs m, reply<controlled> done) {
  forward(
      kind::running_work, std::move(m), std::move(done),
      [](gateway& g) { return g.open_doors().operator_desk; }, "operator desk");
}
void gateway_port::call(redrive_runs m, reply<redriven> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().operator_desk; },
      "operator desk");
}
void gateway_port::call(recover_runs m, reply<redriven> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().operator_desk; },
      "operator desk");
}
void gateway_port::call(prune_runs m, reply<runs_pruned> done) {
  forward(
      kind::running_work, std::move(m), std::move(done),
      [](gateway& g) { return g.open_doors().operator_desk; }, "operator desk");
}
void gateway_port::call(explain_run m, reply<explanation> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(ask_queue m, reply<queue_state> done) {
  forward(
      kind::question, m, std::move(done), [](gateway& g) { return g.open_doors().dispatcher; }, "dispatcher");
}
void gateway_port::call(change_limits m, reply<queue_state> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(rebuild_index m, reply<index_rebuilt> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(set_pause m, reply<pauses_seen> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(messages::lift_pause m, reply<pauses_seen> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(look_at_pauses m, reply<pauses_seen> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(put_job m, reply<job_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(archive_job m, reply<job_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(pause_job m, reply<job_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(resume_job m, reply<job_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(trigger_job m, reply<submitted> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(emit_event m, reply<event_emitted> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(plan_jobs m, reply<jobs_planned> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(messages::put_calendar m, reply<calendar_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(messages::remove_calendar m, reply<calendar_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(messages::put_window m, reply<window_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(messages::remove_window m, reply<window_stored> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().jobs; },
      "job registry");
}
void gateway_port::call(register_session m, reply<session_answer> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().sessions; },
      "session registry");
}
void gateway_port::call(end_session m, reply<session_answer> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().sessions; },
      "session registry");
}
void gateway_port::call(heartbeat_session m, reply<sessions_seen> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().sessions; },
      "session registry");
}
void gateway_port::call(steer_session m, reply<sessions_seen> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().sessions; },
      "session registry");
}
void gateway_port::call(look_at_sessions m, reply<sessions_seen> done) {
  forward(
      kind::question, m, std::move(done), [](gateway& g) { return g.open_doors().sessions; },
      "session registry");
}
void gateway_port::call(explain_session m, reply<session_explanation> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(await_wakes m, reply<waiting_wakes> done) {
  forward(
      kind::new_work, m, std::move(done), [](gateway& g) { return g.open_doors().wakes; }, "wake desk");
}
void gateway_port::call(acknowledge_wakes m, reply<wakes_heard> done) {
  forward(
      kind::running_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().wakes; },
      "wake desk");
}
void gateway_port::call(wake_by_hand m, reply<wake_sent> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().wakes; },
      "wake desk");
}
void gateway_port::call(look_at_wakes m, reply<wakes_seen> done) {
  forward(
      kind::question, m, std::move(done), [](gateway& g) { return g.open_doors().wakes; }, "wake desk");
}
void gateway_port::call(messages::adopt_result m, reply<adopted> done) {
  forward(
      kind::running_work, std::move(m), std::move(done),
      [](gateway& g) { return g.open_doors().operator_desk; }, "operator desk");
}
void gateway_port::call(spawn_by_hand m, reply<worker_spawned> done) {
  forward(
      kind::new_work, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().spawner; },
      "spawner");
}
void gateway_port::call(ask_agent_types m, reply<agent_types_told> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().spawner; },
      "spawner");
}
void gateway_port::call(run_cycle m, reply<core::cycle_result> done) {
  forward(
      kind::new_work, m, std::move(done), [](gateway& g) { return g.open_doors().cycles; },
      "wake coordinator");
}
void gateway_port::call(look_at_cycles m, reply<cycles_seen> done) {
  const auto k = m.reset ? kind::new_work : kind::question;
  forward(
      k, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().cycles; }, "wake coordinator");
}
void gateway_port::call(look_at_ladder m, reply<ladder_seen> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().ladder; },
      "escalation ladder");
}

void gateway_port::call(look_at_nodes m, reply<nodes_seen> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().nodes; },
      "cluster desk");
}

void gateway_port::call(steer_node m, reply<nodes_seen> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().nodes; },
      "cluster desk");
}

void gateway_port::call(remove_node m, reply<nodes_seen> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().nodes; },
      "cluster desk");
}
void gateway_port::call(look_at_backlog m, reply<backlog_seen> done) {
  forward(
      kind::question, std::move(m), std::move(done), [](gateway& g) { return g.open_doors().dispatcher; },
      "dispatcher");
}
void gateway_port::call(ask_node m, reply<node_status> done) {
  forward(
      kind::status, m, std::move(done), [](gateway& g) { return g.open_doors().node; }, "supervisor");
}
void gateway_port::call(query q, reply<query_answer> done) {
  const bool takes_long = std::holds_alternative<copy_store>(q) || std::holds_alternative<check_store>(q) ||
                          std::holds_alternative<simulate_schedules>(q);
  forward(
      kind::question, std::move(q), std::move(done),
      [takes_long](gateway& g) { return g.reader_for(takes_long); }, "reader");
}

core::pressure gateway_port::pressure() const {
  return state_->submissions ? state_->submissions->pressure() : core::pressure{};
}

namespace {

class gateway_watch : public watch {
 public:
  gateway_watch(gateway_actor gateway, std::shared_ptr<watch_entry> entry)
      : gateway_{std::move(gateway)}, entry_{std::move(entry)} {}
  ~gateway_watch() override {
    entry_->alive = false;
    caf::anon_send(gateway_, gateway_call{[entry = entry_](gateway& g) { g.unwatch(entry); }});
  }

 private:
  gateway_actor gateway_;
  std::shared_ptr<watch_entry> entry_;
};

std::unique_ptr<watch> start_watch(const gateway_actor& to, core::run_id run,
                                   std::function<void(watched)> told) {
  auto entry = std::make_shared<watch_entry>();
  entry->told = std::move(told);
  entry->run = run;
  caf::anon_send(to, gateway_call{[entry](gateway& g) { g.watch(entry); }});
  return std::make_unique<gateway_watch>(to, std::move(entry));
}

}  // namespace

std::unique_ptr<watch> gateway_port::watch_events(std::function<void(watched)> told) {
  return start_watch(gateway_, {}, std::move(told));
}

std::unique_ptr<watch> gateway_port::watch_run(core::run_id id, std::function<void(watched)> told) {
  return start_watch(gateway_, id, std::move(told));
}

}  // namespace belfry::actors
