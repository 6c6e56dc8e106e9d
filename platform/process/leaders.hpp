// LEADERS: the pids of all children that this process waits for itself, over all instances. The orphan reaper
// leaves them alone: whoever takes the status of a child takes it from everybody.
#pragma once

#include <sys/types.h>

#include <shared_mutex>

namespace belfry::platform::leaders {

// Held while a child is born, so that nobody reaps it before it is known. Several can be born at a time.
class birth {
 public:
  birth();
  ~birth() = default;
  birth(const birth&) = delete;
  birth& operator=(const birth&) = delete;
  void known(pid_t pid) const;

 private:
  std::shared_lock<std::shared_mutex> hold_;
};

void forget(pid_t pid);
/// Reaps `pid` unless it is (becoming) known. True when it was taken.
bool reap_unknown(pid_t pid);
bool known(pid_t pid);

}  // namespace belfry::platform::leaders
