// Answers about jobs, shared by the files that have operations on them.
#pragma once

#include <string_view>

#include "api/http/exchange.hpp"
#include "core/job/job.hpp"

namespace belfry::api {

// The job with its ETag; `result` (created, replaced, unchanged) where that is told.
void answer_job(exchange& x, const core::job& j, unsigned status, std::string_view result, bool replayed,
                core::run_id trial = {});
void answer_planned_job(exchange& x, std::string_view result, const core::job_definition& d);

}  // namespace belfry::api
