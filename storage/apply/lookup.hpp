// LOOKUP: what a person may type for a run or a job: an id, the beginning of one, or a name. The same for
// every store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::storage {

inline constexpr std::size_t least_digits = 6;
inline constexpr std::size_t candidates_shown = 5;

// Ids from `first` to `last` that begin with the text; one id when it is complete.
struct id_span {
  std::int64_t first = 0, last = 0;
};
// Text with the prefix ("run_01HZX3…"): the ids meant by it. Codes: invalid (too short, not an id).
core::result<id_span> ids_meant(std::string_view prefix, std::string_view text);
bool looks_like_id(std::string_view prefix, std::string_view text);  // begins with the prefix, in either case

// Exactly one of `found` (ids, at most candidates_shown + 1), or not_found, or ambiguous with the candidates.
core::result<std::int64_t> the_one(std::string_view noun, std::string_view prefix, std::string_view text,
                                   const std::vector<std::int64_t>& found);
core::failure nothing_named(std::string_view noun, std::string_view text);

// Whether the name contains the piece; upper and lower case are the same for ASCII letters.
bool name_contains(std::string_view name, std::string_view piece);
std::string lower_case(std::string_view text);  // ASCII

}  // namespace belfry::storage
