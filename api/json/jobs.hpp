// JOBS in JSON: definitions in, jobs out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json/schedules.hpp"
#include "api/json/spec.hpp"
#include "core/errors/result.hpp"
#include "core/job/import.hpp"
#include "core/job/job.hpp"

namespace belfry::api::json {

struct job_draft {
  core::job_definition definition;
  bool start_paused = false;
  bool trial = false;
  schedule_words timing = {};
};

// `name`: what the path says; the body may repeat it or leave it out. Empty: the body must name it.
// `now`: where "in 5 minutes" counts from.
core::result<job_draft> read_job(std::string_view body, std::string_view name,
                                 core::instant now = core::never);
// The members that are given replace those of `now`; the others stay.
core::result<core::job_definition> read_job_patch(std::string_view body, const core::job_definition& before,
                                                  core::instant now = core::never);
const std::vector<std::string_view>& job_names();  // members of a job definition

struct trigger_draft {
  std::optional<std::string> payload;
  bool force = false;
  core::span delay{0};
  std::optional<std::uint32_t> count;
};
core::result<trigger_draft> read_trigger(std::string_view body);

struct pause_draft {
  std::string reason = "manual";
  std::string text;
};
core::result<pause_draft> read_pause(std::string_view body);
core::result<std::string> read_new_name(std::string_view body);  // {"name"}

// Lines are written in this format. 1 had no number, no times of change and no cursor; newer ones are
// refused.
inline constexpr std::int64_t export_format = 2;

// One line of an export.
struct import_line {
  job_draft job;
  core::job_past past;
  bool whole = false;  // format 2: `past` is the whole job; else only its pauses and `archived` are known
  bool archived() const { return past.state == core::job_state::archived; }
};
core::result<import_line> read_import_line(std::string_view line);
void write_export_line(writer& w, const core::job& j);

// The definition in the shape in which it is submitted.
void write_definition(writer& w, const core::job_definition& d);
void write_job_members(writer& w, const core::job& j, bool with_definition);

}  // namespace belfry::api::json
