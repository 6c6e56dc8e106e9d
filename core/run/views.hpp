// VIEWS: what typed reads answer, besides runs themselves.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/events/event.hpp"
#include "core/job/job.hpp"
#include "core/run/run.hpp"

namespace belfry::core {

struct log_page {
  std::vector<log_line> lines;
  bool attempt_live = false;        // more may come
  std::uint32_t last_attempt = 0;   // the newest attempt of the run
  std::uint64_t dropped_lines = 0;  // no longer kept, before the first line here
};
struct job_page {
  std::vector<job> jobs;
  std::int64_t next = 0;
};
struct event_filter {
  std::optional<run_id> run;
  std::optional<job_id> job;
  std::vector<event_kind> kinds;  // empty: all
};
struct event_page {
  std::vector<event> events;
  std::int64_t last_scanned = 0;  // where to go on, also when the filter let nothing through
  std::int64_t oldest_kept = 1;   // older ones were pruned
};
struct batch_summary {
  batch_id id;
  instant created_at = never;
  std::array<std::int64_t, run_state_count> by_state{};
  std::int64_t total = 0;
};
struct store_facts {
  std::string kind;  // "sqlite" or "memory"
  std::string path;
  std::string durability;  // "full", "normal"
  std::uint32_t schema = 0;
  std::uint64_t bytes = 0;  // of the store on disk, journal included
  std::int64_t last_event = 0;
  std::array<std::int64_t, run_state_count> runs_by_state{};
  std::int64_t jobs = 0;
  std::vector<std::pair<std::string, std::int64_t>>
      totals;  // cumulative and durable: by event name, since the store was made
  std::uint32_t boots = 0;
  instant created_at = never;
  std::int64_t dead_letters = 0;        // neither redriven nor discarded
  instant oldest_dead_letter = never;   // when the one ended that waits longest
  std::vector<instant> booted_at = {};  // the last ten, newest first
};

// A copy of a store in a file of its own.
struct store_copy {
  std::string path;
  std::uint64_t bytes = 0;
  std::uint32_t schema = 0;
  std::int64_t runs = 0;
  std::int64_t last_event = 0;  // what was committed up to here is in it
};
// What a check found: of the pages, and of the counters against the rows that they summarise.
struct store_check {
  std::vector<std::string> problems;  // empty: the store is sound
  std::uint64_t bytes = 0;
  std::uint32_t schema = 0;
  std::int64_t runs = 0;
  std::int64_t last_event = 0;
};

}  // namespace belfry::core
