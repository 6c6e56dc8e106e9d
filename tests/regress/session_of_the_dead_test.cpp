// Found by the simulator (seed 180): an executor crashes while the store cannot write. Its session was not
// ended, and stayed for ever with nobody behind it.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;

TEST_CASE("executor supervisor: the session of a crashed executor ends although the store had trouble",
          "[regress][executor]") {
  virtual_node node;
  const auto active = [&] {
    const auto all = node.read(messages::list_sessions{false});
    REQUIRE(all);
    return all->size();
  };
  const auto before = active();
  node.faults.every_commit = core::failure{core::errc::unavailable, "disk trouble", {}, {}};
  REQUIRE(node.kill("process-executor"));
  node.advance(5s);
  node.faults.every_commit.reset();
  node.advance(10s);
  CHECK(active() == before);
}
