// WAITING for runs: until they have ended, and with their output meanwhile.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/context.hpp"

namespace belfry::app {

using deadline = std::optional<std::chrono::steady_clock::time_point>;
// From "--wait-timeout 30s"; nothing when it is not given. `option` is named when the text is no length of
// time.
deadline deadline_from(const std::optional<std::string>& given, const std::string& option);

bool is_terminal(std::string_view state);

struct waited {
  std::vector<json_text> ended;      // runs, in the order in which they ended
  std::vector<std::string> pending;  // ids that were still open at the deadline
};
waited wait_for_runs(context& ctx, const std::vector<std::string>& ids, const deadline& until,
                     bool any = false);

// Until no run of the batch is open: its last answer of GET /v1/batches; nothing when the deadline came
// first.
std::optional<json_text> wait_for_batch(context& ctx, const std::string& batch, const deadline& until);

struct log_options {
  bool follow = false;
  bool timestamps = false;
  std::optional<std::int64_t> tail;
  std::optional<std::int64_t> attempt;
  std::optional<std::string> level;
  bool split = true;  // stderr of the run goes to stderr
};
// false: the deadline came before the end.
bool print_logs(context& ctx, const std::string& run, const log_options& o, const deadline& until = {});

// Tells on stderr how a run ended; answers the exit code of the table.
int tell_outcome(context& ctx, const view& run);

}  // namespace belfry::app
