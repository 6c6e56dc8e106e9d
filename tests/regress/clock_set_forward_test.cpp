// Found by the simulator (seeds 2158 and 2981): the clock was set back and then forward. An executor's alarm
// that was armed between the two would ring in its old delay only, and until then no heartbeat was sent: it
// lost lease after lease of runs that it was performing.
#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;

TEST_CASE("executor: heartbeats go on when the clock was set back and then forward", "[regress][executor]") {
  virtual_node node;
  const auto first = node.submit(virtual_node::process("first"));
  node.time.jump(-2h);
  node.advance(2min);
  CHECK(node.processes.finish(node.processes.last_started()->key));
  node.run();
  CHECK(node.state_of(first.head.id) == core::run_state::succeeded);
  node.time.jump(3h);
  const auto second = node.submit(virtual_node::process("second"));
  node.advance(40min);
  CHECK(node.find(second.head.id).head.losses == 0);
  CHECK(node.state_of(second.head.id) == core::run_state::running);
}
