#include <catch2/catch.hpp>

#include "platform/ports/files.hpp"
#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;

TEST_CASE("output: both streams, in lines, with the time and without losing the last one",
          "[platform][process]") {
  live_processes node;
  const auto before = platform::system_clock()->now();
  const auto done = node.run(shell("printf 'a\\r\\nb\\n\\nlast'; printf 'oops\\n' >&2"));
  CHECK(done.text() == "a\nb\n\nlast\n");
  CHECK(done.text(core::log_stream::err) == "oops\n");
  CHECK(done.report.output_bytes == 3 + 2 + 1 + 4 + 5);
  for (const auto& line : done.lines) {
    CHECK(line.at >= before);
    CHECK(line.at <= platform::system_clock()->now());
  }
}

TEST_CASE("output: invalid UTF-8 and NUL are made safe, long lines are split", "[platform][process]") {
  live_processes node;
  const auto done = node.run(shell("printf 'a\\000b\\377c\\n'; head -c 40000 /dev/zero | tr '\\0' x; echo"));
  CHECK(done.lines.at(0).text ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD"
        "c");
  REQUIRE(done.lines.size() == 4);
  CHECK(done.lines[1].text.size() == 16384);
  CHECK(done.lines[2].text.size() == 16384);
  CHECK(done.lines[3].text.size() == 40000 - 2 * 16384);
}

TEST_CASE("output: a line is heard while the child still runs", "[platform][process]") {
  live_processes node;
  node.start("a", shell("echo now; sleep 30"));
  CHECK(eventually([&] { return node.line_count("a") == 1; }, 5s));
  CHECK_FALSE(node.ended("a"));
  node.stop("a");
  node.wait("a");
}

TEST_CASE("output: lines that come in quick succession come in few callbacks", "[platform][process]") {
  live_processes node;
  const auto done = node.run(shell("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"), 60s);
  CHECK(done.lines.size() == 2000);
  CHECK(done.callbacks < 200);
}

TEST_CASE("output: ten thousand lines arrive complete and in order", "[platform][process]") {
  live_processes node;
  const auto done = node.run(program({"seq", "10000"}));
  REQUIRE(done.lines.size() == 10000);
  for (std::size_t i = 0; i < 10000; ++i) CHECK(done.lines[i].text == std::to_string(i + 1));
}

TEST_CASE("output: a flood is bounded, visibly, and starves nobody", "[platform][process]") {
  // An eighth of the usual allowance: the slowest sanitizer on the busiest machine must reach it.
  const platform::output_limits limits{200ms, 96 * 1024, 32 * 1024, 16 * 1024 * 1024};
  live_processes node({}, platform::probe_processes, limits);
  const auto memory_before = platform::resident_memory();
  const auto begin = std::chrono::steady_clock::now();
  node.start("flood", program({"yes", "the quick brown fox jumps over the lazy dog"}));
  REQUIRE(eventually([&] { return node.line_count("flood") > 0; }));
  for (int i = 0; i < 10; ++i) CHECK(node.run(shell("echo fine; exit 0"), 10s).text() == "fine\n");
  eventually([&] { return std::chrono::steady_clock::now() - begin > 1s; });
  node.stop("flood");
  const auto done = node.wait("flood", 10s);
  const auto windows =
      static_cast<std::size_t>((std::chrono::steady_clock::now() - begin) / limits.window) + 2;
  CHECK(done.report.output_bytes > done.bytes());
  CHECK(done.bytes() < windows * (limits.head + limits.tail));
  std::size_t gaps = 0;
  for (const auto& line : done.lines)
    if (line.stream == core::log_stream::node) ++gaps;
  CHECK(gaps > 0);
  CHECK(platform::resident_memory() < memory_before + 200 * 1024 * 1024);
}

TEST_CASE("output: the last words of a flooding child are kept", "[platform][process]") {
  live_processes node;
  const auto done = node.run(shell("seq 1000000; echo 'fatal: this is why'; exit 2"), 60s);
  CHECK(done.report.end.exit_code == 2);
  CHECK(done.lines.front().text == "1");
  CHECK(done.lines.back().text == "fatal: this is why");
  CHECK(done.report.output_bytes == 6888896 + 19);
}

TEST_CASE("fleet: two hundred children at once", "[platform][process]") {
  live_processes node;
  for (int i = 0; i < 200; ++i) {
    auto order =
        shell("cat; echo out " + std::to_string(i) + "; echo err >&2; exit " + std::to_string(i % 100));
    order.input = "in " + std::to_string(i) + "\n";
    node.start("fleet-" + std::to_string(i), order);
  }
  for (int i = 0; i < 200; ++i) {
    const auto done = node.wait("fleet-" + std::to_string(i), 60s);
    CHECK(done.report.end.exit_code == i % 100);
    CHECK(done.text() == "in " + std::to_string(i) + "\nout " + std::to_string(i) + "\n");
    CHECK(done.report.group_gone);
  }
  CHECK(node.port().running() == 0);
  CHECK(platform::list_folder("/proc/self/fd").size() < 60);  // every pipe and pidfd is closed again
}

TEST_CASE("fleet: a hundred stubborn children are stopped together", "[platform][process]") {
  live_processes node;
  for (int i = 0; i < 100; ++i) {
    const std::string id = "s" + std::to_string(i);
    node.start(id, as_run(shell("trap '' TERM; echo ready; while :; do sleep 1; done"), id));
  }
  for (int i = 0; i < 100; ++i)
    REQUIRE(eventually([&] { return node.line_count("s" + std::to_string(i)) > 0; }, 60s));
  for (int i = 0; i < 100; ++i) node.stop("s" + std::to_string(i));
  for (int i = 0; i < 100; ++i) {
    const auto r = node.wait("s" + std::to_string(i), 30s).report;
    CHECK(r.stopped_with == "KILL");
    CHECK(r.group_gone);
  }
}
