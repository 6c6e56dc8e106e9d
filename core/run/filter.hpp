// FILTER: which runs a list, a bulk operation or a statistic is about; what a list answers.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/run/run.hpp"

namespace belfry::core {

enum class run_sort : std::uint8_t { newest = 0, oldest = 1 };  // by id, which is by time

struct run_filter {
  std::vector<run_state> states;  // any of; empty: all
  std::optional<job_id> job;
  std::optional<batch_id> batch;
  std::optional<std::string> workspace;
  std::optional<std::string> lane;
  std::optional<priority> prio;
  std::optional<session_id> holder;
  std::vector<std::string> tags_any;
  std::vector<std::string> tags_all;
  std::string name_contains;                        // case-insensitive for ASCII
  std::optional<instant> created_from, created_to;  // [from, to)
  std::optional<instant> ended_from, ended_to;
  bool dead_letters = false;               // ended badly, no successor, not discarded
  std::optional<instant> due_before = {};  // waits for a time before this one
  friend bool operator==(const run_filter&, const run_filter&) = default;
};

struct page_request {
  std::size_t limit = 50;  // 1..500
  std::int64_t after = 0;  // cursor: the last id seen; 0: from the start
  run_sort sort = run_sort::newest;
};

struct run_page {
  std::vector<run> runs;
  std::int64_t next = 0;  // 0: there is no more
};

// Quantiles in microseconds; absent where there is nothing to tell (never NaN).
struct distribution {
  std::optional<span> average, least, most, p50, p95, p99;
};
// Finished runs that ended badly, by what was said: which failures come again and again.
struct failure_pattern {
  failure_class klass = failure_class::none;
  std::string text;  // the reason with its numbers and ids left out
  std::int64_t count = 0;
  run_id last;
};
struct run_statistics {
  std::array<std::int64_t, run_state_count> by_state{};
  std::array<std::int64_t, priority_count> queued_by_priority{};
  std::int64_t considered = 0;          // finished runs looked at (the newest 10,000 that fit the filter)
  distribution wait, execution, total;  // eligible → claimed, started → ended, created → ended
  std::optional<double> success_rate;
  // Of those looked at: how many began in each hour of the day (UTC), and the failures seen most.
  std::array<std::int64_t, 24> started_by_hour{};
  std::vector<failure_pattern> failures = {};
};

}  // namespace belfry::core
