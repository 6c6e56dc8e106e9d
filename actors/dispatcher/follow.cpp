// Following: every committed head goes through here, and the board, the timers, the sweeper's watch and the
// metrics follow.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <caf/send.hpp>

#include <utility>

#include "core/job/timing_group.hpp"

namespace belfry::actors {

using namespace messages;
using core::run_state;
using platform::metric;

namespace {

std::uint32_t limit_of(const core::job_definition& d) {
  return d.on_overlap == core::overlap::allow ? d.max_concurrent : 1;
}

}  // namespace

void dispatcher::follow(const runs_committed& heads) {
  for (const auto& news : heads.pauses) pauses_.follow(news);
  follow(heads.delays);
  if (!heads.pauses.empty() && pauses_.known()) {
    leases_ended_ = true;  // a drain may have begun with nothing to wait for
    pauses_changed(deps_.clock->now());
  }
  watch_jobs due;
  for (const auto& job : heads.jobs) {
    due.jobs.push_back({job.id, job.due, core::group_of(job)});
    if (job.definition) job_limits_[job.id] = limit_of(*job.definition);
    if (job.state == core::job_state::archived) outlive(job.id);
    if (hook_ != nullptr) hook_->strange.erase(job.id);  // it may have another name now
  }
  due.replan = heads.replan;
  if ((!due.jobs.empty() || !due.replan.empty()) && deps_.planner)
    caf::anon_send(deps_.planner, std::move(due));
  for (const auto& run : heads.runs) {
    if (ready_) measure(run.head);
    follow(run.head, run.spec.get(), std::nullopt);
  }
  tell_what_changed();
  end_drains();
}

// An archived job makes no more runs, but its limit holds for those it has. They are few and soon over; the
// limits of the last ten thousand archived jobs are remembered.
void dispatcher::outlive(core::job_id archived) {
  constexpr std::size_t remembered = 10'000;
  archived_.push_back(archived);
  if (archived_.size() <= remembered) return;
  job_limits_.erase(archived_.front());
  archived_.pop_front();
}

// `handler` is given by a scan; else it comes from the spec or from what was known before.
void dispatcher::follow(const core::run_head& head, const core::run_spec* spec,
                        std::optional<core::handler_kind> handler) {
  if (!tentative_.empty()) tentative_.erase(head.id);
  const auto known = elsewhere_.find(head.id);
  if (!handler && spec != nullptr) handler = spec->handler;
  if (!handler && known != elsewhere_.end()) handler = known->second.handler;
  const auto kind = handler.value_or(core::handler_kind::process);
  switch (head.state) {
    case run_state::queued: return enter_line(head, kind);
    case run_state::blocked:
    case run_state::scheduled:
    case run_state::retrying:
    case run_state::parked:
    case run_state::needs_attention: return enter_delay(head, kind);
    case run_state::claimed:
    case run_state::running: return enter_lease(head, kind, spec != nullptr ? spec->grace : core::span{0});
    case run_state::succeeded:
    case run_state::failed:
    case run_state::timed_out:
    case run_state::lost:
    case run_state::cancelled:
    case run_state::skipped: return leave(head);
  }
}

// The lease of the run has ended, if it had one.
void dispatcher::take_from_holder(core::run_id run) {
  const auto it = elsewhere_.find(run);
  if (it == elsewhere_.end()) return;
  if (it->second.holder) {
    roster_.release(it->second.holder, run);
    held_.erase(run);
    leases_ended_ = true;
    board_.ended(run);
    note_change();
    leases_.leases.push_back({run, it->second.fencing, {}, core::never});
  }
  times_.times.push_back({run, core::never, it->second.fencing, {}, false, {}});
}

void dispatcher::enter_line(const core::run_head& head, core::handler_kind handler) {
  take_from_holder(head.id);
  elsewhere_.erase(head.id);
  const auto limit = job_limits_.find(head.job);
  board_.put(head, handler, limit == job_limits_.end() ? 0 : limit->second, patience_now());
  note_change();
}

void dispatcher::enter_delay(const core::run_head& head, core::handler_kind handler) {
  take_from_holder(head.id);
  board_.drop(head.id);
  elsewhere_[head.id] = {handler, {}, 0, false, false};
  if (head.due_at != core::never) times_.times.push_back({head.id, head.due_at, 0, {}, false, {}});
}

void dispatcher::enter_lease(const core::run_head& head, core::handler_kind handler, core::span grace) {
  const auto known = elsewhere_.find(head.id);
  const bool same = known != elsewhere_.end() && known->second.holder == head.held.holder &&
                    known->second.fencing == head.fencing;
  if (!same) take_from_holder(head.id);
  auto& held = elsewhere_[head.id];
  const auto* holder = roster_.known(head.held.holder);
  const bool stoppable = holder != nullptr && core::owned_by_node(*holder);
  const bool far = stoppable && !holder->local;
  if (!same) {
    held = {handler, head.held.holder, head.fencing, false, false};
    roster_.hold(head.held.holder, head.id);
    board_.live(head, holder != nullptr ? holder->agent_type : std::string{}, patience_now());
  }
  held_[head.id] = {head.job,
                    head.held.holder,
                    head.name,
                    head.needs.workspace,
                    head.held.claimed_at,
                    head.held.deadline_at,
                    head.held.expires_at};
  leases_.leases.push_back(
      {head.id, head.fencing, head.held.hash, head.held.expires_at, head.held.claimed_at, far});
  if (head.held.started_at != core::never && !std::exchange(held.started, true))
    times_.times.push_back(
        {head.id, head.held.deadline_at, head.fencing, head.held.holder, stoppable, grace, far});
  if (head.cancel_requested && !std::exchange(held.cancel_asked, true) && stoppable && deps_.executors)
    caf::anon_send(deps_.executors, stop_attempt{head.id, head.fencing, stop_why::cancel, head.held.holder});
}

void dispatcher::leave(const core::run_head& head) {
  take_from_holder(head.id);
  elsewhere_.erase(head.id);
  board_.drop(head.id);
}

void dispatcher::tell_what_changed() {
  if (!times_.times.empty()) caf::anon_send(deps_.timekeeper, std::exchange(times_, {}));
  if (!leases_.leases.empty()) caf::anon_send(deps_.sweeper, std::exchange(leases_, {}));
  if (deps_.max_queued == 0) return;
  const auto waiting = board_.counts().ready + elsewhere_.size() - roster_.held();
  const bool open = waiting < deps_.max_queued;
  if (open != intake_open_) {
    intake_open_ = open;
    deps_.intake->room(open, waiting);
  }
}

// Before the head is followed: what was known of the run tells what is new.
void dispatcher::measure(const core::run_head& head) {
  if (deps_.says.meter == nullptr) return;
  const auto known = elsewhere_.find(head.id);
  const bool was_held = known != elsewhere_.end() && known->second.holder;
  if (core::terminal(head.state)) {
    if (head.ended_at == core::never) return;
    deps_.says.count(metric::runs_completed_total, 1, to_text(head.state));
    deps_.says.observe(metric::run_seconds, seconds(head.ended_at - head.created_at));
  } else if (head.state == run_state::retrying) {
    deps_.says.count(metric::retries_total, 1, to_text(head.last_class));
  } else if (core::leased(head.state) && !was_held && head.eligible_since != core::never) {
    deps_.says.observe(metric::run_wait_seconds, seconds(pauses_.waited(head, head.held.claimed_at)));
  }
}

}  // namespace belfry::actors
