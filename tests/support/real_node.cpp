#include "tests/support/real_node.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/secrets.hpp"

namespace belfry::test {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::string read_raw(const std::string& path) {
  std::string out;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  std::array<char, 65536> buffer{};
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return out;
}

// The fields of /proc/PID/stat behind the name, which may hold anything: [0] is the state, [19] the start
// time.
std::vector<std::string> stat_of(pid_t pid) {
  const auto text = read_raw("/proc/" + std::to_string(pid) + "/stat");
  const auto from = text.rfind(')');
  std::vector<std::string> fields;
  if (from == std::string::npos) return fields;
  std::istringstream in(text.substr(from + 1));
  for (std::string word; in >> word;) fields.push_back(word);
  return fields;
}

std::uint64_t start_ticks(const std::vector<std::string>& stat) {
  return stat.size() > 19 ? std::stoull(stat[19]) : 0;
}
bool living(const std::vector<std::string>& stat) {
  return stat.size() > 19 && stat[0] != "Z" && stat[0] != "X";
}

using variables = std::vector<std::pair<std::string, std::string>>;

// The strings must outlive the result.
std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (auto& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const variables& more) {
  std::vector<std::string> all;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string entry = *e;
    const auto name = entry.substr(0, entry.find('='));
    // What the one who runs the tests has set is not meant for the nodes of the tests.
    if (name.starts_with("BELFRY_") || name == "NOTIFY_SOCKET") continue;
    if (std::none_of(more.begin(), more.end(), [&](const auto& v) { return v.first == name; }))
      all.push_back(entry);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

// Between fork and exec only what is safe there. The child dies with the thread that started it.
pid_t spawn(std::vector<std::string> argv, const variables& more, int out, int err,
            const std::string& network = {}) {
  auto env = environment_with(more);
  const auto args = pointers(argv);
  const auto vars = pointers(env);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int space = network.empty() ? -1 : ::open(("/run/netns/" + network).c_str(), O_RDONLY | O_CLOEXEC);
  if (!network.empty() && space < 0) throw std::runtime_error("no network namespace " + network);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork: " + std::string{std::strerror(errno)});
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    if (space >= 0 && ::setns(space, CLONE_NEWNET) != 0) ::_exit(126);
    ::setpgid(0, 0);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execve(args[0], args.data(), vars.data());
    ::_exit(127);
  }
  ::close(nothing);
  if (space >= 0) ::close(space);
  return pid;
}

}  // namespace

bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds deadline) {
  const auto until = clock::now() + deadline;
  auto pause = 1ms;
  while (!holds()) {
    if (clock::now() >= until) return holds();
    short_pause(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds{20});
  }
  return true;
}

void short_pause(std::chrono::microseconds length) { std::this_thread::sleep_for(length); }

std::string belfry_binary() {
  if (const char* given = std::getenv("BELFRY_BINARY"); given != nullptr && *given != '\0') return given;
  return (fs::read_symlink("/proc/self/exe").parent_path() / "belfry").string();
}

std::string make_scratch_folder() {
  const char* base = std::getenv("TMPDIR");
  std::string path = std::string{base != nullptr && *base == '/' ? base : "/tmp"} + "/belfry-test-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    throw std::runtime_error("mkdtemp " + path + ": " + std::strerror(errno));
  return path;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string read_text(const std::string& path) { return read_raw(path); }

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

bool process_alive(pid_t pid) { return living(stat_of(pid)); }

bool still_there(const process_seen& p) {
  const auto stat = stat_of(p.pid);
  return living(stat) && start_ticks(stat) == p.started;
}

std::vector<process_seen> processes_with(const std::string& name, const std::string& value) {
  std::vector<process_seen> found;
  const std::string wanted = std::string(1, '\0') + name + "=" + value + '\0';
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto text = entry.path().filename().string();
    if (text.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto env = '\0' + read_raw("/proc/" + text + "/environ") + '\0';
    if (env.find(wanted) == std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::stol(text));
    const auto stat = stat_of(pid);
    if (living(stat)) found.push_back({pid, start_ticks(stat)});
  }
  return found;
}

program_end run_program(const std::vector<std::string>& argv, std::chrono::milliseconds deadline,
                        const variables& environment) {
  std::array<int, 2> out{}, err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("pipe2");
  const pid_t pid = spawn(argv, environment, out[1], err[1]);
  ::close(out[1]);
  ::close(err[1]);
  program_end end;
  const auto until = clock::now() + deadline;
  std::array<pollfd, 2> fds{pollfd{out[0], POLLIN, 0}, pollfd{err[0], POLLIN, 0}};
  std::array<std::string*, 2> texts{&end.out, &end.err};
  bool late = false;
  while ((fds[0].fd >= 0 || fds[1].fd >= 0) && !late) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
    late = left <= 0 || ::poll(fds.data(), fds.size(), static_cast<int>(left)) == 0;
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      std::array<char, 65536> buffer{};
      const auto n = ::read(fds[i].fd, buffer.data(), buffer.size());
      if (n > 0)
        texts[i]->append(buffer.data(), static_cast<std::size_t>(n));
      else if (n == 0 || errno != EINTR)
        fds[i].fd = -1;
    }
  }
  int status = 0;
  const bool over =
      !late &&
      eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; },
                 std::max(1ms, std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now())));
  if (over) {
    end.exit_code = exit_code_of(status);
  } else {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, &status, 0);
  }
  ::close(out[0]);
  ::close(err[0]);
  expect_no_token(end.err, "what " + argv[0] + " said on stderr");
  return end;
}

background::background(const std::vector<std::string>& argv, const variables& environment) {
  const int out = ::open((folder_ / "said").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) throw std::runtime_error("cannot open " + folder_.path() + "/said");
  pid_ = spawn(argv, environment, out, out);
  ::close(out);
}

background::~background() {
  if (!ended()) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  expect_no_token(said(), "what a program in the background said");
}

void background::signal(int number) const {
  if (!exit_code_) ::kill(pid_, number);
}

std::optional<int> background::ended() {
  if (exit_code_) return exit_code_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  exit_code_ = exit_code_of(status);
  return exit_code_;
}

int background::wait(std::chrono::milliseconds deadline) {
  return eventually([this] { return ended().has_value(); }, deadline) ? *exit_code_ : -1;
}

std::string background::said() const { return read_raw(folder_ / "said"); }

// ---- the node

real_node::real_node(node_setup setup, bool begin) : setup_(std::move(setup)), data_(setup_.data) {
  if (data_.empty()) {
    data_ = make_scratch_folder();
    own_data_ = true;
  }
  stderr_path_ = data_ + ".stderr";
  if (begin) start();
}

real_node::~real_node() {
  const std::string mark = mark_;
  kill9();
  expect_no_token(said(), "the log of a node");
  if (!mark.empty())
    for (const auto& p : processes_with("BELFRY_NODE", mark)) ::kill(p.pid, SIGKILL);
  std::error_code ignored;
  if (own_data_) fs::remove_all(data_, ignored);
  fs::remove(stderr_path_, ignored);
}

void real_node::launch() {
  if (pid_ > 0) throw std::runtime_error("the node runs already");
  exit_code_.reset();
  port_ = 0;
  http_.reset();
  stderr_from_ = read_raw(stderr_path_).size();
  std::vector<std::string> argv{belfry_binary(), "serve", "--data", data_, "--listen", setup_.listen};
  if (setup_.executors > 0) {
    argv.insert(argv.end(), {"--executors", std::to_string(setup_.executors)});
  } else {
    argv.insert(argv.end(), {"--set", "executor.none=true"});
  }
  argv.insert(argv.end(), setup_.flags.begin(), setup_.flags.end());
  auto environment = setup_.environment;
  environment.emplace_back("BELFRY_CONFIG", "/dev/null");  // not what the user of this machine has configured
  const int log = ::open(stderr_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) throw std::runtime_error("cannot open " + stderr_path_);
  pid_ = spawn(argv, environment, log, log, setup_.network);
  ::close(log);
}

std::optional<int> real_node::ended() {
  if (pid_ <= 0) return exit_code_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  exit_code_ = exit_code_of(status);
  return exit_code_;
}

void real_node::wait_address(clock::time_point until) {
  while (port_ == 0 && !ended() && clock::now() < until) {
    const auto text = read_raw(stderr_path_).substr(stderr_from_);
    const std::string sign = "http://127.0.0.1:";
    const auto line = text.find("node-listening");
    const auto at = line == std::string::npos ? line : text.find(sign, line);
    if (at != std::string::npos && text.find('\n', at) != std::string::npos)
      port_ = std::stoi(text.substr(at + sign.size()));
    else
      short_pause(2ms);
  }
}

bool real_node::wait_ready(std::chrono::milliseconds deadline) {
  const auto until = clock::now() + deadline;
  const bool has_address = setup_.listen != "none";
  if (has_address) wait_address(until);
  while ((port_ != 0 || !has_address) && !ended() && clock::now() < until) {
    try {
      if (http().get("/v1/ready").status == 200) return true;
    } catch (const no_answer&) {
      http_.reset();
    }
    short_pause(2ms);
  }
  return false;
}

void real_node::start(std::chrono::milliseconds deadline) {
  launch();
  if (wait_ready(deadline)) return;
  const auto code = ended();
  const std::string how = code ? "ended with " + std::to_string(*code) : "is not ready in time";
  kill9();
  throw std::runtime_error("the node " + how + "; it said:\n" + read_raw(stderr_path_).substr(stderr_from_));
}

void real_node::kill9() {
  http_.reset();
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  exit_code_ = exit_code_of(status);
}

int real_node::terminate(std::chrono::milliseconds deadline) {
  http_.reset();
  if (pid_ <= 0) return exit_code_.value_or(-1);
  ::kill(pid_, SIGTERM);
  if (eventually([&] { return ended().has_value(); }, deadline)) return *exit_code_;
  kill9();
  return -1;
}

http_client& real_node::http() {
  const bool reachable = setup_.network.empty() && setup_.listen != "none";
  if (!http_) http_.emplace(reachable ? tcp() : unix_socket());
  return *http_;
}

std::string real_node::said() const { return read_raw(stderr_path_); }

std::uint64_t real_node::resident_bytes() const {
  const auto text = read_raw("/proc/" + std::to_string(pid_) + "/statm");
  std::istringstream in(text);
  std::uint64_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t real_node::started_ticks() const { return start_ticks(stat_of(pid_)); }

std::string real_node::mark() {
  if (mark_.empty()) {
    const auto id = submit_shell("printf %s \"$BELFRY_NODE\"", {{"name", "mark"}, {"priority", "urgent"}});
    wait_for_state(id, "succeeded");
    mark_ = output(id);
    if (mark_.empty()) throw std::runtime_error("a run has no BELFRY_NODE");
  }
  return mark_;
}

// ---- shortcuts

bool is_terminal(const std::string& state) {
  static constexpr std::array<std::string_view, 6> all{"succeeded", "failed",    "timed_out",
                                                       "lost",      "cancelled", "skipped"};
  return std::find(all.begin(), all.end(), state) != all.end();
}

std::string real_node::submit(const json& run) {
  return http().post_json("/v1/runs", run).at("id").get<std::string>();
}

std::string real_node::submit_shell(const std::string& script, json more) {
  json handler = {{"kind", "process"}, {"shell", script}};
  if (more.contains("handler")) handler.update(more["handler"]);
  more["handler"] = handler;
  if (!more.contains("name")) more["name"] = "shell";
  return submit(more);
}

json real_node::run(const std::string& id) { return http().get_json("/v1/runs/" + id); }

json real_node::wait_for_state(const std::string& id, const std::string& state,
                               std::chrono::milliseconds deadline) {
  json last;
  const bool there = eventually(
      [&] {
        last = run(id);
        return last.at("state") == state || is_terminal(last.at("state").get<std::string>());
      },
      deadline);
  if (!there || last.at("state") != state)
    throw std::runtime_error("waited for " + id + " to be " + state + "; it is " + last.dump(2));
  return last;
}

json real_node::wait_finished(const std::string& id, std::chrono::milliseconds deadline) {
  json last;
  const bool there = eventually(
      [&] {
        last = run(id);
        return is_terminal(last.at("state").get<std::string>());
      },
      deadline);
  if (!there) throw std::runtime_error("waited for the end of " + id + "; it is " + last.dump(2));
  return last;
}

std::vector<json> real_node::log_lines(const std::string& id) {
  const auto page = http().get_json("/v1/runs/" + id + "/logs?limit=1000");
  std::vector<json> lines;
  for (const auto& line : page.at("lines")) lines.push_back(line);
  return lines;
}

std::string real_node::output(const std::string& id, const std::string& stream) {
  std::string text;
  bool first = true;
  for (const auto& line : log_lines(id)) {
    if (line.at("stream") != stream) continue;
    if (!std::exchange(first, false)) text += '\n';
    text += line.at("text").get<std::string>();
  }
  return text;
}

std::vector<json> real_node::events(std::int64_t after) {
  std::vector<json> all;
  for (;;) {
    const auto page = http().get_json("/v1/events?limit=500&after=" + std::to_string(after));
    const auto& got = page.at("events");
    if (got.empty()) return all;
    for (const auto& e : got) all.push_back(e);
    after = all.back().at("seq").get<std::int64_t>();
  }
}

}  // namespace belfry::test
