// KILL MARKED: ends what a killed node left behind.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "platform/ports/processes.hpp"
#include "platform/process/leaders.hpp"
#include "platform/process/proc_scan.hpp"

namespace belfry::platform {

std::size_t kill_marked(const std::string& mark, core::span patience) {
  using std::chrono::steady_clock;
  const auto give_up = steady_clock::now() + patience;
  const pid_t own_group = ::getpgrp();
  std::set<pid_t> found;
  std::chrono::milliseconds pause{1};
  for (;;) {
    std::set<pid_t> groups;
    std::size_t alive = 0;
    scan_processes([&](pid_t pid, std::string_view variables) {
      if (value_in(variables, "BELFRY_NODE") != mark) return;
      found.insert(pid);
      ++alive;
      const pid_t group = ::getpgid(pid);
      if (group > 1 && group != own_group) groups.insert(group);
      ::kill(pid, SIGKILL);
    });
    for (const pid_t group : groups) ::kill(-group, SIGKILL);
    if (alive == 0)
      alive = static_cast<std::size_t>(std::count_if(found.begin(), found.end(), still_running));
    // Where this process is their subreaper, they are its zombies now.
    for (const pid_t pid : found) leaders::reap_unknown(pid);
    if (alive == 0 || steady_clock::now() >= give_up) return found.size();
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds{20});
  }
}

}  // namespace belfry::platform
