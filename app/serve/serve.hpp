// SERVE: a node with its doors, from the first signal mask to the last commit.
#pragma once

#include "app/options/load.hpp"

namespace belfry::app {

// Blocks until the node was told to end; answers the exit code.
int serve(const loaded& settings);

}  // namespace belfry::app
