// CLUSTER OPTIONS: what a coordinator is told about its cluster; part of node_options.
#pragma once

#include <cstdint>
#include <string>

#include "core/cluster/node.hpp"

namespace belfry::actors {

// Without links in node_parts there is no cluster, and the node is alone.
struct cluster_options {
  std::string node = "local";  // own name, as the own certificate says
  std::string name;            // of the cluster; empty: alone
  std::string version;         // of belfry
  core::membership_options membership;
  /// Nodes that may be known at a time, those removed included. Default 256.
  std::uint32_t max_nodes = 256;
  /// Questions of one member that may be open at a time. Default 4,096.
  std::uint32_t max_open = 4096;
};

}  // namespace belfry::actors
