// PROBLEM: failures as HTTP answers.
#pragma once

#include <string_view>

#include "api/http/request.hpp"
#include "core/errors/result.hpp"

namespace belfry::api {

// The one table of statuses.
unsigned status_of(core::errc e);
// Seconds for Retry-After; 0: none.
unsigned retry_after(core::errc e);
response problem(const core::failure& f, unsigned status, std::string_view request_id);
// The help page of a code: HTML for browsers, Markdown for everybody else.
response problem_page(core::errc e, bool html);
response problem_index(bool html);

}  // namespace belfry::api
