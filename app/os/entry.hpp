// ENTRY: what the scheduler of the operating system is told of one timing group, and what is found there.
//
// An entry carries the identity of its store and the id of its group; whatever lacks them is somebody else's
// and is never touched. Three targets, one interface: what is there, and how to get from there to what is
// wanted.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/schedule/os_times.hpp"

namespace belfry::app::os {

struct store_identity {
  std::string mark;     // of the data folder: tells stores apart
  std::string folder;   // absolute
  std::string program;  // absolute path of belfry
};

struct wanted_entry {
  std::string id;        // of the group
  std::string label;     // for people
  std::string schedule;  // its key
  core::os_times times;
};

struct found_entry {
  std::string store;  // whose it is
  std::string id;
  std::string when;   // as it stands there
  std::string where;  // a file; empty: the crontab
};

enum class change_kind : std::uint8_t { unchanged, added, changed, removed };
std::string_view to_text(change_kind c);
struct entry_change {
  change_kind what = change_kind::unchanged;
  std::string id;
  std::string when;
  std::string where;
};
struct os_plan {
  std::vector<entry_change> changes;                         // by id
  std::vector<std::pair<std::string, std::string>> refused;  // id, why
  std::string preview;                                       // what would be written
  std::string next;                                          // what the user has to do; empty: nothing
};

class target {
 public:
  virtual ~target() = default;
  virtual core::os_abilities abilities() const = 0;
  virtual std::string where() const = 0;
  // Entries of all stores.
  virtual core::result<std::vector<found_entry>> list() = 0;
  // Makes what is there of this store what is wanted; nothing wanted removes all of it. `dry_run`: only says
  // so.
  virtual core::result<os_plan> become(const store_identity& mine, const std::vector<wanted_entry>& wanted,
                                       bool dry_run) = 0;
};

std::unique_ptr<target> crontab_target(std::optional<core::zone> machine);
// `folder` empty: the one of the user.
core::result<std::unique_ptr<target>> systemd_target(std::string folder);
core::result<std::unique_ptr<target>> launchd_target(std::string folder, std::optional<core::zone> machine);

// "belfry -o name timing run --data DIR --due GROUP" as words.
std::vector<std::string> tick_command(const store_identity& mine, const std::string& group);

// Machines call UTC by many names; jobs go by one, so that they share a timing group.
std::string usual_zone_name(std::string name);
// The zone of the clock that cron goes by, from /etc/localtime; nothing when that cannot be told.
std::optional<core::zone> machine_zone();

// ---- files that are entries, for the targets that have folders

struct entry_file {
  std::string name;  // in the folder
  std::string text;
};
// The mark in a text: "store=… group=…"; nothing when there is none.
struct entry_mark {
  std::string store, group;
};
std::optional<entry_mark> mark_in(const std::string& text);
std::string mark_line(const store_identity& mine, const std::string& group);

}  // namespace belfry::app::os
