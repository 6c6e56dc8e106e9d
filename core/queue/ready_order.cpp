#include "core/queue/ready_order.hpp"

#include <algorithm>
#include <utility>

#include "core/queue/ready_rules.hpp"

namespace belfry::core::queueing {

namespace {

std::uint64_t hash_of_shelf(slot lane, slot needs, std::uint8_t prio) {
  return mixed(mixed(mixed(1, lane), needs), prio);
}

std::uint64_t hash_of_group(slot shelf, const per_meter_kind& gates) {
  std::uint64_t h = mixed(2, shelf);
  for (const slot g : gates) h = mixed(h, g);
  return h;
}

std::uint64_t hash_of_room(slot gate, slot shelf) { return mixed(mixed(3, gate), shelf); }

}  // namespace

// ---- groups

slot ready_order::group_for(const run_head& head, handler_kind handler, std::uint32_t job_limit) {
  const auto gate_for = [&](meter_kind kind, std::int64_t id, std::string_view key, std::uint32_t limit) {
    return gates.gate_of(gates.meter_of(kind, id, key), limit);
  };
  per_meter_kind found = no_meters;
  if (head.batch) found[0] = gate_for(meter_kind::batch, head.batch.value, {}, options_.limits.per_batch);
  if (!head.concurrency_key.empty() && head.concurrency_limit > 0)
    found[1] = gate_for(meter_kind::key, 0, head.concurrency_key, head.concurrency_limit);
  if (head.job) {
    found[2] = gates.gate_of(gates.meter_of(meter_kind::job, head.job.value, {}), job_limit, head.forced);
    if (gates.set_limit(found[2], job_limit)) opened(found[2]);
  }
  const slot s = shelf_for(lanes.find_or_add(head.lane), needs.find_or_add(head.needs, handler),
                           static_cast<std::uint8_t>(head.prio));
  const std::uint64_t hash = hash_of_group(s, found);
  const slot known =
      group_index_.find(hash, [&](slot g) { return groups_[g].shelf == s && groups_[g].gates == found; });
  if (known != no_slot) return known;
  const slot g = groups_.add();
  groups_[g].shelf = s;
  groups_[g].gates = found;
  for (const slot gate : found)
    if (gate != no_slot) ++gates[gate].groups;
  ++shelves_[s].group_count;
  group_index_.insert(hash, g);
  return g;
}

void ready_order::add(slot g, run_key key) {
  group& it = groups_[g];
  const slot run = runs.add(it.runs, g, key);
  ++needs[shelves_[it.shelf].needs].ready;
  ++shelves_[it.shelf].ready;
  ++ready_by_priority[shelves_[it.shelf].prio];
  if (runs.front(it.runs) == run) front_changed(g);
}

void ready_order::remove(slot run) {
  if (runs[run].starving) over_.push_back(run_id{runs[run].key.id});
  const slot g = runs[run].group;
  group& it = groups_[g];
  const bool first = runs.front(it.runs) == run;
  runs.remove(it.runs, run);
  --needs[shelves_[it.shelf].needs].ready;
  --shelves_[it.shelf].ready;
  --ready_by_priority[shelves_[it.shelf].prio];
  if (first) front_changed(g);
  remove_if_unused(g);
}

void ready_order::let_go(slot g) {
  --groups_[g].reserved;
  remove_if_unused(g);
}

per_meter_kind ready_order::meters_of(slot g) const {
  per_meter_kind meters = no_meters;
  for (std::size_t k = 0; k < meter_kinds; ++k)
    if (const slot gate = groups_[g].gates[k]; gate != no_slot) meters[k] = gates[gate].meter;
  return meters;
}

void ready_order::remove_if_unused(slot g) {
  const group& it = groups_[g];
  if (it.runs.size > 0 || it.reserved > 0) return;
  const slot s = it.shelf;
  group_index_.erase(hash_of_group(s, it.gates), g);
  for (const slot gate : it.gates)
    if (gate != no_slot) gates.leave(gate);
  groups_.remove(g);
  shelf& home = shelves_[s];
  if (--home.group_count > 0) return;
  const slot l = home.lane, n = home.needs;
  shelf_index_.erase(hash_of_shelf(l, n, home.prio), s);
  shelves_.remove(s);
  auto& own = lanes[l].shelves;
  own.erase(std::find(own.begin(), own.end(), s));
  if (--needs[n].shelves == 0) needs.remove(n);
  lanes.tidy(l);
}

// ---- where a group stands

void ready_order::front_changed(slot g) {
  group& it = groups_[g];
  if (it.runs.size == 0) {
    by_age_.remove(it.age_place, by_age{*this});
    leave_place(g);
  } else {
    if (it.age_place == no_slot)
      by_age_.push(g, by_age{*this});
    else
      by_age_.update(it.age_place, by_age{*this});
    set_place(g);
  }
  refresh(it.shelf);
}

void ready_order::set_place(slot g) {
  const group& it = groups_[g];
  slot_heap& heap = it.room == no_slot ? shelves_[it.shelf].groups : rooms_[it.room].groups;
  if (it.place == no_slot)
    heap.push(g, by_front{*this});
  else
    heap.update(it.place, by_front{*this});
  if (it.room != no_slot && rooms_[it.room].place != no_slot)
    shelves_[it.shelf].rooms.update(rooms_[it.room].place, by_room{*this});
}

void ready_order::leave_place(slot g) {
  group& it = groups_[g];
  shelf& s = shelves_[it.shelf];
  if (it.room == no_slot) {
    s.groups.remove(it.place, by_front{*this});
    return;
  }
  room& r = rooms_[it.room];
  r.groups.remove(it.place, by_front{*this});
  const slot left = std::exchange(it.room, no_slot);
  if (r.groups.empty())
    remove_room(left);
  else if (r.place != no_slot)
    s.rooms.update(r.place, by_room{*this});
}

slot ready_order::room_for(slot gate, slot s) {
  const std::uint64_t hash = hash_of_room(gate, s);
  const slot known =
      room_index_.find(hash, [&](slot r) { return rooms_[r].gate == gate && rooms_[r].shelf == s; });
  if (known != no_slot) return known;
  const slot r = rooms_.add();
  room& it = rooms_[r];
  it.gate = gate;
  it.shelf = s;
  it.gate_next = std::exchange(gates[gate].first_room, r);
  it.shelf_next = std::exchange(shelves_[s].first_room, r);
  if (it.gate_next != no_slot) rooms_[it.gate_next].gate_before = r;
  if (it.shelf_next != no_slot) rooms_[it.shelf_next].shelf_before = r;
  room_index_.insert(hash, r);
  return r;
}

void ready_order::remove_room(slot r) {
  const room& it = rooms_[r];
  if (it.place != no_slot) shelves_[it.shelf].rooms.remove(it.place, by_room{*this});
  (it.gate_before == no_slot ? gates[it.gate].first_room : rooms_[it.gate_before].gate_next) = it.gate_next;
  if (it.gate_next != no_slot) rooms_[it.gate_next].gate_before = it.gate_before;
  (it.shelf_before == no_slot ? shelves_[it.shelf].first_room : rooms_[it.shelf_before].shelf_next) =
      it.shelf_next;
  if (it.shelf_next != no_slot) rooms_[it.shelf_next].shelf_before = it.shelf_before;
  room_index_.erase(hash_of_room(it.gate, it.shelf), r);
  rooms_.remove(r);
}

void ready_order::opened(slot gate) {
  for (slot r = gates[gate].first_room; r != no_slot; r = rooms_[r].gate_next) {
    if (rooms_[r].place != no_slot) continue;
    shelves_[rooms_[r].shelf].rooms.push(r, by_room{*this});
    refresh(rooms_[r].shelf);
  }
}

void ready_order::set_limits(const limit_options& limits) {
  options_.limits = limits;
  for (slot g = 0; g < gates.gates_end(); ++g)
    if (gates[g].meter != no_slot && gates.meter_of(g).kind == meter_kind::batch &&
        gates.set_limit(g, limits.per_batch))
      opened(g);
  for (slot l = 0; l < lanes.end(); ++l) unpark(l);
}

void ready_order::hold(std::vector<std::string> workspaces, std::set<job_id> jobs) {
  needs.hold_workspaces(std::move(workspaces));
  gates.hold_jobs(std::move(jobs), [this](slot gate) { opened(gate); });
}

// ---- shelves

slot ready_order::find_shelf(slot lane, slot n, std::uint8_t prio) const {
  return shelf_index_.find(hash_of_shelf(lane, n, prio), [&](slot s) {
    return shelves_[s].lane == lane && shelves_[s].needs == n && shelves_[s].prio == prio;
  });
}

slot ready_order::shelf_for(slot lane, slot n, std::uint8_t prio) {
  if (const slot known = find_shelf(lane, n, prio); known != no_slot) return known;
  const slot s = shelves_.add();
  shelves_[s].lane = lane;
  shelves_[s].needs = n;
  shelves_[s].prio = prio;
  lanes[lane].shelves.push_back(s);
  ++needs[n].shelves;
  shelf_index_.insert(hash_of_shelf(lane, n, prio), s);
  return s;
}

void ready_order::refresh(slot s) {
  shelf& it = shelves_[s];
  const slot front = front_group(it);
  const std::int64_t age = front == no_slot ? 0 : waited(front, front_of(front).since, now_);
  const std::uint8_t effective = front == no_slot ? no_class : effective_class(it.prio, age);
  const std::int64_t step = options_.ageing_step.count();
  if (effective == 0 || effective == no_class || step <= 0) {
    if (it.timer_place != no_slot) by_rise_.remove(it.timer_place, by_rise{*this});
  } else {
    it.rises_at = now_ + (it.prio - effective + 1) * step - age;
    if (it.timer_place == no_slot)
      by_rise_.push(s, by_rise{*this});
    else
      by_rise_.update(it.timer_place, by_rise{*this});
  }
  if (effective == it.effective) return;
  if (it.effective != no_class) leave_queue(s);
  it.effective = effective;
  if (effective != no_class) join_queue(s);
}

void ready_order::join_queue(slot s) {
  const shelf& it = shelves_[s];
  if (lanes[it.lane].members[it.effective]++ == 0) lanes.joins(it.lane, it.effective);
  needs.push(it.needs, queue_of(it.prio, it.effective), s, by_turn{*this});
}

void ready_order::leave_queue(slot s) {
  shelf& it = shelves_[s];
  --lanes[it.lane].members[it.effective];
  if (it.parked) {
    it.parked = false;
    --lanes[it.lane].parked;
  } else {
    needs.remove(it.needs, queue_of(it.prio, it.effective), it.place, by_turn{*this});
  }
}

void ready_order::unpark(slot l) {
  lane& it = lanes[l];
  if (it.parked == 0 || full(it)) return;
  for (const slot s : it.shelves) {
    if (!shelves_[s].parked) continue;
    shelf& back = shelves_[s];
    back.parked = false;
    needs.push(back.needs, queue_of(back.prio, back.effective), s, by_turn{*this});
  }
  it.parked = 0;
}

}  // namespace belfry::core::queueing
