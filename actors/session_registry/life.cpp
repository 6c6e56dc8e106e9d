// The life of the session registry's sessions: signs, silence, and what is known of both.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/session_registry/session_registry.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "actors/support/failures.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

namespace msg = messages;
using core::errc;
using core::failure;
using core::session_state;

namespace {

constexpr std::size_t silent_at_a_time = 1000;
constexpr core::span try_again = std::chrono::seconds{5};
constexpr core::span hold_on = std::chrono::minutes{1};

failure nobody(core::session_id id) {
  return {errc::not_found,
          "there is no session " + to_string(id) + ", or it has gone",
          {},
          "register a session first"};
}

}  // namespace

void session_registry::remember(const core::session& who, core::instant seen) {
  if (who.local || who.state == session_state::gone) return forget(who.id);
  auto& e = here_[who.id];
  e.who = who;
  e.seen = std::max({e.seen, who.last_seen, seen});
  looks_.set(who.id.value, core::next_look(who.state, e.seen, deps_.liveness));
  arm(deps_.clock->now());
}

void session_registry::forget(core::session_id id) {
  here_.erase(id);
  looks_.clear(id.value);
}

void session_registry::arm(core::instant now) {
  if (const auto next = looks_.next()) alarm_.arm(msg::session_registry_actor{this}, *next, now);
}

void session_registry::tell(const core::session& who) {
  caf::anon_send(deps_.dispatcher, msg::session_changed{who});
  caf::anon_send(deps_.lease_desk, msg::session_changed{who});
  caf::anon_send(deps_.wake_desk, msg::session_changed{who});
}

void session_registry::follow(const msg::follow_session& asked) {
  if (const auto it = here_.find(asked.id); it != here_.end())
    it->second.follower = asked.who;
  else
    caf::anon_send(asked.who, msg::session_news{asked.id, msg::session_word::gone, "removed"});
}

void session_registry::tell_life(entry& e) {
  if (e.follower && !std::exchange(e.told, true))
    caf::anon_send(e.follower, msg::session_news{e.who.id, msg::session_word::lives, {}});
}

// How the workers of a type are woken is the configuration's word where it has one. A worker that waits in
// its claims says that it needs no wakes, whatever its type says, so a difference is no mistake.
void session_registry::keep_declared_wake(core::session& who) const {
  const auto it = who.id ? here_.find(who.id) : here_.end();
  if (it == here_.end() || !it->second.follower) return;
  if (const auto& declared = it->second.who.wake; declared.from_node) who.wake = declared;
}

// The worker of an agent type was started for what its type can do: as something else it would be of no use
// to the run that it was started for, and the limits of the type would not hold for it.
std::optional<failure> session_registry::misfit(const core::session& who) {
  const auto it = who.id ? here_.find(who.id) : here_.end();
  if (it == here_.end() || !it->second.follower) return std::nullopt;
  const auto& declared = it->second.who;
  failure no{errc::conflict,
             to_string(who.id) + " was started as " + declared.agent_type +
                 " and cannot be registered as something else",
             {},
             "belfry agent-type show " + declared.agent_type};
  const auto differs = [&no](const char* field, const std::string& said, const std::string& was) {
    if (said != was) no.problems.push_back({field, said, was, "it is not what the agent type declares"});
  };
  const auto listed = [](const std::vector<std::string>& words) {
    std::string out;
    for (const auto& w : words) (out += out.empty() ? "" : ", ") += w;
    return out;
  };
  differs("/agent_type", who.agent_type, declared.agent_type);
  differs("/workspace", who.workspace, declared.workspace);
  differs("/channel", who.channel, declared.channel);
  differs("/capabilities", listed(who.capabilities), listed(declared.capabilities));
  if (no.problems.empty()) {
    tell_life(it->second);
    return std::nullopt;
  }
  const auto& first = no.problems.front();
  caf::anon_send(it->second.follower, msg::session_news{who.id, msg::session_word::misfit,
                                                        first.pointer.substr(1) + ": " + first.value +
                                                            ", declared: " + first.allowed});
  return no;
}

void session_registry::tell_gone(const msg::session_gone& news) {
  if (const auto it = here_.find(news.id); it != here_.end() && it->second.follower)
    caf::anon_send(it->second.follower, msg::session_news{news.id, msg::session_word::gone, news.reason});
  forget(news.id);
  caf::anon_send(deps_.dispatcher, news);
  caf::anon_send(deps_.lease_desk, news);
  caf::anon_send(deps_.wake_desk, news);
}

void session_registry::change(storage::change_session what, const std::string& actor,
                              std::function<void(core::result<core::session>)> then) {
  const auto id = what.id;
  commit_changes sets;
  sets.sets.push_back({deps_.clock->now(), actor, {}, {std::move(what)}});
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, id, then](commit_results& r) {
            auto& answer = r.answers.front();
            if (!answer) return then(std::move(answer.error()));
            if (answer->sessions.empty())
              return then(failure{errc::internal, "the store named no session", {}, {}});
            auto who = std::move(answer->sessions.front());
            // It may have been removed meanwhile; then it stays so. Ten thousand that wait and say now and
            // then that they live would each have the dispatcher look at all the others.
            if (const auto it = here_.find(id); it != here_.end()) {
              const bool news = core::matters_to_claims(it->second.who, who);
              remember(who, core::never);
              if (news) tell(who);
            }
            then(std::move(who));
          },
          [then](caf::error& e) { then(failure_of(e, "storage")); });
}

caf::result<session_registry::views> session_registry::heartbeat(const msg::heartbeat_session& asked) {
  const auto it = here_.find(asked.id);
  if (it == here_.end()) return views{nobody(asked.id)};
  auto [guard, promise] = answer_later<views>(this);
  const auto now = deps_.clock->now();
  auto& e = it->second;
  e.seen = std::max(e.seen, now);
  tell_life(e);
  const bool says_something = (asked.paused && *asked.paused != e.who.paused) ||
                              (asked.prompting && *asked.prompting != e.who.prompting);
  const bool seldom_written = now - e.who.last_seen >= deps_.liveness.stale_after / 4;
  if (!says_something && !seldom_written && e.who.state != session_state::stale) {
    answer_with({e.who}, guard);
    return promise;
  }
  storage::change_session what;
  what.id = asked.id;
  what.paused = asked.paused;
  what.prompting = asked.prompting;
  what.seen = now;
  change(std::move(what), asked.actor, [this, answer = guard](core::result<core::session> who) {
    if (!who) return answer->deliver(views{who.error()});
    answer_with({std::move(*who)}, answer);
  });
  return promise;
}

caf::result<session_registry::views> session_registry::steer(const msg::steer_session& asked) {
  if (!here_.contains(asked.id)) return views{nobody(asked.id)};
  auto [guard, promise] = answer_later<views>(this);
  storage::change_session what;
  what.id = asked.id;
  what.draining = asked.draining;
  what.reason = asked.reason;
  change(std::move(what), asked.actor, [this, answer = guard](core::result<core::session> who) {
    if (!who) return answer->deliver(views{who.error()});
    answer_with({std::move(*who)}, answer);
  });
  return promise;
}

caf::result<session_registry::views> session_registry::look_at(const msg::look_at_sessions& asked) {
  auto [guard, promise] = answer_later<views>(this);
  if (const auto it = here_.find(asked.id); it != here_.end()) {
    answer_with({it->second.who}, guard);
    return promise;
  }
  const bool one = asked.id.value != 0;
  request(deps_.reader, caf::infinite, msg::query{msg::list_sessions{asked.gone_too || one}})
      .then(
          [this, answer = guard, one, id = asked.id](core::result<msg::query_answer>& r) {
            if (!r) return answer->deliver(views{r.error()});
            auto all = std::get<std::vector<core::session>>(std::move(*r));
            if (one) std::erase_if(all, [&](const core::session& s) { return s.id != id; });
            if (one && all.empty())
              return answer->deliver(views{failure{
                  errc::not_found, "there is no session " + to_string(id), {}, "belfry session list"}});
            answer_with(std::move(all), answer);
          },
          [answer = guard](caf::error& e) { answer->deliver(views{failure_of(e, "reader")}); });
  return promise;
}

msg::session_view session_registry::view_of(core::session who) const {
  msg::session_view v;
  if (const auto it = here_.find(who.id); it != here_.end())
    who.last_seen = std::max(who.last_seen, it->second.seen);
  if (!who.local && who.state != session_state::gone)
    v.stale_at = core::later(who.last_seen, deps_.liveness.stale_after);
  v.who = std::move(who);
  return v;
}

// The leases come from the rows, how long ago they spoke from the lease desk.
void session_registry::answer_with(std::vector<core::session> all, const views_answer& answer) {
  const auto only = all.size() == 1 ? all.front().id : core::session_id{};
  auto seen = std::make_shared<msg::sessions_seen>();
  seen->heartbeat_every = deps_.liveness.stale_after / 4;
  for (auto& s : all) seen->sessions.push_back(view_of(std::move(s)));
  const auto finish = [this, seen, answer](std::vector<core::run_head> heads, msg::signs_told told) {
    std::unordered_map<core::session_id, std::size_t> place;
    for (std::size_t i = 0; i < seen->sessions.size(); ++i) place.emplace(seen->sessions[i].who.id, i);
    const auto now = deps_.clock->now();
    for (std::size_t i = 0; i < heads.size() && i < told.signs.size(); ++i) {
      const auto at = place.find(heads[i].held.holder);
      if (at == place.end()) continue;
      auto& v = seen->sessions[at->second];
      v.renew = v.renew || core::renewal_is_late(told.signs[i], now);
      v.report = v.report || core::is_stalled(told.signs[i], deps_.liveness, now);
      const auto& h = heads[i];
      v.rests.push_back(core::estimate_end(h.progress, h.held.started_at, told.signs[i].said_at, now));
      v.leases.push_back(std::move(heads[i]));
      v.signs.push_back(told.signs[i]);
    }
    for (auto& v : seen->sessions)
      v.health = core::judge(v.who, v.who.last_seen, v.signs, deps_.liveness, now);
    answer->deliver(views{std::move(*seen)});
  };
  request(deps_.reader, caf::infinite, msg::query{msg::list_leases{only}})
      .then(
          [this, finish, answer](core::result<msg::query_answer>& r) {
            if (!r) return answer->deliver(views{r.error()});
            auto heads = std::get<std::vector<core::run_head>>(std::move(*r));
            if (heads.empty()) return finish({}, {});
            request(deps_.lease_desk, caf::infinite, msg::ask_signs{heads})
                .then([finish, heads](msg::signs_told& told) { finish(heads, std::move(told)); },
                      [answer](caf::error& e) { answer->deliver(views{failure_of(e, "lease desk")}); });
          },
          [answer](caf::error& e) { answer->deliver(views{failure_of(e, "reader")}); });
}

void session_registry::spoke(const msg::session_spoke& news) {
  const auto it = here_.find(news.id);
  if (it == here_.end()) return;
  auto& e = it->second;
  e.seen = std::max(e.seen, news.at);
  tell_life(e);
  const bool back = e.who.state == session_state::stale;
  if (e.asked || (!back && e.seen - e.who.last_seen < deps_.liveness.stale_after / 4)) return;
  e.asked = true;
  storage::change_session what;
  what.id = news.id;
  what.seen = e.seen;
  change(std::move(what), "node", [this, id = news.id](const core::result<core::session>&) {
    if (const auto at = here_.find(id); at != here_.end()) at->second.asked = false;
  });
}

void session_registry::look() {
  const auto now = deps_.clock->now();
  // Whoever slept with the machine gets the whole time again; a clock that was set back would make silence
  // last longer.
  if (jump_.look())
    for (auto& [id, e] : here_) {
      e.seen = now;
      looks_.set(id.value, core::next_look(e.who.state, e.seen, deps_.liveness));
    }
  note_silence(now);
  arm(now);
}

void session_registry::note_silence(core::instant now) {
  commit_changes sets;
  std::vector<std::pair<core::session_id, core::instant>> asked;
  for (const auto key : looks_.take_due(now, silent_at_a_time)) {
    const core::session_id id{key};
    auto& e = here_.at(id);
    const auto what =
        e.asked ? core::silence::nothing : core::judge_silence(e.who.state, e.seen, deps_.liveness, now);
    if (what == core::silence::nothing) {
      looks_.set(key,
                 std::max(core::next_look(e.who.state, e.seen, deps_.liveness), core::later(now, try_again)));
      continue;
    }
    e.asked = true;
    asked.emplace_back(id, e.seen);
    const auto silent = "silent since " + core::to_rfc3339(e.seen);
    if (what == core::silence::goes_stale) {
      storage::change_session change;
      change.id = id;
      change.seen = e.seen;
      change.silent = true;
      change.reason = silent;
      sets.sets.push_back({now, "node", {}, {std::move(change)}});
    } else {
      sets.sets.push_back({now, "node", {}, {storage::end_session{id, silent, true}}});
    }
  }
  if (sets.sets.empty()) return;
  const auto later_again = [this](core::session_id id, core::span pause) {
    const auto it = here_.find(id);
    if (it == here_.end()) return;
    it->second.asked = false;
    const auto at = deps_.clock->now();
    looks_.set(id.value, core::later(at, pause));
    arm(at);
  };
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, asked, later_again](commit_results& r) {
            for (std::size_t i = 0; i < asked.size(); ++i) {
              const auto& answer = r.answers.at(i);
              const auto [id, seen] = asked[i];
              const auto it = here_.find(id);
              if (it == here_.end()) continue;
              if (!answer) {  // it still holds a lease, or the store has trouble
                later_again(id, answer.error().code == errc::invalid_transition ? hold_on : try_again);
                continue;
              }
              const auto& who = answer->sessions.front();
              it->second.asked = false;
              deps_.says.say(note_level::info, "session-" + std::string{to_text(who.state)} + " session=" +
                                                   to_string(id) + " seen=" + core::to_rfc3339(seen));
              if (who.state == session_state::gone) {
                tell_gone({id, "silent", false});
                continue;
              }
              const auto spoken = it->second.seen;
              remember(who, core::never);
              tell(who);
              if (spoken > seen) spoke({id, spoken});  // while the word was on its way
            }
          },
          [asked, later_again](caf::error&) {
            for (const auto& one : asked) later_again(one.first, try_again);
          });
}

}  // namespace belfry::actors
