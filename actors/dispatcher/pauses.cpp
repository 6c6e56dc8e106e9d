// Pauses and drains: set and lifted by change sets like anything else, followed in memory, ended by the
// alarm when their time is over.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

constexpr std::size_t remaining_told = 500;
constexpr core::span read_again_after = std::chrono::seconds{1};

}  // namespace

caf::result<dispatcher::pauses_answer> dispatcher::pause(const set_pause& asked) {
  auto entry = asked.entry;
  const auto now = deps_.clock->now();
  if (auto found = core::check(asked.on, entry, now); !found.empty())
    return pauses_answer{core::failure{core::errc::invalid, "the pause is not valid", std::move(found), {}}};
  if (asked.limit) return limit(asked, std::move(entry));
  if (entry.owner.empty()) entry.owner = core::owner_for(asked.actor);
  entry.by = asked.actor;
  return change_pauses(storage::put_pause{asked.on, std::move(entry)}, asked.on, asked.actor);
}

// The limit of a provider. Whoever works for it may say so, but not for types that he has nothing to do with.
caf::result<dispatcher::pauses_answer> dispatcher::limit(const set_pause& asked, core::pause_entry entry) {
  auto targets = asked.also;
  targets.insert(targets.begin(), asked.on);
  if (core::is_agent(asked.actor)) {
    const auto id = core::parse_id<core::session_id>(asked.actor);
    const auto* who = id ? roster_.known(*id) : nullptr;
    const auto own = [&](const core::pause_target& on) {
      return who != nullptr && on.name == who->agent_type;
    };
    if (std::none_of(targets.begin(), targets.end(), own))
      return pauses_answer{core::failure{core::errc::forbidden,
                                         "a session may report only limits of its own agent type" +
                                             (who == nullptr ? "" : ", \"" + who->agent_type + "\""),
                                         {},
                                         "belfry session show " + asked.actor}};
  }
  entry.by = asked.actor;
  entry.probes = true;
  storage::change_set set{deps_.clock->now(), asked.actor, {}, {}};
  for (auto& on : targets) set.changes.push_back(storage::put_pause{std::move(on), entry});
  return write_pauses(std::move(set), asked.also.empty() ? std::optional{asked.on} : std::nullopt);
}

caf::result<dispatcher::pauses_answer> dispatcher::lift(const lift_pause& asked) {
  return change_pauses(storage::lift_pause{asked.on, asked.reason, asked.owner}, asked.on, asked.actor);
}

caf::result<dispatcher::pauses_answer> dispatcher::change_pauses(storage::change what,
                                                                 const core::pause_target& on,
                                                                 const std::string& actor) {
  return write_pauses({deps_.clock->now(), actor, {}, {std::move(what)}}, on);
}

caf::result<dispatcher::pauses_answer> dispatcher::write_pauses(storage::change_set set,
                                                                std::optional<core::pause_target> of) {
  auto [guard, promise] = answer_later<pauses_answer>(this);
  request(deps_.store, caf::infinite, commit_changes{{std::move(set)}})
      .then(
          [this, answer = guard, of = std::move(of)](commit_results& r) {
            auto& said = r.answers.front();
            if (!said) return answer->deliver(pauses_answer{said.error()});
            auto seen = look(of);
            seen.changed = !said->replayed;
            answer->deliver(pauses_answer{std::move(seen)});
          },
          [answer = guard](caf::error& e) { answer->deliver(pauses_answer{failure_of(e, "storage")}); });
  return promise;
}

std::size_t dispatcher::running_under(const core::pause_target& on) const {
  switch (on.scope) {
    case core::pause_scope::scheduler: return held_.size();
    case core::pause_scope::workspace:
      return static_cast<std::size_t>(std::count_if(
          held_.begin(), held_.end(), [&](const auto& h) { return h.second.workspace == on.name; }));
    case core::pause_scope::job:
      return static_cast<std::size_t>(
          std::count_if(held_.begin(), held_.end(), [&](const auto& h) { return h.second.job == on.job; }));
    case core::pause_scope::agent_type:
      return static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), [&](const auto& h) {
        const auto* who = roster_.known(h.second.holder);
        return who != nullptr && who->agent_type == on.name;
      }));
  }
  return 0;
}

pauses_seen dispatcher::look(const std::optional<core::pause_target>& on) const {
  const auto now = deps_.clock->now();
  pauses_seen seen;
  seen.now = now;
  seen.known = pauses_.known();
  for (auto& p : pauses_.all())
    if ((!on || p.on == *on) && (stands(p.why, now) || probing(p.why, now) || planned(p.why, now)))
      seen.pauses.push_back(std::move(p));
  for (const auto& [type, delay] : delays_)
    if (!on || *on == core::the_agent_type(type)) seen.delays.push_back({type, delay});
  const auto what = on.value_or(core::whole_scheduler());
  for (const auto& [run, h] : held_) {
    const auto* who = roster_.known(h.holder);
    const bool meant =
        what.scope == core::pause_scope::scheduler ||
        (what.scope == core::pause_scope::workspace && h.workspace == what.name) ||
        (what.scope == core::pause_scope::job && h.job == what.job) ||
        (what.scope == core::pause_scope::agent_type && who != nullptr && who->agent_type == what.name);
    if (!meant) continue;
    ++seen.live;
    seen.running.push_back({run, h.name, h.job, h.holder, who == nullptr ? std::string{} : who->name,
                            h.claimed_at, h.deadline_at, h.expires_at});
  }
  std::sort(seen.running.begin(), seen.running.end(), [](const auto& a, const auto& b) {
    return a.claimed_at != b.claimed_at ? a.claimed_at < b.claimed_at : a.run < b.run;
  });
  if (seen.running.size() > remaining_told) seen.running.resize(remaining_told);
  return seen;
}

// The state as it was read while the node serves. One that cannot be read counts as paused, and is asked for
// again.
void dispatcher::take_pauses(const core::result<core::pause_book>& book) {
  const auto now = deps_.clock->now();
  if (book) {
    pauses_.load(*book);
    delays_.clear();
    follow(book->delays);
    pauses_changed(now);
    return serve_waiting();
  }
  deps_.says.say(note_level::error, "pauses-not-read everything is held: " + book.error().text);
  pauses_.forget();
  pauses_end_ = core::later(now, read_again_after);
  alarm_.arm(dispatcher_actor{this}, pauses_end_, now);
}

void dispatcher::read_pauses_again() {
  request(deps_.reads, caf::infinite, ask_pauses{})
      .then([this](core::result<core::pause_book>& book) { take_pauses(book); },
            [this](caf::error&) { deps_.says.say(note_level::error, "pauses-not-read storage is gone"); });
}

void dispatcher::follow(const std::vector<core::learned_delay>& delays) {
  for (const auto& d : delays) {
    if (deps_.says.meter != nullptr)
      deps_.says.meter->set(platform::metric::provider_delay_seconds, seconds(d.delay), d.agent_type);
    if (d.delay > core::span{0})
      delays_[d.agent_type] = d.delay;
    else
      delays_.erase(d.agent_type);
  }
}

// What stands may be another set than before: by a commit, or because time has passed.
void dispatcher::pauses_changed(core::instant now) {
  if (!pauses_.known()) return;
  board_.follow(pauses_, now);
  // While everything was paused nobody could take anything: what waits begins anew.
  const bool all = pauses_.holds_all(now);
  if (all_paused_ && !all) board_.wait_anew(patience_now());
  all_paused_ = all;
  note_change();
  pauses_end_ = pauses_.next_change(now);
  if (pauses_end_ != core::never) alarm_.arm(dispatcher_actor{this}, pauses_end_, now);
}

// Those whose time is over hold nothing any more; the row goes as well, with an event.
void dispatcher::pauses_over(core::instant now) {
  if (!pauses_.known()) {
    if (pauses_end_ == core::never) return;
    if (pauses_end_ <= now) return read_pauses_again();
    return alarm_.arm(dispatcher_actor{this}, pauses_end_, now);
  }
  for (const auto& p : pauses_.over(now))
    write_of_pause(storage::lift_pause{p.on, p.why.reason, p.why.owner, true});
  if (pauses_end_ == core::never) return;
  pauses_changed(now);
  leases_ended_ = true;  // a planned drain may have begun with nothing to wait for
  end_drains();
  serve_waiting();
}

// A drain is over when no lease is live under it. Said once, in the journal; the pause stays.
void dispatcher::end_drains() {
  if (!ready_ || !std::exchange(leases_ended_, false) || pauses_.nothing()) return;
  const auto now = deps_.clock->now();
  std::optional<core::pause_target> looked;
  for (const auto& p : pauses_.all()) {
    if (!core::draining(p.why) || p.why.drained_at != core::never || !stands(p.why, now)) continue;
    if (looked == p.on || running_under(p.on) > 0) continue;
    looked = p.on;
    write_of_pause(storage::note_drained{p.on});
  }
}

// What cannot be written now is written at the next occasion: a boot, or when something changes again.
void dispatcher::write_of_pause(storage::change what) {
  storage::change_set set{deps_.clock->now(), "node", {}, {std::move(what)}};
  request(deps_.store, caf::infinite, commit_changes{{std::move(set)}})
      .then(
          [this](commit_results& r) {
            if (!r.answers.front())
              deps_.says.say(note_level::warning, "pause-not-written " + r.answers.front().error().text);
          },
          [this](caf::error&) { deps_.says.say(note_level::warning, "pause-not-written storage is gone"); });
}

}  // namespace belfry::actors
