#include "platform/process/leaders.hpp"

#include <sys/wait.h>

#include <mutex>
#include <unordered_set>

namespace belfry::platform::leaders {

namespace {

struct table {
  std::shared_mutex births;  // taken before `mutex`
  std::mutex mutex;
  std::unordered_set<pid_t> pids;  // guarded by `mutex`
};

table& all() {
  static table* const t = new table;  // never destroyed: other statics may still have children
  return *t;
}

}  // namespace

birth::birth() : hold_(all().births) {}

void birth::known(pid_t pid) const {
  const std::lock_guard hold(all().mutex);
  all().pids.insert(pid);
}

void forget(pid_t pid) {
  const std::lock_guard hold(all().mutex);
  all().pids.erase(pid);
}

bool known(pid_t pid) {
  const std::lock_guard hold(all().mutex);
  return all().pids.count(pid) != 0;
}

bool reap_unknown(pid_t pid) {
  const std::unique_lock nobody_is_born(all().births);
  return !known(pid) && ::waitpid(pid, nullptr, WNOHANG) == pid;
}

}  // namespace belfry::platform::leaders
