// MEMBER: a node without a store: its executors work for a coordinator, its doors pass on to it.
#pragma once

#include "app/options/load.hpp"

namespace belfry::app {

// Blocks until the node was told to end, or will never be let in; answers the exit code.
int serve_member(const loaded& settings);

}  // namespace belfry::app
