// NEAREST: the known name that somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace belfry::api::json {

// Edits (insert, delete, replace, swap of neighbours) from one to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);
// The closest name, when it is close enough to be meant; else empty. ASCII case does not count.
std::string_view nearest(std::string_view given, std::span<const std::string_view> known);
// "a, b or c"
std::string one_of(std::span<const std::string_view> names);

}  // namespace belfry::api::json
