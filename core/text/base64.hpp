// BASE64 (RFC 4648, section 4): the plain alphabet, with padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belfry::core {

std::string to_base64(std::string_view bytes);
// Nothing for a text that is not one: other characters, a length or padding that cannot be.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace belfry::core
