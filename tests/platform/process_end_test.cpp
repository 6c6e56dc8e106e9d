#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;

TEST_CASE("end: a setsid grandchild that holds the pipe does not block it, and is killed",
          "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  auto order =
      as_run(shell("setsid sh -c 'echo $$ > " + (folder / "pid") + "; exec sleep 60' & while [ ! -s " +
                   (folder / "pid") + " ]; do sleep 0.01; done; echo out; exit 4"),
             "escape");
  order.linger = 50ms;
  const auto done = node.run(order, 10s);
  CHECK(done.report.end.exit_code == 4);
  CHECK(done.text() == "out\n");
  CHECK(done.report.group_gone);
  CHECK_FALSE(alive(pid_in(folder / "pid")));
}

TEST_CASE("end: what the leader leaves behind in its group is killed", "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  auto quiet = shell("sleep 60 >/dev/null 2>&1 & echo $! > " + (folder / "quiet"));
  auto begin = std::chrono::steady_clock::now();
  CHECK(node.run(quiet).report.group_gone);
  CHECK(std::chrono::steady_clock::now() - begin < 200ms);  // no pipe is open: no lingering
  CHECK_FALSE(alive(pid_in(folder / "quiet")));
  auto holding = shell("(sleep 0.1; echo late; sleep 60) & echo $! > " + (folder / "holding"));
  holding.linger = 2s;
  begin = std::chrono::steady_clock::now();
  const auto done = node.run(holding);
  CHECK(std::chrono::steady_clock::now() - begin >= 2s);
  CHECK(done.text() == "late\n");  // its output was still read
  CHECK(done.report.group_gone);
  CHECK_FALSE(alive(pid_in(folder / "holding")));
}

TEST_CASE("end: a dead member that its escaped parent does not wait for holds nobody up",
          "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  // The subshell leaves the group by setsid; its child stays in it, and becomes a zombie nobody takes.
  const auto begin = std::chrono::steady_clock::now();
  const auto r =
      node.run(shell("(sleep 60 & echo $! > " + (folder / "member") + "; exec setsid sh -c 'echo $$ > " +
                     (folder / "parent") + "; exec sleep 50') >/dev/null 2>&1 & while [ ! -s " +
                     (folder / "parent") + " ]; do sleep 0.01; done"))
          .report;
  CHECK(std::chrono::steady_clock::now() - begin < 4s);
  CHECK(r.group_gone);
  CHECK_FALSE(alive(pid_in(folder / "member")));
  CHECK(::kill(pid_in(folder / "member"), 0) == 0);  // a zombie still, so the test tests something
  ::kill(pid_in(folder / "parent"), SIGKILL);
}
