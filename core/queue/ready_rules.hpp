// The orders of the heaps inside READY ORDER.
#pragma once

#include "core/queue/ready_order.hpp"

namespace belfry::core::queueing {

// Groups, in a shelf or a room.
struct ready_order::by_front {
  ready_order& o;
  bool before(slot a, slot b) const { return o.front_of(a) < o.front_of(b); }
  slot& place(slot g) const { return o.groups_[g].place; }
};

// Rooms, in a shelf.
struct ready_order::by_room {
  ready_order& o;
  bool before(slot a, slot b) const {
    return o.front_of(o.rooms_[a].groups.top()) < o.front_of(o.rooms_[b].groups.top());
  }
  slot& place(slot r) const { return o.rooms_[r].place; }
};

// All groups.
struct ready_order::by_age {
  ready_order& o;
  bool before(slot a, slot b) const { return o.front_of(a) < o.front_of(b); }
  slot& place(slot g) const { return o.groups_[g].age_place; }
};

// Shelves, in a queue of their effective class.
struct ready_order::by_turn {
  ready_order& o;
  std::uint64_t ticket(slot s) const { return o.lanes[o.shelves_[s].lane].ticket[o.shelves_[s].effective]; }
  bool before(slot a, slot b) const { return ticket(a) < ticket(b); }
  slot& place(slot s) const { return o.shelves_[s].place; }
};

// Shelves, by the instant of their next rise; equal instants by slot, so that tickets are given in one order.
struct ready_order::by_rise {
  ready_order& o;
  bool before(slot a, slot b) const {
    const auto x = o.shelves_[a].rises_at, y = o.shelves_[b].rises_at;
    return x != y ? x < y : a < b;
  }
  slot& place(slot s) const { return o.shelves_[s].timer_place; }
};

}  // namespace belfry::core::queueing
