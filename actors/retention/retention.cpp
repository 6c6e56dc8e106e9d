#include "actors/support/message_types.hpp"
// after the message types
#include "actors/retention/retention.hpp"

#include <utility>

#include "actors/retention/policy.hpp"

namespace belfry::actors {

using messages::alarm_rang;

namespace {

constexpr std::uint32_t rows_at_a_time = 5000;

}  // namespace

retention::retention(caf::actor_config& cfg, retention_deps deps)
    : messages::retention_actor::base(cfg), deps_{std::move(deps)} {}

auto retention::make_behavior() -> behavior_type {
  rest(deps_.options.pause);
  return {[this](const alarm_rang& ring) {
    if (alarm_.rang(ring)) bite();
  }};
}

void retention::rest(core::span for_how_long) {
  const auto now = deps_.clock->now();
  alarm_.arm(messages::retention_actor{this}, core::later(now, for_how_long), now);
}

storage::change retention::prune(core::instant now) const {
  const auto& o = deps_.options;
  switch (stage_) {
    case stage::runs:
      return storage::prune_history{
          kept_since(now, o.keep), kept_since(now, o.keep_dead), o.keep_per_job, o.bite, false, false};
    case stage::events: return storage::prune_events{kept_since(now, o.keep_events), rows_at_a_time};
    case stage::keys:
    case stage::done: break;
  }
  return storage::prune_keys{kept_since(now, o.keep_keys), rows_at_a_time};
}

void retention::bite() {
  const auto now = deps_.clock->now();
  commit_changes sets;
  sets.sets.push_back({now, "node", {}, {prune(now)}});
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this](commit_results& r) {
            const auto& answer = r.answers.front();
            if (!answer) {
              deps_.says.say(note_level::warning, "retention-failed " + answer.error().text);
              stage_ = stage::runs;
              return rest(deps_.options.every);
            }
            pruned_ += answer->pruned;
            if (answer->pruned == 0) stage_ = static_cast<stage>(static_cast<std::uint8_t>(stage_) + 1);
            if (stage_ != stage::done) return rest(deps_.options.pause);
            if (pruned_ > 0)
              deps_.says.say(note_level::info,
                             "retention-pruned rows=" + std::to_string(std::exchange(pruned_, 0)));
            stage_ = stage::runs;
            rest(deps_.options.every);
          },
          [this](caf::error&) { deps_.says.say(note_level::error, "retention-failed storage is gone"); });
}

}  // namespace belfry::actors
