// What the schedules of jobs bring about: runs, records of skips, and a cursor that moves with them, in one
// commit. The row says how far a job was planned; core::plan says what follows from that; nobody else has a
// word in it. Two nodes, or a hand, that plan the same job find its row moved, and every occurrence is a row
// that can be there once.
#include <algorithm>
#include <utility>

#include "core/schedule/canonical.hpp"
#include "core/schedule/fire_line.hpp"
#include "core/schedule/firing.hpp"
#include "core/schedule/plan.hpp"
#include "core/time/text.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

constexpr std::size_t schedules_kept = 20'000;
constexpr std::size_t skips_kept = 200;  // ranges per job
constexpr const char* unplannable = "schedule";

bool scheduled(const core::job& j) { return !j.definition->timing.schedule.empty(); }
bool plans(const core::job& j) {
  return scheduled(j) && j.state == core::job_state::active && j.pauses.empty();
}

failure bad_schedule(const core::job& j, std::string allowed, std::string why) {
  failure f{core::errc::invalid,
            "the schedule of job " + j.definition->name + " cannot be used",
            {},
            "belfry schedule preview"};
  f.problems.push_back({"/schedule", j.definition->timing.schedule, std::move(allowed), std::move(why)});
  return f;
}

std::string range_text(const core::skip_range& r) {
  std::string text = std::string{core::to_text(r.reason)} + (r.by.empty() ? "" : " by " + r.by) + ": ";
  if (r.count == 1 && !r.at_least) return text + core::to_rfc3339(r.first);
  return text + std::to_string(r.count) + (r.at_least ? " or more" : "") + " from " +
         core::to_rfc3339(r.first) + " to " + core::to_rfc3339(r.last);
}

}  // namespace

std::string schedules_told(const core::job_definition& was, const core::job_definition& is) {
  const auto quoted = [](const core::job_definition& d) {
    return "\"" + (d.timing.schedule.empty() ? std::string{"none"} : d.timing.schedule) + "\"";
  };
  if (was.timing.schedule == is.timing.schedule) return {};
  return " schedule " + quoted(was) + " -> " + quoted(is);
}

// Null, and why: a zone that this machine does not know, or a text of a newer belfry.
std::shared_ptr<const core::schedule> engine::schedule_of(const core::job& j, std::string& why) {
  return read_schedule(j.definition->timing.schedule, why);
}

std::shared_ptr<const core::schedule> engine::read_schedule(const std::string& text, std::string& why) {
  if (const auto known = schedules_.find(text); known != schedules_.end()) return known->second;
  auto read = core::parse_canonical(text, calendars_now());
  if (!read) {
    why = read.problem().why;
    return nullptr;
  }
  if (schedules_.size() >= schedules_kept) schedules_.clear();
  return schedules_.emplace(text, std::make_shared<const core::schedule>(std::move(*read))).first->second;
}

// Of a new definition, before anything is written: it counts from now.
std::optional<failure> engine::begin_schedule(work& w, core::job& j) {
  j.due = core::never;
  if (!scheduled(j)) return std::nullopt;
  std::string why;
  const auto s = schedule_of(j, why);
  if (!s) {
    if (auto no = unknown_calendar(j.definition->timing.schedule)) return no;
    return bad_schedule(j, "what belfry schedule parse understands", why);
  }
  j.cursor = core::start_from(j.cursor, w.set.now);
  const bool events = core::on_event(*s);
  const auto first = events ? std::nullopt : core::next_planned(*s, j.cursor);
  if (events ? s->ends < w.set.now : !first)
    return bad_schedule(j, "at least one time to come", "its last time has passed");
  const auto& policy = j.definition->timing.policy;
  if (!core::counts_successes(policy)) j.cursor.succeeded = 0;  // counted from when it says so
  if (core::used_up(policy, j.cursor)) {
    const bool successes = core::counts_successes(policy);
    auto f = bad_schedule(j, {}, {});
    f.problems = {{"/max_runs", std::to_string(policy.most_runs),
                   "more than " + std::to_string(successes ? j.cursor.succeeded : j.cursor.made),
                   successes ? "so many have succeeded already" : "so many runs were made already"}};
    return f;
  }
  if (!j.pauses.empty()) return std::nullopt;
  j.due = events ? core::release_due({*s, policy, j.cursor, {}}) : first->at;
  return std::nullopt;
}

// `j` is `before` with another definition. What the old schedule had planned up to now is settled first.
std::optional<failure> engine::change_schedule(work& w, core::job& before, core::job& j) {
  if (before.definition->timing == j.definition->timing) return std::nullopt;
  auto trial = j;
  if (trial.state == core::job_state::completed) trial.state = core::job_state::active;
  if (auto no = begin_schedule(w, trial)) return no;
  std::string why = before.definition->spec.unreadable;
  if (before.state != core::job_state::completed) replan(w, before);
  const bool known = scheduled(before) && why.empty() && schedule_of(before, why);
  if (known && before.state != core::job_state::completed) {
    if (core::on_event(*schedule_of(before, why))) {
      if (plans(before)) release(w, before, *schedule_of(before, why), false, true);
      drop_events(w, before);
    } else if (plans(before)) {
      advance(w, before, false);
    } else {
      record_paused(w, before, w.set.now);
    }
    if (before.state == core::job_state::completed) trial.state = core::job_state::active;
    const auto fresh = scheduled(trial) ? schedule_of(trial, why) : nullptr;
    const bool times = fresh && !core::on_event(*fresh);
    const bool goes_on =
        times && before.state != core::job_state::completed && !core::on_event(*schedule_of(before, why));
    before.cursor = goes_on ? take_over(w, before, *schedule_of(before, why), *fresh)
                            : core::start_from(before.cursor, w.set.now);
    trial.triggered = before.triggered;
    trial.cursor = before.cursor;
    if (!core::counts_successes(trial.definition->timing.policy)) trial.cursor.succeeded = 0;
    if (times && trial.pauses.empty()) {
      const auto upcoming = core::next_planned(*fresh, trial.cursor);
      trial.due = upcoming ? upcoming->at : core::never;
    }
  }
  if (!scheduled(trial)) trial.due = core::never;
  if (trial.state == core::job_state::active && !trial.pauses.empty()) trial.state = core::job_state::paused;
  j = std::move(trial);
  return std::nullopt;
}

// What was planned while it was paused, up to `upto`.
void engine::record_paused(work& w, core::job& j, core::instant upto) {
  std::string why;
  const auto s = schedule_of(j, why);
  if (!s) return hold_unplannable(w, j, why);
  if (core::on_event(*s)) return resume_events(w, j, *s, upto);
  take_plan(w, j, core::set_aside(*s, j.cursor, upto, core::skip_reason::paused));
}

// Its pauses have changed. The last one that went ended at `ended`, which may be some time ago.
void engine::follow_pause(work& w, core::job& j, bool was_paused, core::instant ended) {
  if (!scheduled(j) || j.state == core::job_state::completed || j.state == core::job_state::archived) return;
  if (!j.pauses.empty()) {
    j.due = core::never;
    return;
  }
  if (!was_paused) return;
  record_paused(w, j, std::min(ended, w.set.now));
  if (core::used_up(j.definition->timing.policy, j.cursor)) j.due = core::never;
  if (j.due == core::never) return may_end(w, j.id);
  if (plans(j) && j.due <= w.set.now) advance(w, j, false);
}

void engine::advance(work& w, core::job& j, bool after_crash_loop) {
  std::string why = j.definition->spec.unreadable;
  const auto s = why.empty() ? schedule_of(j, why) : nullptr;
  if (!s) return hold_unplannable(w, j, why);
  if (core::on_event(*s)) return release(w, j, *s, after_crash_loop, false);
  advance(w, j, *s, after_crash_loop);
}

void engine::advance(work& w, core::job& j, const core::schedule& s, bool after_crash_loop) {
  const auto seed = static_cast<std::uint64_t>(j.id.value);
  auto d = core::plan(s, j.definition->timing.policy, j.cursor, {w.set.now, seed, after_crash_loop});
  for (const auto& p : d.make) {
    if (fire(w, j, p)) continue;
    d.next.made -= 1;
    core::set_skipped(d.skips, p.at, core::skip_reason::fire_limit);
  }
  // What was to be the last one may have been skipped just now: there is another one then.
  const auto& policy = j.definition->timing.policy;
  if (d.completed && policy.most_runs > 0 && !core::used_up(policy, d.next))
    if (const auto more = core::wake_after(s, d.next)) {
      d.completed = false;
      d.wake_at = more;
    }
  take_plan(w, j, d);
}

// Those limits of the node that the job's occurrences are under, with what was started by them.
std::vector<core::fire_line> engine::fire_lines_of(const core::job& j) {
  const auto limits = rows_.find_limits().value_or(rules_.limits);
  std::vector<core::fire_line> lines;
  const auto add = [&](core::fire_scope scope, std::uint32_t most, std::string name) {
    if (most == 0) return;
    lines.push_back({scope, {most, limits.fire_window}, {}, std::move(name)});
    lines.back().starts = core::read_starts(rows_.find_note(lines.back().name));
  };
  add(core::fire_scope::workspace, limits.fires_per_workspace, "fires/" + j.definition->spec.needs.workspace);
  add(core::fire_scope::node, limits.fires, "fires");
  return lines;
}

// False: it is not made, because too many wait for the limits of its workspace or of the node.
bool engine::fire(work& w, core::job& j, core::planned_time p) {
  if (rows_.has_occurrence(j.id, p.at)) return true;  // by whoever: it is a run already
  auto lines = fire_lines_of(j);
  if (!core::keep_limits(lines, p, w.set.now)) return false;
  auto s = of_job(j, w.set.actor);
  s.due_at = p.start > w.set.now ? p.start : core::never;
  const auto whose = p.limited_by == core::fire_scope::node ? std::string{"the node"}
                                                            : "the " + std::string{to_text(p.limited_by)};
  if (p.limited)
    s.why_later =
        std::string{core::by_fire_limit} + " of " + whose + ": planned for " + core::to_rfc3339(p.at);
  auto made = make_of_job(w, j, std::move(s), false);
  // What the overlap policy skipped starts nothing, so it uses nothing up.
  if (made.head.state != core::run_state::skipped)
    for (auto& line : lines) {
      core::note_start(line, std::max(p.start, w.set.now), w.set.now);
      rows_.put_note(line.name, core::write_starts(line.starts));
    }
  rows_.insert_occurrence(
      {j.id, p.at, made.head.id, p.start, p.caught_up, p.limited, p.shift, p.limited_by, p.meant});
  auto text = core::to_string(core::occurrence_id{j.id, p.at}) + " of " + core::to_rfc3339(p.at);
  if (p.caught_up) text += ", caught up";
  if (p.limited) text += ", moved by the fire limit of " + whose + " to " + core::to_rfc3339(p.start);
  if (p.meant != core::never) text += ", postponed from " + core::to_rfc3339(p.meant);
  append(w, core::event_kind::job_fired, made.head.id, j.id, std::move(text));
  announce(w, made.head);
  w.out.runs.push_back(std::move(made));
  w.changed = true;
  return true;
}

// Never: nothing is due, what is due is the end of gathering events, or the job says that its retries go on.
core::instant engine::next_occurrence_of(core::job_id id) {
  const auto j = rows_.find_job(id);
  if (!j || !plans(*j) || j->definition->timing.policy.retry_past_next) return core::never;
  std::string why;
  const auto s = schedule_of(*j, why);
  return s && core::on_event(*s) ? core::never : j->due;
}

void engine::tell_skipped(work& w, const core::job& j, const core::skip_range& r) {
  rows_.insert_skip({j.id, 0, r, w.set.now}, skips_kept);
  append(w, core::event_kind::occurrences_skipped, {}, j.id, range_text(r));
  w.changed = true;
}

void engine::take_plan(work& w, core::job& j, const core::plan_decision& d) {
  for (const auto& range : d.skips) tell_skipped(w, j, range);
  if (!(j.cursor == d.next)) w.changed = true;
  j.cursor = d.next;
  j.due = d.wake_at.value_or(core::never);
  if (d.completed) may_end(w, j.id);
}

// What the old schedule had postponed beyond now, as the new one has it: where the job goes on from.
core::plan_cursor engine::take_over(work& w, core::job& j, const core::schedule& before,
                                    const core::schedule& after) {
  auto c = core::change_plan(before, after, j.cursor, w.set.now);
  if (c.skip) tell_skipped(w, j, *c.skip);
  if (c.make && (!plans(j) || core::used_up(j.definition->timing.policy, j.cursor))) {
    c.next.made = j.cursor.made;
    if (!j.pauses.empty())
      tell_skipped(w, j,
                   {c.make->meant, c.make->meant, 1, false, core::skip_reason::paused, core::never, {}});
    c.make.reset();
  }
  if (c.make && !fire(w, j, *c.make)) {
    c.next.made = j.cursor.made;
    tell_skipped(w, j,
                 {c.make->meant, c.make->meant, 1, false, core::skip_reason::fire_limit, core::never, {}});
  }
  return c.next;
}

// It waits, visibly, until somebody has put it right; nothing of it is lost meanwhile.
void engine::hold_unplannable(work& w, core::job& j, const std::string& why) {
  j.due = core::never;
  const auto on = core::the_job(j.id);
  const std::string node{core::pause_owner::node};
  core::pause_entry entry{unplannable, node, "nothing can be planned: " + why, w.set.now, core::never, node};
  auto d = core::decide_pause(on, j.pauses, std::move(entry), node, w.set.now);
  if (d && d->changed) pause(w, on, std::move(*d), &j);
}

std::optional<failure> engine::apply_one(work& w, const plan_job& c) {
  auto j = rows_.find_job(c.id);
  if (!j) return refusal::no_job(c.id);
  if (!plans(*j) || j->due == core::never || j->due > w.set.now) {
    w.repeated = true;
  } else {
    replan(w, *j);  // where a calendar of it has changed and its turn has not come
    advance(w, *j, c.after_crash_loop);
    rows_.update_job(*j);
    w.changed = true;
  }
  w.out.jobs.push_back(std::move(*j));
  return std::nullopt;
}

}  // namespace belfry::storage
