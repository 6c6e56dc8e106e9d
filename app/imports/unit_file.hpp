// UNIT FILE: the files of systemd.syntax(7): sections of assignments, comments, lines that go on after a
// backslash; and the command lines of systemd.service(5) with their quoting, specifiers and variables.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::app {

struct unit_setting {
  std::string section, key, value;
};

// All assignments in order, those of drop-ins after those of the file.
class unit_file {
 public:
  // Lines that are none are told in `mistakes`.
  void add(std::string_view text, std::vector<std::string>& mistakes);
  const std::vector<unit_setting>& settings() const { return settings_; }
  // The last one; empty when it is not there or was reset.
  std::string one(std::string_view section, std::string_view key) const;
  // All since the last empty one.
  std::vector<std::string> all(std::string_view section, std::string_view key) const;

 private:
  std::vector<unit_setting> settings_;
};

// What specifiers and variables stand for.
struct unit_names {
  std::string unit;  // "backup@home.service"
  std::string user, home;
  std::vector<std::pair<std::string, std::string>> env;
};
std::string stem_of(std::string_view unit);      // "backup@home"
std::string prefix_of(std::string_view unit);    // "backup"
std::string instance_of(std::string_view unit);  // "home"; empty without @
// %n, %N, %p, %i, %I, %u, %h, %%; errc::invalid names another one.
core::result<std::string> resolved(std::string_view text, const unit_names& names);

struct unit_command {
  std::vector<std::string> argv;
  bool may_fail = false;           // -
  bool privileged = false;         // + ! !!
  std::vector<std::string> notes;  // prefixes that mean nothing here
};
// One line may have several commands, parted by a lone semicolon.
core::result<std::vector<unit_command>> read_exec(std::string_view line, const unit_names& names);
// Words with quotes resolved: of Environment=.
core::result<std::vector<std::string>> read_words(std::string_view line);

// As a shell reads it back.
std::string shell_word(std::string_view text);

}  // namespace belfry::app
