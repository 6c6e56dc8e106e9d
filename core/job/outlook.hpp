// OUTLOOK: what a trigger of a job would do now. The overlap rule is the one that the trigger itself goes by.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/job/job.hpp"
#include "core/run/run.hpp"
#include "core/schedule/exclusion.hpp"

namespace belfry::core {

// A run of the job that has not ended.
struct open_run {
  run_id id;
  bool leased = false;
};

// Why a run made now would be recorded as skipped; empty: it would not. `open` from the oldest.
std::string overlap_reason(overlap policy, const std::vector<open_run>& open);

// Codes: made, replaces, job_paused, job_completed, job_archived, definition_unreadable, overlap_skip.
struct trigger_outlook {
  std::string code;
  std::string text;
  std::string command;  // that helps, or that does it; may be empty
};
trigger_outlook outlook(const job& j, const std::vector<open_run>& open, instant now);

// Of a job of which nothing more is planned: what it waits for until it is completed. Else empty.
std::string ending_text(const job& j, const std::vector<open_run>& open);

// What the exclusions of its schedule leave out or postpone between now and its next time; where it has none,
// within a month. Nothing of a job that is not active. `calendars` finds those that the schedule names.
std::vector<skip_range> left_out_before_due(
    const job& j, const std::function<std::shared_ptr<const calendar>(std::string_view)>& calendars,
    instant now);

}  // namespace belfry::core
