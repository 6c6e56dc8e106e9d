// HELD RUN: one claimed run in the hands of the worker: its lease by the worker's own steady clock, its child
// by the same rules as the node's process executor, and how far the report of its end has come. A value.
//
// The lease is counted from before the heartbeat that asked for it: by then the node had not granted anything
// yet, so the worker never believes in a lease longer than the node does, whatever the two wall clocks say. A
// claim may have waited for work, so its lease is taken from the instant that the node names, as far as the
// wall clocks seem to agree; where that leaves doubt, the first heartbeat goes out at once and settles it.
#pragma once

#include <optional>
#include <string>

#include "actors/process_executor/attempt.hpp"
#include "app/work/plan.hpp"
#include "messages/runs.hpp"

namespace belfry::app {

struct held_run {
  /// `now`: steady time after the answer to the claim; `left`: of the lease, by the wall clocks.
  held_run(const messages::claimed_run& claimed, const work_plan& plan, core::instant now, core::span left);

  actors::attempt work;
  std::string token;
  core::instant safe_until;                     // the lease holds at least that long
  core::instant beat_at;                        // next heartbeat
  core::instant over_at = core::end_of_time;    // timeout of the attempt
  core::instant answer_by = core::end_of_time;  // while the condition is asked
  std::uint64_t lines_told = 0;                 // of its output, so far
  std::vector<core::log_line> telling;  // on their way; told again unchanged until the node has answered
  bool started = false;                 // there is a child, or there was one
  bool told_to_stop = false;
  std::optional<core::cmd_settle> outcome;  // once the child has ended, until the node has heard of it

  bool running() const { return started && !outcome; }
  /// A heartbeat that was sent at `asked` was granted.
  void renewed(const work_plan& plan, core::instant asked);
  /// No answer came, or "later": soon again, while the lease lasts.
  void not_renewed(const work_plan& plan, core::instant now);
  /// When the child has to be stopped at the latest: before the lease ends, so that it is gone by then.
  core::instant stop_at() const;
  /// Why it has to be stopped now, if it has to.
  std::optional<platform::stop_reason> due_stop(core::instant now) const;

 private:
  core::span margin_;  // of the lease that is left for stopping
};

}  // namespace belfry::app
