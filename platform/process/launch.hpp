// LAUNCH: turns an order into a running child, or says why not.
//
// posix_spawn (never fork: its cost grows with the node's memory) with: a process group of its own, no
// blocked signals, all signals at their default, stdin from a pipe or /dev/null, stdout and stderr into
// pipes, its directory, every other descriptor closed. Between two children nothing is shared but these
// rules.
//
// Limits (CPU, memory, files) need code between fork and exec. Instead of a shim of our own, /usr/bin/prlimit
// of util-linux (essential on Debian) sets them and execs the program: one more exec, only for runs that ask
// for limits. CPU: SIGXCPU at the limit, SIGKILL five seconds of CPU later. A limit above the node's own hard
// limit is that hard limit.
//
// A node that raised its soft file limit gives the former one back with prlimit(2) on the new pid: one system
// call, no exec. It comes after the exec, so a program may still see the larger limit in its first
// milliseconds; `file_limit` of a run is exact.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <variant>

#include "platform/descriptor.hpp"
#include "platform/process/environment.hpp"
#include "platform/process/headroom.hpp"
#include "platform/process/program.hpp"

namespace belfry::platform {

struct launched {
  pid_t pid = -1;
  descriptor pidfd;
  descriptor out;  // read ends; not blocking
  descriptor err;
  descriptor in;            // write end, not blocking; none when everything is written already
  std::size_t written = 0;  // of the input
};

class launcher {
 public:
  launcher(const process_options& options, process_probe probe);
  ~launcher();
  launcher(const launcher&) = delete;
  launcher& operator=(const launcher&) = delete;

  std::variant<launched, launch_problem> launch(const process_order& order, std::uint64_t running,
                                                steady_time now);

 private:
  struct command;
  struct pipes;
  launch_problem prepare(command& c, const process_order& order, steady_time now);
  int spawn(const command& c, const pipes& p, pid_t& pid);
  launch_problem explain(const command& c, int error);

  process_options options_;
  environment base_;
  program_cache programs_;
  headroom_guard headroom_;
  descriptor null_;
  posix_spawnattr_t attributes_{};
};

}  // namespace belfry::platform
