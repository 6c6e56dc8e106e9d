// CALENDAR MESSAGES: named calendars and maintenance windows.
#pragma once

#include <cstddef>
#include <string>

#include "core/calendar/calendar.hpp"
#include "core/window/window.hpp"

namespace belfry::messages {

struct put_calendar {
  core::named_calendar what;  // name, source, content
  std::string actor;
};
struct remove_calendar {
  std::string name;
  std::string actor;
};
struct calendar_stored {
  core::named_calendar calendar;  // without its content
  bool changed = false;           // it was not like that before
  std::size_t replanned = 0;      // jobs, in the commit of the change
  bool more = false;              // others follow
};
struct put_window {
  core::window what;
  std::string actor;
};
struct remove_window {
  std::string name;
  std::string actor;
};
struct window_stored {
  core::window window;
  bool changed = false;
};

}  // namespace belfry::messages
