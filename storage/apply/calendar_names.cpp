#include "storage/apply/calendar_names.hpp"

#include <algorithm>

#include "core/schedule/canonical.hpp"

namespace belfry::storage {

std::vector<std::string> calendars_named_in(const std::string& schedule) {
  if (schedule.find("calendar ") == std::string::npos) return {};
  core::schedule_context context;
  context.calendars = core::any_calendar;
  const auto read = core::parse_canonical(schedule, context);
  return read ? core::calendars_of(*read) : std::vector<std::string>{};
}

bool names_calendar(const std::string& schedule, const std::string& calendar) {
  const auto all = calendars_named_in(schedule);
  return std::find(all.begin(), all.end(), calendar) != all.end();
}

}  // namespace belfry::storage
