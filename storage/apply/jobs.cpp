// Jobs: stored, paused, triggered under their overlap policy.
#include <algorithm>
#include <utility>

#include "core/job/outlook.hpp"
#include "core/text/utf8.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

constexpr const char* trial_reason = "trial";
constexpr core::span longest_trial = std::chrono::seconds{30};

failure paused_failure(const core::job& j, core::instant now) {
  std::string by;
  const core::pause_entry* first = nullptr;
  for (const auto& p : j.pauses) {
    if (!stands(p, now)) continue;
    (by += by.empty() ? "" : "; ") += core::told(p);
    if (first == nullptr) first = &p;
  }
  const auto& name = j.definition->name;
  const bool plain =
      first->reason == core::pause_reason::manual && first->owner == core::pause_owner::operators;
  return {core::errc::invalid_transition,
          "job " + name + " is paused (" + by + ")",
          {},
          plain ? "belfry job resume " + name
                : core::command_to_lift(core::the_job(j.id), first->reason, first->owner)};
}

failure name_taken(const std::string& name) {
  failure f{core::errc::already_exists, "there is a job named " + name, {}, "belfry job show " + name};
  f.problems.push_back({"/name", name, "a name that no other job has", "taken"});
  return f;
}

}  // namespace

core::result<core::job> engine::living_job(core::job_id id) {
  auto j = rows_.find_job(id);
  if (!j) return refusal::no_job(id);
  if (j->state == core::job_state::archived)
    return failure{
        core::errc::not_found, "job " + j->definition->name + " is archived", {}, "belfry job list"};
  return std::move(*j);
}

std::optional<failure> engine::apply_one(work& w, const put_job& c) {
  if (c.refusal) return c.refusal;
  if (c.import) return import_job(w, c);
  auto stored = c.id ? replaced_job(w, c) : new_job(w, c);
  if (!stored) return std::move(stored).error();
  w.out.jobs.push_back(std::move(*stored));
  return std::nullopt;
}

core::result<core::job> engine::new_job(work& w, const put_job& c) {
  if (rows_.job_named(c.definition.name)) return name_taken(c.definition.name);
  core::job j;
  j.id = core::job_id{fresh_id(w.set.now)};
  j.spec = core::spec_id{fresh_id(w.set.now)};
  j.created_at = j.updated_at = w.set.now;
  j.created_by = w.set.actor;
  j.definition = std::make_shared<const core::job_definition>(c.definition);
  if (auto no = begin_schedule(w, j)) return std::move(*no);
  rows_.insert_job(j);
  note_uses(j, {});
  rows_.insert_spec(j.spec, c.definition.spec);
  listen(j);
  if (core::counts_successes(c.definition.timing.policy)) watch(w, j.id);
  append(w, core::event_kind::job_created, {}, j.id, c.definition.name);
  w.changed = true;
  if (c.start_paused) {
    core::pause_entry asleep{"manual", {}, "created paused", w.set.now};
    if (auto no = pause_job_for(w, j, asleep)) return std::move(*no);
    j = std::move(w.out.jobs.back());
    w.out.jobs.pop_back();
  }
  if (c.trial)
    if (auto no = try_job(w, j)) return std::move(*no);
  return j;
}

// Paused for a reason of its own, and one run, bounded, in the commit that makes the job: whatever dies
// afterwards, there is exactly one.
std::optional<failure> engine::try_job(work& w, core::job& j) {
  const auto on = core::the_job(j.id);
  const std::string node{core::pause_owner::node};
  core::pause_entry waits{trial_reason, {}, "until its trial run has succeeded", w.set.now};
  waits.by = w.set.actor;
  auto d = core::decide_pause(on, j.pauses, std::move(waits), node, w.set.now);
  if (!d) return std::move(d).error();
  pause(w, on, std::move(*d), &j);
  auto bounded = std::make_shared<core::run_spec>(j.definition->spec);
  if (bounded->timeout == core::span{0} || bounded->timeout > longest_trial) bounded->timeout = longest_trial;
  bounded->retry.max_attempts = 1;
  core::submission s;
  s.spec = std::move(bounded);
  s.job = j.id;
  s.revision = j.revision;
  s.manual = true;
  s.trial = true;
  s.forced = true;  // through the pause that waits for it
  s.actor = w.set.actor;
  auto made = make(w, s, core::run_id{fresh_id(w.set.now)}, {});
  j.triggered += 1;
  rows_.update_job(j);
  append(w, core::event_kind::job_triggered, made.head.id, j.id, trial_reason);
  announce(w, made.head);
  w.out.runs.push_back(std::move(made));
  return std::nullopt;
}

// Its success lifts that pause, and no other; anything else is told in its text.
void engine::end_trial(work& w, const core::run_head& finished) {
  auto j = rows_.find_job(finished.job);
  if (!j || j->state == core::job_state::archived) return;
  const auto there = std::find_if(j->pauses.begin(), j->pauses.end(),
                                  [](const auto& p) { return p.reason == trial_reason; });
  if (there == j->pauses.end()) return;  // somebody did not wait for it
  const auto what = core::to_string(finished.id) + " " + std::string{core::to_text(finished.state)};
  const auto on = core::the_job(j->id);
  const std::string node{core::pause_owner::node};
  auto told = *there;
  told.text = "its trial " + what +
              (finished.reason.empty() ? "" : ": " + std::string{core::cut_utf8(finished.reason, 500)});
  auto d = finished.state == core::run_state::succeeded
               ? core::decide_lift(on, j->pauses, told.reason, told.owner, false, node, w.set.now)
               : core::decide_pause(on, j->pauses, told, node, w.set.now);
  core::event tried;
  tried.kind = core::event_kind::job_tried;
  tried.run = finished.id;
  tried.job = j->id;
  tried.fencing = finished.fencing;
  tried.attempt = finished.attempt;
  tried.text = what;
  append(w, std::move(tried));
  if (d && d->changed) pause(w, on, std::move(*d), &*j);
  w.out.jobs.push_back(std::move(*j));
  w.changed = true;
}

core::result<core::job> engine::replaced_job(work& w, const put_job& c) {
  auto j = living_job(c.id);
  if (!j) return j;
  const auto name = j->definition->name;
  if (c.expected != 0 && c.expected != j->revision) {
    failure f{core::errc::precondition_failed,
              "job " + name + " is at revision " + std::to_string(j->revision) + " by now",
              {},
              "belfry job show " + name};
    f.problems.push_back({"/revision", std::to_string(c.expected), std::to_string(j->revision),
                          "somebody changed the job meanwhile"});
    return f;
  }
  if (*j->definition == c.definition) {
    w.repeated = true;
    return j;
  }
  if (c.definition.name != name && rows_.job_named(c.definition.name)) return name_taken(c.definition.name);
  auto before = *j;
  j->definition = std::make_shared<const core::job_definition>(c.definition);
  if (auto no = change_schedule(w, before, *j)) return std::move(*no);
  j->revision += 1;
  j->spec = core::spec_id{fresh_id(w.set.now)};
  j->updated_at = w.set.now;
  rows_.insert_revision(*j);
  rows_.insert_spec(j->spec, c.definition.spec);
  rows_.update_job(*j);
  listen(*j);
  may_end(w, j->id);
  if (!(before.definition->timing == j->definition->timing))
    note_uses(*j, before.definition->timing.schedule);
  auto told = c.definition.name + " revision=" + std::to_string(j->revision) +
              schedules_told(*before.definition, c.definition);
  append(w, core::event_kind::job_replaced, {}, j->id, std::move(told));
  w.changed = true;
  return j;
}

std::optional<failure> engine::apply_one(work& w, const archive_job& c) {
  auto j = rows_.find_job(c.id);
  if (!j) return refusal::no_job(c.id);
  if (j->state == core::job_state::archived) {
    w.repeated = true;
  } else {
    j->state = core::job_state::archived;
    j->due = core::never;
    j->updated_at = w.set.now;
    rows_.update_job(*j);
    drop_events(w, *j);
    listen(*j);
    note_uses(*j, j->definition->timing.schedule);
    append(w, core::event_kind::job_archived, {}, j->id, j->definition->name);
    w.changed = true;
  }
  w.out.jobs.push_back(std::move(*j));
  return std::nullopt;
}

std::string engine::skip_reason(const core::job& j, const std::vector<run_row>& open) const {
  std::vector<core::open_run> seen;
  for (const auto& row : open) seen.push_back({row.head.id, leased(row.head.state)});
  return core::overlap_reason(j.definition->on_overlap, seen);
}

std::optional<failure> engine::apply_one(work& w, const trigger_job& c) {
  auto living = living_job(c.id);
  if (!living) return std::move(living).error();
  auto& j = *living;
  const bool paused =
      std::any_of(j.pauses.begin(), j.pauses.end(), [&](const auto& p) { return stands(p, w.set.now); });
  if (!c.force && paused) return paused_failure(j, w.set.now);
  if (!c.force && j.state == core::job_state::completed)
    return failure{core::errc::invalid_transition,
                   "job " + j.definition->name + " is completed",
                   {},
                   "belfry job show " + j.definition->name};

  if (const auto& why = j.definition->spec.unreadable; !why.empty())
    return failure{core::errc::conflict,
                   "the definition of job " + j.definition->name + " cannot be read: " + why,
                   {},
                   "belfry apply FILE"};

  auto s = of_job(j, w.set.actor);
  s.manual = true;
  s.forced = paused;
  s.due_at = c.due_at;
  if (c.payload && *c.payload != j.definition->spec.payload) {
    auto changed = std::make_shared<core::run_spec>(j.definition->spec);
    changed->payload = *c.payload;
    s.spec = std::move(changed);
    s.shared_spec = {};
  }
  auto made = make_of_job(w, j, std::move(s), c.force);
  rows_.update_job(j);
  append(w, core::event_kind::job_triggered, made.head.id, j.id, c.force ? "forced" : "");
  announce(w, made.head);
  w.out.runs.push_back(std::move(made));
  w.out.jobs.push_back(std::move(j));
  w.changed = true;
  return std::nullopt;
}

// A run of its current revision.
core::submission engine::of_job(const core::job& j, const std::string& actor) const {
  core::submission s;
  s.job = j.id;
  s.revision = j.revision;
  s.actor = actor;
  s.spec = std::shared_ptr<const core::run_spec>{j.definition, &j.definition->spec};
  s.shared_spec = j.spec;
  return s;
}

// Under the job's overlap policy, unless it is forced.
core::run engine::make_of_job(work& w, core::job& j, core::submission s, bool force) {
  const auto id = core::run_id{fresh_id(w.set.now)};
  if (!force && j.definition->on_overlap != core::overlap::allow &&
      j.definition->on_overlap != core::overlap::queue_all) {
    const auto open = rows_.open_runs_of(j.id);
    s.skip_reason = skip_reason(j, open);
    if (!s.manual && s.skip_reason.empty()) s.skip_reason = enough_under_way(j, open);
    if (j.definition->on_overlap == core::overlap::replace && s.skip_reason.empty())
      for (const auto& row : open) replace_run(w, row, id);
  } else if (!s.manual && core::counts_successes(j.definition->timing.policy)) {
    s.skip_reason = enough_under_way(j, rows_.open_runs_of(j.id));
  }
  auto made = make(w, s, id, {});
  j.triggered += 1;
  return made;
}

void engine::replace_run(work& w, const run_row& row, core::run_id by) {
  auto answer = core::decide(row.head, {}, core::cmd_cancel{"replaced by " + core::to_string(by)},
                             w.set.actor, w.set.now);
  auto* step = std::get_if<core::run_step>(&answer);
  if (step == nullptr || step->next == row.head) return;  // asked to stop already
  write_step(w, row, *step);
  const run_row after{step->next, row.handler, row.hooked, row.tagged};
  w.out.also.push_back({std::move(step->next), nullptr});
  if (step->finished) run_hook(w, after, nullptr);
}

}  // namespace belfry::storage
