#include "storage/contract/troubles.hpp"

#include <algorithm>
#include <utility>

namespace belfry::storage {
namespace {

using core::run_state;

core::result<core::some_runs> some_of(reader& rows, const core::run_filter& filter,
                                      const core::trouble_bounds& bounds) {
  auto ids = rows.ids_of(filter, bounds.counted + 1);
  if (!ids) return std::move(ids).error();
  core::some_runs some;
  some.more = ids->size() > bounds.counted;
  some.count = static_cast<std::int64_t>(std::min(ids->size(), bounds.counted));
  if (some.count == 0) return some;
  auto page = rows.list_runs(filter, {bounds.samples, 0, core::run_sort::oldest});
  if (!page) return std::move(page).error();
  for (auto& r : page->runs) some.first.push_back(std::move(r.head));
  return some;
}

// How many of the newest finished runs of the job, one behind the other, ended badly.
core::result<core::failing_job> failures_of(reader& rows, const core::job& j, std::uint32_t most) {
  core::failing_job found{j.id, j.definition->name, 0, {}, {}};
  core::run_filter ended;
  ended.job = j.id;
  ended.states = {run_state::succeeded, run_state::failed, run_state::timed_out, run_state::lost};
  auto page = rows.list_runs(ended, {most, 0, core::run_sort::newest});
  if (!page) return std::move(page).error();
  for (const auto& r : page->runs) {
    if (!core::ended_badly(r.head.state)) break;
    if (found.in_a_row++ == 0) {
      found.last = r.head.id;
      found.reason = r.head.reason;
    }
  }
  return found;
}

core::result<void> look_at_jobs(reader& rows, core::store_troubles& all, const core::trouble_bounds& bounds) {
  constexpr std::size_t page_size = 200;
  std::int64_t after = 0;
  for (std::size_t seen = 0; seen < bounds.jobs;) {
    auto page = rows.list_jobs(false, {}, std::min(page_size, bounds.jobs - seen), after);
    if (!page) return std::move(page).error();
    for (const auto& j : page->jobs) {
      if (!j.pauses.empty()) all.held.push_back({j.id, j.definition->name, j.pauses});
      auto failing = failures_of(rows, j, bounds.in_a_row);
      if (!failing) return std::move(failing).error();
      if (failing->in_a_row > 0) all.failing.push_back(std::move(*failing));
    }
    seen += page->jobs.size();
    after = page->next;
    if (after == 0) break;
  }
  std::stable_sort(all.failing.begin(), all.failing.end(),
                   [](const auto& a, const auto& b) { return a.in_a_row > b.in_a_row; });
  return {};
}

}  // namespace

core::result<core::store_troubles> troubles_of(reader& rows, core::instant now, core::span late_after,
                                               const core::trouble_bounds& bounds) {
  core::store_troubles all;
  auto facts = rows.facts();
  if (!facts) return std::move(facts).error();
  all.facts = std::move(*facts);
  const auto standing = [&](run_state s) { return all.facts.runs_by_state.at(static_cast<std::size_t>(s)); };

  core::run_filter overdue;
  overdue.due_before = now - late_after;
  core::run_filter attention;
  attention.states = {run_state::needs_attention};
  core::run_filter dead;
  dead.dead_letters = true;
  const std::pair<core::run_filter*, core::some_runs*> kinds[] = {
      {&overdue, &all.overdue}, {&attention, &all.attention}, {&dead, &all.dead}};
  for (const auto& [filter, into] : kinds) {
    auto some = some_of(rows, *filter, bounds);
    if (!some) return std::move(some).error();
    *into = std::move(*some);
  }
  if (standing(run_state::queued) > 0) {
    core::run_filter queued;
    queued.states = {run_state::queued};
    auto page = rows.list_runs(queued, {bounds.queued, 0, core::run_sort::oldest});
    if (!page) return std::move(page).error();
    for (auto& r : page->runs)
      all.oldest.push_back({std::move(r.head), r.spec ? r.spec->handler : core::handler_kind::process});
  }
  if (auto looked = look_at_jobs(rows, all, bounds); !looked) return looked.error();
  return all;
}

}  // namespace belfry::storage
