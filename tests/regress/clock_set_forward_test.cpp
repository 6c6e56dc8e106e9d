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
  std::vector<core::run_id> both;  // one for each executor
  for (int i = 0; i < 2; ++i) both.push_back(node.submit(virtual_node::process("later")).head.id);
  node.advance(40min);
  for (const auto id : both) {
    CHECK(node.find(id).head.losses == 0);
    CHECK(node.state_of(id) == core::run_state::running);
  }
}
