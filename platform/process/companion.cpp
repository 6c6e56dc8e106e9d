#include "platform/ports/companion.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "platform/descriptor.hpp"
#include "platform/errno_text.hpp"

namespace belfry::platform {
namespace {

constexpr int not_started = 127;

core::failure cannot(const std::string& what, int error) {
  return {error == ENOENT ? core::errc::not_found : core::errc::unavailable,
          what + ": " + errno_text(error),
          {},
          {}};
}

int status_of(int raw) { return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw); }

struct pipe_ends {
  descriptor read, write;
};
std::optional<pipe_ends> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return pipe_ends{descriptor(ends[0]), descriptor(ends[1])};
}

// In the child. `trouble` is closed by a successful exec; else it carries errno.
[[noreturn]] void become(const std::vector<std::string>& argv, int in, int out, int err, int trouble) {
  std::vector<char*> words;
  for (const auto& w : argv) words.push_back(const_cast<char*>(w.c_str()));
  words.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
    execvp(words.front(), words.data());
  const int error = errno;
  if (write(trouble, &error, sizeof error) < 0) _exit(not_started);
  _exit(not_started);
}

// What the child could not do; 0: it is the program now.
int trouble_of(descriptor& from) {
  int error = 0;
  ssize_t n = 0;
  while ((n = read(from.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  return n == static_cast<ssize_t>(sizeof error) ? error : 0;
}

int wait_for(int pid) {
  int raw = 0;
  while (waitpid(pid, &raw, 0) < 0)
    if (errno != EINTR) return not_started;
  return status_of(raw);
}

// Feeds and reads at the same time: neither side can block the other. False: it said too much.
bool talk(descriptor& in, const std::string& input, descriptor& out, descriptor& err, program_said& said,
          std::size_t most) {
  std::string_view left{input};
  fcntl(in.get(), F_SETFL, O_NONBLOCK);
  if (left.empty()) in.reset();
  std::array<char, 16 * 1024> part{};
  bool out_open = true, err_open = true;
  while (out_open || err_open) {
    std::array<pollfd, 3> all{{{out_open ? out.get() : -1, POLLIN, 0},
                               {err_open ? err.get() : -1, POLLIN, 0},
                               {in ? in.get() : -1, POLLOUT, 0}}};
    if (poll(all.data(), all.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return true;
    }
    const auto take = [&](const pollfd& p, int fd, std::string& into, bool& open) {
      if (p.revents == 0) return;
      const auto n = read(fd, part.data(), part.size());
      if (n > 0)
        into.append(part.data(), static_cast<std::size_t>(n));
      else if (n == 0 || errno != EINTR)
        open = false;
    };
    take(all[0], out.get(), said.out, out_open);
    take(all[1], err.get(), said.err, err_open);
    if (said.out.size() + said.err.size() > most) return false;
    if (all[2].revents != 0) {
      const auto n = write(in.get(), left.data(), left.size());
      if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
      if (left.empty() || (n < 0 && errno != EINTR && errno != EAGAIN)) in.reset();
    }
  }
  return true;
}

}  // namespace

core::result<program_said> run_program(const std::vector<std::string>& argv, const std::string& input,
                                       std::size_t most_output) {
  auto in = make_pipe(), out = make_pipe(), err = make_pipe(), trouble = make_pipe();
  if (!in || !out || !err || !trouble) return cannot("cannot start " + argv.front(), errno);
  const int pid = fork();
  if (pid < 0) return cannot("cannot start " + argv.front(), errno);
  if (pid == 0) become(argv, in->read.get(), out->write.get(), err->write.get(), trouble->write.get());
  for (auto* ours : {&in->read, &out->write, &err->write, &trouble->write}) ours->reset();
  if (const int error = trouble_of(trouble->read); error != 0) {
    wait_for(pid);
    return cannot("cannot start " + argv.front(), error);
  }
  program_said said;
  const bool whole = talk(in->write, input, out->read, err->read, said, most_output);
  if (!whole) kill(pid, SIGKILL);
  said.status = wait_for(pid);
  if (whole) return said;
  return core::failure{core::errc::too_large,
                       argv.front() + " says more than " + std::to_string(most_output) + " bytes",
                       {},
                       {}};
}

std::string own_program() {
  std::array<char, PATH_MAX> path{};
  const auto n = readlink("/proc/self/exe", path.data(), path.size());
  return n > 0 ? std::string(path.data(), static_cast<std::size_t>(n)) : std::string{};
}

core::result<std::unique_ptr<companion>> companion::start(const std::vector<std::string>& argv) {
  auto trouble = make_pipe();
  const descriptor nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!trouble || !nothing) return cannot("cannot start " + argv.front(), errno);
  const int parent = getpid();
  const int pid = fork();
  if (pid < 0) return cannot("cannot start " + argv.front(), errno);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(not_started);  // it died meanwhile
    become(argv, nothing.get(), STDERR_FILENO, STDERR_FILENO, trouble->write.get());
  }
  trouble->write.reset();
  if (const int error = trouble_of(trouble->read); error != 0) {
    wait_for(pid);
    return cannot("cannot start " + argv.front(), error);
  }
  return std::unique_ptr<companion>(new companion(pid));
}

std::optional<int> companion::ended() {
  int raw = 0;
  if (!status_ && waitpid(pid_, &raw, WNOHANG) == pid_) status_ = status_of(raw);
  return status_;
}

int companion::end() {
  if (!ended()) {
    kill(pid_, SIGTERM);
    status_ = wait_for(pid_);
  }
  return *status_;
}

companion::~companion() { end(); }

}  // namespace belfry::platform
