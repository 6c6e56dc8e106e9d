#include "platform/ports/signals.hpp"

#include <pthread.h>
#include <unistd.h>
#include <csignal>

namespace belfry::platform {

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGTERM, SIGINT}) sigaddset(&set, s);
  // A blocked signal comes through sigwait even when it is ignored, but `nohup` means it.
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

int wait_for_signal() {
  const sigset_t set = stop_signals();
  int number = 0;
  while (sigwait(&set, &number) != 0) {  // EINTR: a debugger or SIGCONT
  }
  return number;
}

void interrupt_wait() { kill(getpid(), SIGTERM); }

}  // namespace belfry::platform
