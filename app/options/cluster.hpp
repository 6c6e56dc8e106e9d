// CLUSTER SETTINGS: what only shows when all of them are there.
#pragma once

#include "app/options/load.hpp"

namespace belfry::app {

// Adds to `out.mistakes`, each told at the origin of its value.
void check_cluster(loaded& out);

// The one that stands between HOST and PORT, and what stands around it, is right; `least` is the lowest port.
bool is_host_and_port(const std::string& address, unsigned least);

}  // namespace belfry::app
