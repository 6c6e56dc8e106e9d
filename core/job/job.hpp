// JOB: a durable definition. Every edit makes a new revision; a run keeps the revision that it was made from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/pause/pause.hpp"
#include "core/run/machine.hpp"
#include "core/run/spec.hpp"
#include "core/schedule/event_hold.hpp"
#include "core/schedule/policy.hpp"

namespace belfry::core {

enum class job_state : std::uint8_t { active = 0, paused = 1, completed = 2, archived = 3 };
std::string_view to_text(job_state s);
std::optional<job_state> job_state_from(std::string_view text);

// When a job is due. The schedule is kept as its canonical text (core/schedule/canonical.hpp); empty: only by
// hand.
struct job_timing {
  std::string schedule;
  plan_policy policy;
  friend bool operator==(const job_timing&, const job_timing&) = default;
};
inline constexpr std::size_t longest_schedule = 8'000;

struct job_definition {
  std::string name;  // unique among jobs that are not archived; letters, digits, "-_.", 1..100, case is kept
                     // and matters
  std::string description;
  run_spec spec;  // spec.name equals name
  overlap on_overlap = overlap::skip;
  std::uint32_t max_concurrent = 1;  // with allow: live runs of the job; others imply 1. 1..10,000
  std::string source;                // "api", or "file" when applied from one
  job_timing timing = {};
  friend bool operator==(const job_definition&, const job_definition&) = default;
};

struct job {
  job_id id;
  std::uint32_t revision = 1;
  spec_id spec;  // of this revision
  job_state state = job_state::active;
  std::vector<pause_entry> pauses;
  instant created_at = never;
  instant updated_at = never;
  std::string created_by;
  std::int64_t triggered = 0;  // runs made, skipped ones included
  std::shared_ptr<const job_definition> definition;
  plan_cursor cursor = {};  // how far its occurrences are planned
  instant due = never;      // the next one; never: there is none, or it is paused
};

// An occurrence that became a run.
struct occurrence {
  job_id job;
  instant at;  // as planned
  run_id run;
  instant start = never;   // with jitter and the fire limit
  bool caught_up = false;  // it was missed, and made up for
  bool limited = false;    // a fire limit moved it
  clock_shift shift = clock_shift::none;
  fire_scope limited_by = fire_scope::none;  // the one that moved it last
  instant meant = never;  // postponed to `at` by an exclusion: the first time that it stands for
  friend bool operator==(const occurrence&, const occurrence&) = default;
};
// Occurrences that did not, as one range.
struct skip_record {
  job_id job;
  std::int64_t number = 0;  // given by the store
  skip_range range;
  instant noted_at = never;
  friend bool operator==(const skip_record&, const skip_record&) = default;
};
// One line of what became of a job's occurrences: a run, or a range of skips where `made` has no run.
struct occurrence_line {
  occurrence made;
  run_state state = run_state::queued;
  std::string reason;  // of the run
  skip_record skipped;
  instant at() const { return made.run ? made.at : skipped.range.last; }
};
struct occurrence_page {
  std::vector<occurrence_line> lines;  // newest first
  instant next = never;                // lines before this one follow; never: that is all
};
struct job_due {
  job_id job;
  instant at = never;       // never: forget it
  std::uint64_t group = 0;  // number of its timing group (core/job/timing_group.hpp)
  friend bool operator==(const job_due&, const job_due&) = default;
};

// A job that waits for events, and what it keeps of them.
struct event_waiter {
  job_id job;
  std::string name;
  job_state state = job_state::active;
  std::string schedule;
  event_hold hold;
};

std::vector<field_problem> check(const job_definition& d, const std::string& base);

}  // namespace belfry::core
