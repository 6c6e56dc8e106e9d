// RUN STATES: the whole life cycle, from the start. The table in docs/life-cycle.md is compared with
// `transitions()` by a test.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace belfry::core {

// Numbers stand in rows: append only. Everything below `first_terminal` is open.
enum class run_state : std::uint8_t {
  blocked = 0,
  scheduled = 1,
  queued = 2,
  claimed = 3,
  running = 4,
  retrying = 5,
  parked = 6,
  needs_attention = 7,
  succeeded = 8,
  failed = 9,
  timed_out = 10,
  lost = 11,
  cancelled = 12,
  skipped = 13,
};
inline constexpr std::uint8_t first_terminal = 8;
inline constexpr std::size_t run_state_count = 14;

constexpr bool terminal(run_state s) { return static_cast<std::uint8_t>(s) >= first_terminal; }
constexpr bool leased(run_state s) { return s == run_state::claimed || s == run_state::running; }
// A run that ended badly and has been neither redriven nor discarded is a dead letter.
constexpr bool ended_badly(run_state s) {
  return s == run_state::failed || s == run_state::timed_out || s == run_state::lost;
}

std::string_view to_text(run_state s);
// Accepts our names and the two aliases pending (queued) and completed (succeeded).
std::optional<run_state> run_state_from(std::string_view text);
const std::vector<run_state>& all_run_states();

struct transition {
  run_state from;
  run_state to;
  std::string_view by;
};
// Every legal change of state, with the commands that cause it (comma separated), ordered by from, to.
const std::vector<transition>& transitions();
bool legal(run_state from, run_state to);

// Urgent first. Numbers stand in rows.
enum class priority : std::uint8_t { urgent = 0, high = 1, normal = 2, low = 3 };
inline constexpr std::size_t priority_count = 4;
std::string_view to_text(priority p);
// Accepts the aliases critical (urgent) and medium (normal).
std::optional<priority> priority_from(std::string_view text);

// How an attempt ended badly. Numbers stand in rows.
enum class failure_class : std::uint8_t {
  none = 0,
  error = 1,
  permanent = 2,
  timeout = 3,
  lost = 4,
  resource = 5,
  rate_limited = 6,
  cancelled = 7,
  spawn = 8,  // the process could not be started at all: missing program or directory
};
std::string_view to_text(failure_class c);
std::optional<failure_class> failure_class_from(std::string_view text);
// error, timeout, lost (within its own budget), resource and rate_limited are tried again; permanent,
// cancelled and spawn are not.
bool class_retries(failure_class c);

}  // namespace belfry::core
