// The stop of the supervisor: no more claims, what runs may end, then everybody ends in waves, storage last.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/supervisor/supervisor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace belfry::actors {

using namespace messages;

namespace {

constexpr int last_wave = 4;

}  // namespace

void supervisor::stop(core::span deadline) {
  if (std::exchange(stopping_, true)) {  // told again: the drain can only be over earlier
    if (drains_ > 0) drain(deadline);
    return;
  }
  deps_->port->passes = gate::stopping;
  deps_->says.say(note_level::info, "node-stopping");
  if (storage_ && failed_.empty()) write_event(core::event_kind::node_stopping, {});
  if (dispatcher_) caf::anon_send(dispatcher_, close_claims{});
  if (wake_desk_) caf::anon_send(wake_desk_, close_claims{});
  if (coordinator_) caf::anon_send(coordinator_, close_claims{});
  if (!failed_.empty()) return end_wave();
  drain(deadline);
  if (drains_ == 0) end_wave();
}

// What runs in executors, and in workers that the node started, may end. Each question is answered, also when
// it was asked before.
void supervisor::drain(core::span deadline) {
  const auto lost = [this](caf::error&) { drained(); };
  if (executors_head_) {
    ++drains_;
    request(executors_head_, caf::infinite, drain_executors{deadline})
        .then([this](executors_drained) { drained(); }, lost);
  }
  if (spawner_) {
    ++drains_;
    request(spawner_, caf::infinite, drain_workers{deadline})
        .then([this](workers_drained) { drained(); }, lost);
  }
}

void supervisor::drained() {
  if (--drains_ == 0) end_wave();
}

// Ends the next wave once the one before has ended. Called whenever somebody has.
void supervisor::end_wave() {
  const auto now = deps_->clock->now();
  for (;;) {
    const bool waits = std::any_of(children_.begin(), children_.end(),
                                   [this](const child& c) { return c.wave <= wave_ && !c.ended; });
    if (waits) return;
    if (wave_ == last_wave) return stopped(core::result<void>{});
    ++wave_;
    for (const auto& c : children_)
      if (c.wave == wave_ && !c.ended) send_exit(c.who, caf::exit_reason::user_shutdown);
    wave_over_due_ = true;
    alarm_.disarm();  // keeps its generations: an old ring must not end this wave
    alarm_.arm(supervisor_actor{this}, core::later(now, deps_->options.patience), now);
  }
}

void supervisor::stopped(core::result<void> how) {
  deps_->port->passes = gate::closed;
  caf::anon_send_exit(deps_->gateway, caf::exit_reason::user_shutdown);
  deps_->says.say(how ? note_level::info : note_level::error,
                  how ? "node-stopped" : "node-not-stopped " + how.error().text);
  if (auto tell = std::exchange(deps_->stopped, nullptr)) tell(std::move(how));
  quit(caf::exit_reason::user_shutdown);
}

}  // namespace belfry::actors
