// The watchdog with real processes: a parent that is stopped, one that lives, one that talks nonsense.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "platform/ports/companion.hpp"
#include "platform/ports/processes.hpp"
#include "platform/process/watchdog.hpp"
#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;

namespace {

std::string watched_mark() {
  static int count = 0;
  return "watched-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

core::instant in_a_while(core::span s) { return core::later(platform::system_clock()->through_sleep(), s); }

// A process of that mark in a group of its own, as all children of executors are; it writes its number to a
// file.
void begin_marked(const std::string& mark, const std::string& file) {
  if (::fork() != 0) return;
  ::setpgid(0, 0);
  ::setenv("BELFRY_NODE", mark.c_str(), 1);
  const auto script = "echo $$ > " + file + "; exec sleep 60";
  ::execl("/bin/sh", "sh", "-c", script.c_str(), static_cast<char*>(nullptr));
  ::_exit(127);
}

// Does what it is told in a process of its own, and is killed and waited for at the end.
class other_process {
 public:
  explicit other_process(const std::function<void()>& does) : pid_{::fork()} {
    if (pid_ != 0) return;
    does();
    ::_exit(0);
  }
  ~other_process() { kill(); }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  void signal(int number) const { ::kill(pid_, number); }
  void kill() {
    if (pid_ <= 0) return;
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_;
};

std::vector<std::string> guard_of(const std::string& mark) {
  return {"/bin/sh", "-c",
          "WATCHED_MARK=" + mark + " exec '" + platform::own_program() + "' watchdog-helper"};
}

}  // namespace

TEST_CASE("watchdog-helper", "[.]") {
  const char* mark = std::getenv("WATCHED_MARK");
  REQUIRE(mark != nullptr);
  platform::guard([mark] { platform::kill_marked(mark, 5s); });
}

TEST_CASE("watchdog: what a stopped process has in its hands is dead by the instant that it named",
          "[platform][process][watchdog]") {
  const temporary_folder folder;
  const auto mark = watched_mark();
  const auto started = std::chrono::steady_clock::now();
  other_process parent([&] {
    auto guard = platform::watchdog::start(guard_of(mark));
    if (!guard || !guard->doom(in_a_while(1500ms))) ::_exit(1);
    begin_marked(mark, folder / "child");
    for (;;) ::pause();
  });
  const auto child = pid_in(folder / "child");
  parent.signal(SIGSTOP);
  CHECK(alive(child));
  CHECK(eventually([&] { return !alive(child); }, 20s));
  CHECK(std::chrono::steady_clock::now() - started >= 1500ms);
  parent.signal(SIGCONT);
}

TEST_CASE("watchdog: who says better in time keeps what he has; who dies loses it at once",
          "[platform][process][watchdog]") {
  const temporary_folder folder;
  const auto mark = watched_mark();
  other_process parent([&] {
    auto guard = platform::watchdog::start(guard_of(mark));
    if (!guard) ::_exit(1);
    begin_marked(mark, folder / "child");
    // Leases of three seconds that are renewed, for much longer than three seconds would be needed.
    for (;;) {
      if (!guard->doom(in_a_while(3s))) ::_exit(1);
      std::ofstream{folder / "renewed", std::ios::app} << "r";
      std::this_thread::sleep_for(100ms);
    }
  });
  const auto child = pid_in(folder / "child");
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(eventually([&] { return std::chrono::steady_clock::now() - begin > 4s; }, 20s));
  CHECK(alive(child));
  parent.kill();
  CHECK(eventually([&] { return !alive(child); }, 2s));
}

TEST_CASE("watchdog: a deadline that has passed kills once, and the guard is still there for the next",
          "[platform][process][watchdog]") {
  const temporary_folder folder;
  const auto mark = watched_mark();
  other_process parent([&] {
    auto guard = platform::watchdog::start(guard_of(mark));
    if (!guard) ::_exit(1);
    begin_marked(mark, folder / "first");
    if (!line_of(folder / "first") || !guard->doom(in_a_while(0ms))) ::_exit(1);
    if (!line_of(folder / "again") || !guard->doom(core::never)) ::_exit(1);
    begin_marked(mark, folder / "second");
    if (!line_of(folder / "end") || !guard->doom(in_a_while(200ms))) ::_exit(1);
    for (;;) ::pause();
  });
  const auto first = pid_in(folder / "first");
  REQUIRE(eventually([&] { return !alive(first); }));
  folder.write("again", "yes\n");
  const auto second = pid_in(folder / "second");
  CHECK_FALSE(eventually([&] { return !alive(second); }, 500ms));
  folder.write("end", "yes\n");
  CHECK(eventually([&] { return !alive(second); }));
}

TEST_CASE("watchdog: nonsense changes nothing, and ends nothing", "[platform][process][watchdog]") {
  const temporary_folder folder;
  const auto mark = watched_mark();
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  platform::descriptor ours(ends[0]);
  platform::descriptor theirs(ends[1]);
  other_process guard([&] {
    ::dup2(theirs.get(), STDIN_FILENO);
    ours.reset();
    theirs.reset();
    platform::guard([&] { platform::kill_marked(mark, 5s); });
  });
  theirs.reset();
  begin_marked(mark, folder / "child");
  const auto child = pid_in(folder / "child");
  const auto say = [&](const std::string& text) {
    return ::send(ours.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  };
  const auto later_on = std::to_string(core::micros(in_a_while(2s))) + "\n";
  REQUIRE(say(later_on));
  std::string noise(5000, '\0');
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(i * 31 % 251);
  REQUIRE(say(noise + "\n-5\n1x\n99999999999999999999999\n\n 7\n+7\n"));
  CHECK(alive(child));
  CHECK(eventually([&] { return !alive(child); }, 20s));  // by the one word that meant something
  int status = 0;
  while (::waitpid(-1, &status, WNOHANG) > 0) {
  }
}

TEST_CASE("watchdog: words are put together from pieces of any size", "[platform][watchdog]") {
  platform::doom_lines heard;
  CHECK(heard.at() == core::never);
  heard.take("12");
  heard.take("34");
  CHECK(heard.at() == core::never);
  heard.take("\n56\n7");
  CHECK(heard.at() == core::from_micros(56));
  heard.take("8\n");
  CHECK(heard.at() == core::from_micros(78));
  for (const auto* nonsense : {"-1\n", "x\n", "\n", "1 \n", " 1\n", "1.5\n", "999999999999999999999999\n",
                               "9223372036854775808\n", "00000000000000000000000001\n"}) {
    heard.take(nonsense);
    CHECK(heard.at() == core::from_micros(78));
  }
  heard.take("9\n");
  CHECK(heard.at() == core::from_micros(9));
  heard.take("0\n");
  CHECK(heard.at() == core::never);
}
