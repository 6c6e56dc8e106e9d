// NODES in JSON: the machines of a cluster, and how one of them stands in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/json/writer.hpp"
#include "messages/cluster.hpp"

namespace belfry::api::json {

void write_cluster_node(writer& w, const messages::node_view& v);
// {"cluster": …, "nodes": […]}
void write_nodes(writer& w, const messages::nodes_seen& seen);

struct counted_nodes {
  std::uint32_t up = 0, suspect = 0, lost = 0;
  std::vector<std::string> lost_names;
};
// How a node stands in its cluster; for GET /v1/node.
struct cluster_standing {
  std::string cluster, node, coordinator;
  core::node_role role = core::node_role::coordinator;
  bool joined = true, draining = false;
  std::string trouble;                 // why it is not joined
  core::instant since = core::never;   // of joined or not
  std::optional<counted_nodes> nodes;  // the coordinator alone knows them
};
// Nothing: the node is alone.
std::optional<cluster_standing> standing_of(const messages::nodes_seen& seen);
void write_standing(writer& w, const std::optional<cluster_standing>& s);

}  // namespace belfry::api::json
