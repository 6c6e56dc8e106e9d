#include "core/ladder/ladder.hpp"

#include <algorithm>
#include <limits>

namespace belfry::core {
namespace {

constexpr std::uint64_t not_due = std::numeric_limits<std::uint64_t>::max();

constexpr std::array all_rungs{rung::fan_out, rung::spawn, rung::event, rung::needs_attention};

}  // namespace

std::string_view to_text(rung r) {
  switch (r) {
    case rung::none: return "none";
    case rung::fan_out: return "fan_out";
    case rung::spawn: return "spawn";
    case rung::event: return "event";
    case rung::needs_attention: return "needs_attention";
  }
  return "none";
}

std::uint32_t threshold(const ladder_options& o, rung r) {
  switch (r) {
    case rung::none: return 0;
    case rung::fan_out: return o.fan_out;
    case rung::spawn: return o.spawn;
    case rung::event: return o.event;
    case rung::needs_attention: return o.needs_attention;
  }
  return 0;
}

std::vector<field_problem> check(const ladder_options& o, const std::string& base) {
  std::vector<field_problem> found;
  if (o.minimum_age < span{0})
    found.push_back({base + "/minimum_age", std::to_string(millis(o.minimum_age)) + " ms", "0 or longer",
                     "not a length of time to wait"});
  std::uint32_t before = 1;
  std::string_view name_before;
  for (const auto r : all_rungs) {
    const auto at = threshold(o, r);
    if (at < before)
      found.push_back({base + "/" + std::string{to_text(r)}, std::to_string(at),
                       name_before.empty() ? std::string{"1 or more"}
                                           : std::to_string(before) + " or more, as " +
                                                 std::string{name_before} + " comes first",
                       "the rungs fire at counts that are positive and do not decrease"});
    before = std::max(before, at);
    name_before = to_text(r);
  }
  return found;
}

rung reached(const ladder_options& o, std::uint64_t count) {
  rung highest = rung::none;
  for (const auto r : all_rungs)
    if (count >= threshold(o, r)) highest = r;
  return highest;
}

span longest_wait(const ladder_options& o, span interval) {
  return o.minimum_age + interval * static_cast<span::rep>(o.needs_attention);
}

std::uint64_t count_of(const starvation& s, std::uint64_t tick) {
  if (s.held) return *s.held;
  return tick > s.base ? tick - s.base : 0;
}

std::uint64_t ladder::due_tick(const starvation& s) const {
  if (s.held) return not_due;
  for (const auto r : all_rungs)
    if (r > s.fired) return s.base + threshold(options_, r);
  return not_due;
}

void ladder::put(const starvation& row) {
  drop(row.run);
  rows_[row.run] = row;
  ++by_rung_.at(static_cast<std::size_t>(row.fired));
  if (const auto at = due_tick(row); at != not_due) due_.emplace(at, row.run);
  if (row.fired >= rung::spawn && !row.spawned) unspawned_.emplace(row.episode, row.run);
}

void ladder::drop(run_id run) {
  fresh_.erase(run);
  changed_.erase(run);
  over_.erase(run);
  const auto it = rows_.find(run);
  if (it == rows_.end()) return;
  --by_rung_.at(static_cast<std::size_t>(it->second.fired));
  due_.erase({due_tick(it->second), run});
  unspawned_.erase({it->second.episode, run});
  rows_.erase(it);
}

void ladder::know(const starvation& row) { put(row); }

void ladder::begin(run_id run, instant now) {
  over_.erase(run);
  if (!rows_.contains(run)) fresh_.try_emplace(run, now);
}

void ladder::end(run_id run) {
  fresh_.erase(run);
  if (rows_.contains(run)) over_.insert(run);
}

void ladder::hold(run_id run, bool held) {
  const auto it = rows_.find(run);
  if (it == rows_.end() || it->second.held.has_value() == held) return;
  auto row = it->second;
  if (held) {
    // As it stood before the tick that is about to be counted.
    row.held = count_of(row, clock_.tick);
  } else {
    // Counts on from there; were the count beyond the ticks that there were, it would be clipped.
    row.base = clock_.tick - std::min(clock_.tick, *row.held);
    row.held.reset();
  }
  const bool leaving = over_.contains(run);
  put(row);
  changed_.insert(run);
  if (leaving) over_.insert(run);
}

ladder_bite ladder::bite(std::size_t at_most) const {
  ladder_bite b;
  b.tick = nobody() ? clock_.tick : now_tick();
  std::size_t left = at_most;
  const auto room = [&] {
    if (left == 0) {
      b.more = true;
      return false;
    }
    --left;
    return true;
  };
  for (const auto run : over_) {
    if (!room()) break;
    b.over.push_back(rows_.at(run));
  }
  std::set<run_id> taken;
  for (const auto& [at, run] : due_) {
    if (at > b.tick) break;
    if (over_.contains(run)) continue;
    if (!room()) break;
    auto row = rows_.at(run);
    const auto to = reached(options_, count_of(row, b.tick));
    if (to == rung::needs_attention) b.give_up.push_back(run);
    // The last rung is written by the run itself, which leaves the queue with it.
    row.fired = std::min(to, rung::event);
    if (row.fired > rows_.at(run).fired || changed_.contains(run)) b.rows.push_back(row);
    taken.insert(run);
  }
  for (const auto run : changed_) {
    if (taken.contains(run) || over_.contains(run)) continue;
    if (!room()) break;
    b.rows.push_back(rows_.at(run));
  }
  for (const auto& [run, since] : fresh_) {
    if (!room()) break;
    starvation row;
    row.run = run;
    row.began = since;
    row.base = b.tick == 0 ? 0 : b.tick - 1;
    row.fired = std::min(reached(options_, count_of(row, b.tick)), rung::event);
    b.rows.push_back(row);
  }
  return b;
}

void ladder::written(const ladder_bite& proposed, const std::vector<starvation>& rows,
                     const ladder_clock& clock) {
  if (clock.tick >= now_tick() || nobody()) ticking_ = false;
  clock_ = clock;
  std::set<run_id> there;
  for (const auto& row : rows) {
    there.insert(row.run);
    const bool leaving = over_.contains(row.run);
    put(row);
    if (leaving) over_.insert(row.run);
  }
  for (const auto& row : proposed.rows)
    if (!there.contains(row.run)) drop(row.run);
  for (const auto& row : proposed.over) {
    const auto it = rows_.find(row.run);
    if (it != rows_.end() && it->second.episode == row.episode) drop(row.run);
  }
}

void ladder::spawned(run_id run) {
  const auto it = rows_.find(run);
  if (it == rows_.end() || it->second.spawned) return;
  auto row = it->second;
  row.spawned = true;
  const bool leaving = over_.contains(run);
  put(row);
  changed_.insert(run);
  if (leaving) over_.insert(run);
}

std::vector<starvation> ladder::wanting_worker(std::size_t at_most) const {
  std::vector<starvation> all;
  for (const auto& [episode, run] : unspawned_) {
    if (all.size() == at_most) break;
    if (const auto& row = rows_.at(run); !row.held && !over_.contains(run)) all.push_back(row);
  }
  return all;
}

bool ladder::fans_out(run_id run) const {
  const auto it = rows_.find(run);
  return it != rows_.end() && it->second.fired >= rung::fan_out && !it->second.held && !over_.contains(run);
}

std::optional<starvation> ladder::find(run_id run) const {
  const auto it = rows_.find(run);
  if (it == rows_.end()) return std::nullopt;
  return it->second;
}

std::vector<run_id> ladder::runs() const {
  std::vector<run_id> all;
  all.reserve(rows_.size());
  for (const auto& [run, row] : rows_) all.push_back(run);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace belfry::core
