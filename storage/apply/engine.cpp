#include "storage/apply/engine.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/time/text.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

std::uint32_t job_limit_of(const core::job_definition& d) {
  return d.on_overlap == core::overlap::allow ? d.max_concurrent : 1;
}

engine::engine(rows& r, std::uint8_t node, const tallies& durable, core::run_id greatest_run)
    : rows_{r},
      ids_{node, durable.last_id},
      greatest_given_{greatest_run},
      durable_{durable},
      pending_{durable} {
  if (greatest_given_.value <= durable.last_id) greatest_given_ = {};
  // A store whose pauses cannot be read is not opened: nothing can be claimed then.
  auto known = std::make_shared<core::pauses>();
  known->load(rows_.find_pauses());
  paused_ = durable_paused_ = std::move(known);
  const auto starving = rows_.starving();
  may_starve_.insert(starving.begin(), starving.end());
  read_lessons();
  read_listeners();
  read_watched();
}

tallies engine::pending() const {
  auto t = pending_;
  t.last_id = ids_.last();
  return t;
}

void engine::committed() {
  pending_.last_id = ids_.last();
  durable_ = pending_;
  durable_paused_ = paused_;
  durable_backoff_ = backoff_;
  durable_pressed_since_ = pressed_since_;
  durable_delays_ = delays_;
  told_ = std::exchange(telling_, {});
  calendars_touched_ = false;
  for (const auto run : std::exchange(fed_, {})) may_starve_.erase(run);
  for (const auto job : std::exchange(unwatched_, {})) watched_.erase(job);
  for (const auto& [job, on] : std::exchange(listening_, {})) listeners_.only(job, on ? &*on : nullptr);
}

void engine::given_up() {
  pending_ = durable_;
  paused_ = durable_paused_;
  backoff_ = durable_backoff_;
  pressed_since_ = durable_pressed_since_;
  delays_ = durable_delays_;
  telling_.clear();
  fed_.clear();
  listening_.clear();
  unwatched_.clear();
  if (std::exchange(calendars_touched_, false)) forget_calendars();
  // Ids that were given stay given: nobody can have seen one twice. What retention skipped is looked at
  // again.
  prune_cursor_ = {};
  excess_known_ = false;
}

core::result<receipt> engine::apply(const change_set& set) {
  if (set.once) {
    if (const auto made = rows_.find_once(set.once->key)) {
      if (made->fingerprint == set.once->fingerprint) return replay(*made);
      return failure{core::errc::idempotency_mismatch,
                     "the idempotency key \"" + set.once->key + "\" was used for another request",
                     {},
                     {}};
    }
  }
  // One change decides everything before it writes, so only several need a way back.
  const bool guarded = set.changes.size() > 1;
  std::optional<tallies> before;
  const auto told_before = telling_.size();
  std::shared_ptr<const core::pauses> paused_before;
  core::backoff backoff_before;
  core::learned_delays delays_before;
  const auto fed_before = fed_.size();
  const auto listening_before = listening_.size();
  work w{set, {}, {}, {}, false, false};
  if (guarded) {
    paused_before = paused_;
    backoff_before = backoff_;
    delays_before = delays_;
    before = pending_;
    rows_.mark();
  }
  if (auto no = apply_changes(w)) {
    if (guarded) {
      rows_.undo();
      pending_ = *before;
      paused_ = paused_before;
      backoff_ = backoff_before;
      delays_ = delays_before;
      telling_.resize(told_before);
      if (calendars_touched_) forget_calendars();
      fed_.resize(fed_before);
      listening_.resize(listening_before);
    }
    if (w.refused) keep_evidence(w, *w.refused, w.refused_run);
    return std::move(*no);
  }
  if (!w.heard.empty() || !w.ending.empty()) hear(w);
  unwatched_.insert(unwatched_.end(), w.unwatched.begin(), w.unwatched.end());
  w.out.replayed = w.repeated && !w.changed;
  say_what_was_lost(w);
  watch_pressure(w);
  if (set.once) remember(set, w.out);
  if (guarded) rows_.keep();
  return std::move(w.out);
}

std::optional<failure> engine::apply_changes(work& w) {
  for (const auto& c : w.set.changes)
    if (auto no = std::visit([&](const auto& one) { return apply_one(w, one); }, c)) return no;
  return std::nullopt;
}

core::result<receipt> engine::replay(const remembered& made) {
  receipt out;
  out.replayed = true;
  out.batch = made.batch;
  out.emitted = made.emitted;
  for (const auto id : made.runs)
    if (auto row = rows_.find_run(id)) {
      auto spec = spec_of(row->head);
      out.runs.push_back({std::move(row->head), std::move(spec)});
    }
  for (const auto id : made.jobs)
    if (auto j = rows_.find_job(id)) out.jobs.push_back(std::move(*j));
  for (const auto id : made.sessions)
    if (auto s = rows_.find_session(id)) out.sessions.push_back(std::move(*s));
  return out;
}

void engine::remember(const change_set& set, const receipt& answer) {
  remembered made;
  made.fingerprint = set.once->fingerprint;
  made.at = set.now;
  made.batch = answer.batch;
  made.emitted = answer.emitted;
  for (const auto& r : answer.runs) made.runs.push_back(r.head.id);
  for (const auto& j : answer.jobs) made.jobs.push_back(j.id);
  for (const auto& s : answer.sessions) made.sessions.push_back(s.id);
  rows_.insert_once(set.once->key, made);
}

std::int64_t engine::fresh_id(core::instant now) {
  auto id = ids_.next(now);
  // Only an id that a caller gave can be in the way.
  while (id <= greatest_given_.value && rows_.has_run(core::run_id{id})) id = ids_.next(now);
  return id;
}

std::shared_ptr<const core::run_spec> engine::spec_of(const core::run_head& head) {
  auto spec =
      rows_.find_spec(head.spec, head.spec.value == head.id.value ? rows::owner::run : rows::owner::job);
  if (spec) return spec;
  auto missing = std::make_shared<core::run_spec>();
  missing->name = head.name;
  missing->unreadable = "its definition is missing";
  return missing;
}

void engine::append(work& w, core::event e) {
  e.seq = ++pending_.last_event;
  if (e.at == core::never) e.at = w.set.now;
  if (e.actor.empty()) e.actor = w.set.actor;
  rows_.insert_event(e);
  ++pending_.totals.at(static_cast<std::size_t>(e.kind));
  if (w.out.first_event == 0) w.out.first_event = e.seq;
  w.out.last_event = e.seq;
  if (listeners_.hears(e.kind)) w.heard.emplace_back(e, w.depth);
  telling_.push_back(std::move(e));
}

void engine::append(work& w, core::event_kind kind, core::run_id run, core::job_id job, std::string text) {
  core::event e;
  e.kind = kind;
  e.run = run;
  e.job = job;
  e.text = std::move(text);
  append(w, std::move(e));
}

void engine::keep_evidence(work& w, const core::run_refusal& refusal, core::run_id run) {
  const auto& late = *refusal.late;
  const auto count = rows_.evidence_count(run);
  if (count < evidence_per_run) rows_.insert_evidence(late, count + 1);
  if (refusal.said) rows_.insert_late(*refusal.said);
  core::event e;
  e.kind = core::event_kind::stale_write;
  e.run = run;
  e.fencing = late.fencing;
  if (const auto row = rows_.find_run(run)) {
    e.job = row->head.job;
    e.attempt = row->head.attempt;
  }
  e.text = late.kind + (late.text.empty() ? "" : ": " + late.text);
  append(w, std::move(e));
}

std::optional<failure> engine::apply_one(work& w, const note_event& c) {
  append(w, c.what);
  w.changed = true;
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const storage::put_limits& c) {
  const auto stored = rows_.find_limits();
  if (stored && *stored == c.limits) {
    w.repeated = true;
    return std::nullopt;
  }
  rows_.put_limits(c.limits);
  // Old and new value of each, so that the journal alone tells what was changed.
  const auto before = stored.value_or(c.configured);
  const auto one = [](const char* name, std::uint32_t was, std::uint32_t is) {
    return std::string{name} + "=" + (was == is ? std::string{} : std::to_string(was) + "->") +
           std::to_string(is);
  };
  auto told = one("global", before.global, c.limits.global) + " " +
              one("per_lane", before.per_lane, c.limits.per_lane) + " " +
              one("per_batch", before.per_batch, c.limits.per_batch) + " " +
              one("per_agent_type", before.per_agent_type, c.limits.per_agent_type);
  // Fire limits are told where there are, or were, any.
  if (before.fires + c.limits.fires > 0) told += " " + one("fires", before.fires, c.limits.fires);
  if (before.fires_per_workspace + c.limits.fires_per_workspace > 0)
    told += " " + one("fires_per_workspace", before.fires_per_workspace, c.limits.fires_per_workspace);
  if (before.fire_window != c.limits.fire_window)
    told += " fire_window=" + core::to_text(before.fire_window) + "->" + core::to_text(c.limits.fire_window);
  append(w, core::event_kind::limits_changed, {}, {}, std::move(told));
  w.changed = true;
  return std::nullopt;
}

}  // namespace belfry::storage
