// CRONTAB: a crontab, as the crons of Unix systems read it, as jobs.
//
// An entry means here what it means there: it starts whatever else runs, is never tried again, has no time
// limit and makes up for nothing that was missed. Rules of reading: crontab(5). Lines that say nothing of a
// job (variables that cron itself obeys, disabled entries) are told as notes.
#pragma once

#include <string>
#include <string_view>

#include "app/imports/source.hpp"

namespace belfry::app {

struct crontab_options {
  std::string origin = "crontab";
  std::string zone = "UTC";       // where no CRON_TZ says another
  std::string shell = "/bin/sh";  // where no SHELL says another
  std::string account;            // whom the node runs as
  std::string home;               // of that user: where commands run, where no HOME says another
  std::string owner;              // whose crontab it is, in the user format; empty: that user's
  bool system = false;            // with a column of users
  std::string only;               // system format: the entries of this user, the others are refused
  bool may_switch = false;        // the node can run commands as another user, through runuser
  std::string prefix;             // of the names of jobs
};

import_source read_crontab(std::string_view text, const crontab_options& options);

// A command line of a crontab up to its first %, and what it gets on stdin.
struct cron_command {
  std::string command;
  std::string input;
};
cron_command split_percent(std::string_view text);

// A line NAME = VALUE, with the quoting of crontab(5).
struct cron_variable {
  std::string name, value;
};
enum class cron_line : std::uint8_t { entry, variable, broken };
cron_line read_variable(std::string_view line, cron_variable& out);

}  // namespace belfry::app
