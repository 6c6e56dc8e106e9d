// READY LINE: runs in the order (eligible since, id), 32 bytes each, every one of them found by its id.
//
// Runs mostly arrive in order: those form a linked list, prepended or put in a few steps from its end. The
// others stand in a treap whose weights come from the ids, so that its shape depends on nothing else. The
// front is the earlier of both fronts. Rejected: a heap with lazy deletion (stale entries need a bound) and
// one tree for all (a million rotations for nothing).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ids/id.hpp"
#include "core/queue/slab.hpp"
#include "core/queue/slot_index.hpp"

namespace belfry::core::queueing {

// The place of a run in line.
struct run_key {
  std::int64_t since = 0;  // eligible since, microseconds
  std::int64_t id = 0;
  friend auto operator<=>(const run_key&, const run_key&) = default;
};

struct ready_run {
  run_key key;
  slot group = no_slot;         // whose line it stands in
  slot before = no_slot;        // list: the one before; tree: the left child
  slot after = no_slot;         // list: the one after; tree: the right child
  std::uint32_t stay : 29 = 0;  // a number of this stay in line, not used again for very long
  bool in_tree : 1 = false;
  bool starving : 1 = false;  // judged so, and reported
  bool held : 1 = false;      // starving, and seen held by a limit or a pause
};
static_assert(sizeof(ready_run) <= 32);

struct ready_line {
  slot first = no_slot, last = no_slot;  // of the list
  slot root = no_slot, least = no_slot;  // of the tree
  std::uint32_t size = 0;
};

// All runs of all lines.
class ready_runs {
 public:
  slot find(run_id id) const;
  const ready_run& operator[](slot run) const { return runs_[run]; }
  std::size_t size() const { return runs_.size(); }
  void append_to(std::vector<run_id>& ids) const;  // every run, in no order

  // The id must not be in any line.
  slot add(ready_line& line, slot group, run_key key);
  void remove(ready_line& line, slot run);
  // The first of the line, or no_slot.
  slot front(const ready_line& line) const {
    if (line.first == no_slot) return line.least;
    if (line.least == no_slot || runs_[line.first].key < runs_[line.least].key) return line.first;
    return line.least;
  }
  ready_run& mark(slot run) { return runs_[run]; }  // for its marks only
  // The first runs of the line, in order, at most so many.
  void first_of(const ready_line& line, std::size_t at_most, std::vector<slot>& into) const;
  // How many of the line come before this key; stops counting at `at_most`.
  std::size_t count_before(const ready_line& line, const run_key& key, std::size_t at_most) const;

 private:
  static std::uint64_t weight(const run_key& k) { return mixed(0x7EA9, static_cast<std::uint64_t>(k.id)); }
  bool insert_near_end(ready_line& line, slot run);
  void insert_in_tree(ready_line& line, slot run);
  void remove_from_tree(ready_line& line, slot run);
  void split(slot tree, const run_key& key, slot* lower, slot* upper);
  slot merged(slot lower, slot upper);

  slab<ready_run> runs_;
  std::uint32_t stays_ = 0;
  slot_index by_id_;
};

}  // namespace belfry::core::queueing
