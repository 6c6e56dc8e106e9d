// FAKE PORT: the questions, and what a test may do.
#include <algorithm>

#include "tests/support/fake_port.hpp"

namespace belfry::test {
namespace {

using core::errc;

core::failure no(errc e, std::string text) { return {e, std::move(text), {}, {}}; }

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

class fake_port::watching final : public messages::watch {
 public:
  watching(fake_port& p, int number) : p_(p), number_(number) {}
  ~watching() override {
    const std::lock_guard lock{p_.mutex_};
    p_.watchers_.erase(number_);
  }

 private:
  fake_port& p_;
  int number_;
};

void fake_port::call(messages::submit_runs m, messages::reply<messages::submitted> done) {
  ask(std::move(done), [this, m = std::move(m)] { return submit(m); });
}

void fake_port::call(messages::claim_runs m, messages::reply<messages::claimed_runs> done) {
  ++questions_;
  post([this, m, done = std::move(done)] {
    std::unique_lock lock{mutex_};
    if (!sessions_.contains(m.who)) {
      lock.unlock();
      return done(no(errc::not_found, "there is no such session"));
    }
    auto got = claim(m);
    if (got.runs.empty() && m.wait > core::span{0}) {
      claims_.push_back({m, done, time_.steady() + m.wait});
      return;
    }
    lock.unlock();
    done(std::move(got));
  });
}

void fake_port::call(messages::touch_leases m, messages::reply<messages::touched> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::touched> {
    messages::touched out;
    for (const auto& c : m.calls) {
      const auto command = std::visit([](const auto& w) { return core::run_command{w}; }, c.what);
      const auto h = step(c.run, command, "holder");
      if (h) {
        messages::lease_status told;
        told.expires_at = h->held.expires_at;
        told.deadline_at = h->held.deadline_at;
        told.cancel_requested = h->cancel_requested;
        const auto holder = sessions_.find(h->held.holder);
        told.drain = holder != sessions_.end() && holder->second.draining;
        if (std::holds_alternative<core::cmd_log>(command))
          told.next_line = logs_[c.run].empty() ? 1 : logs_[c.run].back().number + 1;
        out.answers.push_back(told);
      } else
        out.answers.push_back(h.error());
    }
    return out;
  });
}

void fake_port::call(messages::reissue_leases m, messages::reply<messages::claimed_runs> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::claimed_runs> {
    messages::claimed_runs out;
    for (const auto id : m.runs) {
      const std::string token =
          "reissued-" + std::to_string(id.value) + "-" + std::to_string(runs_.at(id).head.fencing);
      if (!step(id, core::cmd_reissue{m.who, platform::sha256(token), m.lease}, m.actor)) continue;
      out.runs.push_back({runs_.at(id), token});
    }
    return out;
  });
}

void fake_port::call(messages::ask_capable m, messages::reply<messages::capable> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::capable> {
    messages::capable told;
    for (const auto& wish : m.runs) {
      bool somebody = false;
      for (const auto& [id, s] : sessions_)
        somebody = somebody || core::may_take(s, wish.needs, wish.handler);
      told.somebody.push_back(somebody);
    }
    return told;
  });
}

void fake_port::call(messages::settle_runs m, messages::reply<messages::settled> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::settled> {
    messages::settled out;
    for (const auto& i : m.items) {
      bool replayed = false;
      const auto h = step(i.run, i.how, m.actor, &replayed);
      if (h)
        out.answers.push_back(messages::settled_item{*h, replayed});
      else
        out.answers.push_back(h.error());
    }
    answer_waiting();
    return out;
  });
}

void fake_port::call(messages::control_runs m, messages::reply<messages::controlled> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::controlled> {
    messages::controlled out;
    for (const auto id : m.ids) out.answers.push_back(control(id, m));
    return out;
  });
}

void fake_port::call(messages::recover_runs m, messages::reply<messages::redriven> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::redriven> {
    messages::redriven out;
    for (const auto id : m.ids) {
      last_actor_ = m.actor;
      const auto it = runs_.find(id);
      if (it == runs_.end()) {
        out.answers.push_back(no(errc::not_found, "there is no run " + core::to_string(id)));
        continue;
      }
      if (auto unexpected = core::refuse_unexpected(it->second.head, m.expected)) {
        out.answers.push_back(*unexpected);
        continue;
      }
      const auto closed =
          core::decide(it->second.head, {}, core::cmd_recover{m.reason}, m.actor, time_.now());
      if (const auto* refused = std::get_if<core::run_refusal>(&closed)) {
        out.answers.push_back(refused->why);
      } else if (m.dry_run) {
        auto planned = it->second;
        planned.head = std::get<core::run_step>(closed).next;
        out.answers.push_back(planned);
      } else {
        it->second.head = std::get<core::run_step>(closed).next;
        out.answers.push_back(redrive(id, {{id}, {}, m.actor, {}}));
      }
    }
    return out;
  });
}

void fake_port::needs_attention(core::run_id id) {
  const std::lock_guard lock{mutex_};
  runs_.at(id).head.state = core::run_state::needs_attention;
}

core::result<core::run_head> fake_port::control(core::run_id id, const messages::control_runs& m) {
  const auto command = std::visit([](const auto& w) { return core::run_command{w}; }, m.what);
  const auto it = runs_.find(id);
  if (it != runs_.end())
    if (auto unexpected = core::refuse_unexpected(it->second.head, m.expected)) return *unexpected;
  if (!m.dry_run || it == runs_.end()) return step(id, command, m.actor);
  const auto decision =
      core::decide(it->second.head, {it->second.spec.get(), nullptr}, command, m.actor, time_.now());
  if (const auto* refused = std::get_if<core::run_refusal>(&decision)) return refused->why;
  return std::get<core::run_step>(decision).next;
}

void fake_port::call(messages::redrive_runs m, messages::reply<messages::redriven> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::redriven> {
    messages::redriven out;
    for (const auto id : m.ids) out.answers.push_back(redrive(id, m));
    return out;
  });
}

void fake_port::call(messages::prune_runs m, messages::reply<messages::runs_pruned> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::runs_pruned> {
    messages::runs_pruned out;
    const auto keep = m.keep.value_or(core::span{std::chrono::hours{24}});
    for (const auto& [id, r] : runs_)
      if (terminal(r.head.state) && r.head.ended_at < core::later(time_.now(), -keep)) out.ids.push_back(id);
    out.runs = out.ids.size();
    if (m.dry_run) return out;
    for (const auto id : std::exchange(out.ids, {})) runs_.erase(id);
    return out;
  });
}

void fake_port::call(messages::explain_run m, messages::reply<messages::explanation> done) {
  ask(std::move(done), [m = std::move(m)]() -> core::result<messages::explanation> {
    return messages::explanation{{{"behind_others", "others are before it"}}, 1, {}};
  });
}

void fake_port::call(messages::ask_queue, messages::reply<messages::queue_state> done) {
  ask(std::move(done), [this]() -> core::result<messages::queue_state> {
    messages::queue_state q;
    q.limits = limits_;
    q.ready = true;
    q.waiting_claims = claims_.size();
    for (const auto& [id, r] : runs_) {
      if (core::leased(r.head.state)) ++q.counts.live;
      if (r.head.state != core::run_state::queued) continue;
      ++q.counts.ready;
      ++q.counts.ready_by_priority[static_cast<std::size_t>(r.head.prio)];
      q.counts.oldest = std::min(q.counts.oldest.value_or(r.head.eligible_since), r.head.eligible_since);
    }
    return q;
  });
}

void fake_port::call(messages::change_limits m, messages::reply<messages::queue_state> done) {
  {
    const std::lock_guard lock{mutex_};
    limits_ = m.limits;
    last_actor_ = m.actor;
  }
  call(messages::ask_queue{}, std::move(done));
}

void fake_port::call(messages::rebuild_index m, messages::reply<messages::index_rebuilt> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::index_rebuilt> {
    last_actor_ = m.actor;
    messages::index_rebuilt told;
    for (const auto& [id, r] : runs_) {
      if (core::terminal(r.head.state)) continue;
      ++told.open;
      ++(r.head.state == core::run_state::queued ? told.queued
         : core::leased(r.head.state)            ? told.leased
                                                 : told.delayed);
      // One of each kind, so that a test sees them written.
      if (told.differences.size() < 3) {
        told.differences.push_back({id, static_cast<messages::index_fault>(told.differences.size())});
        told.missing = 1;
        told.stale = told.differences.size() > 1 ? 1 : 0;
        told.misplaced = told.differences.size() > 2 ? 1 : 0;
      }
    }
    note({0,
          core::never,
          core::event_kind::queue_rebuilt,
          {},
          {},
          0,
          0,
          m.actor,
          "open=" + std::to_string(told.open)});
    told.event = journal_.back().seq;
    return told;
  });
}

void fake_port::call(messages::put_job m, messages::reply<messages::job_stored> done) {
  ask(std::move(done), [this, m = std::move(m)] { return put(m); });
}

void fake_port::call(messages::archive_job m, messages::reply<messages::job_stored> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::job_stored> {
    auto& j = jobs_.at(m.id);
    j.state = core::job_state::archived;
    return messages::job_stored{j};
  });
}

messages::pauses_seen fake_port::seen_of(const std::optional<core::pause_target>& on) const {
  messages::pauses_seen seen;
  seen.now = time_.now();
  for (const auto& [target, entries] : pauses_)
    for (const auto& e : entries)
      if (!on || target == *on) seen.pauses.push_back({target, e});
  for (const auto& [id, r] : runs_)
    if (core::leased(r.head.state)) {
      ++seen.live;
      seen.running.push_back({id, r.head.name, r.head.job, r.head.held.holder, "somebody",
                              r.head.held.claimed_at, r.head.held.deadline_at, r.head.held.expires_at});
    }
  return seen;
}

void fake_port::call(messages::set_pause m, messages::reply<messages::pauses_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::pauses_seen> {
    last_actor_ = m.actor;
    if (auto found = core::check(m.on, m.entry, time_.now()); !found.empty())
      return core::failure{core::errc::invalid, "the pause is not valid", std::move(found), {}};
    auto entry = m.entry;
    entry.by = m.actor;
    entry.probes = m.limit;
    auto targets = m.also;
    targets.insert(targets.begin(), m.on);
    bool changed = false;
    for (const auto& on : targets) {
      auto d = core::decide_pause(on, pauses_[on], entry, m.limit ? entry.owner : m.actor, time_.now());
      if (!d) return d.error();
      pauses_[on] = d->entries;
      changed = changed || d->changed;
    }
    auto seen = seen_of(m.also.empty() ? std::optional{m.on} : std::nullopt);
    seen.changed = changed;
    return seen;
  });
}

void fake_port::call(messages::lift_pause m, messages::reply<messages::pauses_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::pauses_seen> {
    auto d = core::decide_lift(m.on, pauses_[m.on], m.reason, m.owner, false, m.actor, time_.now());
    if (!d) return d.error();
    pauses_[m.on] = d->entries;
    auto seen = seen_of(m.on);
    seen.changed = d->changed;
    return seen;
  });
}

void fake_port::call(messages::look_at_pauses m, messages::reply<messages::pauses_seen> done) {
  ask(std::move(done),
      [this, m = std::move(m)]() -> core::result<messages::pauses_seen> { return seen_of(m.on); });
}

void fake_port::call(messages::pause_job m, messages::reply<messages::job_stored> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::job_stored> {
    auto& j = jobs_.at(m.id);
    std::erase_if(j.pauses, [&](const auto& p) { return p.reason == m.reason; });
    j.pauses.push_back({m.reason, core::owner_for(m.actor), m.text, time_.now()});
    j.pauses.back().by = m.actor;
    j.state = core::job_state::paused;
    return messages::job_stored{j};
  });
}

void fake_port::call(messages::resume_job m, messages::reply<messages::job_stored> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::job_stored> {
    auto& j = jobs_.at(m.id);
    std::erase_if(j.pauses, [&](const auto& p) { return p.reason == m.reason; });
    if (j.pauses.empty()) j.state = core::job_state::active;
    return messages::job_stored{j};
  });
}

void fake_port::call(messages::trigger_job m, messages::reply<messages::submitted> done) {
  ask(std::move(done), [this, m = std::move(m)] { return trigger(m); });
}

void fake_port::call(messages::emit_event m, messages::reply<messages::event_emitted> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::event_emitted> {
    note({0, time_.now(), core::event_kind::event_received, m.by, {}, 0, 0, m.actor, core::to_text(m.what)});
    messages::event_emitted told;
    told.what.seq = static_cast<std::int64_t>(journal_.size());
    told.what.at = time_.now();
    return told;
  });
}

void fake_port::call(messages::plan_jobs m, messages::reply<messages::jobs_planned> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::jobs_planned> {
    messages::jobs_planned all;
    for (const auto id : m.jobs) {
      const auto it = jobs_.find(id);
      if (it == jobs_.end())
        all.answers.emplace_back(no(errc::not_found, "there is no such job"));
      else
        all.answers.emplace_back(messages::job_planned{it->second, {}});
    }
    return all;
  });
}

void fake_port::call(messages::put_calendar m, messages::reply<messages::calendar_stored> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::calendar_stored> {
    auto& c = calendars_[m.what.name];
    const auto revision = c.name.empty() ? 1U : c.revision + 1;
    c = m.what;
    c.revision = revision;
    c.periods = c.content->local.size() + c.content->fixed.size();
    c.created_at = c.changed_at = time_.now();
    c.created_by = c.changed_by = m.actor;
    return messages::calendar_stored{c, true, 0, false};
  });
}

void fake_port::call(messages::remove_calendar m, messages::reply<messages::calendar_stored> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::calendar_stored> {
    const auto it = calendars_.find(m.name);
    if (it == calendars_.end()) return no(errc::not_found, "there is no such calendar");
    auto gone = std::move(it->second);
    calendars_.erase(it);
    return messages::calendar_stored{std::move(gone), true, 0, false};
  });
}

void fake_port::call(messages::put_window m, messages::reply<messages::window_stored> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::window_stored> {
    auto& w = windows_[m.what.name];
    const auto revision = w.name.empty() ? 1U : w.revision + 1;
    w = m.what;
    w.revision = revision;
    w.created_at = w.changed_at = time_.now();
    w.opens = core::later(time_.now(), std::chrono::hours{1});
    w.closes = core::later(w.opens, w.length);
    return messages::window_stored{w, true};
  });
}

void fake_port::call(messages::remove_window m, messages::reply<messages::window_stored> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::window_stored> {
    const auto it = windows_.find(m.name);
    if (it == windows_.end()) return no(errc::not_found, "there is no such window");
    auto gone = std::move(it->second);
    windows_.erase(it);
    return messages::window_stored{std::move(gone), true};
  });
}

void fake_port::call(messages::register_session m, messages::reply<messages::session_answer> done) {
  ask(std::move(done), [this, m = std::move(m)]() mutable -> core::result<messages::session_answer> {
    auto who = m.who;
    if (who.id && !sessions_.contains(who.id)) return no(errc::not_found, "there is no such session");
    if (!who.id) {
      who.id = core::session_id{ids_.next(time_.now())};
      who.created_at = time_.now();
    }
    who.last_seen = time_.now();
    sessions_[who.id] = who;
    return messages::session_answer{who};
  });
}

void fake_port::call(messages::end_session m, messages::reply<messages::session_answer> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::session_answer> {
    const auto it = sessions_.find(m.id);
    if (it == sessions_.end()) return no(errc::not_found, "there is no such session");
    it->second.state = core::session_state::gone;
    return messages::session_answer{it->second};
  });
}

core::result<messages::sessions_seen> fake_port::seen(core::session_id id, bool gone_too) const {
  messages::sessions_seen all;
  all.heartbeat_every = std::chrono::seconds{30};
  for (const auto& [own, s] : sessions_) {
    if (id.value != 0 ? own != id : s.state == core::session_state::gone && !gone_too) continue;
    messages::session_view v;
    v.who = s;
    for (const auto& [run, r] : runs_)
      if (core::leased(r.head.state) && r.head.held.holder == own) {
        v.leases.push_back(r.head);
        v.signs.push_back({run, r.head.held.claimed_at, r.head.held.expires_at, r.head.held.started_at});
      }
    v.stale_at = core::later(s.last_seen, std::chrono::minutes{2});
    v.health = core::judge(s, time_.now(), v.signs, {}, time_.now());
    all.sessions.push_back(std::move(v));
  }
  if (id.value != 0 && all.sessions.empty()) return no(errc::not_found, "there is no such session");
  return all;
}

void fake_port::call(messages::heartbeat_session m, messages::reply<messages::sessions_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::sessions_seen> {
    const auto it = sessions_.find(m.id);
    if (it == sessions_.end() || it->second.state == core::session_state::gone)
      return no(errc::not_found, "there is no such session");
    if (m.paused) it->second.paused = *m.paused;
    if (m.prompting) it->second.prompting = *m.prompting;
    it->second.state = core::state_here(it->second);
    it->second.last_seen = time_.now();
    return seen(m.id, false);
  });
}

void fake_port::call(messages::steer_session m, messages::reply<messages::sessions_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::sessions_seen> {
    const auto it = sessions_.find(m.id);
    if (it == sessions_.end()) return no(errc::not_found, "there is no such session");
    it->second.draining = m.draining;
    it->second.state = core::state_here(it->second);
    return seen(m.id, false);
  });
}

void fake_port::call(messages::look_at_sessions m, messages::reply<messages::sessions_seen> done) {
  ask(std::move(done), [this, m] { return seen(m.id, m.gone_too); });
}

void fake_port::call(messages::explain_session m, messages::reply<messages::session_explanation> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::session_explanation> {
    messages::session_explanation told;
    const auto it = sessions_.find(m.who);
    const core::standing at{it == sessions_.end() ? nullptr : &it->second};
    told.reasons = m.needs ? core::why_not(at, *m.needs, m.handler) : core::why_nothing(at);
    if (at.who != nullptr) told.slots = at.who->slots;
    return told;
  });
}

messages::waiting_wakes fake_port::waiting_wakes_for(const messages::await_wakes& m) const {
  messages::waiting_wakes told;
  for (const auto& w : wakes_.waiting(m.who, m.after, m.max))
    told.wakes.push_back({w.id, w.run, w.session, w.prio, w.starved, w.name, w.sent_at, w.acknowledge_by});
  return told;
}

void fake_port::call(messages::await_wakes m, messages::reply<messages::waiting_wakes> done) {
  ++questions_;
  post([this, m, done = std::move(done)] {
    std::unique_lock lock{mutex_};
    if (!sessions_.contains(m.who)) {
      lock.unlock();
      return done(no(errc::not_found, "there is no such session"));
    }
    auto told = waiting_wakes_for(m);
    if (told.wakes.empty() && m.wait > core::span{0}) {
      polls_.push_back({m, done, time_.steady() + m.wait});
      return;
    }
    lock.unlock();
    done(std::move(told));
  });
}

void fake_port::call(messages::acknowledge_wakes m, messages::reply<messages::wakes_heard> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::wakes_heard> {
    messages::wakes_heard all;
    (void)wakes_.overdue(time_.now());
    for (const auto id : m.wakes) {
      auto heard = wakes_.acknowledge(m.who, id);
      if (heard)
        all.answers.emplace_back(messages::wake_heard{id, heard->what.run, heard->repeated});
      else
        all.answers.emplace_back(heard.error());
    }
    return all;
  });
}

void fake_port::call(messages::wake_by_hand m, messages::reply<messages::wake_sent> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::wake_sent> {
    last_actor_ = m.actor;
    if (!sessions_.contains(m.target.session)) return no(errc::not_found, "there is no such session");
    core::open_wake w;
    w.run = m.target.run;
    w.session = m.target.session;
    w.prio = m.target.prio;
    w.starved = m.target.starved;
    w.name = m.target.name;
    auto placed = wakes_.put(std::move(w), time_.now());
    if (!placed) return placed.error();
    wake_log_.sent(placed->what);
    answer_waiting();
    return messages::wake_sent{placed->what.id};
  });
}

void fake_port::call(messages::look_at_wakes m, messages::reply<messages::wakes_seen> done) {
  ask(std::move(done), [this, m]() -> core::result<messages::wakes_seen> {
    auto told = wake_log_.of(m.run);
    return messages::wakes_seen{core::instant{} + std::chrono::hours{1}, told.all, std::move(told.wakes)};
  });
}

void fake_port::call(messages::adopt_result m, messages::reply<messages::adopted> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::adopted> {
    const auto said = said_.find(m.run);
    if (said == said_.end()) return no(errc::not_found, "nothing came too late");
    auto h = step(m.run, core::cmd_adopt{said->second, m.reason}, m.actor);
    if (!h) return h.error();
    return messages::adopted{std::move(*h)};
  });
}

void fake_port::call(messages::spawn_by_hand m, messages::reply<messages::worker_spawned> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::worker_spawned> {
    for (const auto& t : agent_types) {
      if (t.name != m.agent_type) continue;
      core::requirement needs;
      needs.workspace = m.workspace;
      auto who = core::session_of(t, needs);
      who.id = core::session_id{ids_.next(time_.now())};
      who.created_at = who.last_seen = time_.now();
      auto w = core::new_worker(t, who, {}, 0, {}, time_.now());
      w.session = who.id;
      w.pid = 4711;
      workers_.push_back(w);
      sessions_[who.id] = who;
      return messages::worker_spawned{who.id, t.name};
    }
    return no(errc::not_found, "there is no such agent type");
  });
}

void fake_port::call(messages::ask_agent_types m, messages::reply<messages::agent_types_told> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::agent_types_told> {
    messages::agent_types_told told;
    for (const auto& t : agent_types) {
      if (!m.name.empty() && m.name != t.name) continue;
      messages::agent_type_status s;
      s.type = t;
      for (const auto& w : workers_)
        if (w.agent_type == t.name) s.workers.push_back(w);
      told.types.push_back(std::move(s));
    }
    if (!m.name.empty() && told.types.empty()) return no(errc::not_found, "there is no such agent type");
    return told;
  });
}

void fake_port::call(messages::ask_node, messages::reply<messages::node_status> done) {
  ask(std::move(done), [this]() -> core::result<messages::node_status> { return status; });
}

void fake_port::call(messages::run_cycle, messages::reply<core::cycle_result> done) {
  ask(std::move(done), [this]() -> core::result<core::cycle_result> {
    core::cycle_result r;
    r.number = 1;
    r.began = time_.now();
    r.asked = true;
    for (const auto& [id, run] : runs_)
      if (run.head.state == core::run_state::queued) {
        ++r.pending;
        r.no_capable.add(id);
      }
    return r;
  });
}

void fake_port::call(messages::look_at_cycles m, messages::reply<messages::cycles_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::cycles_seen> {
    messages::cycles_seen seen;
    seen.sums.since = time_.now();
    seen.sums.cycles = m.reset ? 0 : 3;
    seen.written_every = std::chrono::seconds{60};
    if (m.reset) last_actor_ = m.actor;
    return seen;
  });
}

void fake_port::call(messages::look_at_ladder m, messages::reply<messages::ladder_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::ladder_seen> {
    messages::ladder_seen seen;
    seen.interval = std::chrono::seconds{15};
    seen.tick = 7;
    seen.next_tick = time_.now() + seen.interval;
    seen.by_rung[1] = m.runs.size();
    for (const auto run : m.runs) {
      core::starvation row;
      row.run = run;
      row.episode = 1;
      row.began = time_.now();
      row.base = 4;
      row.fired = core::rung::fan_out;
      seen.rows.push_back({row, 3, core::rung::spawn, seen.next_tick});
    }
    return seen;
  });
}

void fake_port::call(messages::look_at_backlog m, messages::reply<messages::backlog_seen> done) {
  ask(std::move(done), [m = std::move(m)]() -> core::result<messages::backlog_seen> {
    messages::backlog_seen seen;
    for (std::size_t i = 0; i < m.runs.size(); ++i)
      seen.runs.push_back({{{"behind_others", "others are before it"}}, i + 1, {}});
    return seen;
  });
}

void fake_port::call(messages::query q, messages::reply<messages::query_answer> done) {
  ask(std::move(done), [this, q = std::move(q)] { return read(q); });
}

std::unique_ptr<messages::watch> fake_port::watch_events(std::function<void(messages::watched)> told) {
  return watch_run({}, std::move(told));
}

std::unique_ptr<messages::watch> fake_port::watch_run(core::run_id id,
                                                      std::function<void(messages::watched)> told) {
  const std::lock_guard lock{mutex_};
  watchers_[++next_watcher_] = {told, id};
  const auto last = static_cast<std::int64_t>(journal_.size());
  jobs_queue_.push_back([told, last] { told({last, {}}); });
  wake_.notify_all();
  return std::make_unique<watching>(*this, next_watcher_);
}

void fake_port::refuse_next(errc code, int times, std::int64_t retry_ms) {
  const std::lock_guard lock{mutex_};
  refusal_ = code;
  refusals_ = times;
  retry_ms_ = retry_ms;
}

void fake_port::drop_next(int times) {
  const std::lock_guard lock{mutex_};
  drops_ = times;
}

void fake_port::hold() {
  const std::lock_guard lock{mutex_};
  held_ = true;
}

void fake_port::release() {
  const std::lock_guard lock{mutex_};
  held_ = false;
  wake_.notify_all();
}

std::size_t fake_port::waiting_claims() const {
  const std::lock_guard lock{mutex_};
  return claims_.size();
}

void fake_port::note_events(std::size_t n, const std::string& text) {
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < n; ++i)
    note({0, core::never, core::event_kind::node_started, {}, {}, 0, 0, "test", text});
}

void fake_port::prune_events(std::int64_t oldest) {
  const std::lock_guard lock{mutex_};
  oldest_event_ = oldest;
}

void fake_port::write_log(core::run_id id, std::uint32_t attempt, const std::vector<std::string>& lines) {
  const std::lock_guard lock{mutex_};
  auto& all = logs_[id];
  std::uint64_t number = 0;
  for (const auto& l : all)
    if (l.attempt == attempt) number = l.number;
  for (const auto& text : lines)
    all.push_back({id, attempt, ++number, time_.now(), core::log_stream::out, text});
  tell(id);
}

core::run fake_port::run(core::run_id id) const {
  const std::lock_guard lock{mutex_};
  return runs_.at(id);
}

std::vector<core::event> fake_port::events() const {
  const std::lock_guard lock{mutex_};
  return journal_;
}

std::string fake_port::last_actor() const {
  const std::lock_guard lock{mutex_};
  return last_actor_;
}

// ---- reads, under the lock

core::result<core::run> fake_port::find_run(const std::string& text) const {
  if (const auto id = core::parse_id<core::run_id>(text)) {
    const auto it = runs_.find(*id);
    if (it != runs_.end()) return it->second;
  }
  std::vector<const core::run*> found;
  for (const auto& [id, r] : runs_)
    if (text.size() >= 6 && core::to_string(id).starts_with(text)) found.push_back(&r);
  if (found.size() > 1)
    return no(errc::ambiguous, "the beginning fits " + core::to_string(found[0]->head.id) + " and others");
  if (found.size() == 1) return *found[0];
  for (auto it = runs_.rbegin(); it != runs_.rend(); ++it)
    if (it->second.head.name == text) return it->second;
  return no(errc::not_found, "there is no run " + text);
}

core::result<core::job> fake_port::find_job(const std::string& text) const {
  for (const auto& [id, j] : jobs_)
    if (core::to_string(id) == text || (j.definition->name == text && j.state != core::job_state::archived))
      return j;
  return no(errc::not_found, "there is no job " + text);
}

bool fake_port::fits(const core::run& r, const core::run_filter& f) const {
  const auto& h = r.head;
  if (!f.states.empty() && std::find(f.states.begin(), f.states.end(), h.state) == f.states.end())
    return false;
  if ((f.job && h.job != *f.job) || (f.batch && h.batch != *f.batch) ||
      (f.workspace && h.needs.workspace != *f.workspace))
    return false;
  if ((f.lane && h.lane != *f.lane) || (f.prio && h.prio != *f.prio) ||
      (f.holder && h.held.holder != *f.holder))
    return false;
  if (h.name.find(f.name_contains) == std::string::npos) return false;
  if (f.created_from && h.created_at < *f.created_from) return false;
  if (f.created_to && h.created_at >= *f.created_to) return false;
  if (f.dead_letters && (!core::ended_badly(h.state) || h.successor || h.discarded)) return false;
  for (const auto& t : f.tags_all)
    if (!has(r.spec->tags, t)) return false;
  return f.tags_any.empty() || std::any_of(f.tags_any.begin(), f.tags_any.end(),
                                           [&](const auto& t) { return has(r.spec->tags, t); });
}

core::run_page fake_port::list(const messages::list_runs& q) const {
  core::run_page p;
  std::vector<const core::run*> all;
  for (const auto& [id, r] : runs_)
    if (fits(r, q.filter)) all.push_back(&r);
  const bool newest = q.page.sort == core::run_sort::newest;
  if (newest) std::reverse(all.begin(), all.end());
  for (const auto* r : all) {
    const auto id = r->head.id.value;
    if (q.page.after != 0 && (newest ? id >= q.page.after : id <= q.page.after)) continue;
    if (p.runs.size() == q.page.limit) {
      p.next = p.runs.back().head.id.value;
      break;
    }
    p.runs.push_back(*r);
  }
  return p;
}

core::log_page fake_port::logs(const messages::get_logs& q) const {
  core::log_page p;
  if (const auto it = runs_.find(q.id); it != runs_.end()) {
    p.last_attempt = it->second.head.attempt;
    p.attempt_live = core::leased(it->second.head.state);
  }
  const auto it = logs_.find(q.id);
  if (it == logs_.end()) return p;
  for (const auto& l : it->second) {
    if (q.attempt != 0 && l.attempt != q.attempt) continue;
    if (std::pair{l.attempt, l.number} <= std::pair{q.after_attempt, q.after_number}) continue;
    if (p.lines.size() == q.limit && q.tail == 0) break;
    p.lines.push_back(l);
  }
  if (q.tail > 0 && p.lines.size() > q.tail)
    p.lines.erase(p.lines.begin(), p.lines.end() - static_cast<std::ptrdiff_t>(q.tail));
  return p;
}

core::event_page fake_port::events_page(const messages::get_events& q) const {
  core::event_page p;
  p.oldest_kept = oldest_event_;
  p.last_scanned = q.after;
  for (const auto& e : journal_) {
    if (e.seq <= q.after || e.seq < oldest_event_) continue;
    if (p.events.size() == q.limit) break;
    p.last_scanned = e.seq;
    if ((q.filter.run && e.run != *q.filter.run) || (q.filter.job && e.job != *q.filter.job)) continue;
    if (!q.filter.kinds.empty() &&
        std::find(q.filter.kinds.begin(), q.filter.kinds.end(), e.kind) == q.filter.kinds.end())
      continue;
    p.events.push_back(e);
  }
  return p;
}

core::store_facts fake_port::facts() const {
  core::store_facts f;
  f.kind = "memory";
  f.durability = "full";
  f.schema = 1;
  f.last_event = static_cast<std::int64_t>(journal_.size());
  f.jobs = static_cast<std::int64_t>(jobs_.size());
  f.totals = {{"run_submitted", static_cast<std::int64_t>(runs_.size())}};
  f.boots = 1;
  f.created_at = status.started_at;
  for (const auto& [id, r] : runs_) ++f.runs_by_state[static_cast<std::size_t>(r.head.state)];
  return f;
}

core::result<messages::query_answer> fake_port::read(const messages::query& q) const {
  using answer = core::result<messages::query_answer>;
  const auto pass = [](auto r) -> answer {
    if (!r) return r.error();
    return messages::query_answer{std::move(*r)};
  };
  if (const auto* m = std::get_if<messages::get_run>(&q)) return pass(find_run(m->text));
  if (const auto* m = std::get_if<messages::get_run_details>(&q)) {
    const auto r = find_run(m->text);
    if (!r) return r.error();
    messages::run_details d{*r, {}, {}, {}};
    if (const auto it = said_.find(r->head.id); it != said_.end()) d.late_results.push_back(it->second);
    if (const auto it = checkpoints_.find(r->head.id); it != checkpoints_.end()) d.checkpoint = it->second;
    if (const auto it = attempts_.find(r->head.id); it != attempts_.end()) d.attempts = it->second;
    if (const auto it = late_.find(r->head.id); it != late_.end()) d.late = it->second;
    for (const auto& a : d.attempts)
      d.holder_names.push_back(sessions_.contains(a.holder) ? sessions_.at(a.holder).name : "");
    return messages::query_answer{std::move(d)};
  }
  if (const auto* m = std::get_if<messages::list_runs>(&q)) return messages::query_answer{list(*m)};
  if (const auto* m = std::get_if<messages::list_ids>(&q)) {
    std::vector<core::run_id> ids;
    for (const auto& [id, r] : runs_)
      if (fits(r, m->filter) && ids.size() < m->limit) ids.push_back(id);
    return messages::query_answer{std::move(ids)};
  }
  if (const auto* m = std::get_if<messages::get_logs>(&q)) return messages::query_answer{logs(*m)};
  if (const auto* m = std::get_if<messages::get_job>(&q)) return pass(find_job(m->text));
  if (const auto* m = std::get_if<messages::list_jobs>(&q)) {
    core::job_page p;
    for (const auto& [id, j] : jobs_) {
      if (id.value <= m->after || (j.state == core::job_state::archived && !m->archived_too)) continue;
      if (j.definition->name.find(m->name_contains) == std::string::npos) continue;
      if (p.jobs.size() == m->limit) {
        p.next = p.jobs.back().id.value;
        break;
      }
      p.jobs.push_back(j);
    }
    return messages::query_answer{std::move(p)};
  }
  if (const auto* m = std::get_if<messages::list_workers>(&q)) {
    std::vector<core::spawned_worker> all;
    for (const auto& w : workers_)
      if (m->agent_type.empty() || m->agent_type == w.agent_type) all.push_back(w);
    return messages::query_answer{std::move(all)};
  }
  if (std::holds_alternative<messages::list_event_waiters>(q)) {
    core::event_waiter one;
    one.job = core::job_id{1};
    one.name = "deployer";
    one.schedule = "@event deploy.finished debounce 1m; zone UTC";
    one.hold.wait = {time_.now(), time_.now() + std::chrono::minutes{1}, 2};
    return messages::query_answer{std::vector<core::event_waiter>{one}};
  }
  if (const auto* m = std::get_if<messages::list_scheduled>(&q)) {
    core::scheduled_page page;
    for (const auto& [id, j] : jobs_) {
      const auto& schedule = j.definition->timing.schedule;
      if (id.value <= m->after.value || schedule.empty() || j.state == core::job_state::archived) continue;
      if (!m->key.empty() && core::timing_key_of(schedule) != m->key) continue;
      if (page.jobs.size() == m->limit) {
        page.next = page.jobs.back().id;
        break;
      }
      page.jobs.push_back({id, j.definition->name, j.state, schedule, j.due, core::never, {}, {}});
    }
    return messages::query_answer{std::move(page)};
  }
  if (const auto* m = std::get_if<messages::simulate_schedules>(&q)) {
    auto setup = m->setup;
    for (auto& j : setup.jobs) j.takes = m->each_takes;
    return messages::query_answer{core::simulate(setup)};
  }
  if (const auto* m = std::get_if<messages::list_occurrences>(&q)) {
    core::occurrence_page page;
    core::occurrence_line skipped;
    skipped.skipped = {m->job, 1, {}, core::from_micros(1'795'255'200'000'000)};
    skipped.skipped.range.first = skipped.skipped.range.last = skipped.skipped.noted_at;
    core::occurrence_line made;
    made.made.job = m->job;
    made.made.at = made.made.start = skipped.skipped.noted_at;
    made.made.run = core::run_id{1};
    page.lines = {made, skipped};
    return messages::query_answer{std::move(page)};
  }
  if (const auto* m = std::get_if<messages::list_calendars>(&q)) {
    std::vector<core::calendar_facts> all;
    for (const auto& [name, c] : calendars_) {
      if (!m->names.empty() && std::find(m->names.begin(), m->names.end(), name) == m->names.end()) continue;
      core::calendar_facts f;
      f.calendar = c;
      if (!m->content) f.calendar.content = nullptr;
      f.jobs = {{core::job_id{1}, "job"}};
      f.used_by = 1;
      all.push_back(std::move(f));
    }
    return messages::query_answer{std::move(all)};
  }
  if (std::holds_alternative<messages::list_windows>(q)) {
    std::vector<core::window> all;
    for (const auto& [name, w] : windows_) all.push_back(w);
    return messages::query_answer{std::move(all)};
  }
  if (const auto* m = std::get_if<messages::list_sessions>(&q)) {
    std::vector<core::session> all;
    for (const auto& [id, s] : sessions_)
      if (m->gone_too || s.state != core::session_state::gone) all.push_back(s);
    return messages::query_answer{std::move(all)};
  }
  if (const auto* m = std::get_if<messages::get_events>(&q)) return messages::query_answer{events_page(*m)};
  if (const auto* m = std::get_if<messages::copy_store>(&q))
    return messages::query_answer{core::store_copy{m->to, 4096, 1, 0, 0}};
  if (std::holds_alternative<messages::get_troubles>(q)) {
    core::store_troubles t;
    t.facts = facts();
    for (const auto& [id, r] : runs_)
      if (core::ended_badly(r.head.state)) {
        ++t.dead.count;
        t.dead.first.push_back(r.head);
      }
    return messages::query_answer{std::move(t)};
  }
  if (std::holds_alternative<messages::check_store>(q)) return messages::query_answer{core::store_check{}};
  if (const auto* m = std::get_if<messages::get_batch>(&q)) {
    core::batch_summary b;
    b.id = m->id;
    for (const auto& [id, r] : runs_) {
      if (r.head.batch != m->id) continue;
      b.created_at = r.head.created_at;
      ++b.total;
      ++b.by_state[static_cast<std::size_t>(r.head.state)];
    }
    if (b.total == 0) return no(errc::not_found, "there is no such batch");
    return messages::query_answer{b};
  }
  if (const auto* m = std::get_if<messages::get_statistics>(&q)) {
    core::run_statistics s;
    for (const auto& [id, r] : runs_)
      if (fits(r, m->filter)) ++s.by_state[static_cast<std::size_t>(r.head.state)];
    return messages::query_answer{s};
  }
  return messages::query_answer{facts()};
}

}  // namespace belfry::test
