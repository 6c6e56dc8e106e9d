#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dead_letter_watch/dead_letter_watch.hpp"

#include <algorithm>
#include <utility>

namespace belfry::actors {

namespace {

constexpr std::uint32_t letters_at_a_time = 500;
constexpr core::span short_rest = std::chrono::milliseconds{20};

// Late by a twentieth of the age at most, and never by more than five minutes.
core::span rest_of(core::span age) {
  return std::clamp<core::span>(age / 20, std::chrono::seconds{1}, std::chrono::minutes{5});
}

}  // namespace

dead_letter_watch::dead_letter_watch(caf::actor_config& cfg, dead_letter_watch_deps deps)
    : messages::dead_letter_watch_actor::base(cfg), deps_{std::move(deps)} {}

auto dead_letter_watch::make_behavior() -> behavior_type {
  rest(short_rest);
  return {[this](const messages::alarm_rang& ring) {
    if (alarm_.rang(ring)) look();
  }};
}

void dead_letter_watch::rest(core::span for_how_long) {
  const auto now = deps_.clock->now();
  alarm_.arm(messages::dead_letter_watch_actor{this}, core::later(now, for_how_long), now);
}

void dead_letter_watch::look() {
  const auto now = deps_.clock->now();
  commit_changes sets;
  // What ended exactly that long ago is that old.
  const auto before = core::later(core::later(now, -deps_.age), core::span{1});
  sets.sets.push_back({now, "node", {}, {storage::age_dead_letters{before, letters_at_a_time}}});
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this](commit_results& r) {
            const auto& answer = r.answers.front();
            if (!answer) {
              deps_.says.say(note_level::warning, "dead-letter-watch-failed " + answer.error().text);
              return rest(rest_of(deps_.age));
            }
            for (const auto& letter : answer->runs)
              deps_.says.say(note_level::warning, "dead-letter-aged run=" + to_string(letter.head.id) +
                                                      " state=" + std::string{to_text(letter.head.state)});
            const bool more = answer->runs.size() == letters_at_a_time;
            rest(more ? short_rest : rest_of(deps_.age));
          },
          [this](caf::error&) {
            deps_.says.say(note_level::error, "dead-letter-watch-failed storage is gone");
          });
}

}  // namespace belfry::actors
