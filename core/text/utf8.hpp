// UTF-8: the only text encoding that rows, JSON and log lines may hold (RFC 3629).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::core {

// Number of code points; nothing when the text is not valid UTF-8 (overlong forms and surrogates are not).
std::optional<std::size_t> count_utf8(std::string_view text);
inline bool valid_utf8(std::string_view text) { return count_utf8(text).has_value(); }
// The longest beginning of at most `bytes` bytes that does not split a character. Works on valid UTF-8.
std::string_view cut_utf8(std::string_view text, std::size_t bytes);
// A piece of a text given by somebody, fit for an error message: at most `bytes` bytes, "…" when cut, without
// control characters; bytes that are not UTF-8 become '?'.
std::string shown(std::string_view text, std::size_t bytes);

}  // namespace belfry::core
