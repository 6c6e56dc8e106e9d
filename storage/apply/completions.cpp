// When a job is over: nothing of it is planned any more, and no run of it is open. The end of its last run
// completes it in the commit that writes that end; where nothing is open, the plan that finds nothing left
// does. core::decide_end says so from the rows.
//
// Nearly all runs that end are those of jobs that go on, or of none: `watched_` is asked first, in memory.
#include <algorithm>

#include "core/job/completion.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

void engine::read_watched() {
  const auto all = rows_.ending_jobs();
  watched_.insert(all.begin(), all.end());
}

void engine::watch(work& w, core::job_id id) {
  watched_.insert(id);
  std::erase(w.unwatched, id);
  std::erase(unwatched_, id);
}

void engine::may_end(work& w, core::job_id id) { w.ending.try_emplace(id, 0); }

void engine::note_end(work& w, const core::run_head& ended) {
  if (watched_.empty() || !watched_.contains(ended.job)) return;
  w.ending[ended.job] += ended.state == core::run_state::succeeded && !ended.manual ? 1 : 0;
}

void engine::end_jobs(work& w) {
  while (!w.ending.empty()) {
    const auto [id, succeeded] = *w.ending.begin();
    w.ending.erase(w.ending.begin());
    end_job(w, id, succeeded);
  }
}

void engine::end_job(work& w, core::job_id id, std::int64_t succeeded) {
  auto j = rows_.find_job(id);
  if (!j) return;
  const auto& policy = j->definition->timing.policy;
  const bool living = j->state == core::job_state::active || j->state == core::job_state::paused;
  const bool counts = living && core::counts_successes(policy);
  bool changed = false;
  if (counts && succeeded > 0) {
    const bool before = core::used_up(policy, j->cursor);
    j->cursor.succeeded += succeeded;
    if (!before && core::used_up(policy, j->cursor)) {
      drop_events(w, *j);
      j->due = core::never;
    }
    changed = true;
  }
  const auto end =
      core::decide_end(*j, core::nothing_planned(*j) ? rows_.open_runs_of(id).size() : std::size_t{0});
  if (end == core::job_end::complete) {
    j->state = core::job_state::completed;
    append(w, core::event_kind::job_completed, {}, id, j->definition->name);
    listen(*j);
    changed = true;
  }
  if (end == core::job_end::waits || (counts && end == core::job_end::goes_on))
    watch(w, id);
  else if (watched_.contains(id))
    w.unwatched.push_back(id);
  if (!changed) return;
  rows_.update_job(*j);
  w.changed = true;
  // The receipt tells of each job as it stands in the end.
  bool told = false;
  for (auto& known : w.out.jobs)
    if (known.id == id) {
      known = *j;
      told = true;
    }
  if (!told) w.out.jobs.push_back(std::move(*j));
}

// Why an occurrence of a job that counts successes is not made: those that are open may be all that it wants.
std::string engine::enough_under_way(const core::job& j, const std::vector<run_row>& open) const {
  const auto& policy = j.definition->timing.policy;
  if (!core::counts_successes(policy)) return {};
  const auto planned =
      std::count_if(open.begin(), open.end(), [](const run_row& row) { return !row.head.manual; });
  if (planned < core::runs_left(policy, j.cursor)) return {};
  return "max_runs: " + std::to_string(j.cursor.succeeded) + " of " + std::to_string(policy.most_runs) +
         " successes, and " + std::to_string(planned) + " more under way";
}

}  // namespace belfry::storage
