// TRACE: a W3C traceparent of version 00 in 25 octets instead of 55 letters. Every run that was submitted has
// one, and it was an eighth of what a small run takes on disk.
// Source of the form: https://www.w3.org/TR/trace-context/ (version-format).
#pragma once

#include <string>
#include <string_view>

#include "core/codec/bytes.hpp"

namespace belfry::core::codec {

// Whether the text is exactly 00-<32>-<16>-<2>, digits in lower case: only such a text comes back as it was.
bool is_packable_trace(std::string_view text);

// The text must be packable.
void put_trace(out& o, std::string_view text);
// Throws `damaged` where the bytes end early.
std::string take_trace(in& i);

}  // namespace belfry::core::codec
