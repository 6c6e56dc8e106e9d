#include "platform/process/watchdog.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "platform/errno_text.hpp"
#include "platform/process/leaders.hpp"

namespace belfry::platform {
namespace {

core::failure no_watchdog(int error) {
  return {core::errc::internal, "the watchdog cannot be started: " + errno_text(error), {}, {}};
}

}  // namespace

core::result<watchdog> watchdog::start(const std::vector<std::string>& argv) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return no_watchdog(errno);
  const descriptor read_end(pipe[0]);
  descriptor write_end(pipe[1]);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::array<char*, 1> nothing{nullptr};

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, read_end.get(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const leaders::birth birth;
  const int error = ::posix_spawn(&pid, words.front(), &files, &how, words.data(), nothing.data());
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return no_watchdog(error);
  return watchdog{std::move(write_end)};
}

void wait_for_end_of_stdin() {
  std::array<char, 64> buffer{};
  for (;;) {
    const auto n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n == 0 || (n < 0 && errno != EINTR)) return;
  }
}

}  // namespace belfry::platform
