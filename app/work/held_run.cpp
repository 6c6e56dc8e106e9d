#include "app/work/held_run.hpp"

#include <algorithm>

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

core::span beat_of(const work_plan& plan) { return std::min(plan.beat, plan.lease / 3); }

}  // namespace

held_run::held_run(const messages::claimed_run& claimed, const work_plan& plan, core::instant now,
                   core::span left)
    : work{claimed},
      token{claimed.token},
      // At least half of it, so that there is time for the heartbeat that finds out.
      safe_until{core::later(now, std::clamp(left, core::span{plan.lease / 2}, plan.lease))},
      beat_at{left < plan.lease * 2 / 3 ? now : core::later(now, beat_of(plan))},
      margin_{std::min(claimed.run.spec->grace, plan.lease / 4)} {
  if (const auto timeout = claimed.run.spec->timeout; timeout > core::span{0})
    over_at = core::later(now, timeout);
  if (work.asking()) answer_by = core::later(now, work.patience());
}

void held_run::renewed(const work_plan& plan, core::instant asked) {
  safe_until = core::later(asked, plan.lease);
  beat_at = core::later(asked, beat_of(plan));
}

void held_run::not_renewed(const work_plan& plan, core::instant now) {
  beat_at = core::later(now, std::clamp(core::span{plan.lease / 12}, core::span{100ms}, core::span{1s}));
}

core::instant held_run::stop_at() const {
  if (!running() || told_to_stop) return core::end_of_time;
  return std::min({over_at, answer_by, safe_until - margin_});
}

std::optional<platform::stop_reason> held_run::due_stop(core::instant now) const {
  if (now < stop_at()) return std::nullopt;
  return std::min(over_at, answer_by) <= safe_until - margin_ ? platform::stop_reason::timeout
                                                              : platform::stop_reason::cancel;
}

}  // namespace belfry::app
