// OS TIMES: a schedule as the scheduler of an operating system can be told it.
//
// What such an entry starts is a tick that plans by the jobs' own cursors (docs/decisions/0054), so an entry
// may say more times than the schedule has, and never fewer: every time of the schedule is a time of the
// entry, or lies less than a minute before one. Where the entry says exactly the schedule's times, `exact` is
// set; else `why` says in words what the tick judges. What cannot be told at all is refused.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/errors/result.hpp"
#include "core/schedule/cron.hpp"
#include "core/schedule/schedule.hpp"

namespace belfry::core {

struct os_abilities {
  bool zones = false;           // an entry names its zone; else it goes by the clock of the machine
  std::optional<zone> machine;  // that clock; nothing: not known
  bool seconds = false;
  bool rare_days = false;  // the last day, the second Monday
  bool both_days = false;  // Friday the 13th
};
os_abilities crontab_abilities(std::optional<zone> machine);
os_abilities systemd_abilities();
os_abilities launchd_abilities(std::optional<zone> machine);

struct os_times {
  std::vector<cron_expression> any_of;  // without what is not among the abilities
  zone in;                              // where entries name zones
  bool exact = true;
  std::string why;
};
// Codes: invalid, with the reason.
result<os_times> os_times_of(const schedule& s, const os_abilities& can);

// "*/5 * * * *".
std::string crontab_fields(const cron_expression& cron);
// Values of OnCalendar=; "Mon..Fri" is written out.
std::vector<std::string> on_calendar(const cron_expression& cron, const zone& in);
// Keys of StartCalendarInterval with their values; what is left out stands for any. At most 500, else
// nothing.
using launchd_interval = std::vector<std::pair<std::string, unsigned>>;
std::optional<std::vector<launchd_interval>> launchd_intervals(const os_times& times);

}  // namespace belfry::core
