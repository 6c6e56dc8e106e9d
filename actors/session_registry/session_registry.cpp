#include "actors/support/message_types.hpp"
// after the message types
#include "actors/session_registry/session_registry.hpp"

#include <caf/send.hpp>

#include <utility>

#include "actors/support/change_sets.hpp"

namespace belfry::actors {

namespace msg = messages;
using core::errc;
using core::failure;

session_registry::session_registry(caf::actor_config& cfg, session_registry_deps deps)
    : msg::session_registry_actor::base(cfg), deps_{std::move(deps)}, jump_{*deps_.clock, deps_.clock_jump} {}

void session_registry::on_exit() {
  here_.clear();
  deps_ = {};
}

auto session_registry::make_behavior() -> behavior_type {
  caf::anon_send(deps_.dispatcher, msg::tell_life{msg::life_listener{msg::session_registry_actor{this}}});
  caf::anon_send(deps_.lease_desk, msg::tell_life{msg::life_listener{msg::session_registry_actor{this}}});
  caf::anon_send(deps_.wake_desk, msg::tell_life{msg::life_listener{msg::session_registry_actor{this}}});
  return {
      [this](const msg::register_session& asked) { return enter(asked); },
      [this](const msg::end_session& asked) { return end(asked); },
      [this](msg::load_sessions) { return load(); },
      [this](const msg::heartbeat_session& asked) { return heartbeat(asked); },
      [this](const msg::steer_session& asked) { return steer(asked); },
      [this](const msg::look_at_sessions& asked) { return look_at(asked); },
      [this](const msg::session_spoke& news) { spoke(news); },
      [this](const msg::read_with& asked) { deps_.reader = asked.who; },
      [this](const msg::follow_session& asked) { follow(asked); },
      [this](const msg::alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

caf::result<core::result<msg::session_answer>> session_registry::enter(const msg::register_session& asked) {
  if (asked.who.wake.via == core::wake_via::command && !asked.who.wake.from_node && !deps_.wake_commands)
    return core::result<msg::session_answer>{
        failure{errc::forbidden,
                "this node runs no commands that sessions name; whoever runs it may allow them with "
                "wake.commands",
                {{"/wake/sink", "command", "poll, webhook or none", "commands are off"}},
                "belfry config show"}};
  const auto now = deps_.clock->now();
  auto who = asked.who;
  keep_declared_wake(who);
  if (auto no = misfit(who)) return core::result<msg::session_answer>{std::move(*no)};
  if (who.created_at == core::never && !who.id) who.created_at = now;
  who.last_seen = now;
  std::vector<storage::change_set> sets;
  sets.push_back({now, asked.actor, once_of(asked.once), {storage::put_session{std::move(who)}}});
  if (asked.worker) sets.back().changes.emplace_back(storage::put_worker{*asked.worker});
  return commit_then<msg::session_answer>(
      this, deps_.store, std::move(sets), [this](commit_results& r) -> core::result<msg::session_answer> {
        auto& answer = r.answers.front();
        if (!answer) return std::move(answer.error());
        if (answer->sessions.empty()) return failure{errc::internal, "the store named no session", {}, {}};
        remember(answer->sessions.front(), answer->replayed ? core::never : deps_.clock->now());
        tell(answer->sessions.front());
        return msg::session_answer{std::move(answer->sessions.front()), answer->replayed};
      });
}

caf::result<core::result<msg::session_answer>> session_registry::end(const msg::end_session& asked) {
  std::vector<storage::change_set> sets;
  sets.push_back({deps_.clock->now(), asked.actor, {}, {storage::end_session{asked.id, asked.reason}}});
  const msg::session_gone news{asked.id, asked.reason, asked.crashed};
  return commit_then<msg::session_answer>(
      this, deps_.store, std::move(sets),
      [this, news](commit_results& r) -> core::result<msg::session_answer> {
        auto& answer = r.answers.front();
        // A crash is a fact whatever the store says of it: the leases of the dead are lost at once.
        if (answer || news.crashed) tell_gone(news);
        if (!answer) return std::move(answer.error());
        if (answer->sessions.empty()) return failure{errc::internal, "the store named no session", {}, {}};
        return msg::session_answer{std::move(answer->sessions.front())};
      });
}

caf::result<core::result<msg::sessions_loaded>> session_registry::load() {
  auto [guard, promise] = answer_later<core::result<msg::sessions_loaded>>(this);
  auto tell = [answer = guard](core::result<msg::sessions_loaded> r) { answer->deliver(std::move(r)); };
  const auto end_dead = [this, tell](std::vector<core::session> all) {
    msg::sessions_loaded loaded;
    commit_changes sets;
    for (auto& s : all) {
      const bool gone = s.state == core::session_state::gone;
      if (!s.local) {
        if (gone) continue;
        remember(s, deps_.clock->now());  // it could not speak while there was no node
        if (s.state != core::session_state::active) caf::anon_send(deps_.lease_desk, msg::session_changed{s});
        caf::anon_send(deps_.wake_desk, msg::session_changed{s});
        loaded.alive.push_back(std::move(s));
        continue;
      }
      // Gone ones too: a node may have been killed after it had ended them and before what they held was
      // lost.
      loaded.dead.push_back(s.id);
      if (gone) continue;
      sets.sets.push_back({deps_.clock->now(), "node", {}, {storage::end_session{s.id, "node restarted"}}});
    }
    if (sets.sets.empty()) return tell(std::move(loaded));
    request(deps_.store, caf::infinite, std::move(sets))
        .then(
            [tell, loaded](commit_results& r) {
              for (const auto& answer : r.answers)
                if (!answer && answer.error().code != errc::not_found) return tell(answer.error());
              tell(loaded);
            },
            [tell](caf::error& e) { tell(failure_of(e, "storage")); });
  };
  request(deps_.reader, caf::infinite, msg::query{msg::list_sessions{true}})
      .then(
          [tell, end_dead](core::result<msg::query_answer>& r) {
            if (!r) return tell(r.error());
            end_dead(std::get<std::vector<core::session>>(std::move(*r)));
          },
          [tell](caf::error& e) { tell(failure_of(e, "reader")); });
  return promise;
}

}  // namespace belfry::actors
