// JOB MESSAGES.
#pragma once

#include <memory>
#include <optional>
#include <string>

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

}  // namespace belfry::messages
