// CALENDARS and WINDOWS in JSON.
#pragma once

#include <string>
#include <string_view>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/calendar/calendar.hpp"
#include "core/window/window.hpp"
#include "messages/calendars.hpp"

namespace belfry::api::json {

// {"dates": …} or {"ics": …}: what it comes to, under that name. What cannot be read is told with its line.
core::result<core::named_calendar> read_calendar(std::string_view body, const std::string& name);
// With its next periods after `now` when it has its content.
void write_calendar(writer& w, const core::calendar_facts& f, core::instant now);
void write_calendar_stored(writer& w, const messages::calendar_stored& s, std::string_view result);

// {"schedule", "for", …}; any name of a calendar will do, the store knows better.
core::result<core::window> read_window(std::string_view body, const std::string& name, core::instant now);
// The members; `now` says whether it is open.
void write_window_members(writer& w, const core::window& one, core::instant now);

}  // namespace belfry::api::json
