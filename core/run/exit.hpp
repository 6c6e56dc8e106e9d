// EXIT: what the end of a process means.
#pragma once

#include <optional>
#include <string>

#include "core/run/run.hpp"
#include "core/run/spec.hpp"

namespace belfry::core {

struct process_end {
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool timed_out = false;  // belfry stopped it because of its deadline
  bool cancelled = false;  // belfry stopped it because somebody asked
  bool spawn_failed = false;
  int spawn_errno = 0;
  std::string spawn_text;  // for example "program not found: foo"
};

struct exit_verdict {
  bool success = false;
  bool cancelled = false;
  failure_class klass = failure_class::none;
  std::string message;  // "exit code 3", "killed by signal 9 (KILL)", "timed out after 60s"
};

// Order: spawn failure (EAGAIN, ENOMEM, EMFILE, ENFILE are `resource`, else `spawn`), timeout, cancel,
// success codes, retryable codes; SIGKILL that belfry did not send counts as `resource` (the usual sign of
// the memory killer), SIGXCPU as `resource`; any other signal as `error`. 75 (EX_TEMPFAIL) is `error`; 126
// and 127 are `permanent` unless listed as retryable.
exit_verdict judge_exit(const process_spec& spec, const process_end& end, span timeout);

}  // namespace belfry::core
