// LANES: who shares fairly, and whose turn it is.
//
// In each effective class every lane with something to start holds a ticket; the smallest ticket has the
// turn, and after `quantum` starts the lane takes a new one, behind everybody: deficit round robin without
// rounds to keep. A lane that comes back keeps its old ticket only while its turn has not been called yet;
// otherwise it goes to the end. So being idle earns nothing, being new costs nothing, and a lane at its limit
// keeps its turn, worth at most one quantum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/queue/slab.hpp"
#include "core/queue/slot_index.hpp"
#include "core/run/state.hpp"

namespace belfry::core::queueing {

struct lane {
  std::string name;
  std::vector<slot> shelves;  // its ready runs, by needs and priority
  std::uint32_t live = 0;     // confirmed leases
  std::uint32_t held = 0;     // reserved and live leases
  std::uint32_t parked = 0;   // shelves that left their queues because the lane was at its limit
  std::array<std::uint32_t, priority_count> members{};  // shelves whose front is in this effective class
  std::array<std::uint32_t, priority_count> started{};  // of the turn under way
  std::array<std::uint64_t, priority_count> ticket{};   // 0: never had one
};

class lane_table {
 public:
  slot find_or_add(const std::string& name);
  lane& operator[](slot l) { return lanes_[l]; }
  const lane& operator[](slot l) const { return lanes_[l]; }
  slot end() const { return lanes_.end(); }
  // Forgets a lane without ready runs and without leases.
  void tidy(slot l);

  // The lane has something to start in this class, having had nothing.
  void joins(slot l, std::size_t effective);
  // Its place among the turns of this class, were it to join now.
  std::uint64_t turn(slot l, std::size_t effective) const {
    const std::uint64_t ticket = lanes_[l].ticket[effective];
    return lanes_[l].members[effective] > 0 || ticket > called_[effective] ? ticket : next_ticket_;
  }
  // It starts something. Whether its turn ended with that: its ticket is another one then.
  bool starts(slot l, std::size_t effective, std::uint32_t quantum);

 private:
  slab<lane> lanes_;
  slot_index by_name_;
  std::uint64_t next_ticket_ = 1;
  std::array<std::uint64_t, priority_count> called_{};  // the greatest ticket whose turn has come, per class
};

}  // namespace belfry::core::queueing
