// PROCESSES: child processes in groups of their own, watched until the whole group is gone.
//
// The real one runs a single reactor thread (posix_spawn, pidfd, pipes). Callbacks come on that thread, in
// order: first `output` any number of times, then exactly one `ended`. They must not block. The simulated one
// calls them from the test.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/run/exit.hpp"
#include "core/run/run.hpp"
#include "core/time/instant.hpp"

namespace belfry::platform {

struct process_order {
  core::process_spec what;
  std::string input;                                     // for stdin, closed after it
  std::vector<std::pair<std::string, std::string>> env;  // BELFRY_* and traceparent, after what.env
  std::string mark;  // value of BELFRY_NODE: how orphans of a dead node are recognised
  core::span grace{std::chrono::seconds{5}};  // TERM to KILL
  // After the leader has ended, how long output of escaped descendants is still read.
  core::span linger{std::chrono::milliseconds{250}};
};

struct output_line {
  core::instant at;
  core::log_stream stream = core::log_stream::out;
  std::string text;  // valid UTF-8 (bad bytes replaced by U+FFFD), at most 16 KiB; longer lines are split
};

struct process_report {
  core::process_end end;
  std::string stopped_with;  // "", "TERM", "KILL"
  core::usage used;          // peak_memory 0: unknown, the child was small and gone within milliseconds
  std::uint64_t output_bytes = 0;
  bool group_gone = true;  // verified: no member of the process group is left
};

enum class stop_reason : std::uint8_t { timeout, cancel, shutdown };

struct process_events {
  std::function<void(std::vector<output_line>)> output;  // lines as they come, gathered for at most ~50 ms
  std::function<void(process_report)> ended;
  std::function<void(std::int64_t pid)> started = {};  // at most once, before the others; not when it failed
};

class processes {
 public:
  virtual ~processes() = default;
  // `key` is unique among the living (for a run: its fencing-qualified id). Never blocks. A failed start
  // comes as `ended`.
  virtual void start(std::string key, process_order order, process_events events) = 0;
  // TERM to the group, KILL after the order's grace; `ended` follows. Unknown keys are ignored. Repeating it
  // is harmless.
  virtual void stop(const std::string& key, stop_reason why) = 0;
  // KILL at once, and neither output nor end is told any more: for the children of an executor that crashed.
  // `gone` is called once, from any thread: when nobody of the group is left, or after it was given up as
  // unkillable. Unknown keys are gone already.
  virtual void abandon(const std::string& key, std::function<void()> gone) = 0;
  virtual std::size_t running() const = 0;
};

struct process_options {
  std::string default_cwd = "/";
  /// Headroom guard: no new process at this share of the user's process limit. Default 0.75.
  double max_process_share = 0.75;
  /// ... or when fewer than this many are free. Default 50.
  std::uint32_t min_free_processes = 50;
};

std::unique_ptr<processes> real_processes(const process_options& options, const class clock& time);

// START CHECK: whether a child could be started now: its directory can be entered and its program is found.
// Asked when work is submitted; what it found good is believed for a second, so that it costs a look-up. Safe
// from any thread. It looks at the file system: a mount that hangs holds whoever asks.
class start_check {
 public:
  virtual ~start_check() = default;
  // What stands in the way, with pointers below `base` ("/handler"); empty: nothing.
  virtual std::vector<core::field_problem> problems(const core::process_spec& what,
                                                    const std::string& base) = 0;
};
std::unique_ptr<start_check> make_start_check(const process_options& options, const class clock& time);

// Kills (KILL) every process of this user whose environment carries BELFRY_NODE=<mark>, with its process
// group, and waits until they are gone (at most `patience`). For the boot of a node whose predecessor was
// killed. Returns how many were found.
std::size_t kill_marked(const std::string& mark, core::span patience);

}  // namespace belfry::platform
