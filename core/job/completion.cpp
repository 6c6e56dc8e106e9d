#include "core/job/completion.hpp"

namespace belfry::core {
namespace {

constexpr std::string_view event_word = "@event ", end_clause = "; end ";

}  // namespace

bool nothing_planned(const job& j) {
  if (j.state != job_state::active || !j.pauses.empty() || j.due != never) return false;
  const auto& timing = j.definition->timing;
  if (timing.schedule.empty()) return false;
  if (!timing.schedule.starts_with(event_word)) return true;
  // An event can come at any time; one that has an end is looked at when that has passed, and never after.
  return used_up(timing.policy, j.cursor) || timing.schedule.find(end_clause) != std::string::npos;
}

job_end decide_end(const job& j, std::size_t open_runs) {
  if (!nothing_planned(j)) return job_end::goes_on;
  return open_runs > 0 ? job_end::waits : job_end::complete;
}

}  // namespace belfry::core
