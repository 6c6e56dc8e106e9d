#include "platform/process/group.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "platform/process/leaders.hpp"
#include "platform/process/memory.hpp"

namespace belfry::platform {

namespace {
core::span as_span(const timeval& t) { return std::chrono::seconds{t.tv_sec} + core::span{t.tv_usec}; }
}  // namespace

process_group::process_group(pid_t leader) : leader_(leader), inherited_memory_(inherited_peak_memory()) {}

process_group::~process_group() {
  if (!reaped_) leaders::forget(leader_);  // given up: the orphan reaper may have it
}

bool process_group::leader_ended() const {
  if (reaped_) return true;
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid == leader_;
}

void process_group::signal(int number) const { ::kill(-leader_, number); }

bool process_group::reap() {
  int status = 0;
  ::rusage r{};
  if (!reaped_) {
    const pid_t got = ::wait4(leader_, &status, WNOHANG, &r);
    if (got == 0 || (got < 0 && errno != ECHILD)) return false;
    reaped_ = true;
    leaders::forget(leader_);
    if (got == leader_) {
      count(r);
      if (WIFEXITED(status)) end_.exit_code = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
    }
  }
  if (::kill(-leader_, 0) != 0 && errno == ESRCH) return true;
  bool took = false;
  while (::wait4(-leader_, &status, WNOHANG, &r) > 0) {
    count(r);
    took = true;
  }
  return took && ::kill(-leader_, 0) != 0 && errno == ESRCH;
}

void process_group::sample_memory() {
  if (!reaped_) used_.peak_memory = std::max(used_.peak_memory, sample_peak_memory(leader_));
}

void process_group::count(const ::rusage& r) {
  used_.user_cpu += as_span(r.ru_utime);
  used_.system_cpu += as_span(r.ru_stime);
  const std::uint64_t peak = static_cast<std::uint64_t>(r.ru_maxrss) * 1024;
  if (peak > inherited_memory_) used_.peak_memory = std::max(used_.peak_memory, peak);
}

}  // namespace belfry::platform
