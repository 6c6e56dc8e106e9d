// PROGRAM: finds what argv[0] means for the child (its PATH, its directory) and explains why a start failed.
//
// Idea: on the way to a successful start nothing is checked, exec is the check. Only when posix_spawn says no
// (it cannot say whether chdir or exec refused) is the reason looked for, so the explanation costs nothing in
// the usual case.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/process/output_gate.hpp"

namespace belfry::platform {

struct launch_problem {
  int error = 0;     // errno; 0: no problem
  std::string text;  // names the field at fault
};

// `path` is a PATH value. With a slash in it, `name` is taken as it is (relative to `cwd`).
struct found_program {
  std::string path;
  launch_problem problem;
};
found_program find_program(std::string_view name, std::string_view path, const std::string& cwd);

/// Whether a child could enter `cwd`.
launch_problem check_folder(const std::string& cwd);

/// Why an existing, executable `program` may still not start with `error`: its interpreter, its format, its
/// arguments.
launch_problem explain_exec(const std::string& program, const std::string& cwd, int error);

// Remembers where programs were found. An entry is believed for a second, so a program installed earlier in
// PATH is noticed.
class program_cache {
 public:
  found_program find(std::string_view name, std::string_view path, const std::string& cwd, steady_time now);
  void clear() { known_.clear(); }

 private:
  struct entry {
    std::string path;
    steady_time until;
  };
  std::unordered_map<std::string, entry> known_;
};

}  // namespace belfry::platform
