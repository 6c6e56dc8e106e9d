// THE LADDER'S CLOCK AND THE FIGURES OF THE CYCLES, each in one text: a version, then what `bytes` writes.
// Append only: what is missing at the end is zero.
#pragma once

#include <string>
#include <string_view>

#include "core/ladder/ladder.hpp"
#include "core/wake/result.hpp"

namespace belfry::storage::codec {

inline constexpr const char* clock_note = "ladder_clock";
inline constexpr const char* statistics_note = "cycle_statistics";

// Plain text: settings are texts, and a person can read it.
std::string encode_clock(const core::ladder_clock& c);
core::ladder_clock decode_clock(std::string_view text);  // empty: nothing yet; throws `damaged`
std::string encode_statistics(const core::cycle_statistics& s);
core::cycle_statistics decode_statistics(std::string_view text);  // likewise

}  // namespace belfry::storage::codec
