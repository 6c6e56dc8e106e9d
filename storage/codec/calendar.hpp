// CALENDAR bytes: the periods of a calendar, each as its distance from the one before and its length.
#pragma once

#include <string>
#include <string_view>

#include "core/schedule/exclusion.hpp"

namespace belfry::storage::codec {

std::string encode_calendar(const core::calendar& c);
core::calendar decode_calendar(std::string_view bytes);  // throws `damaged`

}  // namespace belfry::storage::codec
