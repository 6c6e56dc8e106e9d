// What can be asked about the order without changing it.
#include <algorithm>

#include "core/queue/ready_order.hpp"

namespace belfry::core::queueing {

namespace {

constexpr std::size_t counted_in_reasons = 1000;

std::string so_many(std::uint32_t used, std::uint32_t limit) {
  return std::to_string(used) + " of " + std::to_string(limit) + " runs in progress";
}

}  // namespace

ready_order::tally ready_order::count_before(slot run, std::size_t steps) const {
  const shelf& own = shelves_[groups_[runs[run].group].shelf];
  const run_key key = runs[run].key;
  tally found;
  const auto step = [&] {
    if (steps == 0)
      found.complete = false;
    else
      --steps;
    return found.complete;
  };
  const auto count_in = [&](const slot_heap& groups) {
    groups.walk([&](slot g) {
      if (!found.complete || !(front_of(g) < key) || !step()) return false;
      const std::size_t before = runs.count_before(groups_[g].runs, key, steps + 1);
      found.count += before;
      found.complete = before <= steps;
      steps -= std::min(steps, before);
      return found.complete;
    });
  };
  for (const slot s : lanes[own.lane].shelves) {
    if (shelves_[s].prio != own.prio) continue;
    count_in(shelves_[s].groups);
    for (slot r = shelves_[s].first_room; r != no_slot && step(); r = rooms_[r].shelf_next)
      count_in(rooms_[r].groups);
  }
  return found;
}

// Whether the shelf has a run that no gate holds and that comes before; `comes_before` is asked with a
// group and must be true of any group with an earlier front. Rooms that are not with the shelf have a closed
// gate.
template <class ComesBefore>
bool ready_order::startable(const shelf& s, ComesBefore comes_before, std::size_t& steps) const {
  bool found = false;
  const auto look = [&](slot g) {
    if (found || !comes_before(g)) return false;
    found = steps == 0 || closed_gate(groups_[g]) == no_slot;
    if (!found) --steps;
    return !found;
  };
  s.groups.walk(look);
  s.rooms.walk([&](slot r) {
    if (found || !comes_before(rooms_[r].groups.top())) return false;
    if (gates.open(rooms_[r].gate))
      rooms_[r].groups.walk(look);
    else if (steps > 0)
      --steps;
    return !found;
  });
  return found;
}

bool ready_order::others_first(slot run, instant now) const {
  const shelf& own = shelves_[groups_[runs[run].group].shelf];
  const run_key key = runs[run].key;
  const slot home = runs[run].group;
  const std::uint8_t effective = effective_class(own.prio, waited(home, key.since, micros(now)));
  std::size_t steps = counted_in_reasons;
  bool found = false;
  const auto ahead_in = [&](slot at) {
    if (found) return false;
    const shelf& s = shelves_[at];
    const bool turn_first = lanes.turn(s.lane, effective) < lanes.turn(own.lane, effective);
    if (steps == 0)
      found = true;
    else
      --steps;
    if (found || full(lanes[s.lane])) return !found;
    const auto comes_before = [&](slot g) {
      const run_key other = front_of(g);
      const std::uint8_t theirs = effective_class(s.prio, waited(g, other.since, micros(now)));
      return theirs < effective || (theirs == effective && (s.lane == own.lane ? other < key : turn_first));
    };
    found = startable(s, comes_before, steps);
    return !found;
  };
  for (const slot n : needs.open_with(own.needs))
    for (std::size_t p = 0; p < priority_count; ++p)
      for (std::size_t e = 0; e <= p && e <= effective; ++e) needs[n].queues[queue_of(p, e)].walk(ahead_in);
  return found;
}

std::vector<wait_reason> ready_order::limits_on(slot run) const {
  const group& g = groups_[runs[run].group];
  const lane& home = lanes[shelves_[g.shelf].lane];
  std::vector<wait_reason> reasons;
  if (full(home))
    reasons.push_back(
        {"lane_limit", "lane \"" + home.name + "\": " + so_many(home.held, options_.limits.per_lane)});
  for (const slot at : g.gates) {
    if (at == no_slot || !gates.full(at)) continue;
    const meter& m = gates.meter_of(at);
    const std::string used = so_many(m.used, gates[at].limit);
    switch (m.kind) {
      case meter_kind::batch:
        reasons.push_back({"batch_limit", to_string(batch_id{m.id}) + ": " + used});
        break;
      case meter_kind::key:
        reasons.push_back({"key_limit", "concurrency key \"" + m.key + "\": " + used});
        break;
      case meter_kind::job: reasons.push_back({"job_limit", to_string(job_id{m.id}) + ": " + used}); break;
    }
  }
  return reasons;
}

std::optional<instant> ready_order::oldest() const {
  if (by_age_.empty()) return std::nullopt;
  return from_micros(front_of(by_age_.top()).since);
}

}  // namespace belfry::core::queueing
