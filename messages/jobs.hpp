// JOB MESSAGES.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/events/named_event.hpp"
#include "core/job/import.hpp"
#include "core/job/job.hpp"
#include "messages/runs.hpp"

namespace belfry::messages {

struct put_job {  // new when id is 0, else replaced
  core::job_id id;
  std::uint32_t expected_revision = 0;
  core::job_definition definition;
  bool start_paused = false;
  std::optional<once_key> once;
  std::string actor;
  std::optional<core::failure> refusal = {};              // as in submit_runs
  bool trial = false;                                     // a new one is run once before it is active
  std::shared_ptr<const core::import_terms> import = {};  // as in storage::put_job
};
struct job_stored {
  core::job job;
  bool replayed = false;
  bool created = false;
  core::run_id trial = {};  // the run that decides whether the new job becomes active
  core::import_verdict imported = core::import_verdict::none;
  std::string note = {};  // why, where the verdict needs words
};
struct archive_job {
  core::job_id id;
  std::string actor;
};
struct pause_job {
  core::job_id id;
  std::string reason;
  std::string text;
  std::string actor;
};
struct resume_job {
  core::job_id id;
  std::string reason;
  std::string actor;
};
struct trigger_job {
  core::job_id id;
  std::optional<std::string> payload;
  bool force = false;
  core::span delay{0};
  std::optional<once_key> once;
  std::string actor;
};
struct emit_event {  // one that has passed its check
  core::named_event what;
  core::run_id by = {};  // the run that emits it; 0: none
  std::optional<once_key> once;
  std::string actor;
};
struct event_emitted {
  core::emitted what;
  std::vector<core::run_id> runs;  // made at once
  bool replayed = false;
};
// Plans what is due of these jobs by their cursors, as the planner does; what is done already stays done.
// Each in its own right, all in one commit.
struct plan_jobs {
  std::vector<core::job_id> jobs;  // at most 1,000
  std::string actor;
};
struct job_planned {
  core::job job;
  std::vector<core::run> runs;  // made now
};
struct jobs_planned {
  std::vector<core::result<job_planned>> answers;  // in their order
};

}  // namespace belfry::messages
