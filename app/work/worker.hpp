// WORKER: `belfry work`: a command as a worker of a node. Four threads (loops.hpp), the reactor of its
// children, and the main thread, which waits for signals.
#pragma once

#include "app/work/plan.hpp"

namespace belfry::app {

/// Until it is told to stop, or cannot go on. The first TERM, INT or HUP: ends what runs, takes no more, 0.
/// The second: kills what runs, gives it back, 128 + signal. Throws a refusal when it had to give up.
int work(const work_plan& plan);

/// The watchdog of a worker: when that one is gone, kills the children that it left.
int guard_children(const std::string& mark);

}  // namespace belfry::app
