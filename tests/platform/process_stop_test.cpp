#include <unistd.h>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;
using platform::stop_reason;

namespace {

bool group_exists(pid_t group) { return ::kill(-group, 0) == 0; }

}  // namespace

TEST_CASE("stop: TERM is enough for a civil process", "[platform][process][stop]") {
  live_processes node;
  for (const auto& [why, timed_out, cancelled] :
       std::vector<std::tuple<stop_reason, bool, bool>>{{stop_reason::timeout, true, false},
                                                        {stop_reason::cancel, false, true},
                                                        {stop_reason::shutdown, false, false}}) {
    const std::string key = "stop-" + std::to_string(static_cast<int>(why));
    auto order = shell("echo ready; exec sleep 30");
    order.grace = 20s;
    node.start(key, order);
    REQUIRE(eventually([&] { return node.line_count(key) > 0; }));
    node.stop(key, why);
    node.stop(key, stop_reason::cancel);  // repeating it is harmless, the first reason counts
    const auto r = node.wait(key, 10s).report;
    CHECK(r.stopped_with == "TERM");
    CHECK(r.end.signal == SIGTERM);
    CHECK(r.end.timed_out == timed_out);
    CHECK(r.end.cancelled == cancelled);
    CHECK(r.group_gone);
  }
}

TEST_CASE("stop: what ignores TERM is gone after the grace, grandchildren included",
          "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  node.start("a",
             shell("trap '' TERM; (trap '' TERM; echo $$ > /dev/null; sh -c 'echo $$' > " + (folder / "pid") +
                   "; while :; do sleep 1; done) & echo $! > " + (folder / "grandchild") + "; echo $$ > " +
                   (folder / "leader") + "; while :; do sleep 1; done"));
  const pid_t leader = pid_in(folder / "leader");
  const pid_t grandchild = pid_in(folder / "grandchild");
  CHECK(group_exists(leader));
  const auto begin = std::chrono::steady_clock::now();
  node.stop("a");
  const auto r = node.wait("a").report;
  CHECK(std::chrono::steady_clock::now() - begin >= 200ms);
  CHECK(r.stopped_with == "KILL");
  CHECK(r.end.signal == SIGKILL);
  CHECK(r.end.timed_out);
  CHECK(r.group_gone);
  CHECK_FALSE(alive(leader));
  CHECK_FALSE(alive(grandchild));
  CHECK_FALSE(group_exists(leader));
}

TEST_CASE("stop: a program below a shell gets the whole grace to clean up", "[platform][process][stop]") {
  const temporary_folder folder;
  folder.write("worker",
               "#!/bin/sh\ntrap 'sleep 0.6; echo clean > " + (folder / "clean") +
                   "; exit 0' TERM\necho ready\nwhile :; do sleep 0.05; done\n",
               0755);
  live_processes node;
  auto order = shell((folder / "worker") + "; true");  // the shell dies of TERM at once
  order.grace = 10s;
  order.linger = 10ms;
  node.start("a", order);
  REQUIRE(eventually([&] { return node.line_count("a") > 0; }));
  node.stop("a");
  const auto r = node.wait("a").report;
  CHECK(line_of(folder / "clean", 100ms) == "clean");
  CHECK(r.stopped_with == "TERM");
  CHECK(r.group_gone);
}

TEST_CASE("stop: an exit code after TERM is kept", "[platform][process][stop]") {
  live_processes node;
  node.start("a", shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"));
  REQUIRE(eventually([&] { return node.line_count("a") > 0; }));
  node.stop("a", stop_reason::cancel);
  const auto r = node.wait("a").report;
  CHECK(r.end.exit_code == 5);
  CHECK(r.end.cancelled);
  CHECK(r.stopped_with == "TERM");
}

TEST_CASE("stop: a stopped process dies too", "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  node.start("a", shell("echo $$ > " + (folder / "pid") + "; kill -STOP $$; exit 9"));
  pid_in(folder / "pid");
  node.stop("a");
  const auto r = node.wait("a").report;
  CHECK(r.end.signal == SIGTERM);
  CHECK(r.group_gone);
  node.start("b",
             shell("trap '' TERM; echo $$ > " + (folder / "pid2") + "; while :; do kill -STOP $$; done"));
  pid_in(folder / "pid2");
  node.stop("b");
  CHECK(node.wait("b").report.end.signal == SIGKILL);
}

TEST_CASE("stop: without grace it is KILL at once", "[platform][process][stop]") {
  live_processes node;
  auto order = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  order.grace = 0ms;
  node.start("a", order);
  REQUIRE(eventually([&] { return node.line_count("a") > 0; }));
  node.stop("a");
  CHECK(node.wait("a", 5s).report.stopped_with == "KILL");
}

TEST_CASE("stop: setsid grandchildren are found and killed, pipe or not", "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  node.start("a", as_run(shell("setsid sh -c 'trap \"\" TERM; echo $$ > " + (folder / "holds") +
                               "; while :; do sleep 1; done' & "
                               "setsid sh -c 'trap \"\" TERM; echo $$ > " +
                               (folder / "silent") + "; while :; do sleep 1; done' >/dev/null 2>&1 & wait"),
                         "escapes"));
  const pid_t holds = pid_in(folder / "holds");
  const pid_t silent = pid_in(folder / "silent");
  node.stop("a", stop_reason::cancel);
  const auto r = node.wait("a", 10s).report;
  CHECK(r.end.cancelled);
  CHECK(r.group_gone);
  CHECK_FALSE(alive(holds));
  CHECK_FALSE(alive(silent));
  // And this node, their new parent, takes their status: no zombies stay.
  CHECK(eventually([&] { return ::kill(holds, 0) != 0 && ::kill(silent, 0) != 0; }));
}

TEST_CASE("stop: only the escapees of this very run are hunted", "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  const auto daemon = [&](const std::string& name) {
    return shell("setsid sh -c 'echo $$ > " + (folder / name) +
                 "; exec sleep 60' >/dev/null 2>&1 & "
                 "while [ ! -s " +
                 (folder / name) + " ]; do sleep 0.01; done");
  };
  auto other = as_run(daemon("other"), "bystander");
  CHECK(node.run(other).report.end.exit_code == 0);  // a daemon without the pipe outlives a normal end
  const pid_t bystander = pid_in(folder / "other");
  CHECK(alive(bystander));
  auto mine = as_run(daemon("mine"), "mine");
  mine.what.shell += "; echo ready; sleep 60";
  node.start("mine", mine);
  REQUIRE(eventually([&] { return node.line_count("mine") > 0; }));
  node.stop("mine");
  node.wait("mine");
  CHECK_FALSE(alive(pid_in(folder / "mine")));
  CHECK(alive(bystander));
  ::kill(bystander, SIGKILL);
  CHECK(eventually([&] { return ::kill(bystander, 0) != 0; }));  // reaped by the node
}

TEST_CASE("stop: while lingering it only ends the lingering", "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  auto order = shell("sleep 60 & echo $! > " + (folder / "pid") + "; echo ready; exit 3");
  order.linger = 60s;
  node.start("a", order);
  REQUIRE(eventually([&] { return node.line_count("a") > 0; }));
  const pid_t grandchild = pid_in(folder / "pid");
  node.stop("a");
  // Whether TERM met the leader or it had ended before: it is over at once.
  const auto r = node.wait("a", 10s).report;
  CHECK((r.end.exit_code == 3 || r.end.signal == SIGTERM));
  if (!r.end.timed_out) CHECK(r.stopped_with.empty());
  CHECK_FALSE(alive(grandchild));
}

TEST_CASE("stop: racing with the exit, there is exactly one consistent end", "[platform][process][stop]") {
  live_processes node;
  int by_itself = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string key = "race-" + std::to_string(i);
    node.start(key, program({"/bin/true"}));
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{i * 10};
    while (std::chrono::steady_clock::now() < until) {
    }
    node.stop(key);
    const auto r = node.wait(key).report;
    REQUIRE((r.end.exit_code.has_value() != r.end.signal.has_value()));
    REQUIRE(r.end.timed_out == !r.stopped_with.empty());
    if (!r.end.timed_out) REQUIRE(r.end.exit_code == 0);
    REQUIRE(r.group_gone);
    if (!r.end.timed_out) ++by_itself;
  }
  INFO(by_itself << " of 300 ended by themselves");
  for (int i = 0; i < 300; ++i) CHECK(node.ends("race-" + std::to_string(i)) == 1);
}

TEST_CASE("stop: unknown keys are ignored", "[platform][process][stop]") {
  live_processes node;
  node.stop("nobody");
  bool gone = false;
  node.port().abandon("nobody", [&gone] { gone = true; });
  CHECK(gone);
  CHECK(node.run(shell("exit 0")).report.end.exit_code == 0);
}

TEST_CASE("abandon: killed at once, only its being gone is told, its key is free",
          "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  node.start("a",
             shell("trap '' TERM; echo $$ > " + (folder / "pid") + "; while :; do echo x; sleep 0.01; done"));
  const pid_t pid = pid_in(folder / "pid");
  REQUIRE(eventually([&] { return node.line_count("a") > 0; }));
  std::atomic<int> gone{0};
  bool outlived = false;
  node.port().abandon("a", [&] {
    outlived = alive(pid);
    ++gone;
  });
  const auto heard = node.line_count("a");
  node.start("b", shell("exit 0"));
  CHECK(eventually([&] { return gone == 1; }));
  CHECK_FALSE(outlived);
  CHECK(eventually([&] { return node.port().running() <= 1; }));
  node.wait("b");
  CHECK(node.line_count("a") == heard);
  CHECK_FALSE(node.ended("a"));
  node.start("a", shell("exit 6"));
  CHECK(node.wait("a").report.end.exit_code == 6);
}

TEST_CASE("destructor: kills what still runs, calls nobody", "[platform][process][stop]") {
  const temporary_folder folder;
  live_processes node;
  for (int i = 0; i < 5; ++i) {
    const std::string name = "pid" + std::to_string(i);
    node.start(name, as_run(shell("trap '' TERM; (trap '' TERM; setsid sleep 60) & echo $$ > " +
                                  (folder / name) + "; while :; do sleep 1; done"),
                            "closing"));
  }
  std::vector<pid_t> pids;
  for (int i = 0; i < 5; ++i) pids.push_back(pid_in(folder / ("pid" + std::to_string(i))));
  node.close();
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(alive(pids[static_cast<std::size_t>(i)]));
    CHECK_FALSE(node.ended("pid" + std::to_string(i)));
  }
}
