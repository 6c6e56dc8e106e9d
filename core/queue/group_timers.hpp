// GROUP TIMERS: one timer per timing group and instant, whatever number of jobs is behind it. The owner
// sleeps until the first.
//
// What is due is handed out in turn, one job of each due timer after the other: ten thousand jobs of one
// group do not stand in front of a lone job of the same minute. Within a timer the order is that in which the
// jobs were set. A group is a number here (core/job/timing_group.hpp); should two groups share one, their
// jobs share turns, and nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/job/job.hpp"
#include "core/queue/slab.hpp"
#include "core/queue/slot_heap.hpp"
#include "core/queue/slot_index.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

class group_timers {
 public:
  // Replaces what was said of the job before; `never` forgets it.
  void set(std::int64_t job, std::uint64_t group, instant at);
  // The earliest instant that has not been handed out.
  std::optional<instant> next() const;
  // Takes out what is due (at <= now), in turn, at most `limit`.
  std::vector<job_due> take_due(instant now, std::size_t limit);
  std::size_t size() const { return entries_.size(); }  // jobs
  std::size_t timers() const { return timers_.size(); }

 private:
  using slot = queueing::slot;
  static constexpr slot none = queueing::no_slot;

  struct entry {
    std::int64_t job = 0;
    slot timer = none;
    slot before = none, after = none;
  };
  struct timer {
    instant at = never;
    std::uint64_t group = 0;
    slot first = none, last = none;
    slot place = none;   // in the heap
    bool ready = false;  // it is due, and has its turn
  };
  struct by_instant {
    queueing::slab<timer>* all;
    bool before(slot a, slot b) const {
      const auto& x = (*all)[a];
      const auto& y = (*all)[b];
      return x.at != y.at ? x.at < y.at : x.group < y.group;
    }
    slot& place(slot s) const { return (*all)[s].place; }
  };

  slot find(std::int64_t job) const;
  slot timer_for(std::uint64_t group, instant at);
  void forget(slot entry_at);
  void drop(slot timer_at);

  queueing::slab<entry> entries_;
  queueing::slab<timer> timers_;
  queueing::slot_index jobs_;    // of entries, by job
  queueing::slot_index groups_;  // of timers, by group and instant
  queueing::slot_heap heap_;     // of timers that are not ready
  std::deque<slot> ready_;       // whose turn is next; those without jobs are passed over
};

}  // namespace belfry::core
