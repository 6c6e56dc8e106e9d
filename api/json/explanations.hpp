// EXPLANATIONS in JSON: each reason with what would lift it and the command that does; and what the doctor
// found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/json/runs.hpp"
#include "api/json/writer.hpp"
#include "core/diagnostics/catalogue.hpp"
#include "core/doctor/doctor.hpp"
#include "core/job/job.hpp"
#include "messages/sessions.hpp"

namespace belfry::api::json {

void write_lifted(writer& w, core::diagnostic_area area, const std::string& code, const std::string& text,
                  const core::diagnostic_subject& about);

// A job, its oldest open runs with what holds each, and the last one that ended.
struct job_standing {
  core::job job;
  std::vector<core::run> open;
  bool more = false;                        // there are open runs that are not listed
  std::vector<messages::explanation> line;  // as many as `open`
  std::optional<core::run> last;
  std::vector<core::skip_range> left_out = {};  // up to its next time, by exclusions
};
void write_job_explanation(writer& w, const job_standing& told, core::instant now);

void write_run_explanation(writer& w, const core::run& r, const waiting& why, core::instant now);
void write_session_explanation(writer& w, core::session_id id, core::run_id run,
                               const messages::session_explanation& e);
void write_diagnosis(writer& w, const core::diagnosis& d, core::instant now, bool offline);

}  // namespace belfry::api::json
