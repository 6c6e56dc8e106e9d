#include "platform/process/leaders.hpp"

#include <sys/wait.h>

#include <unordered_set>

namespace belfry::platform::leaders {

namespace {

struct table {
  std::mutex mutex;
  std::unordered_set<pid_t> pids;
};

table& all() {
  static table* const t = new table;  // never destroyed: other statics may still have children
  return *t;
}

}  // namespace

birth::birth() : hold_(all().mutex) {}
void birth::known(pid_t pid) const { all().pids.insert(pid); }

void forget(pid_t pid) {
  const std::lock_guard hold(all().mutex);
  all().pids.erase(pid);
}

bool known(pid_t pid) {
  const std::lock_guard hold(all().mutex);
  return all().pids.count(pid) != 0;
}

bool reap_unknown(pid_t pid) {
  const std::lock_guard hold(all().mutex);
  return all().pids.count(pid) == 0 && ::waitpid(pid, nullptr, WNOHANG) == pid;
}

}  // namespace belfry::platform::leaders
