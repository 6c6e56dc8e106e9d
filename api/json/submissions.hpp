// SUBMISSIONS: bodies of POST /v1/runs and /v1/runs:batch.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/json/spec.hpp"
#include "core/errors/result.hpp"
#include "core/run/run.hpp"

namespace belfry::api::json {

inline constexpr std::size_t most_items = 1000;  // of a batch, a bulk operation, a list of completions

struct run_draft {
  std::shared_ptr<core::run_spec> spec;  // normalised and checked
  core::run_id id;                       // given by the caller, or none
  core::instant due_at = core::never;    // from delay or not_before
};

core::result<run_draft> read_submission(std::string_view body, core::instant now);
// 1 to 1,000 of them; one mistake refuses all.
core::result<std::vector<run_draft>> read_batch(std::string_view body, core::instant now);

// Names of the members of a submission.
const std::vector<std::string_view>& submission_names();

}  // namespace belfry::api::json
