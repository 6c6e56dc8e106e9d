// From the question to the process.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/spawner/spawner.hpp"

#include <caf/send.hpp>

#include <algorithm>

#include "actors/gateway/gateway.hpp"
#include "actors/support/change_sets.hpp"
#include "actors/support/failures.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

constexpr std::size_t most_remembered = 10'000;

// What it is called among the living processes.
std::string worker_key(core::session_id id) { return "worker/" + to_string(id); }

template <class Map>
void keep_small(Map& m) {
  while (m.size() > most_remembered) m.erase(m.begin());  // the oldest runs
}

}  // namespace

spawner::spawner(caf::actor_config& cfg, spawner_deps deps)
    : spawner_actor::base(cfg), deps_{std::move(deps)}, types_{deps_.options.types}, url_{deps_.options.url} {
  std::sort(types_.begin(), types_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  states_.resize(types_.size());
}

auto spawner::make_behavior() -> behavior_type {
  return {
      [this](const spawn_worker& asked) { return spawn_for(asked); },
      [this](const spawn_by_hand& asked) { return spawn_named(asked); },
      [this](const ask_agent_types& asked) { return tell_types(asked); },
      [this](const address_told& news) { url_ = news.url; },
      [this](const session_news& news) { heard(news); },
      [this](start_spawning) { recover(); },
      [this](const drain_workers& asked) { return drain(asked.patience); },
      [this](const worker_started& news) { started(news); },
      [this](const worker_said& news) { said(news); },
      [this](const worker_exited& news) { exited(news); },
      [this](const read_with& asked) { deps_.reader = asked.who; },
      [this](const alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void spawner::on_exit() {
  for (const auto& [id, e] : entries_)
    if (e.process) deps_.processes->abandon(worker_key(id), [] {});
  entries_.clear();
  wishes_.clear();
  drain_answers_.clear();
  deps_.store = nullptr;
  deps_.reader = nullptr;
  deps_.registry = nullptr;
  deps_.pauses = nullptr;
  deps_.gateway = nullptr;
}

std::optional<failure> spawner::not_now() const {
  if (draining_) return failure{errc::unavailable, "the node is stopping: it starts no more workers", {}, {}};
  if (!serving_ || url_.empty())
    return failure{errc::unavailable, "the node has just started: it starts no workers yet", {}, {}};
  return std::nullopt;
}

// Limits are counted from what lives, so nothing can leak; who is about to be registered counts too.
std::optional<failure> spawner::refuses(std::size_t type, const std::string& workspace) const {
  const auto& t = types_[type];
  const auto& state = states_[type];
  if (const auto now = deps_.clock->steady(); state.not_before > now)
    return failure{errc::unavailable,
                   "agent type " + t.name + " backs off until " + core::to_rfc3339(state.shown_not_before) +
                       " after " + std::to_string(state.failures) + " failures: " + state.last_failure,
                   {},
                   "belfry agent-type show " + t.name};
  std::uint32_t all = 0;
  std::uint32_t here = 0;
  const auto count = [&](std::size_t of, const std::string& where) {
    if (of != type) return;
    ++all;
    if (where == workspace) ++here;
  };
  for (const auto& [id, e] : entries_) count(e.type, e.row.workspace);
  for (const auto& [number, w] : wishes_)
    if (w.type && !w.registered) count(*w.type, core::session_of(types_[*w.type], w.needs).workspace);
  if (all >= t.max)
    return failure{errc::limit_exceeded,
                   "agent type " + t.name + " has " + std::to_string(all) + " workers, and its max is " +
                       std::to_string(t.max),
                   {},
                   "belfry agent-type show " + t.name};
  if (here >= t.per_workspace)
    return failure{errc::limit_exceeded,
                   "agent type " + t.name + " has " + std::to_string(here) + " workers in workspace \"" +
                       workspace + "\", and its per_workspace is " + std::to_string(t.per_workspace),
                   {},
                   "belfry agent-type show " + t.name};
  return std::nullopt;
}

caf::result<spawner::spawned> spawner::spawn_for(const spawn_worker& asked) {
  const episode of{asked.run, asked.episode};
  if (const auto it = answered_.find(of); it != answered_.end()) return spawned{it->second};
  for (auto& [number, w] : wishes_)
    if (w.of == of && asked.run) {  // the same question is under way
      auto [guard, promise] = answer_later<spawned>(this);
      w.answers.push_back(guard);
      return promise;
    }
  if (auto no = not_now()) return spawned{std::move(*no)};
  auto fit = core::choose(types_, asked.needs, asked.handler);
  if (fit.empty()) {
    const auto why = core::why_none(types_, asked.needs, asked.handler);
    note_unresolvable(asked, why);
    return spawned{failure{errc::not_found, "no agent type will do: " + why, {}, "belfry agent-type list"}};
  }
  wish w;
  w.of = of;
  w.actor = "node";
  w.needs = asked.needs;
  w.fit = std::move(fit);
  return take(std::move(w));
}

caf::result<spawner::spawned> spawner::spawn_named(const spawn_by_hand& asked) {
  const auto it = std::find_if(types_.begin(), types_.end(),
                               [&](const core::agent_type& t) { return t.name == asked.agent_type; });
  if (it == types_.end())
    return spawned{failure{errc::not_found,
                           "there is no agent type \"" + asked.agent_type + "\"",
                           {},
                           "belfry agent-type list"}};
  if (!it->workspace.empty() && !asked.workspace.empty() && asked.workspace != it->workspace)
    return spawned{failure{errc::invalid,
                           "agent type " + it->name + " serves another workspace",
                           {{"/workspace", asked.workspace, it->workspace, "it is declared for that one"}},
                           {}}};
  if (auto no = not_now()) return spawned{std::move(*no)};
  wish w;
  w.actor = asked.actor;
  w.needs.workspace = asked.workspace;
  w.fit.push_back(static_cast<std::size_t>(it - types_.begin()));
  return take(std::move(w));
}

caf::result<core::result<agent_types_told>> spawner::tell_types(const ask_agent_types& asked) {
  agent_types_told told;
  std::vector<std::size_t> shown;
  const auto steady = deps_.clock->steady();
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (!asked.name.empty() && types_[i].name != asked.name) continue;
    shown.push_back(i);
    agent_type_status s;
    s.type = types_[i];
    s.type.passed.clear();
    s.failures = states_[i].failures;
    s.last_failure = states_[i].last_failure;
    if (states_[i].not_before > steady) s.not_before = states_[i].shown_not_before;
    for (auto it = entries_.rbegin(); it != entries_.rend(); ++it)
      if (it->second.type == i) s.workers.push_back(it->second.row);
    told.types.push_back(std::move(s));
  }
  if (!asked.name.empty() && told.types.empty())
    return core::result<agent_types_told>{failure{
        errc::not_found, "there is no agent type \"" + asked.name + "\"", {}, "belfry agent-type list"}};
  auto [guard, promise] = answer_later<core::result<agent_types_told>>(this);
  const auto tell = [answer = guard, all = std::make_shared<agent_types_told>(std::move(told))](
                        const std::vector<std::vector<core::ineligible>>& pauses) {
    for (std::size_t i = 0; i < all->types.size(); ++i)
      all->types[i].held = i < pauses.size()
                               ? pauses[i]
                               : std::vector<core::ineligible>{{"scheduler_paused", "it is not known"}};
    answer->deliver(core::result<agent_types_told>{std::move(*all)});
  };
  request(deps_.pauses, caf::infinite, pauses_of(shown, {}))
      .then([tell](session_pauses& p) { tell(p.reasons); }, [tell](caf::error&) { tell({}); });
  return promise;
}

void spawner::note_unresolvable(const spawn_worker& asked, const std::string& why) {
  if (!told_unresolvable_.insert({asked.run, asked.episode}).second) return;
  keep_small(told_unresolvable_);
  core::event e;
  e.kind = core::event_kind::spawn_unresolvable;
  e.run = asked.run;
  e.text = why;
  note_in_journal(this, deps_.store, std::move(e), deps_.clock->now());
}

// What a former process has answered stands in the rows.
caf::result<spawner::spawned> spawner::take(wish w) {
  auto [guard, promise] = answer_later<spawned>(this);
  w.answers.push_back(guard);
  const auto of = w.of;
  const auto number = next_wish_++;
  wishes_.emplace(number, std::move(w));
  if (!of.first) {
    ask_pauses(number);
    return promise;
  }
  list_workers q;
  q.run = of.first;
  q.ended_too = true;
  request(deps_.reader, caf::infinite, query{q})
      .then(
          [this, number, of](core::result<query_answer>& r) {
            if (!r) return answer(number, spawned{r.error()});
            for (const auto& row : std::get<std::vector<core::spawned_worker>>(*r))
              if (row.episode == of.second && row.end != core::worker_end::not_started)
                return answer(number, spawned{worker_spawned{row.session, row.agent_type}});
            ask_pauses(number);
          },
          [this, number](caf::error& e) { answer(number, spawned{failure_of(e, "reader")}); });
  return promise;
}

ask_pauses_of spawner::pauses_of(const std::vector<std::size_t>& types,
                                 const core::requirement& needs) const {
  ask_pauses_of m;
  for (const auto type : types) m.sessions.push_back(core::session_of(types_[type], needs));
  return m;
}

// A worker that would get nothing is not started: whoever paused its type, its workspace or the scheduler did
// not mean to have more of them.
void spawner::ask_pauses(std::uint64_t number) {
  const auto it = wishes_.find(number);
  if (it == wishes_.end()) return;
  request(deps_.pauses, caf::infinite, pauses_of(it->second.fit, it->second.needs))
      .then([this, number](session_pauses& told) { choose(number, told.reasons); },
            [this, number](caf::error&) { choose(number, {}); });
}

// Of the types that will do, the first that no pause, no limit and no backoff holds.
void spawner::choose(std::uint64_t number, const std::vector<std::vector<core::ineligible>>& pauses) {
  const auto it = wishes_.find(number);
  if (it == wishes_.end()) return;
  auto& w = it->second;
  if (auto no = not_now()) return answer(number, spawned{std::move(*no)});
  std::optional<failure> first;
  for (std::size_t i = 0; i < w.fit.size(); ++i) {
    const auto& t = types_[w.fit[i]];
    std::optional<failure> no;
    if (i >= pauses.size() || !pauses[i].empty())
      no = failure{
          errc::paused,
          "no worker of agent type " + t.name + " is started: " +
              (i < pauses.size() ? pauses[i].front().text
                                 : std::string{"what is paused is not known, which counts as paused"}),
          {},
          "belfry scheduler pauses"};
    else
      no = refuses(w.fit[i], core::session_of(t, w.needs).workspace);
    if (!no) {
      w.type = w.fit[i];
      return begin(number);
    }
    if (!first) first = std::move(no);
  }
  answer(number, spawned{std::move(*first)});
}

void spawner::begin(std::uint64_t number) {
  const auto it = wishes_.find(number);
  if (it == wishes_.end()) return;
  const auto& w = it->second;
  if (auto no = not_now()) return answer(number, spawned{std::move(*no)});
  const auto& t = types_[w.type.value()];
  const auto minted = deps_.randomness->token();
  register_session entry_form;
  entry_form.who = core::session_of(t, w.needs);
  entry_form.actor = w.actor;
  entry_form.worker =
      core::new_worker(t, entry_form.who, w.of.first, w.of.second, minted.hash, deps_.clock->now());
  auto row = *entry_form.worker;
  request(deps_.registry, caf::infinite, std::move(entry_form))
      .then(
          [this, number, row = std::move(row), token = minted.text](core::result<session_answer>& r) {
            if (!r) return answer(number, spawned{r.error()});
            start_worker(std::move(r->who), row, token, number);
          },
          [this, number](caf::error& e) { answer(number, spawned{failure_of(e, "session registry")}); });
}

// The gateway knows the token before anybody can show it.
void spawner::start_worker(core::session who, core::spawned_worker row, const std::string& token,
                           std::uint64_t number) {
  row.session = who.id;
  auto& w = wishes_.at(number);
  w.registered = true;
  caf::anon_send(deps_.gateway,
                 gateway_call{[id = who.id, hash = row.token](gateway& g) { g.know_token(id, hash); }});
  caf::anon_send(deps_.registry, follow_session{who.id, session_follower{spawner_actor{this}}});
  entry e;
  e.row = std::move(row);
  e.type = w.type.value();
  e.wish = number;
  e.clock.started = deps_.clock->steady();
  e.token = token;
  auto& kept = entries_.emplace(who.id, std::move(e)).first->second;
  if (draining_) {  // nothing was started, so nothing has to end
    kept.row.end = core::worker_end::node_stopped;
    return close(who.id);
  }
  kept.process = true;
  const auto me = caf::actor_cast<caf::weak_actor_ptr>(spawner_actor{this});
  platform::process_events tell;
  tell.started = [me, id = who.id](std::int64_t pid) {
    if (const auto self = caf::actor_cast<spawner_actor>(me)) caf::anon_send(self, worker_started{id, pid});
  };
  tell.output = [me, id = who.id](std::vector<platform::output_line> lines) {
    if (const auto self = caf::actor_cast<spawner_actor>(me))
      caf::anon_send(self, worker_said{id, std::move(lines)});
  };
  tell.ended = [me, id = who.id](platform::process_report report) {
    if (const auto self = caf::actor_cast<spawner_actor>(me))
      caf::anon_send(self, worker_exited{id, std::move(report)});
  };
  deps_.processes->start(worker_key(who.id), order_of(kept, token), std::move(tell));
  arm();
}

platform::process_order spawner::order_of(const entry& e, const std::string& token) const {
  const auto& t = types_[e.type];
  std::string able;
  for (const auto& c : t.capabilities) (able += able.empty() ? "" : ",") += c;
  platform::process_order o;
  o.what.argv = t.command;
  o.what.cwd = t.cwd;
  o.what.env = t.env;
  o.what.env.insert(o.what.env.end(), t.passed.begin(), t.passed.end());
  o.mark = deps_.mark;
  o.grace = t.grace;
  o.env = {{"BELFRY_URL", url_},
           {"BELFRY_SESSION", to_string(e.row.session)},
           {"BELFRY_TOKEN", token},
           {"BELFRY_AGENT_TYPE", t.name},
           {"BELFRY_CAPABILITIES", able},
           {"BELFRY_WORKSPACE", e.row.workspace},
           {"BELFRY_CHANNEL", t.channel.empty() ? wishes_.at(e.wish).needs.channel : t.channel},
           {"BELFRY_SLOTS", std::to_string(t.slots)}};
  if (e.row.run) o.env.emplace_back("BELFRY_RUN_ID", to_string(e.row.run));
  return o;
}

// The last word on a wish.
void spawner::answer(std::uint64_t number, const spawned& how) {
  const auto it = wishes_.find(number);
  if (it == wishes_.end()) return;
  const auto w = std::move(it->second);
  wishes_.erase(it);
  if (how && w.of.first) {
    answered_.emplace(w.of, *how);
    keep_small(answered_);
  }
  for (const auto& one : w.answers) one->deliver(how);
  drained_if_so();
}

}  // namespace belfry::actors
