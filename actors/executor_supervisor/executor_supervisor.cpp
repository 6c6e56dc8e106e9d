#include "actors/support/message_types.hpp"
// after the message types
#include "actors/executor_supervisor/executor_supervisor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/process_executor/process_executor.hpp"
#include "actors/support/change_sets.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

using namespace messages;
using platform::metric;

namespace {

// After the store could not write: how long until it is asked again.
constexpr core::span trouble_pause = std::chrono::seconds{1};

}  // namespace

executor_supervisor::executor_supervisor(caf::actor_config& cfg, executor_supervisor_deps deps)
    : executor_supervisor_actor::base(cfg), deps_{std::move(deps)} {
  set_down_handler([this](const caf::down_msg& down) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].who && slots_[i].who.address() == down.source)
        return died(i, down.reason ? system().render(down.reason) : std::string{"it ended"});
  });
}

auto executor_supervisor::make_behavior() -> behavior_type {
  return {
      [this](const start_executors& asked) {
        needs_ = asked;
        for (std::uint32_t i = 0; i < deps_.options.processes; ++i) {
          slots_.push_back({"process-" + std::to_string(i + 1), {}, {}, {}, 0, health::up, false, 0, {}});
          spawn_in(i);
        }
      },
      [this](const stop_attempt& asked) {
        for (const auto& s : slots_)
          if (s.who && s.session == asked.holder) caf::anon_send(s.who, asked);
      },
      [this](const executor_seated& news) { slots_.at(news.index).session = news.session; },
      [this](const child_abandoned& news) { ++slots_.at(news.index).dying; },
      [this](const child_gone& news) {
        auto& s = slots_.at(news.index);
        if (--s.dying == 0 && s.why_down) replace(news.index, *std::exchange(s.why_down, {}));
      },
      [this](const executor_idle& news) {
        slots_.at(news.index).idle = true;
        if (news.handed_back) ++drained_.handed_back;
        drain_done_if_so();
      },
      [this](const drain_executors& asked) -> caf::result<executors_drained> {
        auto [guard, promise] = answer_later<executors_drained>(this);
        if (std::exchange(draining_, true)) {  // told again: it can only be over earlier
          caf::delayed_anon_send(executor_supervisor_actor{this}, asked.patience, drain_is_over{});
          guard->deliver(drained_);
          return promise;
        }
        drain_answer_ = guard;
        for (auto& s : slots_)
          if (s.who) caf::anon_send(s.who, finish_work{});
        caf::delayed_anon_send(executor_supervisor_actor{this}, asked.patience, drain_is_over{});
        drain_done_if_so();
        return promise;
      },
      [this](const drain_is_over& due) {
        if (!drain_answer_) return;
        if (due.last) {  // told to stop and still there: the children are killed with their executors
          deps_.says.say(note_level::error, "drain-gave-up some processes did not end in time");
          return std::exchange(drain_answer_, {})->deliver(drained_);
        }
        if (std::exchange(drain_over_, true)) return;
        for (const auto& s : slots_)
          if (s.who && !s.idle) caf::anon_send(s.who, hand_back{});
        caf::delayed_anon_send(executor_supervisor_actor{this}, deps_.patience + deps_.patience,
                               drain_is_over{true});
      },
      [this](const end_session_again& due) { end_session(due.session, due.why); },
      [this](const restart_executor& due) {
        if (!draining_) spawn_in(due.index);
      },
  };
}

void executor_supervisor::on_exit() {
  for (auto& s : slots_)
    if (s.who) caf::anon_send_exit(s.who, caf::exit_reason::kill);
  slots_.clear();
  drain_answer_.reset();
  needs_ = {};
  deps_.store = nullptr;
  deps_.supervisor = nullptr;
}

void executor_supervisor::spawn_in(std::uint32_t index) {
  auto& s = slots_.at(index);
  process_executor_deps d;
  d.index = index;
  d.name = s.name;
  d.dispatcher = needs_.dispatcher;
  d.registry = needs_.registry;
  d.sweeper = needs_.sweeper;
  d.supervisor = executor_supervisor_actor{this};
  d.store = deps_.store;
  d.processes = deps_.processes;
  d.clock = deps_.clock;
  d.randomness = deps_.randomness;
  d.says = deps_.says;
  d.options = deps_.options;
  d.mark = deps_.mark;
  d.clock_jump = deps_.clock_jump;
  s.who = spawn<process_executor, caf::monitored>(std::move(d));
  s.session = {};
  s.state = health::up;
  if (s.restarts > 0) {
    deps_.says.count(metric::executor_restarts_total);
    write_event(core::event_kind::executor_restarted,
                s.name + " was started again, " + std::to_string(s.restarts) + " times so far");
  }
  report(s, {});
  caf::anon_send(s.who, begin_work{});
}

void executor_supervisor::died(std::uint32_t index, const std::string& why) {
  auto& s = slots_.at(index);
  s.who = nullptr;
  deps_.says.say(note_level::error, "executor-died " + s.name + " " + why);
  // While its child is still dying the run must not begin again somewhere else.
  if (s.dying == 0) return replace(index, why);
  s.state = health::restarting;
  s.why_down = why;
  report(s, why);
}

// Gives up what the dead executor held and starts another, after a delay.
void executor_supervisor::replace(std::uint32_t index, const std::string& why) {
  auto& s = slots_.at(index);
  if (const auto id = std::exchange(s.session, {})) end_session(id, s.name + " crashed");
  if (draining_) {
    s.idle = true;
    return drain_done_if_so();
  }
  const auto delay = s.deaths.died(deps_.options.restarts, deps_.clock->now());
  if (delay) {
    ++s.restarts;
    s.state = health::restarting;
    report(s, why);
    return caf::delayed_anon_send(executor_supervisor_actor{this}, *delay, restart_executor{index});
  }
  s.state = health::given_up;
  const auto text = s.name + " crashed more than " + std::to_string(deps_.options.restarts.restarts) +
                    " times in " + core::to_text(deps_.options.restarts.window) + ", last: " + why;
  deps_.says.say(note_level::error, "executor-given-up " + text);
  write_event(core::event_kind::executor_given_up, text);
  report(s, text);
}

// Its leases are ended as lost: nobody else will ever speak for them. Until the store has taken it the
// session would be there for ever without anybody behind it.
void executor_supervisor::end_session(core::session_id id, const std::string& why) {
  request(needs_.registry, caf::infinite, messages::end_session{id, why, true, "node"})
      .then(
          [this, id, why](core::result<session_answer>& answer) {
            if (answer || answer.error().code == core::errc::not_found) return;
            deps_.says.say(note_level::warning, "session-not-ended " + answer.error().text);
            caf::delayed_anon_send(executor_supervisor_actor{this}, trouble_pause,
                                   end_session_again{id, why});
          },
          [this](caf::error&) {
            deps_.says.say(note_level::warning, "session-not-ended the registry is gone");
          });
}

void executor_supervisor::report(const slot& s, const std::string& note) {
  const char* state = s.state == health::up           ? "up"
                      : s.state == health::restarting ? "restarting"
                                                      : "given_up";
  caf::anon_send(deps_.supervisor, child_changed{{s.name, state, s.restarts, note}});
}

void executor_supervisor::write_event(core::event_kind kind, const std::string& text) {
  note_in_journal(this, deps_.store, kind, text, deps_.clock->now());
}

void executor_supervisor::drain_done_if_so() {
  if (!drain_answer_) return;
  if (std::any_of(slots_.begin(), slots_.end(),
                  [](const slot& s) { return (s.who || s.dying > 0) && !s.idle; }))
    return;
  std::exchange(drain_answer_, {})->deliver(drained_);
}

}  // namespace belfry::actors
