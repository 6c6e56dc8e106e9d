#include "platform/process/watchdog.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "platform/errno_text.hpp"
#include "platform/process/leaders.hpp"

namespace belfry::platform {
namespace {

core::failure no_watchdog(int error) {
  return {core::errc::internal, "the watchdog cannot be started: " + errno_text(error), {}, {}};
}

constexpr std::size_t longest_line = 20;  // an instant in microseconds, and to spare

// Rings at that instant of CLOCK_BOOTTIME, at once where it has passed; never: not at all.
void set_timer(int timer, core::instant at) {
  itimerspec when{};
  if (at != core::never) {
    const auto us = core::micros(at);
    when.it_value.tv_sec = us / 1'000'000;
    when.it_value.tv_nsec = us % 1'000'000 * 1'000;
  }
  ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, nullptr);
}

bool readable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

core::instant boot_time() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return core::from_micros(static_cast<std::int64_t>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1'000);
}

// Everything that has been said, within reason: what comes last counts. False: nobody will say anything any
// more.
bool listen(doom_lines& heard) {
  constexpr int at_most = 10'000;
  std::array<char, 4096> buffer{};
  for (int i = 0; i < at_most && readable(STDIN_FILENO); ++i) {
    const auto n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n > 0) heard.take({buffer.data(), static_cast<std::size_t>(n)});
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return false;
  }
  return true;
}

}  // namespace

core::result<watchdog> watchdog::start(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return no_watchdog(errno);
  const descriptor read_end(ends[0]);
  descriptor write_end(ends[1]);
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

core::result<void> watchdog::doom(core::instant at) {
  const auto line = std::to_string(core::micros(at)) + "\n";
  ssize_t n = 0;
  while ((n = ::send(leash_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 &&
         errno == EINTR) {
  }
  if (n == static_cast<ssize_t>(line.size())) return core::result<void>{};
  return core::failure{
      core::errc::unavailable, "the watchdog does not listen: " + errno_text(n < 0 ? errno : EAGAIN), {}, {}};
}

void doom_lines::take(std::string_view piece) {
  for (const char c : piece) {
    if (c != '\n') {
      if (line_.size() == longest_line)
        too_long_ = true;
      else
        line_ += c;
      continue;
    }
    std::int64_t us = 0;
    const auto* end = line_.data() + line_.size();
    const auto [stopped, bad] = std::from_chars(line_.data(), end, us);
    if (!too_long_ && !line_.empty() && stopped == end && bad == std::errc{} && us >= 0)
      at_ = core::from_micros(us);
    line_.clear();
    too_long_ = false;
  }
}

void guard(const std::function<void()>& kill) {
  const descriptor timer(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  doom_lines heard;
  for (;;) {
    std::array<pollfd, 2> all{{{STDIN_FILENO, POLLIN, 0}, {timer.get(), POLLIN, 0}}};
    if (::poll(all.data(), all.size(), -1) < 0 && errno != EINTR) break;
    if (!listen(heard)) break;
    if (heard.at() != core::never && heard.at() <= boot_time()) {
      heard.passed();
      kill();
    }
    set_timer(timer.get(), heard.at());
  }
  kill();
}

}  // namespace belfry::platform
