// PLANS in export files: calendars, which jobs and windows name, and maintenance windows, as lines of their
// own beside the jobs.
#pragma once

#include <string>
#include <vector>

#include "app/cli/context.hpp"

namespace belfry::app {

// Of a file: calendars go to the node before the jobs that name them, windows after them.
struct split_file {
  std::vector<std::string> calendars, windows;
  std::string jobs;  // all other lines; those that were taken out are empty, so that numbers stay
};
split_file split_by_kind(const std::string& text);

// The lines of the node's calendars, each with its end.
std::string calendar_lines(context& ctx);
std::string window_lines(context& ctx);

struct transfer_rules {
  bool dry_run = false, replace = false;
};
// What became of each, a line each. What the node refuses ends it, with the name.
std::string import_calendars(const std::vector<std::string>& lines, const transfer_rules& rules,
                             context& ctx);
std::string import_windows(const std::vector<std::string>& lines, const transfer_rules& rules, context& ctx);

}  // namespace belfry::app
