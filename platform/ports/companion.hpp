// COMPANION: programs that a command of belfry starts for itself: one that is asked a question and ends
// (`crontab -l`), and one that stays for a while (a node for one tick). Nothing of runs: those are the work
// of platform/ports/processes.hpp. For programs without threads of their own, such as the command line.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::platform {

struct program_said {
  int status = 0;  // exit code; 128 + signal
  std::string out, err;
};
// Looked for in PATH. Its output is kept up to a bound; what is said beyond it is a failure (too_large).
// Codes: not_found (there is no such program), unavailable.
core::result<program_said> run_program(const std::vector<std::string>& argv, const std::string& input = {},
                                       std::size_t most_output = std::size_t{16} << 20U);

// The absolute path of the program that is running.
std::string own_program();

// A child that is asked to end (TERM) when this object goes or its parent dies, and waited for.
class companion {
 public:
  // stdin is empty; stdout goes to stderr, so that answers on stdout stay clean.
  static core::result<std::unique_ptr<companion>> start(const std::vector<std::string>& argv);
  ~companion();
  companion(const companion&) = delete;
  companion& operator=(const companion&) = delete;

  std::optional<int> ended();  // its exit code (128 + signal), if it has ended
  int end();                   // TERM, then waits; its exit code

 private:
  explicit companion(int pid) : pid_(pid) {}
  int pid_;
  std::optional<int> status_;
};

}  // namespace belfry::platform
