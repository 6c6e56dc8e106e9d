// Pauses: set, lifted, and asked by every claim. The sets of all targets are in memory as well, because
// every claim asks them; they are read when the store opens and change with what is written.
#include <utility>

#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

void settle_state(core::job& j) {
  if (j.state == core::job_state::active || j.state == core::job_state::paused)
    j.state = j.pauses.empty() ? core::job_state::active : core::job_state::paused;
}

}  // namespace

// A claim of a held run is refused here, whatever the claimer's memory says.
std::optional<failure> engine::held_claim(const core::run_head& head, const core::cmd_claim& claim,
                                          core::instant now) {
  if (paused_->nothing() || head.state != core::run_state::queued) return std::nullopt;
  auto why = paused_->why(head, now);
  if (why.empty() && paused_->any_agent_type())
    if (const auto who = rows_.find_session(claim.holder))
      for (const auto& no : paused_->why(*who, now)) why.push_back({no.code, no.text});
  if (why.empty()) return in_window(head, now);
  return failure{core::errc::paused, why.front().text, {}, "belfry scheduler pauses"};
}

// Writes what was decided, to the rows and to what claims are judged by. `j`: the job, when it is one.
void engine::pause(work& w, const core::pause_target& on, core::pause_decision d, core::job* j) {
  auto next = std::make_shared<core::pauses>(*paused_);
  const bool was_paused = j != nullptr && !j->pauses.empty();
  const auto ended = d.ended.empty() ? w.set.now : d.ended.back().ended;
  if (j != nullptr) {
    j->pauses = d.entries;
    settle_state(*j);
    j->updated_at = w.set.now;
  } else {
    rows_.put_pauses(on, d.entries);
  }
  for (const auto& over : d.ended) rows_.insert_past_pause(over, core::pause_history::kept);
  for (auto& e : d.events) append(w, std::move(e));
  core::target_pauses news{on, std::move(d.entries), std::move(d.ended)};
  next->follow(news);
  paused_ = std::move(next);
  w.out.pauses.push_back(std::move(news));
  w.changed = true;
  if (j == nullptr) return;
  follow_pause(w, *j, was_paused, ended);
  rows_.update_job(*j);
}

std::optional<failure> engine::pause_job_for(work& w, core::job j, const core::pause_entry& entry) {
  const auto on = core::the_job(j.id);
  auto wanted = entry;
  if (wanted.by.empty()) wanted.by = w.set.actor;
  auto d = core::decide_pause(on, j.pauses, std::move(wanted), w.set.actor, w.set.now);
  if (!d) return std::move(d).error();
  if (d->changed)
    pause(w, on, std::move(*d), &j);
  else
    w.repeated = true;
  w.out.jobs.push_back(std::move(j));
  return std::nullopt;
}

std::optional<failure> engine::resume_job_for(work& w, core::job j, const std::string& reason,
                                              const std::string& owner, bool only_over) {
  const auto on = core::the_job(j.id);
  auto d = core::decide_lift(on, j.pauses, reason, owner, only_over, w.set.actor, w.set.now);
  if (!d) return std::move(d).error();
  if (d->changed)
    pause(w, on, std::move(*d), &j);
  else
    w.repeated = true;
  w.out.jobs.push_back(std::move(j));
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const pause_job& c) {
  auto j = living_job(c.id);
  if (!j) return std::move(j).error();
  return pause_job_for(w, std::move(*j), c.entry);
}

std::optional<failure> engine::apply_one(work& w, const resume_job& c) {
  auto j = living_job(c.id);
  if (!j) return std::move(j).error();
  return resume_job_for(w, std::move(*j), c.reason, c.owner, false);
}

std::optional<failure> engine::apply_one(work& w, const put_pause& c) {
  if (c.on.scope == core::pause_scope::job) {
    auto j = rows_.find_job(c.on.job);
    if (!j) return refusal::no_job(c.on.job);
    return pause_job_for(w, std::move(*j), c.entry);
  }
  auto wanted = c.entry;
  if (wanted.by.empty()) wanted.by = w.set.actor;
  if (wanted.probes && c.on.scope == core::pause_scope::agent_type) {
    if (auto no = limit_type(w, c.on, std::move(wanted), {})) return no;
    learn_limit(w, c.on.name);
    return std::nullopt;
  }
  auto d = core::decide_pause(c.on, paused_->of(c.on), std::move(wanted), w.set.actor, w.set.now);
  if (!d) return std::move(d).error();
  if (d->changed)
    pause(w, c.on, std::move(*d), nullptr);
  else
    w.repeated = true;
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const lift_pause& c) {
  if (c.on.scope == core::pause_scope::job) {
    auto j = rows_.find_job(c.on.job);
    if (!j) return refusal::no_job(c.on.job);
    return resume_job_for(w, std::move(*j), c.reason, c.owner, c.only_over);
  }
  auto d = core::decide_lift(c.on, paused_->of(c.on), c.reason, c.owner, c.only_over, w.set.actor, w.set.now);
  if (!d) return std::move(d).error();
  if (d->changed) {
    pause(w, c.on, std::move(*d), nullptr);
    follow_window(w, c.on, c.owner);
  } else {
    w.repeated = true;
  }
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const note_drained& c) {
  auto d = core::decide_drained(c.on, paused_->of(c.on), w.set.now);
  if (!d.changed) {
    w.repeated = true;
    return std::nullopt;
  }
  std::optional<core::job> j;
  if (c.on.scope == core::pause_scope::job && !(j = rows_.find_job(c.on.job)))
    return refusal::no_job(c.on.job);
  pause(w, c.on, std::move(d), j ? &*j : nullptr);
  if (j) w.out.jobs.push_back(std::move(*j));
  return std::nullopt;
}

// In the same commit as the end of the attempt: no claim slips in between.
void engine::back_off(work& w, const core::attempt_record& ended) {
  const auto length = backoff_.ended(ended);
  if (length == core::span{0}) return;
  const auto on = core::whole_scheduler();
  const std::string reason{core::pause_reason::backoff}, owner{core::pause_owner::node};
  auto until = core::later(w.set.now, length);
  auto there = paused_->of(on);
  for (const auto& e : there)  // the latest deadline wins
    if (e.reason == reason && e.owner == owner && e.until > until) until = e.until;
  core::pause_entry entry{reason,    owner, "too few resources: " + ended.message.substr(0, 200),
                          w.set.now, until, owner};
  auto d = core::decide_pause(on, std::move(there), std::move(entry), owner, w.set.now);
  if (d && d->changed) pause(w, on, std::move(*d), nullptr);
}

}  // namespace belfry::storage
