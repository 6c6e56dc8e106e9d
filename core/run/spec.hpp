// RUN SPEC: what is to be done, frozen when the run is made. A job's revision holds one, shared by its runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids/id.hpp"
#include "core/run/retry.hpp"
#include "core/run/state.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Numbers stand in rows. `none` is left to outside sessions that know what the payload means.
enum class handler_kind : std::uint8_t { none = 0, process = 1 };

struct process_spec {
  std::vector<std::string>
      argv;           // the program and its arguments; one element "sh -c" style scripts use `shell`
  std::string shell;  // run by /bin/sh -c; exactly one of argv and shell is given
  std::string cwd;    // absolute; empty: the node's working directory for runs
  std::vector<std::pair<std::string, std::string>> env;  // added to the node's clean base environment
  std::string stdin_text;          // given on stdin; when empty and there is a payload, the payload is
  span cpu_limit{0};               // RLIMIT_CPU, whole seconds; 0 none
  std::uint64_t memory_limit = 0;  // RLIMIT_AS in bytes; 0 none
  std::uint32_t file_limit = 0;    // RLIMIT_NOFILE; 0 none
  std::vector<std::uint8_t> success_codes;  // empty: {0}
  std::vector<std::uint8_t>
      retryable_codes;  // empty: every other code; else only these are `error`, the rest `permanent`
  friend bool operator==(const process_spec&, const process_spec&) = default;
};

// Asked before each attempt, in the directory and the environment of the process: exit code 0, the attempt
// goes on; 1, the run is skipped; anything else, and the attempt has failed. Exactly one of argv and shell.
struct run_condition {
  std::vector<std::string> argv;
  std::string shell;
  span timeout{std::chrono::seconds{30}};  // 1 s to 1 h
  friend bool operator==(const run_condition&, const run_condition&) = default;
};
// A run that only an outside worker can do, and that has a condition, needs a worker that asks it: this
// capability. It comes and goes with the condition.
inline constexpr std::string_view asks_conditions = "belfry:conditions";

// Who may take the run. All empty: any session of the same workspace.
struct requirement {
  std::string workspace;
  std::string channel;
  std::vector<std::string> capabilities;  // normalised: trimmed, lower case, unique, sorted
  std::vector<std::string> preferred;
  std::vector<std::string> agent_types;  // allow-list; empty: any
  session_id exact_session;              // owner rule: this session only
  bool person_only = false;              // owner rule: no machine
  friend bool operator==(const requirement&, const requirement&) = default;
};

// Whether the checks of the node were left out, and who asked for that. The same wish of somebody else is the
// same wish: the name does not count in a comparison.
struct skipped_checks {
  std::string by;  // the actor; empty: the checks were made
  explicit operator bool() const { return !by.empty(); }
  friend bool operator==(const skipped_checks& a, const skipped_checks& b) {
    return a.by.empty() == b.by.empty();
  }
};
// Stands for the actor until the door fills it in.
inline constexpr std::string_view whoever_asks = "?";

struct run_spec {
  std::string name;  // 1..200 characters; what a person calls it
  handler_kind handler = handler_kind::process;
  process_spec process;
  std::string payload;  // opaque JSON text, at most 64 KiB
  priority prio = priority::normal;
  std::string lane;  // fairness key inside a priority class; empty: the workspace
  requirement needs;
  span timeout{std::chrono::minutes{30}};  // of one attempt; 0: none (only when asked for explicitly)
  span grace{std::chrono::seconds{5}};     // between TERM and KILL
  retry_policy retry;
  std::string concurrency_key;  // runs that share it run at most `concurrency_limit` at a time
  std::uint32_t concurrency_limit = 1;
  std::vector<std::string> tags;  // sorted, unique
  std::string metadata;           // opaque JSON object text, at most 16 KiB
  std::string traceparent;        // W3C; made when absent
  process_spec hook;  // run after the terminal commit, as a run of its own; empty argv and shell: none
  run_condition condition = {};  // empty argv and shell: none
  skipped_checks unchecked;      // taken without looking whether its program and directory are there
  // Why the stored one cannot be read: this one stands in its place and says nothing else. Never stored.
  std::string unreadable = {};
  friend bool operator==(const run_spec&, const run_spec&) = default;
};

// The lane that fair share uses: the lane, else the workspace (which may be empty).
inline const std::string& lane_of(const run_spec& s) { return s.lane.empty() ? s.needs.workspace : s.lane; }
inline bool given(const process_spec& p) { return !p.argv.empty() || !p.shell.empty(); }
inline bool given(const run_condition& c) { return !c.argv.empty() || !c.shell.empty(); }

}  // namespace belfry::core
