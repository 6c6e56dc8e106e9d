#include "app/work/notes.hpp"

#include <cstdio>

namespace belfry::app {

// One write per line: the threads of a worker, and several workers in one terminal, do not mix theirs.
void work_notes::warn(const std::string& line) const {
  const std::string whole = line + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void work_notes::say(const std::string& line) const {
  if (!quiet_) warn(line);
}

void work_notes::away(const std::string& why) {
  if (!away_.exchange(true)) warn("node-away " + why + "; trying again");
}

void work_notes::back() {
  if (away_.exchange(false)) warn("node-back");
}

}  // namespace belfry::app
