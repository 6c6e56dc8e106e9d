// ESCAPES of JSON texts, for the parser.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace belfry::api::json {

// Four hex digits at `at`, or -1.
int hex4(std::string_view s, std::size_t at);
// The escapes of a checked text, resolved and appended.
void unescape(std::string& out, std::string_view s);

}  // namespace belfry::api::json
