// WAITING TOWN: a whole node with the real wake desk, coordinator, ladder and spawner, and everybody who
// might take work or fail to, from one seed. Time is virtual, the order of the actors is drawn, the node is
// killed between any two messages, the wall clock is set, things are paused and resumed.
//
// What must hold: whoever is not taken needs attention within the time that the configuration says, held time
// and the cost of restarts, jumps and pauses allowed for as core/ladder/ladder.hpp states them, and not
// before its count is reached; whoever is held by somebody never does; every rung fires once per episode; an
// episode starts one worker; no type has more workers than its max; nothing of a worker is left at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace belfry::tests {

// A fault that the town must notice.
enum class waiting_fault : std::uint8_t {
  none,
  count_stands,      // the ladder's clock is never written
  hold_forgotten,    // that a run is held is not written
  worker_forgotten,  // a worker's row does not say which episode it was started for
};

struct waiting_figures {
  std::size_t runs = 0, given_up = 0, taken = 0, workers = 0, crashes = 0, jumps = 0, pauses = 0, wakes = 0,
              heard = 0;
};

struct waiting_outcome {
  std::optional<std::string> broken;  // what does not hold, in words
  waiting_figures seen;
};

waiting_outcome live_in_waiting_town(std::uint64_t seed, waiting_fault planted = waiting_fault::none);

}  // namespace belfry::tests
