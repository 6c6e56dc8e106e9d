// LIVE TABLE: the leases that the board knows of, reserved or confirmed, and what each counts for. Whatever
// has a counter is counted up when an entry comes and down when it goes, here and nowhere else.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "core/queue/ready_order.hpp"

namespace belfry::core::queueing {

struct held_lease {
  slot lane = no_slot;
  per_meter_kind meters = no_meters;
  slot agent = no_slot;
  slot group = no_slot;       // reserved: where the run goes back to; live: none
  std::int64_t since = 0;     // reserved: its place there
  std::uint64_t fencing = 0;  // live: of the lease
  bool outside =
      false;  // its holder is not part of this node, and counts against the limit of its agent type
  bool wanted_back = false;  // put while it was reserved: it is known to be queued
  bool starving = false;     // it was when it was reserved
  bool reserved() const { return group != no_slot; }
};

class live_table {
 public:
  explicit live_table(ready_order& order) : order_(order) {}

  held_lease* find(run_id id);
  void reserve(run_key key, slot group, const std::string& agent_type, bool outside);
  // A reservation that counts for another group from now on.
  void move_reservation(held_lease& held, slot group, std::int64_t since);
  void confirm(run_id id, held_lease& held, std::uint64_t fencing, const std::string& agent_type);
  void add_live(const run_head& head, const std::string& agent_type);
  void remove(run_id id);

  std::size_t reserved() const { return reserved_; }
  std::size_t live() const { return held_.size() - reserved_; }
  std::size_t all() const { return held_.size(); }
  void append_to(std::vector<run_id>& ids) const;  // every run, in no order
  std::uint32_t outside_of_type(const std::string& agent_type) const;
  std::map<std::string, std::size_t> live_by_lane() const;
  std::map<std::string, std::size_t> live_by_agent_type() const;

 private:
  struct agent {
    std::uint32_t live = 0;     // confirmed, inside ones as well
    std::uint32_t outside = 0;  // reserved and live
    std::uint32_t entries = 0;  // 0: not in use
    std::string type;
  };
  void count(const held_lease& held);
  void uncount(const held_lease& held);
  slot agent_of(const std::string& type);

  ready_order& order_;
  std::unordered_map<std::int64_t, held_lease> held_;  // walked by append_to only
  slab<agent> agents_;
  slot_index agent_index_;
  std::size_t reserved_ = 0;
};

}  // namespace belfry::core::queueing
