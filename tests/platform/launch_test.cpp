// The parts of a start that need no child: environment, program search, headroom.
#include <catch2/catch.hpp>

#include "platform/process/environment.hpp"
#include "platform/process/headroom.hpp"
#include "platform/process/hunter.hpp"
#include "platform/process/program.hpp"
#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;
using platform::environment_block;

namespace {

std::vector<std::string> entries(const environment_block& block) {
  std::vector<std::string> all;
  for (char* const* p = block.pointers(); *p != nullptr; ++p) all.emplace_back(*p);
  return all;
}

}  // namespace

TEST_CASE("environment: base, spec, belfry's own and the mark, the later one wins", "[platform][process]") {
  const auto base = platform::base_environment([](const char* name) -> const char* {
    const std::string_view n = name;
    return n == "PATH" ? "/bin" : n == "HOME" ? "/root" : nullptr;
  });
  platform::process_order order;
  order.what.env = {{"HOME", "/srv"}, {"A", "1"}, {"BELFRY_RUN_ID", "forged"}, {"EMPTY", ""}};
  order.env = {{"BELFRY_RUN_ID", "run_1"}};
  order.mark = "node-7";
  const environment_block block(base, order);
  CHECK(block.complaint().empty());
  CHECK(block.path() == "/bin");
  CHECK(entries(block) == std::vector<std::string>{"PATH=/bin", "HOME=/srv", "A=1", "BELFRY_RUN_ID=run_1",
                                                   "EMPTY=", "BELFRY_NODE=node-7"});
}

TEST_CASE("environment: impossible names are complained about", "[platform][process]") {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"", "x"}, {"A=B", "x"}, {std::string("A\0B", 3), "x"}, {"A", std::string("x\0y", 3)}}) {
    platform::process_order order;
    order.what.env = {{name, value}};
    CHECK(environment_block({}, order).complaint().substr(0, 4) == "env:");
  }
}

TEST_CASE("program: found along the child's PATH, else the reason", "[platform][process]") {
  const temporary_folder folder;
  REQUIRE(std::system(
              ("mkdir " + (folder / "one") + " " + (folder / "two") + " " + (folder / "two/dir")).c_str()) ==
          0);
  folder.write("one/plain", "#!/bin/sh\n", 0644);
  folder.write("two/plain", "#!/bin/sh\n", 0755);
  folder.write("one/barred", "#!/bin/sh\n", 0644);
  const std::string path = (folder / "one") + ":" + (folder / "two");
  CHECK(platform::find_program("plain", path, "/").path == folder / "two/plain");
  CHECK(platform::find_program("plain", "two", folder.path()).path == "two/plain");
  CHECK(platform::find_program("plain", ":/nowhere", folder / "two").path == "./plain");
  CHECK(platform::find_program("./plain", "", folder / "two").path == "./plain");
  const auto barred = platform::find_program("barred", path, "/");
  CHECK(barred.problem.error == EACCES);
  CHECK(barred.problem.text == "argv[0]: not executable: " + (folder / "one/barred"));
  const auto missing = platform::find_program("nothing", path, "/");
  CHECK(missing.problem.error == ENOENT);
  CHECK(missing.problem.text == "argv[0]: program not found: nothing (in PATH " + path + ")");
  CHECK(platform::find_program("dir", path, "/").problem.error == ENOENT);
  CHECK(platform::find_program((folder / "two/dir"), path, "/").problem.error == EACCES);
  CHECK(platform::find_program("", path, "/").problem.error == ENOENT);
}

TEST_CASE("program cache: believes itself for a second", "[platform][process]") {
  const temporary_folder folder;
  REQUIRE(std::system(("mkdir " + (folder / "one") + " " + (folder / "two")).c_str()) == 0);
  folder.write("two/tool", "#!/bin/sh\n", 0755);
  const std::string path = (folder / "one") + ":" + (folder / "two");
  platform::program_cache cache;
  const platform::steady_time start{1h};
  CHECK(cache.find("tool", path, "/", start).path == folder / "two/tool");
  folder.write("one/tool", "#!/bin/sh\n", 0755);
  CHECK(cache.find("tool", path, "/", start + 999ms).path == folder / "two/tool");
  CHECK(cache.find("tool", path, "/", start + 1s).path == folder / "one/tool");
}

TEST_CASE("headroom: a share and a rest of every limit stay free", "[platform][process]") {
  const platform::process_options options;
  const auto verdict = [&](std::uint64_t used, std::uint64_t limit, std::uint64_t extra = 0) {
    return platform::too_crowded({{used, limit, "ulimit -u"}}, extra, options).has_value();
  };
  CHECK_FALSE(verdict(0, 1000));
  CHECK_FALSE(verdict(749, 1000));
  CHECK(verdict(750, 1000));
  CHECK_FALSE(verdict(740, 1000, 9));
  CHECK(verdict(740, 1000, 10));
  CHECK_FALSE(verdict(50, 100));
  CHECK(verdict(51, 100));  // 49 free
  CHECK(verdict(2000, 1000));
  CHECK_FALSE(platform::too_crowded({}, 1'000'000, options));  // nothing readable: nothing forbidden
  const auto text = platform::too_crowded({{10, 100'000, "fine"}, {900, 1000, "kernel.pid_max"}}, 0, options);
  REQUIRE(text);
  CHECK(
      *text ==
      "too few processes left: 900 of 1000 in use (kernel.pid_max); raise that limit, or run less at a time");
}

TEST_CASE("headroom: measured once a second, own children counted in between", "[platform][process]") {
  int probes = 0;
  platform::headroom_guard guard({}, [&](const platform::process_options&) {
    ++probes;
    return std::vector<platform::process_numbers>{{700, 1000, "ulimit -u"}};
  });
  const platform::steady_time start{1h};
  CHECK_FALSE(guard.refuses(10, start));
  CHECK_FALSE(guard.refuses(59, start + 500ms));
  CHECK(guard.refuses(60, start + 600ms));
  CHECK(probes == 1);
  CHECK_FALSE(guard.refuses(60, start + 1s));
  CHECK(probes == 2);
}

TEST_CASE("headroom: this machine can be read", "[platform][process]") {
  const auto numbers = platform::probe_processes({});
  CHECK_FALSE(numbers.empty());
  for (const auto& n : numbers) {
    CHECK(n.used > 0);
    CHECK(n.limit > 0);
    CHECK_FALSE(n.source.empty());
  }
}

TEST_CASE("hunter: only an order with run and fencing number can be hunted", "[platform][process]") {
  platform::process_order order;
  CHECK_FALSE(platform::quarry_of(order));
  order.env = {{"BELFRY_RUN_ID", "run_1"}};
  CHECK_FALSE(platform::quarry_of(order));
  order.env.emplace_back("BELFRY_FENCING", "3");
  order.mark = "n";
  CHECK(platform::quarry_of(order) == std::string("n\0run_1\0"
                                                  "3",
                                                  9));
}
