// LIMITS: how much one message may bring.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/errors/result.hpp"

namespace belfry::actors {

// How many runs, or answers about runs, one message may bring.
inline constexpr std::uint32_t most_at_a_time = 1000;

// A list with nothing in it, or with too much; `pointer`: where it stood in the request.
inline std::optional<core::failure> refuse_length(std::size_t n, const std::string& pointer) {
  if (n >= 1 && n <= most_at_a_time) return std::nullopt;
  return core::failure{core::errc::invalid,
                       "1 to 1,000 at a time",
                       {{pointer, std::to_string(n), "1 to 1000", "too many or none"}},
                       {}};
}

}  // namespace belfry::actors
