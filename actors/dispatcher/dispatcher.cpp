#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

// With the state of the queue; the list of pauses has them all.
constexpr std::size_t pauses_told = 100;
constexpr std::size_t planned_told = 20;

}  // namespace

dispatcher::dispatcher(caf::actor_config& cfg, dispatcher_deps deps)
    : dispatcher_at_door::base(cfg),
      deps_{std::move(deps)},
      board_{deps_.board},
      alarm_{core::span{std::chrono::minutes{2}}},
      patience_zero_{deps_.clock->now() - (deps_.clock->steady() - core::never)} {
  if (!deps_.hook.on()) return;
  hook_ = std::make_unique<hooked_claims>();
  hook_->options = deps_.hook;
}

auto dispatcher::make_behavior() -> behavior_type {
  return {
      [this](const claim_runs& wish) { return claim(wish); },
      [this](const claim_at_door& asked) { claim(asked.wish, std::make_shared<claim_reply>(asked.who)); },
      [this](const session_changed& news) { arrive(news.who); },
      [this](const session_gone& news) {
        roster_.leave(news.id);
        life_.forget(news.id);
        woken_.erase(news.id);
        if (hook_ != nullptr) hook_->memory.forget(news.id);
        drop_waits_of(news.id);
        note_change();
        if (news.crashed) lose_held_by(news.id, news.reason);
      },
      [this](const tell_life& asked) { life_.tell_to(asked.who); },
      [this](const tell_claims& asked) { taken_to_ = asked.who; },
      [this](const watch_claims& asked) { watch(asked); },
      [this](const runs_committed& heads) {
        follow(heads);
        serve_waiting();
      },
      [this](const offer_runs& offer) { take_offer(offer); },
      [this](const explain_run& asked) { return explain(asked); },
      [this](const explain_session& asked) { return explain(asked); },
      [this](const ask_capable& asked) { return who_could(asked); },
      [this](ask_queue) { return core::result<queue_state>{state()}; },
      [this](const change_limits& asked) { return change(asked); },
      [this](const set_pause& asked) { return pause(asked); },
      [this](const lift_pause& asked) { return lift(asked); },
      [this](const ask_pauses_of& asked) {
        const auto now = deps_.clock->now();
        session_pauses told;
        for (const auto& who : asked.sessions) told.reasons.push_back(pauses_.why(who, now));
        return told;
      },
      [this](const look_at_pauses& asked) { return pauses_answer{look(asked.on)}; },
      [this](const rebuild_queue& asked) { return rebuild(asked); },
      [this](const rebuild_index& asked) { return rebuild(asked); },
      [this](const look_at_waiting& asked) { return look(asked); },
      [this](const look_at_backlog& asked) { return look(asked); },
      [this](const tell_waiting& asked) { listener_ = asked.who; },
      [this](const judge_with& news) {
        if (hook_ == nullptr) return;
        hook_->judge = news.who;
        serve_waiting();
      },
      [this](const end_claims& asked) {
        for (const auto who : asked.sessions) end_waits_of(who);
      },
      [this](close_claims) {
        closed_ = true;
        for (auto& w : std::exchange(waiting_, {})) w.answer->deliver(claim_answer{claimed_runs{}});
      },
      [this](const alarm_rang& ring) {
        if (!alarm_.rang(ring)) return;
        const auto now = deps_.clock->now();
        end_waits(now);
        pauses_over(now);
        if (hook_ != nullptr) serve_waiting();  // a refusal or a pause of the hook may be over
      },
  };
}

void dispatcher::on_exit() {
  waiting_.clear();
  hook_.reset();
  rebuilding_.reset();
  comparing_.reset();
  life_.clear();
  listener_ = nullptr;
  taken_to_ = nullptr;
  deps_ = {};
}

queue_state dispatcher::state() const {
  queue_state s;
  s.counts = board_.counts();
  s.limits = board_.limits();
  s.live_by_lane = board_.live_by_lane();
  s.live_by_agent_type = board_.live_by_agent_type();
  s.waiting_claims = waiting_.size();
  s.timers = elsewhere_.size() - roster_.held();
  s.ready = ready_;
  const auto now = deps_.clock->now();
  s.paused = pauses_.holds_all(now);
  std::optional<core::pause_target> last;
  for (auto& p : pauses_.all()) {
    if (planned(p.why, now) && s.planned.size() < planned_told) s.planned.push_back(p);
    if (!stands(p.why, now) && !probing(p.why, now)) continue;
    if (last != p.on) ++s.paused_of_scope.at(static_cast<std::size_t>(p.on.scope));
    last = p.on;
    if (s.pauses.size() < pauses_told) s.pauses.push_back(std::move(p));
  }
  s.max_queued = deps_.max_queued;
  if (deps_.intake) s.pressure = deps_.intake->pressure();
  for (const auto& [type, delay] : delays_) s.delays.push_back({type, delay});
  if (hook_ != nullptr) s.hook = hook_seen();
  return s;
}

caf::result<core::result<queue_state>> dispatcher::change(const change_limits& asked) {
  auto [guard, promise] = answer_later<core::result<queue_state>>(this);
  storage::change_set set{
      deps_.clock->now(), asked.actor, {}, {storage::put_limits{asked.limits, deps_.board.limits}}};
  request(deps_.store, caf::infinite, commit_changes{{std::move(set)}})
      .then(
          [this, answer = guard, limits = asked.limits](commit_results& r) {
            if (!r.answers.front())
              return answer->deliver(core::result<queue_state>{r.answers.front().error()});
            board_.set_limits(limits);
            note_change();
            answer->deliver(core::result<queue_state>{state()});
            serve_waiting();
          },
          [answer = guard](caf::error& e) {
            answer->deliver(core::result<queue_state>{failure_of(e, "storage")});
          });
  return promise;
}

}  // namespace belfry::actors
