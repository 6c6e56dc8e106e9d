// TIMING GROUPS in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/job/timing_group.hpp"
#include "core/run/run.hpp"

namespace belfry::api::json {

struct timing_run_draft {
  bool force = false;  // although paused, or another run is open
  bool due = false;    // plan what is due by the jobs' cursors, instead of a run by hand
};
core::result<timing_run_draft> read_timing_run(std::string_view body);
core::result<std::string> read_timing_pause(std::string_view body);  // {"text"}, which may be absent

void write_timing_members(writer& w, const core::timing_group& g);  // the members only
void write_scheduled_job(writer& w, const core::scheduled_job& j);

// What became of one member when something was done with its group.
struct member_outcome {
  core::scheduled_job who;
  std::string_view status = "ok";  // ok, unchanged; error when there is a failure
  std::vector<core::run> runs;
  std::optional<core::failure> no;
};
void write_member_outcome(writer& w, const member_outcome& o, bool with_runs);

}  // namespace belfry::api::json
