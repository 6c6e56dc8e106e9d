// Retention in small bites. Each bite looks at a bounded number of rows and goes on where the last one
// stopped, so that what must be kept is not looked at again and again, and intake never waits long.
#include <algorithm>
#include <utility>

#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

constexpr std::size_t rows_per_bite = 2000;
constexpr std::size_t jobs_per_bite = 200;
constexpr std::size_t rows_asked = 1'000'000;  // what a person asks for is answered fully

// Looks at everything and leaves the place where the small bites are.
bool whole(const prune_history& c) { return c.dry_run || c.asked; }

}  // namespace

bool engine::prunable(const prune_history& c, const run_row& row) {
  const auto& h = row.head;
  if (!terminal(h.state)) return false;
  const bool dead_letter = core::ended_badly(h.state) && !h.successor && !h.discarded;
  if (dead_letter && h.ended_at >= c.dead_before) return false;
  if (h.successor) {
    const auto next = rows_.find_run(h.successor);
    if (next && !terminal(next->head.state)) return false;
  }
  if (row.hooked && rows_.has_open_hook(h.id)) return false;
  return !h.job || rows_.latest_result(h.job) != h.id;
}

std::optional<failure> engine::apply_one(work& w, const prune_history& c) {
  const auto before = w.out.pruned;
  prune_old(w, c);
  prune_excess(w, c);
  if (c.dry_run) {
    std::sort(w.out.prunable.begin(), w.out.prunable.end());
    w.out.prunable.erase(std::unique(w.out.prunable.begin(), w.out.prunable.end()), w.out.prunable.end());
    return std::nullopt;
  }
  const auto sessions = rows_.remove_gone_sessions(c.before, c.at_most);
  if (w.out.pruned > before)
    append(w, core::event_kind::retention_pruned, {}, {}, "runs=" + std::to_string(w.out.pruned - before));
  if (w.out.pruned > before || sessions > 0) w.changed = true;
  return std::nullopt;
}

// Finished runs that ended before a time. A run made later cannot have ended before it (but for a clock that
// went back, which is known), so only older ids are looked at.
void engine::prune_old(work& w, const prune_history& c) {
  if (c.before == core::never) return;
  const auto up_to = greatest_id_made(c.before + core::span{pending_.id_ahead - pending_.shortest_life});
  auto cursor = whole(c) ? core::run_id{} : prune_cursor_;
  auto left = whole(c) ? rows_asked : rows_per_bite;
  while (left > 0) {
    const auto room =
        c.at_most - std::min<std::uint64_t>(c.at_most, c.dry_run ? w.out.prunable.size() : w.out.pruned);
    if (room == 0) break;
    const auto wanted = std::min<std::size_t>(left, 500);
    const auto found =
        rows_.runs_between(cursor, up_to, wanted);  // open ones too, so that a bite stays a bite
    std::size_t taken = 0;
    for (const auto& row : found) {
      if (taken == room) break;
      cursor = row.head.id;
      if (row.head.ended_at >= c.before || !prunable(c, row)) continue;
      ++taken;
      if (c.dry_run)
        w.out.prunable.push_back(row.head.id);
      else
        prune_run(w, row);
    }
    if (taken == room) break;
    if (found.size() < wanted) {
      cursor = {};  // the end: the next bite begins anew
      break;
    }
    left -= found.size();
  }
  if (!whole(c)) prune_cursor_ = cursor;
}

// Finished runs beyond the newest ones of their job. Only jobs that finished a run since they were looked at
// can have any.
void engine::prune_excess(work& w, const prune_history& c) {
  std::set<core::job_id> todo;
  if (whole(c) || !excess_known_) {
    core::job_id last;
    for (;;) {
      const auto page = rows_.jobs_after(last, 1000);
      todo.insert(page.begin(), page.end());
      if (page.size() < 1000) break;
      last = page.back();
    }
    if (!whole(c)) {
      maybe_excess_.insert(todo.begin(), todo.end());
      excess_known_ = true;
    }
  }
  if (!whole(c)) todo = maybe_excess_;
  std::size_t looked = 0;
  for (const auto job : todo) {
    const auto count = c.dry_run ? w.out.prunable.size() : w.out.pruned;
    if (count >= c.at_most || (!whole(c) && looked++ >= jobs_per_bite)) break;
    const auto up_to = rows_.newest_finished(job, c.keep_per_job);
    std::size_t taken = 0;
    const auto room = c.at_most - count;
    if (up_to) {
      // Rows that have to stay lie among them, so a few more are looked at than can be taken.
      for (const auto& row : rows_.finished_of(job, *up_to, room + rows_per_bite)) {
        if (taken == room) break;
        if (!prunable(c, row)) continue;
        ++taken;
        if (c.dry_run)
          w.out.prunable.push_back(row.head.id);
        else
          prune_run(w, row);
      }
    }
    if (!whole(c) && taken < room) maybe_excess_.erase(job);
  }
}

void engine::prune_run(work& w, const run_row& row) {
  rows_.remove_run(row);
  count(row.head, -1);
  ++w.out.pruned;
  const auto& h = row.head;
  if (!h.job || h.spec.value == h.id.value) return;
  // The last run of an old revision takes the revision along.
  const auto j = rows_.find_job(h.job);
  if (j && j->spec != h.spec && !rows_.spec_in_use(h.job, h.spec)) rows_.remove_revision(h.job, h.spec);
}

std::optional<failure> engine::apply_one(work& w, const prune_events& c) {
  std::int64_t up_to = 0;
  // A prefix, so that what is kept has no gaps; the newest event stays, it says how far the journal is.
  const auto oldest = rows_.oldest_events(std::size_t{c.at_most} + 1);
  for (std::size_t i = 0; i < oldest.size() && i < c.at_most; ++i) {
    if (oldest[i].second >= c.before || oldest[i].first == pending_.last_event) break;
    up_to = oldest[i].first;
    ++w.out.pruned;
  }
  if (up_to > 0) {
    rows_.remove_events(up_to);
    w.changed = true;
  }
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const prune_keys& c) {
  const auto removed = rows_.remove_once(c.before, c.at_most);
  w.out.pruned += removed;
  if (removed > 0) w.changed = true;
  return std::nullopt;
}

}  // namespace belfry::storage
