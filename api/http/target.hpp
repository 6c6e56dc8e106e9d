// TARGET: path segments and query parameters of a request line, decoded.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::api {

struct parsed_target {
  std::string_view path;                                        // raw, as in the target
  std::vector<std::pair<std::string, std::string>> parameters;  // decoded, in order
};
// errc::malformed when an escape is broken or a text is not UTF-8. The views point into `target`.
core::result<parsed_target> parse_target(std::string_view target);
// %41 → A; nothing when an escape is broken, or the result is not UTF-8 or has a NUL. `plus`: + is a space.
bool percent_decode(std::string_view text, bool plus, std::string& out);
std::string percent_encode(std::string_view text);  // everything but letters, digits, -._~

}  // namespace belfry::api
