// MACHINE: what an import needs to know of the machine that the file comes from.
#pragma once

#include <string>

#include "app/imports/timers.hpp"

namespace belfry::app {

struct machine_zone {
  std::string name = "UTC";
  std::string from;  // where it was found: "TZ", "/etc/localtime"
};
// The zone that cron and systemd go by here. UTC where the machine does not say.
machine_zone local_zone();

std::string own_account();                        // of this process
std::string home_of(const std::string& account);  // empty: there is no such account
bool is_root();

// What `crontab -l` prints, of `account` where it is not empty. Throws a refusal.
std::string own_crontab(const std::string& account);
// Timers, services and their drop-ins. Throws a refusal.
unit_files read_units(const std::string& folder);

}  // namespace belfry::app
