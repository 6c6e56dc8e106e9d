#include "platform/process/orphans.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "platform/process/leaders.hpp"

namespace belfry::platform {

void become_subreaper() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
  // Whoever started the node may have it ignore SIGCHLD; then the kernel throws every exit status away.
  struct sigaction now {};
  if (::sigaction(SIGCHLD, nullptr, &now) != 0 || now.sa_handler != SIG_IGN) return;
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &usual, nullptr);
}

void orphan_reaper::scan(steady_time now) {
  for (int most = 256; most > 0; --most) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    const pid_t pid = info.si_pid;
    if (leaders::known(pid)) return;  // its own watcher takes it within moments; the next scan sees further
    if (::getpgid(pid) == ::getpgrp()) {
      if (seen_ != pid) {
        seen_ = pid;
        seen_at_ = now;
        return;
      }
      if (now < seen_at_ + std::chrono::seconds{1}) return;
    }
    if (!leaders::reap_unknown(pid)) return;
  }
}

}  // namespace belfry::platform
