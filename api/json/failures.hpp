// FAILURES in JSON: RFC 9457 problem documents, and the item form inside bulk answers.
#pragma once

#include <string_view>

#include "api/json/writer.hpp"
#include "core/errors/result.hpp"

namespace belfry::api::json {

void write_problem(writer& w, const core::failure& f, unsigned status, std::string_view request_id);
// {"status":"error","code":…,"title":…,"detail":…,"retryable":…,"errors":[…]}: the members only.
void write_failure_members(writer& w, const core::failure& f);

}  // namespace belfry::api::json
