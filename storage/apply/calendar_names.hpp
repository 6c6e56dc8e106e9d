// CALENDAR NAMES: which calendars the canonical text of a schedule names, whether or not there are such.
#pragma once

#include <string>
#include <vector>

namespace belfry::storage {

std::vector<std::string> calendars_named_in(const std::string& schedule);
bool names_calendar(const std::string& schedule, const std::string& calendar);

}  // namespace belfry::storage
