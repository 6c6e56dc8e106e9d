#include "platform/process/launch.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "platform/errno_text.hpp"
#include "platform/file_limit.hpp"
#include "platform/process/leaders.hpp"

namespace belfry::platform {

namespace {

constexpr const char* prlimit_program = "/usr/bin/prlimit";

bool limited(const core::process_spec& s) {
  return s.cpu_limit.count() > 0 || s.memory_limit > 0 || s.file_limit > 0;
}

std::string at_most_hard(int which, std::uint64_t wanted) {
  rlimit own{};
  if (::getrlimit(static_cast<__rlimit_resource>(which), &own) != 0) return std::to_string(wanted);
  return std::to_string(std::min<std::uint64_t>(wanted, own.rlim_max));
}

std::vector<std::string> limit_options(const core::process_spec& s) {
  std::vector<std::string> options;
  if (s.cpu_limit.count() > 0) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(s.cpu_limit).count();
    const auto seconds = static_cast<std::uint64_t>(whole);
    options.push_back("--cpu=" + at_most_hard(RLIMIT_CPU, seconds) + ":" +
                      at_most_hard(RLIMIT_CPU, seconds + 5));
  }
  if (s.memory_limit > 0) options.push_back("--as=" + at_most_hard(RLIMIT_AS, s.memory_limit));
  if (s.file_limit > 0) options.push_back("--nofile=" + at_most_hard(RLIMIT_NOFILE, s.file_limit));
  return options;
}

}  // namespace

struct launcher::command {
  command(const environment& base, const process_order& order) : env(base, order) {}
  environment_block env;
  std::vector<std::string> argv;  // what exec gets, prlimit included
  std::string program;            // what is exec'ed
  std::string name;               // argv[0] of the order
  std::string cwd;
  bool with_limits = false;
};

struct launcher::pipes {
  descriptor in_child, in_ours, out_child, out_ours, err_child, err_ours;

  static int open(descriptor& reading, descriptor& writing, descriptor pipes::*ours, pipes& p) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
    reading.reset(ends[0]);
    writing.reset(ends[1]);
    return ::fcntl((p.*ours).get(), F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;  // the child's end stays blocking
  }
  int open_all(bool with_input) {
    if (const int e = open(out_ours, out_child, &pipes::out_ours, *this)) return e;
    if (const int e = open(err_ours, err_child, &pipes::err_ours, *this)) return e;
    return with_input ? open(in_child, in_ours, &pipes::in_ours, *this) : 0;
  }
};

launcher::launcher(const process_options& options, process_probe probe)
    : options_(options),
      base_(base_environment([](const char* name) -> const char* { return std::getenv(name); })),
      headroom_(options, std::move(probe)) {
  // A node started with closed standard descriptors must not see its pipes there.
  for (int fd = 0; fd < 3;)
    if (::fcntl(fd, F_GETFD) >= 0 || ::open("/dev/null", O_RDWR) < 0) ++fd;
  null_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::posix_spawnattr_init(&attributes_);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  ::posix_spawnattr_setsigmask(&attributes_, &none);
  ::posix_spawnattr_setsigdefault(&attributes_, &all);
  ::posix_spawnattr_setpgroup(&attributes_, 0);
  ::posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

launcher::~launcher() { ::posix_spawnattr_destroy(&attributes_); }

launch_problem launcher::prepare(command& c, const process_order& order, steady_time now) {
  const core::process_spec& s = order.what;
  if (!c.env.complaint().empty()) return {EINVAL, c.env.complaint()};
  if (s.argv.empty() && s.shell.empty()) return {EINVAL, "argv: neither argv nor shell says what to run"};
  c.argv = s.argv.empty() ? std::vector<std::string>{"/bin/sh", "-c", s.shell} : s.argv;
  for (std::size_t i = 0; i < c.argv.size(); ++i)
    if (c.argv[i].find('\0') != std::string::npos)
      return {EINVAL, "argv[" + std::to_string(i) + "]: contains a NUL byte"};
  c.cwd = s.cwd.empty() ? options_.default_cwd : s.cwd;
  if (c.cwd.find('\0') != std::string::npos) return {EINVAL, "cwd: contains a NUL byte"};
  if (c.cwd.empty() || c.cwd.front() != '/') return check_folder(c.cwd);
  c.name = c.argv.front();
  c.with_limits = limited(s);
  if (!c.with_limits) {
    found_program found = programs_.find(c.name, c.env.path(), c.cwd, now);
    c.program = std::move(found.path);
    // A missing directory explains a missing program, not the other way round.
    if (found.problem.error != 0)
      if (const auto folder = check_folder(c.cwd); folder.error != 0) return folder;
    return found.problem;
  }
  // prlimit would report these as exit codes of its own.
  if (auto folder = check_folder(c.cwd); folder.error != 0) return folder;
  found_program found = find_program(c.name, c.env.path(), c.cwd);
  if (found.problem.error != 0) return found.problem;
  std::vector<std::string> argv{prlimit_program};
  for (std::string& option : limit_options(s)) argv.push_back(std::move(option));
  argv.emplace_back("--");
  argv.push_back(std::move(found.path));
  argv.insert(argv.end(), c.argv.begin() + 1, c.argv.end());
  c.argv = std::move(argv);
  c.program = prlimit_program;
  return {};
}

int launcher::spawn(const command& c, const pipes& p, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  if (const int error = ::posix_spawn_file_actions_init(&actions)) return error;
  int error = ::posix_spawn_file_actions_addchdir_np(&actions, c.cwd.c_str());
  const int in = p.in_child ? p.in_child.get() : null_.get();
  if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions, in, 0);
  if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions, p.out_child.get(), 1);
  if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions, p.err_child.get(), 2);
  // Not every descriptor of the node is close-on-exec: asio's sockets are not.
  if (error == 0) error = ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  std::vector<char*> argv;
  argv.reserve(c.argv.size() + 1);
  for (const std::string& a : c.argv) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  if (error == 0) {
    const leaders::birth birth;  // the orphan reaper of another instance waits until the pid is known
    error = ::posix_spawn(&pid, c.program.c_str(), &actions, &attributes_, argv.data(), c.env.pointers());
    if (error == 0) birth.known(pid);
  }
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

launch_problem launcher::explain(const command& c, int error) {
  const auto is_resource = [](int e) { return e == EAGAIN || e == ENOMEM || e == EMFILE || e == ENFILE; };
  if (is_resource(error)) return {error, "no new process: " + errno_text(error)};
  if (auto folder = check_folder(c.cwd); folder.error != 0) return folder;
  if (c.with_limits) {
    auto found = find_program(prlimit_program, {}, c.cwd);
    if (found.problem.error != 0)
      return {error, "cpu_limit, memory_limit and file_limit need /usr/bin/prlimit (util-linux)"};
    return explain_exec(prlimit_program, c.cwd, error);
  }
  const found_program found = find_program(c.name, c.env.path(), c.cwd);
  if (found.problem.error != 0) return found.problem;
  return explain_exec(found.path, c.cwd, error);
}

std::variant<launched, launch_problem> launcher::launch(const process_order& order, std::uint64_t running,
                                                        steady_time now) {
  if (auto crowded = headroom_.refuses(running, now)) return launch_problem{EAGAIN, std::move(*crowded)};
  command c(base_, order);
  if (auto problem = prepare(c, order, now); problem.error != 0) return problem;
  const std::string& input = order.input;
  pipes p;
  if (const int error = p.open_all(!input.empty()))
    return launch_problem{error, "no pipe: " + errno_text(error)};
  launched child;
  if (p.in_ours) {  // what fits the pipe is written before there is a child; usually that is everything
    const ssize_t n = ::write(p.in_ours.get(), input.data(), input.size());
    child.written = n > 0 ? static_cast<std::size_t>(n) : 0;
    if (child.written == input.size()) p.in_ours.reset();
  }
  int error = spawn(c, p, child.pid);
  if (error == ENOENT || error == EACCES) {
    programs_.clear();  // a remembered program may have moved
    const std::string before = c.program;
    if (!c.with_limits) c.program = find_program(c.name, c.env.path(), c.cwd).path;
    if (!c.program.empty() && c.program != before) error = spawn(c, p, child.pid);
  }
  if (error != 0) return explain(c, error);
  if (order.what.file_limit == 0)
    if (const auto limit = file_limit_of_children()) ::prlimit(child.pid, RLIMIT_NOFILE, &*limit, nullptr);
  child.pidfd.reset(
      static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));  // close-on-exec by definition
  if (!child.pidfd) {
    error = errno;
    ::kill(-child.pid, SIGKILL);
    leaders::forget(child.pid);  // the orphan reaper takes it
    return launch_problem{error, "no descriptor to watch the process: " + errno_text(error)};
  }
  child.out = std::move(p.out_ours);
  child.err = std::move(p.err_ours);
  child.in = std::move(p.in_ours);
  return child;
}

}  // namespace belfry::platform
