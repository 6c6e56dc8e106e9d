#include "core/queue/live_table.hpp"

namespace belfry::core::queueing {

held_lease* live_table::find(run_id id) {
  const auto it = held_.find(id.value);
  return it == held_.end() ? nullptr : &it->second;
}

slot live_table::agent_of(const std::string& type) {
  const std::uint64_t hash = mixed(0, type);
  const slot known = agent_index_.find(hash, [&](slot a) { return agents_[a].type == type; });
  if (known != no_slot) return known;
  const slot a = agents_.add();
  agents_[a].type = type;
  agent_index_.insert(hash, a);
  return a;
}

void live_table::count(const held_lease& held) {
  ++order_.lanes[held.lane].held;
  for (const slot m : held.meters)
    if (m != no_slot) order_.gates.take(m);
  agent& type = agents_[held.agent];
  ++type.entries;
  if (held.outside) ++type.outside;
  if (held.reserved()) {
    ++reserved_;
  } else {
    ++type.live;
    ++order_.lanes[held.lane].live;
  }
}

void live_table::uncount(const held_lease& held) {
  lane& home = order_.lanes[held.lane];
  agent& type = agents_[held.agent];
  if (held.reserved()) {
    --reserved_;
  } else {
    --type.live;
    --home.live;
  }
  if (held.outside) --type.outside;
  if (--type.entries == 0) {
    agent_index_.erase(mixed(0, type.type), held.agent);
    agents_.remove(held.agent);
  }
  for (const slot m : held.meters)
    if (m != no_slot) order_.gates.give_back(m, [&](slot gate) { order_.opened(gate); });
  --home.held;
  order_.unpark(held.lane);
  order_.lanes.tidy(held.lane);
}

void live_table::reserve(run_key key, slot group, const std::string& agent_type, bool outside) {
  held_lease held;
  held.lane = order_.lane_of(group);
  held.meters = order_.meters_of(group);
  held.agent = agent_of(agent_type);
  held.group = group;
  held.since = key.since;
  held.outside = outside;
  count(held_.emplace(key.id, held).first->second);
}

void live_table::move_reservation(held_lease& held, slot group, std::int64_t since) {
  const held_lease old = held;
  held.since = since;
  if (group == old.group) return;
  order_.keep(group);
  held.group = group;
  held.lane = order_.lane_of(group);
  held.meters = order_.meters_of(group);
  count(held);
  uncount(old);
  order_.let_go(old.group);
}

void live_table::confirm(run_id id, held_lease& held, std::uint64_t fencing, const std::string& agent_type) {
  held_lease now = held;
  now.group = no_slot;
  now.fencing = fencing;
  now.agent = agent_of(agent_type);
  // Counted again before it is counted out, so that no limit opens in between.
  count(now);
  uncount(held);
  order_.let_go(held.group);
  held_[id.value] = now;
}

void live_table::add_live(const run_head& head, const std::string& agent_type) {
  held_lease held;
  held.lane = order_.lanes.find_or_add(head.lane);
  if (head.batch) held.meters[0] = order_.gates.meter_of(meter_kind::batch, head.batch.value, {});
  if (!head.concurrency_key.empty())
    held.meters[1] = order_.gates.meter_of(meter_kind::key, 0, head.concurrency_key);
  if (head.job) held.meters[2] = order_.gates.meter_of(meter_kind::job, head.job.value, {});
  held.agent = agent_of(agent_type);
  held.outside = true;
  held.fencing = head.fencing;
  count(held_.emplace(head.id.value, held).first->second);
}

void live_table::remove(run_id id) {
  const auto it = held_.find(id.value);
  const held_lease held = it->second;
  held_.erase(it);
  uncount(held);
  if (held.reserved()) order_.let_go(held.group);
}

void live_table::append_to(std::vector<run_id>& ids) const {
  for (const auto& [id, held] : held_) ids.push_back(run_id{id});
}

std::uint32_t live_table::outside_of_type(const std::string& agent_type) const {
  const slot a =
      agent_index_.find(mixed(0, agent_type), [&](slot s) { return agents_[s].type == agent_type; });
  return a == no_slot ? 0 : agents_[a].outside;
}

std::map<std::string, std::size_t> live_table::live_by_lane() const {
  std::map<std::string, std::size_t> counts;
  for (slot l = 0; l < order_.lanes.end(); ++l)
    if (order_.lanes[l].live > 0) counts[order_.lanes[l].name] = order_.lanes[l].live;
  return counts;
}

std::map<std::string, std::size_t> live_table::live_by_agent_type() const {
  std::map<std::string, std::size_t> counts;
  for (slot a = 0; a < agents_.end(); ++a)
    if (agents_[a].live > 0) counts[agents_[a].type] = agents_[a].live;
  return counts;
}

}  // namespace belfry::core::queueing
