// NEEDS TABLE: what runs ask of a session, each distinct combination once. A claim judges these classes, not
// the runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/queue/ready_line.hpp"
#include "core/queue/slab.hpp"
#include "core/queue/slot_heap.hpp"
#include "core/queue/slot_index.hpp"
#include "core/run/spec.hpp"
#include "core/session/session.hpp"

namespace belfry::core::queueing {

// One queue for each priority and each class that a run of this priority can be lifted to.
inline constexpr std::size_t queue_count = priority_count * (priority_count + 1) / 2;
constexpr std::size_t queue_of(std::size_t prio, std::size_t effective) {
  return prio * (prio + 1) / 2 + effective;
}

// How long the runs of a class have waited without anybody taking one of them.
struct young_run {
  std::int64_t since = 0;  // nobody has had the chance to take it for longer
  slot run = no_slot;
  std::uint32_t stay = 0;  // of the run: another one may be in the slot by now
};
struct patience {
  std::vector<young_run> young;  // a heap by since: not judged yet; who left is dropped when it surfaces
  std::vector<std::int64_t> starving;  // judged, by id; who left is dropped now and then
  std::int64_t moved = 0;              // when one was taken last
};

struct needs_class {
  requirement needs;
  handler_kind handler = handler_kind::none;
  std::size_t ready = 0;      // runs in line
  std::uint32_t shelves = 0;  // that use it; 0: not in use
  std::array<slot_heap, queue_count>
      queues;                    // of shelves that have something in this class, by the turn of their lane
  std::uint64_t allowed_in = 0;  // the last claim whose session may take it
  std::size_t liked = 0;         // how many of its preferred capabilities that session has
  std::uint64_t made = 0;        // a number of its own, never used again
  bool held = false;             // its workspace is paused
  patience waits;
};

class needs_table {
 public:
  // Found or made. The caller counts the shelves.
  slot find_or_add(const requirement& needs, handler_kind handler);
  void remove(slot n);
  needs_class& operator[](slot n) { return classes_[n]; }
  const needs_class& operator[](slot n) const { return classes_[n]; }
  // These workspaces are paused, and no others.
  void hold_workspaces(std::vector<std::string> names);
  // Those with ready runs that the session may take, limits apart, and that no pause holds.
  std::vector<slot> open_to(const session& s);
  bool any_open_to(const session& s) const;
  slot end() const { return classes_.end(); }  // slots below it may be out of use: nobody waits there
  std::size_t ready_for(const session& s) const;
  // Those with ready runs that anybody may take who may take this one; this one is among them.
  std::vector<slot> open_with(slot n) const;

  template <class Rule>
  void push(slot n, std::size_t queue, slot shelf, Rule rule) {
    classes_[n].queues[queue].push(shelf, rule);
    filled_[n] = static_cast<std::uint16_t>(filled_[n] | 1U << queue);
  }
  template <class Rule>
  void remove(slot n, std::size_t queue, slot place, Rule rule) {
    classes_[n].queues[queue].remove(place, rule);
    if (classes_[n].queues[queue].empty())
      filled_[n] = static_cast<std::uint16_t>(filled_[n] & ~(1U << queue));
  }
  // One bit for each queue that has something: a choice looks at nothing else of most classes.
  unsigned filled(slot n) const { return filled_[n]; }

 private:
  // What one session may take, as far as it was asked already.
  struct memory {
    session who;
    std::vector<std::uint64_t>
        verdicts;  // by slot: twice the number of the class that was judged, plus one for yes
    std::uint64_t used = 0;
  };
  memory& memory_of(const session& s);

  slab<needs_class> classes_;
  std::vector<std::uint16_t> filled_;
  slot_index by_content_;
  std::vector<std::string> held_;  // workspaces; few
  std::vector<memory> memories_;
  std::uint64_t made_ = 0, asked_ = 0;
};

}  // namespace belfry::core::queueing
