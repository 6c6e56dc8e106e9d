// CLUSTER MESSAGES: what the doors ask about nodes. What nodes say to each other is in messages/wire.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cluster/node.hpp"
#include "core/session/session.hpp"

namespace belfry::messages {

// One node, or all of them when the name is empty; the coordinator itself first, then by name.
struct look_at_nodes {
  std::string name;
  bool removed_too = false;
};
struct node_view {
  core::cluster_node node;
  std::vector<core::session_id> sessions;  // of its executors
  std::uint32_t leases = 0;                // that those hold
  core::span latency{0};                   // of the last beat, there and back; 0: not known
};
struct nodes_seen {
  std::vector<node_view> nodes;
  std::string cluster;  // name of the cluster; empty: this node is alone
};
// What is the matter with nodes, each with a code first: "node_lost: NAME since ...".
struct cluster_changed {
  std::vector<std::string> issues;
};
// An operator's word: no new runs for the executors of a node, or runs again. Durable.
struct steer_node {
  std::string name;
  bool draining = true;
  std::string reason;
  std::string actor;
};
// Forgets a node that is lost, left or drained to nothing, and lets it in no more; `force`: whatever it does.
// Its link is cut; its leases end when they run out. `back`: it may come in again.
struct remove_node {
  std::string name;
  bool force = false;
  bool back = false;
  std::string reason;
  std::string actor;
};

}  // namespace belfry::messages
