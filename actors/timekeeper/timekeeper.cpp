#include "actors/support/message_types.hpp"
// after the message types
#include "actors/timekeeper/timekeeper.hpp"

#include <caf/send.hpp>

#include <utility>
#include <vector>

namespace belfry::actors {

using namespace messages;
using core::errc;

namespace {

constexpr std::size_t at_a_time = 100;
constexpr core::span retry_pause = std::chrono::seconds{1};

}  // namespace

timekeeper::timekeeper(caf::actor_config& cfg, timekeeper_deps deps)
    : timekeeper_actor::base(cfg), deps_{std::move(deps)} {}

auto timekeeper::make_behavior() -> behavior_type {
  return {
      [this](const watch_times& news) { watch(news); },
      [this](start_timers) {
        started_ = true;
        look();
      },
      [this](const alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void timekeeper::on_exit() { deps_ = {}; }

void timekeeper::watch(const watch_times& news) {
  for (const auto& t : news.times) {
    // Said again, by a rebuild: an attempt that was told to stop keeps the time that it was given for that.
    const auto known = attempts_.find(t.run);
    const bool again = known != attempts_.end() && t.at != core::never && known->second.fencing == t.fencing;
    if (!again || !known->second.stop_asked) due_.set(t.run.value, t.at);
    if (again) continue;
    if (t.at == core::never || t.fencing == 0)
      attempts_.erase(t.run);
    else
      attempts_[t.run] = {t.fencing, t.holder, t.stoppable, t.grace, false, t.far};
  }
  if (const auto next = due_.next(); next && started_)
    alarm_.arm(timekeeper_actor{this}, *next, deps_.clock->now());
}

void timekeeper::look() {
  const auto now = deps_.clock->now();
  commit_changes sets;
  std::vector<std::pair<core::run_id, std::uint64_t>> asked;
  for (const auto key : due_.take_due(now, at_a_time)) {
    const core::run_id run{key};
    auto command = what_is_due(run, now);
    if (!command) continue;
    const auto it = attempts_.find(run);
    asked.emplace_back(run, it == attempts_.end() ? 0 : it->second.fencing);
    sets.sets.push_back({now, "node", {}, {storage::step_run{run, std::move(*command), false}}});
  }
  if (const auto next = due_.next())
    alarm_.arm(timekeeper_actor{this}, *next, now);  // at once when more are due
  if (sets.sets.empty()) return;
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, asked](commit_results& r) {
            for (std::size_t i = 0; i < asked.size(); ++i) {
              const auto& answer = r.answers.at(i);
              // Whoever changed the run first has been or will be followed; anything else is the store's
              // trouble.
              if (answer || answer.error().code == errc::invalid_transition ||
                  answer.error().code == errc::not_found)
                continue;
              deps_.says.say(note_level::warning, "timer-not-written run=" + to_string(asked[i].first) + " " +
                                                      answer.error().text);
              again_later(asked[i].first, asked[i].second);
            }
          },
          [this](caf::error&) { deps_.says.say(note_level::error, "timer-not-written storage is gone"); });
}

// The command for the store, or nothing when the holder is told to stop first. A member is only told, as
// often as it takes: it stops the process by itself when it is cut off, and does not renew the lease of one
// that cannot be killed. To end the attempt over its head would hand out a run whose process may still live.
std::optional<core::run_command> timekeeper::what_is_due(core::run_id run, core::instant now) {
  const auto it = attempts_.find(run);
  if (it == attempts_.end()) return core::cmd_wake{};
  auto& held = it->second;
  if (held.stoppable && (held.far || !held.stop_asked) && deps_.executors) {
    held.stop_asked = true;
    due_.set(run.value, core::later(now, held.grace + deps_.overdue_after));
    caf::anon_send(deps_.executors, stop_attempt{run, held.fencing, stop_why::timeout, held.holder});
    return std::nullopt;
  }
  return core::cmd_overdue{held.fencing, deps_.randomness->unit()};
}

// Unless the stream has brought other news of the run meanwhile.
void timekeeper::again_later(core::run_id run, std::uint64_t fencing) {
  const auto it = attempts_.find(run);
  if ((it == attempts_.end() ? 0 : it->second.fencing) != fencing) return;
  const auto now = deps_.clock->now();
  due_.set(run.value, core::later(now, retry_pause));
  alarm_.arm(timekeeper_actor{this}, core::later(now, retry_pause), now);
}

}  // namespace belfry::actors
