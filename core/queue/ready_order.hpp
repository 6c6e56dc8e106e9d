// READY ORDER: all ready runs, arranged so that the next one for a session is found without passing over
// those it cannot have.
//
//   queue (needs, priority, effective class)   heap of shelves by the ticket of their lane
//     shelf (lane, needs, priority)            two heaps by front: groups that may be open, and rooms
//       room (gate, shelf)                     heap of groups that found this gate closed; with the shelf
//       while the gate is open
//         group (shelf, batch, key, job)       a line of runs with the same limits
//
// What a limit holds is moved aside when it comes up first, and only then: a group into the room of its
// closed gate, a shelf of a full lane out of its queue. An opening gate brings back one room per shelf, not
// its groups, so that a batch of 100,000 runs with as many keys costs the others nothing. Ageing moves a
// shelf when its front is due, by a heap of these instants. Rejected: one sorted line per lane (a full batch
// at its head is scanned again by every claim).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/pause/pauses.hpp"
#include "core/queue/board.hpp"
#include "core/queue/gates.hpp"
#include "core/queue/lanes.hpp"
#include "core/queue/needs_table.hpp"
#include "core/queue/ready_line.hpp"
#include "core/queue/slot_heap.hpp"
#include "core/queue/waiting.hpp"

namespace belfry::core::queueing {

inline constexpr std::uint8_t no_class = priority_count;

struct shelf {
  slot lane = no_slot, needs = no_slot;  // no_slot: not in use
  std::uint8_t prio = 0;
  std::uint8_t effective = no_class;  // of its front
  bool parked = false;                // out of its queue: the lane is at its limit
  slot place = no_slot;               // in its queue
  slot timer_place = no_slot;
  std::int64_t rises_at = 0;  // when its front enters the next class
  slot_heap groups, rooms;
  slot first_room = no_slot;  // of all rooms, those with a closed gate as well
  std::uint32_t group_count = 0;
  std::size_t ready = 0;  // runs in line
};

struct group {
  ready_line runs;
  slot shelf = no_slot;
  per_meter_kind gates = no_meters;
  slot room = no_slot;   // no_slot: with the shelf
  slot place = no_slot;  // in the heap of the room or shelf
  slot age_place = no_slot;
  std::uint32_t reserved = 0;  // runs under reservation that may come back
};

struct room {
  slot gate = no_slot, shelf = no_slot;
  slot_heap groups;
  slot place = no_slot;  // in the shelf's heap; no_slot: not there, its gate was found closed
  slot gate_next = no_slot, gate_before = no_slot, shelf_next = no_slot, shelf_before = no_slot;
};

class ready_order {
 public:
  explicit ready_order(const board_options& options) : options_(options) {}

  // ---- places (ready_order.cpp)
  // The group of such a run, made when it is new; it must get a run or a reservation at once.
  slot group_for(const run_head& head, handler_kind handler, std::uint32_t job_limit);
  void add(slot g, run_key key);
  void remove(slot run);
  void keep(slot g) { ++groups_[g].reserved; }  // a reservation may bring a run back
  void let_go(slot g);                          // ... or not any more
  const group& at(slot g) const { return groups_[g]; }
  slot lane_of(slot g) const { return shelves_[groups_[g].shelf].lane; }
  const requirement& needs_of(slot run) const {
    return needs[shelves_[groups_[runs[run].group].shelf].needs].needs;
  }
  handler_kind handler_of(slot run) const {
    return needs[shelves_[groups_[runs[run].group].shelf].needs].handler;
  }
  priority prio_of(slot run) const {
    return static_cast<priority>(shelves_[groups_[runs[run].group].shelf].prio);
  }
  job_id job_of(slot run) const;
  // Its workspace is paused.
  bool held(slot run) const { return needs[shelves_[groups_[runs[run].group].shelf].needs].held; }
  per_meter_kind meters_of(slot g) const;
  void opened(slot gate);  // a gate is open again
  void unpark(slot lane);  // a lane is below its limit again, or may be
  void set_limits(const limit_options& limits);
  // These are paused, and no others.
  void hold(std::vector<std::string> workspaces, std::set<job_id> jobs);
  // Whose time does not count as waiting.
  void subtract(const pauses* p) { pauses_ = p; }

  // ---- choice (ready_choice.cpp)
  void advance(instant now);
  // A claim begins, by a session that may take these classes.
  void allow(const std::vector<slot>& classes, const session& who);
  // The group whose first run is next for this claim; no_slot: nothing.
  slot choose(const std::vector<slot>& classes, priority at_least);
  run_key front_of(slot g) const { return runs[runs.front(groups_[g].runs)].key; }
  // Takes the first run of a chosen group out of the line, as its lane's start.
  run_key take_first(slot g) { return take(runs.front(groups_[g].runs)); }
  run_key take(slot run);  // the same with any run
  // The first runs of these classes, which were allowed last, in the order in which they would be chosen, at
  // most so many; `skip` says of which there is no talk, at most `skipped` of them.
  std::vector<slot> next_runs(const std::vector<slot>& classes, priority at_least, std::size_t most,
                              const std::function<bool(run_id)>& skip, std::size_t skipped) const;
  bool full(const lane& l) const {
    return options_.limits.per_lane > 0 && !l.name.empty() && l.held >= options_.limits.per_lane;
  }

  // ---- views (ready_view.cpp)
  struct tally {
    std::size_t count = 0;
    bool complete = true;
  };
  // Runs before this one in its lane and priority; stops after about so many steps.
  tally count_before(slot run, std::size_t steps) const;
  // Whether any session that may take it would now be given another run; true as well when that cannot be
  // told within a thousand steps.
  bool others_first(slot run, instant now) const;
  std::vector<wait_reason> limits_on(slot run) const;  // lane, batch, key, job
  std::optional<instant> oldest() const;

  // ---- patience (ready_patience.cpp)
  // A run is in line, and nobody has had the chance to take it since.
  void await(slot run, std::int64_t since);
  void moved(slot group, instant at);  // somebody was given a run of this group
  void not_before(instant at);         // what waits begins anew: nobody could take anything until now
  starving_news judge(const judging& by);
  std::vector<hold_change> holds(const judging& by);
  bool starve(run_id id, bool held = false);  // known to be starving from before
  std::int64_t judged_at() const { return judged_at_; }
  bool took_starving() const { return took_starving_; }  // the run that was taken out last
  void not_told(run_id id) { over_.push_back(id); }      // it may yet come back
  bool limited(slot run) const;
  std::vector<waiting_kind> kinds() const;
  std::vector<waiting_run> fronts(std::size_t per_kind) const;

  ready_runs runs;
  lane_table lanes;
  gate_table gates;
  needs_table needs;
  std::array<std::size_t, priority_count> ready_by_priority{};

 private:
  struct by_front;
  struct by_room;
  struct by_age;
  struct by_turn;
  struct by_rise;

  slot front_group(const shelf& s) const;  // no_slot: it has nothing to start
  // How long a run of this group has waited, pauses not counted; below 0: it is of a time to come.
  std::int64_t waited(slot g, std::int64_t since, std::int64_t now) const;
  std::uint8_t effective_class(std::uint8_t prio, std::int64_t waited) const;
  slot closed_gate(const group& g) const;
  template <class ComesBefore>
  bool startable(const shelf& s, ComesBefore comes_before, std::size_t& steps) const;

  slot shelf_for(slot lane, slot needs, std::uint8_t prio);
  slot find_shelf(slot lane, slot needs, std::uint8_t prio) const;
  slot room_for(slot gate, slot shelf);
  void remove_room(slot r);
  void set_place(slot g);    // into the heap of its room or shelf, or to its new place there
  void leave_place(slot g);  // out of it
  void front_changed(slot g);
  void remove_if_unused(slot g);
  void refresh(slot s);  // after its front may have changed
  void join_queue(slot s);
  void leave_queue(slot s);

  slot settle(slot s);  // its first group that no gate holds, after moving aside those that are held
  slot first_in(slot needs, std::size_t prio, std::size_t effective, slot best);
  slot first_of_lane(slot lane, const std::vector<slot>& classes, std::size_t at_least,
                     std::size_t effective);

  board_options options_;
  const pauses* pauses_ = nullptr;
  void pacify(slot needs, std::int64_t since);
  void collect(slot shelf, std::size_t at_most, std::vector<slot>& into, std::size_t& steps) const;
  // Shelves of a class whose lanes have room, the most urgent first, at most so many.
  std::vector<slot> open_shelves(slot needs, std::size_t at_most) const;

  std::int64_t now_ = 0;
  std::int64_t not_before_ = 0, judged_at_ = 0;
  bool took_starving_ = false;
  std::vector<run_id> over_;  // no longer starving, and not told yet
  std::uint64_t claims_ = 0;
  slab<shelf> shelves_;
  slab<group> groups_;
  slab<room> rooms_;
  slot_index shelf_index_, group_index_, room_index_;
  slot_heap by_age_;   // all groups with runs, by front
  slot_heap by_rise_;  // shelves whose front can still rise
};

}  // namespace belfry::core::queueing
