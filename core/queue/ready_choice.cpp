// The choice of the next run: strict between effective classes, by turn between lanes, in a lane by preferred
// capabilities that the session has, then by (eligible since, id).
#include <algorithm>
#include <tuple>

#include "core/queue/ready_order.hpp"
#include "core/queue/ready_rules.hpp"

namespace belfry::core::queueing {

namespace {

// Shelves of a class that a look at what comes next takes in at least: a heap stands in order at its top
// only.
constexpr std::size_t looked_at = 1000;

}  // namespace

std::int64_t ready_order::waited(slot g, std::int64_t since, std::int64_t now) const {
  if (now <= since || pauses_ == nullptr || !pauses_->any_since(from_micros(since))) return now - since;
  const group& it = groups_[g];
  const slot by_job = it.gates[static_cast<std::size_t>(meter_kind::job)];
  const job_id job{by_job == no_slot ? 0 : gates.meter_of(by_job).id};
  return now - since -
         pauses_
             ->held_between(needs[shelves_[it.shelf].needs].needs.workspace, job, from_micros(since),
                            from_micros(now))
             .count();
}

std::uint8_t ready_order::effective_class(std::uint8_t prio, std::int64_t waited) const {
  const std::int64_t step = options_.ageing_step.count();
  if (step <= 0 || waited <= 0) return prio;
  const std::int64_t risen = waited / step;
  return risen >= prio ? std::uint8_t{0} : static_cast<std::uint8_t>(prio - risen);
}

slot ready_order::front_group(const shelf& s) const {
  slot front = s.groups.top();
  if (!s.rooms.empty()) {
    const slot other = rooms_[s.rooms.top()].groups.top();
    if (front == no_slot || front_of(other) < front_of(front)) front = other;
  }
  return front;
}

slot ready_order::closed_gate(const group& g) const {
  for (const slot gate : g.gates)
    if (gate != no_slot && !gates.open(gate)) return gate;
  return no_slot;
}

void ready_order::advance(instant at) {
  const std::int64_t now = micros(at);
  const bool back = now < now_;
  now_ = now;
  // A clock that was set back makes everybody younger: rare, and judged anew from the start.
  if (back && options_.ageing_step.count() > 0)
    for (slot s = 0; s < shelves_.end(); ++s)
      if (shelves_[s].lane != no_slot) refresh(s);
  while (!by_rise_.empty() && shelves_[by_rise_.top()].rises_at <= now_) refresh(by_rise_.top());
}

slot ready_order::settle(slot s) {
  shelf& it = shelves_[s];
  slot found = no_slot;
  bool moved = false;
  while (!it.groups.empty() || !it.rooms.empty()) {
    const slot r = it.rooms.top();
    slot g = it.groups.top();
    if (r != no_slot && (g == no_slot || front_of(rooms_[r].groups.top()) < front_of(g))) {
      if (!gates.open(rooms_[r].gate)) {
        it.rooms.remove(rooms_[r].place, by_room{*this});
        moved = true;
        continue;
      }
      g = rooms_[r].groups.top();
    }
    const slot gate = closed_gate(groups_[g]);
    if (gate == no_slot) {
      found = g;
      break;
    }
    leave_place(g);
    groups_[g].room = room_for(gate, s);
    set_place(g);
    moved = true;
  }
  if (moved) refresh(s);
  return found;
}

// The shelf in this queue whose lane has the turn and which has something that no limit holds; no_slot as
// well when its turn does not come before that of `best`.
slot ready_order::first_in(slot n, std::size_t prio, std::size_t effective, slot best) {
  const slot_heap& queue = needs[n].queues[queue_of(prio, effective)];
  while (!queue.empty()) {
    const slot s = queue.top();
    if (best != no_slot && !by_turn{*this}.before(s, best)) return no_slot;
    lane& home = lanes[shelves_[s].lane];
    if (full(home)) {
      needs.remove(n, queue_of(prio, effective), shelves_[s].place, by_turn{*this});
      shelves_[s].parked = true;
      ++home.parked;
      continue;
    }
    if (settle(s) != no_slot && shelves_[s].effective == effective) return s;
  }
  return no_slot;
}

slot ready_order::first_of_lane(slot l, const std::vector<slot>& classes, std::size_t at_least,
                                std::size_t effective) {
  slot first = no_slot;
  std::size_t most = 0;
  const auto consider = [&](slot s) {
    if (shelves_[s].effective != effective) return;
    const slot g = settle(s);
    if (g == no_slot || shelves_[s].effective != effective) return;
    // What suits the session better goes first. Whoever waits behind that rises by ageing in the end.
    const auto liked = needs[shelves_[s].needs].liked;
    if (first != no_slot && (liked < most || (liked == most && !(front_of(g) < front_of(first))))) return;
    first = g;
    most = liked;
  };
  // Whichever is less: what the lane has, or what the session may take.
  const auto& own = lanes[l].shelves;
  if (own.size() <= classes.size() * priority_count) {
    for (const slot s : own)
      if (shelves_[s].prio <= at_least && needs[shelves_[s].needs].allowed_in == claims_) consider(s);
    return first;
  }
  for (const slot n : classes)
    for (std::size_t p = effective; p <= at_least; ++p)
      if (const slot s = find_shelf(l, n, static_cast<std::uint8_t>(p)); s != no_slot) consider(s);
  return first;
}

void ready_order::allow(const std::vector<slot>& classes, const session& who) {
  ++claims_;
  for (const slot n : classes) {
    needs[n].allowed_in = claims_;
    needs[n].liked = preference(who, needs[n].needs);
  }
}

slot ready_order::choose(const std::vector<slot>& classes, priority least) {
  const auto at_least = static_cast<std::size_t>(least);
  for (std::size_t effective = 0; effective <= at_least; ++effective) {
    slot best = no_slot;
    for (const slot n : classes)
      for (std::size_t p = effective; p <= at_least; ++p)
        if ((needs.filled(n) >> queue_of(p, effective) & 1U) != 0)
          if (const slot s = first_in(n, p, effective, best); s != no_slot) best = s;
    if (best != no_slot) return first_of_lane(shelves_[best].lane, classes, at_least, effective);
  }
  return no_slot;
}

run_key ready_order::take(slot run) {
  const slot g = runs[run].group;
  const std::size_t effective = shelves_[groups_[g].shelf].effective;
  const slot l = lane_of(g);
  if (lanes.starts(l, effective, options_.quantum))
    for (const slot s : lanes[l].shelves)
      if (shelves_[s].effective == effective && !shelves_[s].parked)
        needs[shelves_[s].needs].queues[queue_of(shelves_[s].prio, effective)].update(shelves_[s].place,
                                                                                      by_turn{*this});
  const run_key key = runs[run].key;
  took_starving_ = runs[run].starving;
  keep(g);
  remove(run);
  return key;
}

job_id ready_order::job_of(slot run) const {
  const slot gate = groups_[runs[run].group].gates[static_cast<std::size_t>(meter_kind::job)];
  return job_id{gate == no_slot ? 0 : gates.meter_of(gate).id};
}

// As a row of choices would give them: strict between effective classes, by turn between lanes, in a lane by
// preference, then by (eligible since, id).
std::vector<slot> ready_order::next_runs(const std::vector<slot>& classes, priority at_least,
                                         std::size_t most, const std::function<bool(run_id)>& skip,
                                         std::size_t skipped) const {
  struct in_lane {
    std::uint8_t effective = 0;
    slot lane = no_slot;
    std::size_t liked = 0;
    run_key key;
    slot run = no_slot;
  };
  std::vector<in_lane> all;
  std::vector<slot> of_shelf;
  for (const slot n : classes) {
    const std::size_t deep = skip ? most + skipped : most;  // what is skipped is looked at too
    std::size_t steps = 8 * deep + looked_at;
    for (const slot s : open_shelves(n, deep + looked_at)) {
      if (shelves_[s].prio > static_cast<std::uint8_t>(at_least)) continue;
      of_shelf.clear();
      collect(s, deep, of_shelf, steps);
      std::size_t kept = 0;
      for (const slot run : of_shelf) {
        const run_key key = runs[run].key;
        if (skip && skip(run_id{key.id})) continue;
        if (kept++ == most) break;
        const auto aged = effective_class(shelves_[s].prio, waited(runs[run].group, key.since, now_));
        all.push_back({aged, shelves_[s].lane, needs[n].liked, key, run});
      }
    }
  }
  // In its lane: what suits the session better first.
  std::sort(all.begin(), all.end(), [](const in_lane& a, const in_lane& b) {
    return std::tie(a.effective, a.lane, b.liked, a.key) < std::tie(b.effective, b.lane, a.liked, b.key);
  });
  using turn = std::tuple<std::uint8_t, std::uint32_t, std::uint64_t, std::uint32_t, slot>;
  std::vector<turn> turns;
  std::uint32_t place = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool same = i > 0 && all[i - 1].effective == all[i].effective && all[i - 1].lane == all[i].lane;
    place = same ? place + 1 : 0;
    const auto started = lanes[all[i].lane].started[all[i].effective];
    const auto round = (place + started) / options_.quantum;
    turns.emplace_back(all[i].effective, round, lanes.turn(all[i].lane, all[i].effective), place, all[i].run);
  }
  std::sort(turns.begin(), turns.end());
  std::vector<slot> first;
  for (std::size_t i = 0; i < turns.size() && i < most; ++i) first.push_back(std::get<4>(turns[i]));
  return first;
}

}  // namespace belfry::core::queueing
