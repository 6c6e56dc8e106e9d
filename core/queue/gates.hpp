// GATES: the limits that a run shares with some others: its batch, its concurrency key, its job.
//
// A meter counts the reserved and live leases of one batch, key or job; a gate is a meter with a limit and is
// open while the meter is below it; a pause of the job closes it as well. Runs of one key may carry different
// limits, so a meter may have several gates. Both live as long as something uses them: waiting groups hold
// gates, leases hold meters.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids/id.hpp"
#include "core/queue/slab.hpp"
#include "core/queue/slot_index.hpp"

namespace belfry::core::queueing {

enum class meter_kind : std::uint8_t { batch = 0, key = 1, job = 2 };
inline constexpr std::size_t meter_kinds = 3;
// One of each kind, or no_slot where the run has none.
using per_meter_kind = std::array<slot, meter_kinds>;
inline constexpr per_meter_kind no_meters{no_slot, no_slot, no_slot};

struct meter {
  std::string key;
  std::int64_t id = 0;
  std::uint32_t used = 0;  // reserved and live leases
  slot first_gate = no_slot;
  bool held = false;  // of a job: it is paused
  meter_kind kind = meter_kind::batch;
};

struct gate {
  slot meter = no_slot;       // no_slot: not in use
  std::uint32_t limit = 0;    // 0: none
  std::uint32_t groups = 0;   // that wait behind it
  slot next = no_slot;        // of the same meter
  slot first_room = no_slot;  // of those that found it closed, one per shelf
  bool forced = false;        // of a job: for runs that were forced through its pause
};

class gate_table {
 public:
  // Found or made; `id` names batches and jobs, `key` names keys. Unused ones must be given to `tidy`.
  slot meter_of(meter_kind kind, std::int64_t id, std::string_view key);
  // The gate of a key's meter with this limit; a batch has one gate, which keeps the limit it was made with.
  // A job has one, and another one for runs that were forced through its pause.
  slot gate_of(slot meter, std::uint32_t limit, bool forced = false);

  gate& operator[](slot g) { return gates_[g]; }
  const gate& operator[](slot g) const { return gates_[g]; }
  const meter& meter_at(slot m) const { return meters_[m]; }
  const meter& meter_of(slot g) const { return meters_[gates_[g].meter]; }
  slot gates_end() const { return gates_.end(); }
  bool open(slot g) const { return !held(g) && !full(g); }
  bool full(slot g) const {
    const gate& it = gates_[g];
    return it.limit != 0 && meters_[it.meter].used >= it.limit;
  }
  bool held(slot g) const { return meters_[gates_[g].meter].held && !gates_[g].forced; }
  // These jobs are paused, and no others. Calls `opened(gate)` for each gate that this opens.
  template <class Opened>
  void hold_jobs(std::set<job_id> jobs, Opened opened) {
    held_jobs_.swap(jobs);
    for (const auto job : jobs)
      if (!held_jobs_.contains(job)) hold(job, false, opened);
    for (const auto job : held_jobs_)
      if (!jobs.contains(job)) hold(job, true, opened);
  }

  void take(slot m) { ++meters_[m].used; }
  // Calls `opened(gate)` for each gate that this opens.
  template <class Opened>
  void give_back(slot m, Opened opened) {
    const std::uint32_t before = meters_[m].used--;
    for (slot g = meters_[m].first_gate; g != no_slot; g = gates_[g].next)
      if (gates_[g].limit == before && !held(g)) opened(g);
    tidy(m);
  }
  // Whether the new limit opened it.
  bool set_limit(slot g, std::uint32_t limit);
  // A group does not wait behind it any more.
  void leave(slot g);
  // Frees a meter that has neither gates nor leases.
  void tidy(slot m);

 private:
  template <class Opened>
  void hold(job_id job, bool held_now, Opened opened) {
    const slot m = find(meter_kind::job, job.value, {});
    if (m == no_slot) return;
    meters_[m].held = held_now;
    for (slot g = meters_[m].first_gate; g != no_slot; g = gates_[g].next)
      if (!held_now && !gates_[g].forced && open(g)) opened(g);
  }
  slot find(meter_kind kind, std::int64_t id, std::string_view key) const;
  std::uint64_t hash_of(meter_kind kind, std::int64_t id, std::string_view key) const;

  slab<meter> meters_;
  slab<gate> gates_;
  slot_index by_name_;
  std::set<job_id> held_jobs_;
};

}  // namespace belfry::core::queueing
