#include <unistd.h>
#include <catch2/catch.hpp>
#include <csignal>

#include "platform/process/proc_scan.hpp"
#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;

namespace {

std::string fresh_mark() {
  static int count = 0;
  return "mark-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace

TEST_CASE("scan: values are found by their exact name", "[platform][process]") {
  using namespace std::string_view_literals;
  constexpr auto variables = "A=1\0AB=2\0EMPTY=\0NOTHING\0LAST=x=y\0"sv;
  CHECK(platform::value_in(variables, "A") == "1");
  CHECK(platform::value_in(variables, "AB") == "2");
  CHECK(platform::value_in(variables, "EMPTY") == "");
  CHECK(platform::value_in(variables, "LAST") == "x=y");
  CHECK_FALSE(platform::value_in(variables, "B"));
  CHECK_FALSE(platform::value_in(variables, "NOTHING"));
  CHECK_FALSE(platform::value_in("", "A"));
}

TEST_CASE("kill marked: finds children, grandchildren and setsid ones, and nobody else",
          "[platform][process]") {
  const temporary_folder folder;
  const std::string mark = fresh_mark();
  live_processes node;
  auto order = shell("trap '' TERM; (sh -c 'echo $$ > " + (folder / "grandchild") +
                     "; exec sleep 60') & "
                     "setsid sh -c 'echo $$ > " +
                     (folder / "escaped") +
                     "; exec sleep 60' & "
                     "env -u BELFRY_NODE sh -c 'echo $$ > " +
                     (folder / "unmarked") +
                     "; exec sleep 60' & "
                     "echo $$ > " +
                     (folder / "leader") + "; wait; wait; wait");
  order.mark = mark;
  node.start("a", order);
  auto other = shell("echo $$ > " + (folder / "other") + "; exec sleep 60");
  other.mark = mark + "0";  // a longer mark is another mark
  node.start("other", other);
  std::vector<pid_t> pids;
  for (const char* name : {"leader", "grandchild", "escaped", "unmarked"})
    pids.push_back(pid_in(folder / name));
  const pid_t bystander = pid_in(folder / "other");
  const auto found = platform::kill_marked(mark, 10s);
  CHECK(found >= 3);
  CHECK(found <= 4);  // sh may still be the parent of one that it will replace by exec
  for (const pid_t pid : pids)
    CHECK(eventually([&] { return !alive(pid); }, 1s));  // the unmarked one with its group
  CHECK(alive(bystander));
  CHECK(node.wait("a").report.end.signal == SIGKILL);  // its watcher still gets the status
  CHECK(platform::kill_marked(mark, 1s) == 0);
}

TEST_CASE("kill marked: spares the caller and its group, even with the mark", "[platform][process]") {
  const std::string mark = fresh_mark();
  CHECK(platform::kill_marked(mark, 1s) == 0);
  CHECK(platform::kill_marked("", 100ms) == 0);
}

TEST_CASE("kill marked: forkers cannot outrun it", "[platform][process]") {
  const temporary_folder folder;
  const std::string mark = fresh_mark();
  live_processes node;
  auto order = shell(
      "echo $$ > " + (folder / "pid") +
      "; i=0; while [ $i -lt 500 ]; do setsid sh -c 'sleep 0.02; exec sleep 60' & i=$((i+1)); done; wait");
  order.mark = mark;
  node.start("a", order);
  pid_in(folder / "pid");
  CHECK(platform::kill_marked(mark, 30s) > 0);
  node.wait("a");
  CHECK(platform::kill_marked(mark, 1s) == 0);
}
