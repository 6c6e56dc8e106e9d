// JOB FLAGS: the definition of a job as flags.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/json/writer.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {

// What is excluded besides what the schedule says.
struct exclusion_options {
  std::vector<std::string> on, between, in;
  std::optional<std::string> excluded;
};
void declare_exclusions(command& c, exclusion_options& o);
void write_exclusions(api::json::writer& w, const exclusion_options& o);

struct job_options {
  work_options work;
  std::optional<std::string> file, description, overlap;
  std::optional<std::int64_t> max_concurrent;
  std::optional<std::string> cron, every, at, when, zone, starts, ends, jitter;
  std::optional<std::string> catch_up, catch_up_grace, start_deadline, fire_window, max_runs_of;
  std::optional<std::int64_t> catch_up_max, fire_limit, max_runs;
  std::optional<std::string> on_event, debounce, hold;
  std::vector<std::string> where;
  std::optional<std::int64_t> depth;
  bool retry_past_next = false;
  exclusion_options but;
  bool paused = false, dry_run = false, trial = false;
};

void declare_job_flags(command& c, job_options& o);
// The whole body. `cwd`: for commands without --cwd.
std::string job_body(const job_options& o, const std::string& cwd);
std::string job_path(const std::string& job, const std::string& verb = {});  // "/v1/jobs/NAME" and the verb

}  // namespace belfry::app
