// CYCLE MESSAGES: one pass of the scheduler, and what it asks of the others.
//
// wake_coordinator → lease_sweeper: sweep_now · → dispatcher: look_at_waiting · → escalation_ladder: climb ·
// → wake_desk: deliver_wakes. The dispatcher says once that something has changed, and not again until it has
// been looked at.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/ladder/ladder.hpp"
#include "core/queue/waiting.hpp"
#include "core/wake/cycle.hpp"
#include "core/wake/result.hpp"
#include "messages/runs.hpp"

namespace belfry::messages {

// To the lease sweeper. Answered when nothing is due any more, with what was taken back since the last time.
struct sweep_now {};
struct leases_recovered {
  core::counted_runs taken_back;
};

// From the dispatcher: runs or sessions changed in a way that a wake could be due.
struct waiting_changed {};
// ... and the queue was compared with the store.
struct queue_compared {};

// To the dispatcher.
struct look_at_waiting {
  core::span minimum_age{0};             // 0: nobody is judged
  bool judge = false;                    // who begins to starve, and whom something holds
  std::vector<core::hold_change> known;  // starving since before the boot: they have a row
};
struct waiting_seen {
  core::waiting_snapshot seen;
  core::starving_news starving;
  std::vector<core::hold_change> holds;
};

// To the wake coordinator: from now on it acts.
struct start_cycles {};

// To the escalation ladder, once per cycle.
struct climb {
  bool count = false;  // an interval has passed: everybody's count rises
  core::starving_news news;
  std::vector<core::hold_change> holds;
  std::vector<core::run_id> asked;  // starving runs that are next
};
struct climbed {
  std::vector<core::run_id> fan_out;  // of those asked: all that may take them are to be woken
  std::uint64_t starved = 0;
  // Since the last answer.
  core::counted_runs fanned_out, spawns_requested, spawns_refused, needs_attention;
  std::string error;
};
// Rows that the store has from a former life.
struct ladder_known {
  std::vector<core::hold_change> runs;  // by run
  core::instant ticked_at = core::never;
};
struct ask_ladder_known {};

// What a door asks of the ladder: how it stands, and the rows of these runs.
struct look_at_ladder {
  std::vector<core::run_id> runs;  // at most 1,000
};
struct rung_view {
  core::starvation row;
  std::uint64_t count = 0;
  core::rung next = core::rung::none;  // none: it is held, or there is no further one
  core::instant due = core::never;     // of the next one, if nothing changes
};
struct ladder_seen {
  core::ladder_options options;
  core::span interval{0};
  std::uint64_t tick = 0;
  core::instant next_tick = core::never;
  std::array<std::uint64_t, core::rung_count> by_rung{};  // by the highest that fired
  std::vector<rung_view> rows;
};

// One cycle, now.
struct run_cycle {};
struct look_at_cycles {
  bool reset = false;
  std::string actor;
};
struct cycles_seen {
  core::cycle_statistics sums;
  core::span written_every{0};  // so much can be missing after a crash
};

// To the dispatcher: what holds these queued runs, and where they stand.
struct look_at_backlog {
  std::vector<explain_run> runs;  // at most 1,000
};
struct backlog_seen {
  std::vector<explanation> runs;  // in the order of the question; without sessions
};

}  // namespace belfry::messages
