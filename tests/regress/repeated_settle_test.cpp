// Found by the simulator (seed 66): a worker repeats the end of its attempt after the run went back into the
// line. The answer names the run's head without its spec; followed again, the run became one for child
// processes.
#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;

TEST_CASE("dispatcher: a repeated settle leaves a queued run what it is", "[regress][dispatcher]") {
  virtual_node node;
  const auto worker = node.worker("w", 1);
  const auto run = node.submit(virtual_node::payload("for outside"));
  const auto held = node.claim(worker);
  REQUIRE(held.size() == 1);
  REQUIRE(node.settle(held.front(), core::settle_kind::released));
  const auto again = node.settle(held.front(), core::settle_kind::released);
  REQUIRE(again);
  CHECK(again->replayed);
  node.advance(2s);
  CHECK(node.processes.started().empty());
  CHECK(node.state_of(run.head.id) == core::run_state::queued);
  CHECK(node.claim(worker).size() == 1);
}
