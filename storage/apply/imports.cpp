// Jobs that come from the lines of an export, whole: with their id where it is free, their revision, their
// pauses, and the cursor of their schedule.
#include <algorithm>
#include <utility>

#include "core/schedule/firing.hpp"
#include "core/schedule/plan.hpp"
#include "core/schedule/schedule.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;
using core::import_verdict;

namespace {

bool waits(const core::job& j) {
  return j.state == core::job_state::active && j.pauses.empty() && !j.definition->timing.schedule.empty();
}

}  // namespace

// The job that the line is about: of its id, else the living one of its name.
std::optional<core::job> engine::job_of_line(const put_job& c) {
  const auto& line = c.import->past;
  auto found = line.id ? rows_.find_job(line.id) : std::nullopt;
  if (found && core::same_job(*found, line)) return found;
  if (line.state == core::job_state::archived) return std::nullopt;
  const auto id = rows_.job_named(c.definition.name);
  return id ? rows_.find_job(*id) : std::nullopt;
}

std::optional<failure> engine::import_job(work& w, const put_job& c) {
  const auto& line = c.import->past;
  auto there = job_of_line(c);
  std::string why;
  const auto verdict =
      core::decide_import(there ? &*there : nullptr, c.definition, line, c.import->replace, why);
  w.out.imported = verdict;
  w.out.note = std::move(why);
  const bool writes = verdict == import_verdict::created || verdict == import_verdict::replaced;
  if (writes && line.state != core::job_state::archived) {
    // Of another job than the line is about.
    const auto holder = rows_.job_named(c.definition.name);
    if (holder && (!there || *holder != there->id)) {
      failure f{core::errc::already_exists,
                "there is another job named " + c.definition.name,
                {},
                "belfry job show " + c.definition.name};
      f.problems.push_back({"/definition/name", c.definition.name, "a name that no other job has", "taken"});
      return f;
    }
  }
  core::job j;
  if (there) {
    j = writes ? core::merged(*there, c.definition, line) : *there;
  } else {
    const bool free = line.id && !rows_.find_job(line.id);
    if (!free && line.id) w.out.note = "its id is another job's here, it has a new one";
    j = {free ? line.id : core::job_id{fresh_id(w.set.now)},
         line.revision,
         {},
         line.state,
         line.pauses,
         line.created_at,
         line.updated_at,
         line.created_by,
         line.triggered,
         std::make_shared<const core::job_definition>(c.definition),
         line.cursor,
         core::never};
    if (j.created_at == core::never) j.created_at = w.set.now;
    if (j.updated_at == core::never) j.updated_at = w.set.now;
    if (j.created_by.empty()) j.created_by = w.set.actor;
  }
  if (writes)
    if (auto no = resume_schedule(w, there && !c.import->dry_run ? &*there : nullptr, j)) return no;
  if (writes && !c.import->dry_run) {
    write_imported(w, there ? &*there : nullptr, j);
  } else {
    w.repeated = true;
    // Whoever follows receipts must not hear of a job that is not there.
    if (there) j = std::move(*there);
    if (verdict == import_verdict::created) j.id = {}, j.due = core::never;
  }
  w.out.jobs.push_back(std::move(j));
  return std::nullopt;
}

// It goes on where the line left it: what was planned before `covered` was decided where it comes from.
// `there`: the job whose place it takes.
std::optional<failure> engine::resume_schedule(work& w, core::job* there, core::job& j) {
  j.due = core::never;
  if (!core::counts_successes(j.definition->timing.policy)) j.cursor.succeeded = 0;
  if (j.definition->timing.schedule.empty()) return std::nullopt;
  if (there != nullptr && !(there->definition->timing == j.definition->timing) && waits(*there)) {
    // Two schedules cannot share a cursor: the old one is settled as by an edit, the new one counts from now.
    if (there->due != core::never && there->due <= w.set.now) {
      std::string why;
      if (schedule_of(*there, why)) {
        replan(w, *there);
        advance(w, *there, false);
        j.triggered = std::max(j.triggered, there->triggered);
        j.cursor.made = std::max(j.cursor.made, there->cursor.made);
      }
    }
    drop_events(w, *there);
    j.cursor.covered = std::max(j.cursor.covered, w.set.now);
  }
  if (j.cursor.covered == core::never) j.cursor.covered = w.set.now;
  if (j.state != core::job_state::active && j.state != core::job_state::paused) return std::nullopt;
  std::string why;
  const auto s = schedule_of(j, why);
  if (!s) {
    if (auto no = unknown_calendar(j.definition->timing.schedule)) return no;
    failure f{core::errc::invalid,
              "the schedule of job " + j.definition->name + " cannot be used",
              {},
              "belfry schedule preview"};
    f.problems.push_back({"/definition/schedule", j.definition->timing.schedule,
                          "what belfry schedule parse understands", std::move(why)});
    return f;
  }
  if (j.state != core::job_state::active) return std::nullopt;
  const auto& policy = j.definition->timing.policy;
  if (core::on_event(*s))
    j.due = core::release_due({*s, policy, j.cursor, rows_.find_hold(j.id).value_or(core::event_hold{})});
  else if (!core::used_up(policy, j.cursor))
    j.due = core::wake_after(*s, j.cursor).value_or(core::never);
  return std::nullopt;
}

void engine::write_imported(work& w, const core::job* there, core::job& j) {
  const bool edited = there == nullptr || there->revision != j.revision;
  if (edited) {
    j.spec = core::spec_id{fresh_id(w.set.now)};
    rows_.insert_spec(j.spec, j.definition->spec);
  }
  if (there == nullptr) {
    rows_.insert_job(j);
  } else {
    if (edited) rows_.insert_revision(j);
    rows_.update_job(j);
  }
  note_uses(j, there == nullptr ? std::string{} : there->definition->timing.schedule);
  listen(j);
  may_end(w, j.id);
  auto told = j.definition->name + " imported revision=" + std::to_string(j.revision);
  if (there != nullptr) told += schedules_told(*there->definition, *j.definition);
  append(w, there == nullptr ? core::event_kind::job_created : core::event_kind::job_replaced, {}, j.id,
         std::move(told));
  w.changed = true;
  if (there == nullptr ? j.pauses.empty() : j.pauses == there->pauses) return;
  core::target_pauses news{core::the_job(j.id), j.pauses, {}};
  if (there != nullptr)
    for (const auto& p : there->pauses) {
      core::past_pause over{core::the_job(j.id), p.since, core::end_of(p, w.set.now)};
      const bool stays = std::any_of(j.pauses.begin(), j.pauses.end(), [&](const auto& q) {
        return q.reason == p.reason && q.owner == p.owner;
      });
      if (stays || core::planned(p, w.set.now)) continue;
      rows_.insert_past_pause(over, core::pause_history::kept);
      news.ended.push_back(std::move(over));
    }
  auto next = std::make_shared<core::pauses>(*paused_);
  next->follow(news);
  paused_ = std::move(next);
  w.out.pauses.push_back(std::move(news));
}

}  // namespace belfry::storage
