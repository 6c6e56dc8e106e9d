// CRONTAB TEXT: what a crontab says of timing groups, and how it has to change. Pure.
//
//   # belfry store=MARK begin …
//   # tim_… label: schedule
//   */5 * * * * '/usr/bin/belfry' … --due tim_… > /dev/null
//   # belfry store=MARK end
#pragma once

#include "app/os/entry.hpp"

namespace belfry::app::os {

std::vector<found_entry> entries_in_crontab(const std::string& text);

struct crontab_change {
  std::string text;
  os_plan plan;
};
// Codes: conflict: a block of this store begins and does not end, or there are two.
core::result<crontab_change> crontab_with(const std::string& before, const store_identity& mine,
                                          const std::vector<wanted_entry>& wanted);

// A word for the shell in a line of a crontab: in quotes, and % kept from cron. Nothing when it cannot be
// said there: line breaks and backslashes.
std::optional<std::string> crontab_word(const std::string& word);

}  // namespace belfry::app::os
