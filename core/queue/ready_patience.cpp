// Who has waited too long, and who is next.
#include <algorithm>
#include <map>
#include <utility>

#include "core/queue/ready_order.hpp"
#include "core/queue/ready_rules.hpp"

namespace belfry::core::queueing {

namespace {

// Those that left surface late or never in a line that moves; they are dropped before they outnumber the
// rest.
constexpr std::size_t left_tolerated = 64;

// A figure for people: nobody waits for it to be complete.
constexpr std::size_t counted_held = 10'000;

bool later_first(const young_run& a, const young_run& b) { return b.since < a.since; }

}  // namespace

void ready_order::await(slot run, std::int64_t since) {
  needs_class& kind = needs[shelves_[groups_[runs[run].group].shelf].needs];
  auto& young = kind.waits.young;
  if (young.size() > 2 * kind.ready + left_tolerated) {
    std::erase_if(young, [&](const young_run& y) {
      return runs[y.run].group == no_slot || runs[y.run].stay != y.stay || runs[y.run].starving;
    });
    std::make_heap(young.begin(), young.end(), later_first);
  }
  young.push_back({since, run, runs[run].stay});
  std::push_heap(young.begin(), young.end(), later_first);
}

void ready_order::pacify(slot n, std::int64_t since) {
  auto& w = needs[n].waits;
  for (const auto id : std::exchange(w.starving, {})) {
    const slot run = runs.find(run_id{id});
    if (run == no_slot || !runs[run].starving) continue;
    runs.mark(run).starving = false;
    runs.mark(run).held = false;
    over_.push_back(run_id{id});
    w.young.push_back({since, run, runs[run].stay});
  }
  std::make_heap(w.young.begin(), w.young.end(), later_first);
}

// The time that patience goes by has no jumps, so it is told apart from the time of the queue.
void ready_order::moved(slot g, instant at) {
  const slot n = shelves_[groups_[g].shelf].needs;
  needs[n].waits.moved = std::max(needs[n].waits.moved, micros(at));
  if (!needs[n].waits.starving.empty()) pacify(n, micros(at));
}

void ready_order::not_before(instant at) { not_before_ = std::max(not_before_, micros(at)); }

bool ready_order::limited(slot run) const {
  const group& g = groups_[runs[run].group];
  return full(lanes[shelves_[g.shelf].lane]) || closed_gate(g) != no_slot;
}

bool ready_order::starve(run_id id, bool held) {
  const slot run = runs.find(id);
  if (run == no_slot || runs[run].starving) return run != no_slot;
  runs.mark(run).starving = true;
  runs.mark(run).held = held;
  needs[shelves_[groups_[runs[run].group].shelf].needs].waits.starving.push_back(id.value);
  return true;
}

starving_news ready_order::judge(const judging& by) {
  starving_news news;
  const std::int64_t now = micros(by.now), age = by.minimum_age.count();
  std::size_t left = by.at_most;
  judged_at_ = now;
  for (slot n = 0; n < needs.end() && left > 0; ++n) {
    needs_class& kind = needs[n];
    if (kind.ready == 0) continue;
    patience& w = kind.waits;
    if (by.excused && by.excused(kind.needs, kind.handler)) {
      if (!w.starving.empty()) pacify(n, now);
      w.moved = now;
      continue;
    }
    const bool paused = kind.held || (by.paused && by.paused(kind.needs));
    while (left > 0 && !w.young.empty()) {
      const young_run top = w.young.front();
      if (std::max({top.since, w.moved, not_before_}) > now - age) break;
      std::pop_heap(w.young.begin(), w.young.end(), later_first);
      w.young.pop_back();
      --left;
      if (runs[top.run].group == no_slot || runs[top.run].stay != top.stay || runs[top.run].starving)
        continue;
      const run_id id{runs[top.run].key.id};
      if (paused || limited(top.run)) {
        w.young.push_back({now, top.run, top.stay});
        std::push_heap(w.young.begin(), w.young.end(), later_first);
        continue;
      }
      runs.mark(top.run).starving = true;
      w.starving.push_back(id.value);
      news.begun.push_back({id, n, from_micros(runs[top.run].key.since)});
    }
    if (w.starving.size() > 2 * kind.ready + left_tolerated)
      std::erase_if(w.starving, [&](std::int64_t id) {
        const slot run = runs.find(run_id{id});
        return run == no_slot || !runs[run].starving;
      });
  }
  news.more = left == 0;
  for (const run_id id : std::exchange(over_, {})) {
    const slot run = runs.find(id);
    if (run == no_slot || !runs[run].starving) news.over.push_back(id);
  }
  return news;
}

std::vector<hold_change> ready_order::holds(const judging& by) {
  std::vector<hold_change> changes;
  for (slot n = 0; n < needs.end(); ++n) {
    if (needs[n].waits.starving.empty()) continue;
    const bool paused = needs[n].held || (by.paused && by.paused(needs[n].needs));
    for (const auto id : needs[n].waits.starving) {
      const slot run = runs.find(run_id{id});
      if (run == no_slot || !runs[run].starving) continue;
      const bool held = paused || limited(run);
      if (held == runs[run].held) continue;
      runs.mark(run).held = held;
      changes.push_back({run_id{id}, held});
    }
  }
  return changes;
}

std::vector<waiting_kind> ready_order::kinds() const {
  std::vector<waiting_kind> all;
  for (slot n = 0; n < needs.end(); ++n)
    if (needs[n].ready > 0)
      all.push_back({n, needs[n].needs, needs[n].handler, needs[n].ready, 0, needs[n].held});
  if (all.empty()) return all;
  std::vector<std::size_t> held(needs.end(), 0);
  std::size_t steps = counted_held;
  for (slot s = 0; s < shelves_.end(); ++s) {
    const shelf& it = shelves_[s];
    if (it.lane == no_slot) continue;
    if (full(lanes[it.lane])) {
      held[it.needs] += it.ready;
      continue;
    }
    for (slot r = it.first_room; r != no_slot && steps > 0; r = rooms_[r].shelf_next) {
      --steps;
      if (gates.open(rooms_[r].gate)) continue;
      rooms_[r].groups.walk([&](slot g) {
        held[it.needs] += groups_[g].runs.size;
        return --steps > 0;
      });
    }
  }
  for (auto& kind : all) kind.held = held[kind.number];
  return all;
}

// The first runs of a shelf that no gate holds. Where it has many groups those are looked at that stand first
// in their heaps.
void ready_order::collect(slot s, std::size_t at_most, std::vector<slot>& into, std::size_t& steps) const {
  const std::size_t begin = into.size();
  const auto take = [&](slot g) {
    if (steps == 0) return false;
    --steps;
    if (closed_gate(groups_[g]) == no_slot) runs.first_of(groups_[g].runs, at_most, into);
    return into.size() - begin < 2 * at_most;
  };
  shelves_[s].groups.walk(take);
  shelves_[s].rooms.walk([&](slot r) {
    if (steps == 0) return false;
    --steps;
    if (gates.open(rooms_[r].gate)) rooms_[r].groups.walk(take);
    return into.size() - begin < 2 * at_most;
  });
  const auto first = into.begin() + static_cast<std::ptrdiff_t>(begin);
  std::sort(first, into.end(), [&](slot a, slot b) { return runs[a].key < runs[b].key; });
  if (into.size() - begin > at_most) into.resize(begin + at_most);
}

std::vector<slot> ready_order::open_shelves(slot n, std::size_t at_most) const {
  std::vector<slot> open;
  for (std::size_t effective = 0; effective < priority_count && open.size() < at_most; ++effective)
    for (std::size_t p = effective; p < priority_count; ++p)
      needs[n].queues[queue_of(p, effective)].walk([&](slot s) {
        if (!full(lanes[shelves_[s].lane])) open.push_back(s);
        return open.size() < at_most;
      });
  return open;
}

std::vector<waiting_run> ready_order::fronts(std::size_t per_kind) const {
  std::vector<waiting_run> all;
  std::vector<slot> shelf_runs;
  for (slot n = 0; n < needs.end(); ++n) {
    if (needs[n].ready == 0 || needs[n].held) continue;
    const std::vector<slot> open = open_shelves(n, per_kind);
    const std::size_t begin = all.size();
    std::map<std::pair<slot, std::uint8_t>, std::uint32_t> rounds;  // by lane and class
    std::size_t steps = 8 * per_kind + 64;
    for (const slot s : open) {
      shelf_runs.clear();
      collect(s, per_kind, shelf_runs, steps);
      const slot l = shelves_[s].lane;
      for (const slot run : shelf_runs) {
        waiting_run w;
        w.effective = effective_class(shelves_[s].prio, waited(runs[run].group, runs[run].key.since, now_));
        w.round = rounds[{l, w.effective}]++;
        w.turn = lanes.turn(l, w.effective);
        w.since = from_micros(runs[run].key.since);
        w.id = run_id{runs[run].key.id};
        w.kind = n;
        w.prio = static_cast<priority>(shelves_[s].prio);
        w.starving = runs[run].starving;
        all.push_back(w);
      }
    }
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(begin);
    std::sort(first, all.end(), comes_first);
    if (all.size() - begin > per_kind) all.resize(begin + per_kind);
  }
  std::sort(all.begin(), all.end(), comes_first);
  return all;
}

}  // namespace belfry::core::queueing
