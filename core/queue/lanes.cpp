#include "core/queue/lanes.hpp"

#include <algorithm>

namespace belfry::core::queueing {

slot lane_table::find_or_add(const std::string& name) {
  const std::uint64_t hash = mixed(0, name);
  const slot known = by_name_.find(hash, [&](slot l) { return lanes_[l].name == name; });
  if (known != no_slot) return known;
  const slot l = lanes_.add();
  lanes_[l].name = name;
  by_name_.insert(hash, l);
  return l;
}

void lane_table::tidy(slot l) {
  if (!lanes_[l].shelves.empty() || lanes_[l].held > 0) return;
  by_name_.erase(mixed(0, lanes_[l].name), l);
  lanes_.remove(l);
}

void lane_table::joins(slot l, std::size_t effective) {
  if (lanes_[l].ticket[effective] > called_[effective]) return;
  lanes_[l].ticket[effective] = next_ticket_++;
  lanes_[l].started[effective] = 0;
}

bool lane_table::starts(slot l, std::size_t effective, std::uint32_t quantum) {
  lane& it = lanes_[l];
  called_[effective] = std::max(called_[effective], it.ticket[effective]);
  if (++it.started[effective] < quantum) return false;
  it.ticket[effective] = next_ticket_++;
  it.started[effective] = 0;
  return true;
}

}  // namespace belfry::core::queueing
