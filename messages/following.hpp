// FOLLOWING: what a commit did, told to those who hold derived memory. There is one stream, from storage, in
// commit order, and it is sent before any answer of the same commit: who was answered finds everybody else
// informed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/job/job.hpp"
#include "core/run/run.hpp"

namespace belfry::messages {

// From storage to the dispatcher: every head that was written, as written, and every job.
struct runs_committed {
  std::vector<core::run> runs;
  std::vector<core::job> jobs;
  std::vector<core::target_pauses> pauses = {};  // of the targets whose pauses changed
  std::vector<core::learned_delay> delays = {};  // that changed
  std::vector<std::string> replan = {};          // calendars by which jobs are still to be planned anew
};

// From storage to the dispatcher, while claims wait: runs that stand in line once the open transaction is
// committed. A claim that takes one of them at once goes into the same commit.
struct offer_runs {
  std::uint64_t number = 0;
  std::vector<core::run> runs;
};

// From the dispatcher to the timekeeper: when a run is due, or when the deadline of its attempt is; never:
// forget it.
struct run_time {
  core::run_id run;
  core::instant at = core::never;
  std::uint64_t fencing = 0;  // 0: a delay; else the attempt whose deadline it is
  core::session_id holder;
  bool stoppable = false;  // the holder is an executor, here or of a member, and can be told to stop
  core::span grace{0};     // between TERM and KILL
  // The holder is a member's: nobody here knows when its process is gone, but that it is when the lease is
  // over.
  bool far = false;
};
struct watch_times {
  std::vector<run_time> times;
};

// From the dispatcher to the planner: when the next occurrence of a job is due; never: there is none.
struct watch_jobs {
  std::vector<core::job_due> jobs;
  std::vector<std::string> replan = {};  // calendars: one more bite of each is to be asked for
};

// From the dispatcher to the lease sweeper: when a lease runs out; never: it has ended.
struct run_lease {
  core::run_id run;
  std::uint64_t fencing = 0;
  core::token_hash hash{};
  core::instant expires_at = core::never;
  core::instant claimed_at = core::never;
  bool far = false;  // a member's: its holder counts on a clock of its own, whatever the wall says here
};
struct watch_leases {
  std::vector<run_lease> leases;
};

// An actor's own delayed message; one of an older generation means nothing any more.
struct alarm_rang {
  std::uint64_t generation = 0;
};

// To storage, by whoever put the first submission into the intake, and by itself while there are more.
struct take_submissions {};

// A claimed run has to be stopped, or the wall clock has moved in a way that no timer explains: asked of the
// sweeper before a lease is written, so that a suspended machine does not lose what it runs.
struct look_at_clock {};
struct clock_looked {
  bool jumped = false;
};

}  // namespace belfry::messages
