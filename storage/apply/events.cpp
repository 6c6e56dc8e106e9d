// What events bring about: runs of the jobs that wait for them, or what those keep back, in the commit that
// writes the event. Emitted ones are looked at when they are applied; belfry's own, about runs and jobs, when
// every change of their set has been applied, so that what is told of a run is what its row says.
//
// An event costs nothing where nobody waits for its kind: `append` asks one number. Who waits is an index in
// memory (core/events/event_listeners.hpp); what becomes of the event is decided by the job's rows.
#include <algorithm>
#include <utility>

#include "core/schedule/canonical.hpp"
#include "core/schedule/firing.hpp"
#include "core/time/text.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

// So many runs are made by the events of one change set; whoever is left is held until the next commit. A few
// jobs that start each other could otherwise make one commit that never ends.
constexpr std::size_t most_started = 1000;
constexpr int longest_chain = 16;  // of redrives; there are at most 10

const core::event_trigger* trigger_of(const core::schedule& s) {
  return core::on_event(s) ? &std::get<core::event_trigger>(s.any_of.front()) : nullptr;
}

bool waits_for_events(const core::job& j) {
  return !j.definition->timing.schedule.empty() &&
         (j.state == core::job_state::active || j.state == core::job_state::paused);
}

bool held_up(const core::job& j, core::instant now) {
  return std::any_of(j.pauses.begin(), j.pauses.end(), [&](const auto& p) { return stands(p, now); });
}

std::uint64_t seed_of(const core::job& j) { return static_cast<std::uint64_t>(j.id.value); }

}  // namespace

void engine::read_listeners() {
  for (const auto id : rows_.event_jobs())
    if (const auto j = rows_.find_job(id); j && waits_for_events(*j)) {
      std::string why;
      if (const auto s = schedule_of(*j, why))
        if (const auto* on = trigger_of(*s)) listeners_.add(id, *on);
    }
}

// To be called with the row as it is written. Nearly all jobs wait for no event, now or before.
void engine::listen(const core::job& j) {
  std::string why;
  const auto s = waits_for_events(j) ? schedule_of(j, why) : nullptr;
  const auto* on = s ? trigger_of(*s) : nullptr;
  if (on == nullptr && !listeners_.knows(j.id)) return;
  listening_.emplace_back(j.id, on == nullptr ? std::nullopt : std::optional{*on});
  if (on == nullptr) return rows_.remove_hold(j.id);
  listeners_.add(j.id, *on);
  if (!rows_.find_hold(j.id)) rows_.put_hold(j.id, {});
}

std::optional<failure> engine::apply_one(work& w, const emit_event& c) {
  std::optional<run_row> by;
  if (c.by) {
    by = rows_.find_run(c.by);
    if (!by) return refusal::no_run(c.by);
  }
  const auto depth = by ? depth_of(by->head) : std::uint16_t{0};
  const core::arriving e{c.what, depth, false};
  if (c.outside && pressed_since_ != core::never && !listeners_.who(core::as_outside(e)).empty()) {
    const auto queued = pending_.states[static_cast<std::size_t>(core::run_state::queued)];
    if (auto no = core::refuse_submission(press(queued, pressed_since_, w.set.now), core::priority::normal))
      return no;
  }
  core::event received;
  received.kind = core::event_kind::event_received;
  if (by) {
    received.run = by->head.id;
    received.job = by->head.job;
    received.attempt = by->head.attempt;
  }
  received.text = core::to_text(c.what);
  append(w, std::move(received));
  core::emitted sum;
  sum.seq = w.out.last_event;
  sum.at = w.set.now;
  arrive(w, e, sum);
  w.out.emitted = sum;
  w.changed = true;
  return std::nullopt;
}

// The list grows while it is gone through: what an event brings about can be waited for as well, and so can
// the end of a job.
void engine::hear(work& w) {
  for (std::size_t i = 0;; ++i) {
    if (i == w.heard.size()) end_jobs(w);
    if (i == w.heard.size()) return;
    const auto [event, depth] = w.heard[i];
    auto deep = depth;
    auto what = told_of(event, deep);
    core::emitted sum;
    arrive(w, {what, deep, true}, sum);
    if (!core::ends_a_run(event.kind)) continue;
    what.name = core::run_ended_event;
    arrive(w, {what, deep, true}, sum);
  }
}

// What jobs are told of a line of the journal.
core::named_event engine::told_of(const core::event& e, std::uint16_t& depth) {
  core::named_event told;
  told.name = core::to_text(e.kind);
  const auto add = [&](const char* key, std::string value) {
    if (!value.empty()) told.fields.emplace_back(key, std::move(value));
  };
  if (e.job) {
    if (const auto j = rows_.find_job(e.job)) add("job", j->definition->name);
    add("job_id", core::to_string(e.job));
  }
  if (e.run) {
    add("run_id", core::to_string(e.run));
    if (const auto row = rows_.find_run(e.run)) {
      const auto& h = row->head;
      depth = std::max(depth, depth_of(h));
      add("name", h.name);
      add("state", std::string{core::to_text(h.state)});
      if (h.last_class != core::failure_class::none) add("class", std::string{core::to_text(h.last_class)});
      add("attempt", std::to_string(h.attempt));
      add("lane", h.lane);
      add("workspace", h.needs.workspace);
    }
  }
  add("reason", e.text);
  add("actor", e.actor);
  return told;
}

// A hook and a redrive are as deep as the run that they come from.
std::uint16_t engine::depth_of(const core::run_head& head) {
  auto at = head;
  for (int i = 0; i < longest_chain; ++i) {
    if (const auto depth = rows_.depth_of(at.id); depth > 0) return depth;
    const auto from = at.parent ? at.parent : at.predecessor;
    if (!from) return 0;
    auto row = rows_.find_run(from);
    if (!row) return 0;
    at = std::move(row->head);
  }
  return 0;
}

void engine::arrive(work& w, const core::arriving& e, core::emitted& sum) {
  if (listeners_.nobody()) return;
  const auto before = std::exchange(w.depth, static_cast<std::uint16_t>(e.depth + 1));
  for (const auto id : listeners_.who(core::as_outside(e)))
    if (auto j = rows_.find_job(id); j && waits_for_events(*j)) arrive_at(w, *j, e, sum);
  w.depth = before;
}

void engine::arrive_at(work& w, core::job& j, const core::arriving& e, core::emitted& sum) {
  std::string why = j.definition->spec.unreadable;
  const auto s = why.empty() ? schedule_of(j, why) : nullptr;
  if (!s) {
    hold_unplannable(w, j, why);
    w.out.jobs.push_back(j);
    return;
  }
  if (!core::on_event(*s)) return;
  const auto hold = rows_.find_hold(j.id).value_or(core::event_hold{});
  const auto& policy = j.definition->timing.policy;
  auto d = core::decide_arrival({*s, policy, j.cursor, hold}, e,
                                {w.set.now, seed_of(j), held_up(j, w.set.now), w.started >= most_started});
  if (d.what == core::arrival::ignored) return;
  ++sum.jobs;
  w.changed = true;
  if (!(d.hold == hold)) rows_.put_hold(j.id, d.hold);
  switch (d.what) {
    case core::arrival::ignored: return;
    case core::arrival::aside: ++sum.aside; return;
    case core::arrival::too_deep:
      ++sum.too_deep;
      return append(w, core::event_kind::event_too_deep, {}, j.id,
                    j.definition->name + " is not started by " + std::string{e.what.name} + ": " +
                        std::to_string(e.depth) + " runs started by events led to it");
    case core::arrival::held:
      ++sum.held;
      if (hold.wait.held == 0)
        append(w, core::event_kind::event_held, {}, j.id,
               e.what.name + " until " + core::to_rfc3339(d.hold.wait.fires_at) +
                   (d.hold.limited ? ", by the fire limit" : ""));
      if (j.pauses.empty()) j.due = core::release_due({*s, policy, j.cursor, d.hold});
      break;
    case core::arrival::fires:
      ++sum.started;
      j.cursor = std::move(d.cursor);
      start_by_event(w, j, *d.firing, e.what);
      if (core::used_up(policy, j.cursor)) {
        j.due = core::never;
        may_end(w, j.id);
      }
      break;
  }
  rows_.update_job(j);
  w.out.jobs.push_back(std::move(j));
}

// The run is given the event where the job has no payload of its own.
void engine::start_by_event(work& w, core::job& j, const core::event_firing& f, const core::named_event& e) {
  ++w.started;
  auto s = of_job(j, w.set.actor);
  s.due_at = f.due;
  if (j.definition->spec.payload.empty()) {
    auto told = std::make_shared<core::run_spec>(j.definition->spec);
    told->payload = core::payload_of(e, f.newest, f.count, f.first);
    s.spec = std::move(told);
    s.shared_spec = {};
  }
  auto made = make_of_job(w, j, std::move(s), false);
  rows_.insert_occurrence(
      {j.id, f.when.at, made.head.id, f.when.start, f.when.caught_up, f.when.limited, f.when.shift});
  rows_.put_depth(made.head.id, static_cast<std::uint16_t>(f.depth + 1));
  auto text = core::to_string(core::occurrence_id{j.id, f.when.at}) + " by " + e.name;
  if (f.count > 1) text += ", which stands for " + std::to_string(f.count);
  if (f.when.limited) text += ", held by the fire limit";
  append(w, core::event_kind::job_fired, made.head.id, j.id, std::move(text));
  announce(w, made.head);
  const bool asked = std::any_of(w.set.changes.begin(), w.set.changes.end(), [](const change& c) {
    return std::holds_alternative<emit_event>(c) || std::holds_alternative<plan_job>(c);
  });
  (asked ? w.out.runs : w.out.also).push_back(std::move(made));
  w.changed = true;
}

// What is due of a job that waits for events: what it held back, or its end.
void engine::release(work& w, core::job& j, const core::schedule& s, bool after_crash_loop, bool at_once) {
  const auto hold = rows_.find_hold(j.id).value_or(core::event_hold{});
  const auto& policy = j.definition->timing.policy;
  auto d =
      core::decide_release({s, policy, j.cursor, hold}, {w.set.now, seed_of(j), after_crash_loop}, at_once);
  const auto before = std::exchange(w.depth, static_cast<std::uint16_t>(hold.depth + 1));
  if (!(d.hold == hold)) rows_.put_hold(j.id, d.hold);
  j.cursor = std::move(d.cursor);
  if (d.firing) start_by_event(w, j, *d.firing, hold.newest);
  if (d.skipped) tell_skipped(w, j, *d.skipped);
  j.due = d.completed ? core::never : core::release_due({s, policy, j.cursor, d.hold});
  if (d.completed) may_end(w, j.id);
  w.depth = before;
}

// After its last pause, which ended at `ended`.
void engine::resume_events(work& w, core::job& j, const core::schedule& s, core::instant ended) {
  const auto hold = rows_.find_hold(j.id).value_or(core::event_hold{});
  const auto d = core::decide_resumed(hold, ended);
  if (!(d.hold == hold)) rows_.put_hold(j.id, d.hold);
  if (d.skipped) tell_skipped(w, j, *d.skipped);
  j.due = core::release_due({s, j.definition->timing.policy, j.cursor, d.hold});
}

// It waits for other events from now on, or for none.
void engine::drop_events(work& w, core::job& j) {
  const auto hold = listeners_.knows(j.id) ? rows_.find_hold(j.id) : std::nullopt;
  if (!hold) return;
  const auto why = j.pauses.empty() ? core::skip_reason::missed : core::skip_reason::paused;
  const auto d = core::decide_dropped(*hold, why);
  if (d.skipped) tell_skipped(w, j, *d.skipped);
  if (!(d.hold == *hold)) rows_.put_hold(j.id, d.hold);
}

}  // namespace belfry::storage
