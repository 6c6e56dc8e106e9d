// Runs: made, stepped, redriven.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <utility>

#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

struct proof_shown {
  std::uint64_t fencing = 0;
  const core::token_hash* hash = nullptr;
};

// What a command shows of a lease; nothing for commands that need none.
std::optional<proof_shown> proof_of(const core::run_command& c) {
  return std::visit(
      [](const auto& cmd) -> std::optional<proof_shown> {
        if constexpr (requires { cmd.proof; })
          return proof_shown{cmd.proof.fencing, &cmd.proof.hash};
        else if constexpr (requires { cmd.fencing; })
          return proof_shown{cmd.fencing, nullptr};
        else
          return std::nullopt;
      },
      c);
}

// Whether the proof names the live lease, as far as it matters for what the decision must be given: core
// judges it.
bool names_live_lease(const core::run_head& head, const proof_shown& p, core::instant now) {
  return leased(head.state) && head.fencing == p.fencing && head.held.expires_at > now &&
         (p.hash == nullptr || *p.hash == head.held.hash);
}

// Earlier attempts that a claimer is told of, and what an attempt keeps of the log that a worker writes.
constexpr std::size_t attempts_told = 10;
constexpr std::uint64_t worker_log_bytes = 1u << 20;

// Whether a submission is the repetition of another one. Each request has a trace of its own, also when it
// repeats.
bool same_wish(const core::run_spec& a, core::run_spec b) {
  b.traceparent = a.traceparent;
  return a == b;
}

}  // namespace

std::optional<failure> engine::apply_one(work& w, const insert_runs& c) {
  std::vector<std::optional<run_row>> there(c.runs.size());
  std::set<core::run_id> given;
  for (std::size_t i = 0; i < c.runs.size(); ++i) {
    const auto& s = c.runs[i];
    if (s.shared_spec && !rows_.find_spec(s.shared_spec, rows::owner::job))
      return failure{
          core::errc::not_found, "there is no definition " + core::to_string(s.shared_spec), {}, {}};
    if (!s.id) {
      if (c.refusal) return c.refusal;
      continue;
    }
    there[i] = rows_.find_run(s.id);
    if (there[i]) {
      const auto known = spec_of(there[i]->head);
      if (!same_wish(*known, *s.spec)) {
        const auto id = core::to_string(s.id);
        return failure{core::errc::conflict,
                       "there is a run " + id + " with other content",
                       {},
                       "belfry run show " + id};
      }
      continue;
    }
    if (c.refusal) return c.refusal;
    if (!core::acceptable_id(s.id.value, w.set.now)) return refusal::bad_id(s.id, w.set.now);
    if (!given.insert(s.id).second || rows_.find_spec(core::spec_id{s.id.value}, rows::owner::run))
      return failure{core::errc::conflict, "the id " + core::to_string(s.id) + " is given twice", {}, {}};
  }

  const auto known = static_cast<std::size_t>(
      std::count_if(there.begin(), there.end(), [](const auto& row) { return row.has_value(); }));
  if (known < c.runs.size())
    if (auto no = refuse_submission(w, c)) return no;

  core::batch_id batch;
  std::size_t made = 0;
  core::run_id first, last;
  w.out.runs.reserve(w.out.runs.size() + c.runs.size());
  for (std::size_t i = 0; i < c.runs.size(); ++i) {
    const auto& s = c.runs[i];
    if (there[i]) {
      if (c.as_batch && !batch) w.out.batch = there[i]->head.batch;
      auto spec = spec_of(there[i]->head);
      w.out.runs.push_back({std::move(there[i]->head), std::move(spec)});
      w.repeated = true;
      continue;
    }
    if (c.as_batch && !batch) w.out.batch = batch = core::batch_id{fresh_id(w.set.now)};
    const auto id = s.id ? s.id : core::run_id{fresh_id(w.set.now)};
    w.out.runs.push_back(make(w, s, id, batch));
    if (made++ == 0) first = id;
    last = id;
    if (!c.as_batch) announce(w, w.out.runs.back().head);
  }
  if (made == 0) return std::nullopt;
  w.changed = true;
  if (c.as_batch) {
    append(w, core::event_kind::batch_submitted, first, {},
           core::to_string(batch) + " runs=" + std::to_string(made) + " first=" + core::to_string(first) +
               " last=" + core::to_string(last));
    pending_.totals[static_cast<std::size_t>(core::event_kind::run_submitted)] +=
        static_cast<std::int64_t>(made);
  }
  return std::nullopt;
}

core::run engine::make(work& w, const core::submission& s, core::run_id id, core::batch_id batch) {
  const auto& spec = *s.spec;
  run_row row;
  row.head = core::make_run(s, id, batch, w.set.now);
  if (row.head.created_by.empty()) row.head.created_by = w.set.actor;
  row.handler = spec.handler;
  row.hooked = core::given(spec.hook);
  row.tagged = !spec.tags.empty();
  if (s.id && greatest_given_ < s.id) greatest_given_ = s.id;
  const auto off = std::chrono::duration_cast<core::span>(core::made_at(id.value) - w.set.now).count();
  if (off > pending_.id_ahead) pending_.id_ahead = off;
  if (-off > pending_.id_behind) pending_.id_behind = -off;
  rows_.insert_run(row, spec.tags);
  if (!s.shared_spec) rows_.insert_spec(row.head.spec, spec);
  count(row.head, 1);
  if (terminal(row.head.state) && row.head.job) maybe_excess_.insert(row.head.job);
  return {std::move(row.head), s.spec};
}

void engine::count(const core::run_head& head, std::int64_t by) {
  pending_.states.at(static_cast<std::size_t>(head.state)) += by;
  if (head.state == core::run_state::queued) pending_.queued.at(static_cast<std::size_t>(head.prio)) += by;
}

void engine::announce(work& w, const core::run_head& head) {
  const bool skipped = head.state == core::run_state::skipped;
  core::event e;
  e.kind = skipped ? core::event_kind::run_skipped : core::event_kind::run_submitted;
  e.run = head.id;
  e.job = head.job;
  if (skipped) e.text = head.reason;
  append(w, std::move(e));
}

std::optional<failure> engine::apply_one(work& w, const step_run& c) {
  auto row = rows_.find_run(c.id);
  if (!row) return refusal::no_run(c.id);
  if (const auto* claim = std::get_if<core::cmd_claim>(&c.command))
    if (auto no = held_claim(row->head, *claim, w.set.now)) return no;
  std::shared_ptr<const core::run_spec> spec;
  if (c.want_spec || core::needs_spec(c.command)) spec = spec_of(row->head);
  std::optional<core::attempt_record> earlier;
  if (const auto shown = proof_of(c.command); shown && !names_live_lease(row->head, *shown, w.set.now))
    earlier = rows_.attempt_by_fencing(c.id, shown->fencing);

  core::run_context context{spec.get(), earlier ? &*earlier : nullptr};
  context.handler = row->handler;
  context.unreadable = spec && !spec->unreadable.empty() ? spec->unreadable : row->unreadable;
  if (core::gives_way(row->head, c.command)) context.next_occurrence = next_occurrence_of(row->head.job);
  if (std::holds_alternative<core::cmd_log>(c.command)) {
    const auto size = rows_.find_log_size(c.id, row->head.attempt);
    context.next_line = size.lines + size.dropped + 1;
  }
  if (auto no = core::refuse_unexpected(row->head, c.expected)) return no;
  auto answer = core::decide(row->head, context, c.command, w.set.actor, w.set.now);
  if (auto* no = std::get_if<core::run_refusal>(&answer)) {
    auto why = no->why;
    if (no->late) {
      w.refused = std::move(*no);
      w.refused_run = c.id;
    }
    return why;
  }
  auto& step = std::get<core::run_step>(answer);
  if (c.dry_run) {
    w.out.planned.push_back(std::move(step.next));
    return std::nullopt;
  }
  if (step.replayed) {
    w.repeated = true;
    w.out.runs.push_back({std::move(row->head), c.want_spec ? spec : nullptr});
    return std::nullopt;
  }
  if (std::holds_alternative<core::cmd_log>(c.command))
    w.out.next_line = step.lines.empty() ? context.next_line : step.lines.back().number + 1;
  const auto ended_before = w.out.ended.size();
  write_step(w, *row, step);
  if (const auto* said = std::get_if<core::cmd_settle>(&c.command))
    if (w.out.ended.size() > ended_before) hold_type(w, *said, w.out.ended.back());
  if (!spec && step.finished && core::ended_badly(step.next.state)) spec = spec_of(step.next);
  const bool tell_spec = c.want_spec || (step.finished && core::ended_badly(step.next.state));
  std::optional<run_row> finished;  // where that has consequences
  if (step.finished && (row->hooked || step.next.trial))
    finished = {step.next, row->handler, row->hooked, row->tagged};
  // Whoever takes a run is told what became of it before.
  const bool again = (std::holds_alternative<core::cmd_claim>(c.command) && row->head.attempt > 0) ||
                     std::holds_alternative<core::cmd_reissue>(c.command);
  auto past = again && c.want_spec ? past_of(row->head) : nullptr;
  w.out.runs.push_back({std::move(step.next), tell_spec ? spec : nullptr, std::move(past)});
  if (finished) run_hook(w, *finished, std::move(spec));
  return std::nullopt;
}

void engine::write_step(work& w, const run_row& before, core::run_step& step) {
  // What can be refused by the rows themselves comes first: a second record of one attempt.
  if (step.ended) {
    rows_.insert_attempt(*step.ended);
    back_off(w, *step.ended);
    end_probe(w, *step.ended, step.next.state == core::run_state::succeeded ? core::never : step.next.due_at);
    learn(w, *step.ended);
    w.out.ended.push_back(std::move(*step.ended));
  }
  if (step.adopted) {
    rows_.insert_attempt(*step.adopted);
    w.out.ended.push_back(std::move(*step.adopted));
  }
  if (step.stored) rows_.put_checkpoint(before.head.id, *step.stored);
  if (!step.lines.empty()) append_lines(w, step.lines, worker_log_bytes);
  const bool moved = step.next != before.head;
  if (moved) {
    run_row after{std::move(step.next), before.handler, before.hooked, before.tagged};
    rows_.update_run(before, after);
    step.next = std::move(after.head);  // a head is large: it is lent, not copied
    count(before.head, -1);
    count(step.next, 1);
    if (before.head.state == core::run_state::queued && leased(step.next.state)) {
      departures_.left(w.set.now);
      start_probe(w, step.next);
    }
    // Whoever leaves the queue starves no longer, in the same commit.
    if (before.head.state == core::run_state::queued && step.next.state != core::run_state::queued &&
        may_starve_.contains(before.head.id)) {
      rows_.remove_starvation(before.head.id);
      fed_.push_back(before.head.id);
    }
    if (step.finished) {
      const auto life = (step.next.ended_at - step.next.created_at).count();
      pending_.longest_life = std::max(pending_.longest_life, life);
      pending_.shortest_life = std::min(pending_.shortest_life, life);
    }
    if (step.finished && step.next.job) {
      maybe_excess_.insert(step.next.job);
      note_end(w, step.next);
    }
  }
  if (moved || !step.events.empty()) w.changed = true;
  for (auto& e : step.events) append(w, std::move(e));
}

std::shared_ptr<const core::run_past> engine::past_of(const core::run_head& head) {
  auto past = std::make_shared<core::run_past>();
  past->attempts = rows_.last_attempts(head.id, attempts_told);
  for (auto& a : past->attempts) a.result.clear();
  past->last = rows_.find_checkpoint(head.id);
  return past;
}

void engine::run_hook(work& w, const run_row& finished, std::shared_ptr<const core::run_spec> spec) {
  if (finished.head.trial) end_trial(w, finished.head);
  if (!finished.hooked) return;
  if (!spec) spec = spec_of(finished.head);
  const auto s = core::hook_of(finished.head, *spec);
  if (!s) return;
  auto hook = make(w, *s, core::run_id{fresh_id(w.set.now)}, {});
  announce(w, hook.head);
  w.out.also.push_back(std::move(hook));
}

std::optional<failure> engine::apply_one(work& w, const redrive_run& c) {
  auto row = rows_.find_run(c.id);
  if (!row) return refusal::no_run(c.id);
  if (auto no = core::refuse_unexpected(row->head, c.expected)) return no;
  auto s = core::decide_redrive(row->head, spec_of(row->head), c.payload, w.set.actor, c.any);
  if (!s) return s.error();
  if (c.dry_run) {
    w.out.planned.push_back(std::move(row->head));
    return std::nullopt;
  }
  auto made = redrive(w, *row, std::move(*s));
  auto old = rows_.find_run(c.id);
  w.out.runs.push_back(std::move(made));
  w.out.runs.push_back({std::move(old->head), nullptr});
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const recover_run& c) {
  auto row = rows_.find_run(c.id);
  if (!row) return refusal::no_run(c.id);
  if (auto no = core::refuse_unexpected(row->head, c.expected)) return no;
  auto answer = core::decide(row->head, {}, core::cmd_recover{c.reason}, w.set.actor, w.set.now);
  if (auto* no = std::get_if<core::run_refusal>(&answer)) return no->why;
  auto& step = std::get<core::run_step>(answer);
  const auto spec = spec_of(row->head);
  auto s = core::decide_redrive(step.next, spec, std::nullopt, w.set.actor);
  if (!s) return s.error();
  if (c.dry_run) {
    w.out.planned.push_back(std::move(step.next));
    return std::nullopt;
  }
  write_step(w, *row, step);
  const run_row closed{step.next, row->handler, row->hooked, row->tagged};
  auto made = redrive(w, closed, std::move(*s));
  auto old = rows_.find_run(c.id);
  w.out.runs.push_back(std::move(made));
  w.out.runs.push_back({std::move(old->head), nullptr});
  run_hook(w, closed, spec);
  return std::nullopt;
}

// Makes the successor and links the two.
core::run engine::redrive(work& w, const run_row& row, core::submission s) {
  // A spec that belongs to the old run leaves with it, so the successor gets its own copy; a job's revision
  // is shared.
  if (s.shared_spec.value == row.head.id.value) s.shared_spec = {};
  auto made = make(w, s, core::run_id{fresh_id(w.set.now)}, {});
  auto after = row;
  after.head.successor = made.head.id;
  rows_.update_run(row, after);
  core::event e;
  e.kind = core::event_kind::run_redriven;
  e.run = row.head.id;
  e.job = row.head.job;
  e.fencing = row.head.fencing;
  e.attempt = row.head.attempt;
  e.text = core::to_string(made.head.id);
  append(w, std::move(e));
  announce(w, made.head);
  w.changed = true;
  return made;
}

std::optional<failure> engine::apply_one(work& w, const adopt_result& c) {
  auto row = rows_.find_run(c.id);
  if (!row) return refusal::no_run(c.id);
  const auto late = rows_.newest_late(c.id, c.fencing);
  if (!late)
    return failure{core::errc::not_found,
                   core::to_string(c.id) + " has no result that came too late" +
                       (c.fencing == 0 ? "" : " with fencing number " + std::to_string(c.fencing)),
                   {},
                   "belfry run show " + core::to_string(c.id)};
  // Somebody else may have finished the run; an end without a finisher lets a successor succeed.
  std::optional<run_row> old;
  if (core::ended_badly(row->head.state)) {
    auto s = core::decide_redrive(row->head, spec_of(row->head), std::nullopt, w.set.actor);
    if (!s) return s.error();
    const auto made = redrive(w, *row, std::move(*s));
    old = rows_.find_run(c.id);
    row = rows_.find_run(made.head.id);
  }
  auto answer = core::decide(row->head, {}, core::cmd_adopt{*late, c.reason}, w.set.actor, w.set.now);
  if (auto* no = std::get_if<core::run_refusal>(&answer)) return no->why;
  auto& step = std::get<core::run_step>(answer);
  write_step(w, *row, step);
  run_row finished{step.next, row->handler, row->hooked, row->tagged};
  w.out.runs.push_back({std::move(step.next), spec_of(row->head)});
  if (old) w.out.runs.push_back({std::move(old->head), nullptr});
  run_hook(w, finished, nullptr);
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const age_dead_letters& c) {
  for (const auto& row : rows_.dead_letters(c.before, c.at_most)) {
    auto answer = core::decide(row.head, {}, core::cmd_age{}, w.set.actor, w.set.now);
    if (auto* step = std::get_if<core::run_step>(&answer)) {
      write_step(w, row, *step);
      w.out.runs.push_back({std::move(step->next), nullptr});
    }
  }
  return std::nullopt;
}

}  // namespace belfry::storage
