// The nodes of the fake port: a cluster that a test fills by hand.
#include <algorithm>

#include "tests/support/fake_port.hpp"

namespace belfry::test {

void fake_port::call(messages::look_at_nodes m, messages::reply<messages::nodes_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::nodes_seen> {
    messages::nodes_seen seen;
    seen.cluster = cluster.cluster;
    for (const auto& each : cluster.nodes)
      if ((m.name.empty() || each.node.name == m.name) && (m.removed_too || !each.node.removed))
        seen.nodes.push_back(each);
    if (!m.name.empty() && seen.nodes.empty())
      return core::failure{core::errc::not_found, "there is no node \"" + m.name + "\"", {}, {}};
    return seen;
  });
}

void fake_port::call(messages::steer_node m, messages::reply<messages::nodes_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::nodes_seen> {
    messages::nodes_seen seen;
    for (auto& each : cluster.nodes)
      if (each.node.name == m.name) {
        each.node.draining = m.draining;
        seen.nodes.push_back(each);
      }
    if (seen.nodes.empty())
      return core::failure{core::errc::not_found, "there is no node \"" + m.name + "\"", {}, {}};
    return seen;
  });
}

void fake_port::call(messages::remove_node m, messages::reply<messages::nodes_seen> done) {
  ask(std::move(done), [this, m = std::move(m)]() -> core::result<messages::nodes_seen> {
    messages::nodes_seen seen;
    for (auto& each : cluster.nodes)
      if (each.node.name == m.name) {
        each.node.removed = !m.back;
        seen.nodes.push_back(each);
      }
    if (seen.nodes.empty())
      return core::failure{core::errc::not_found, "there is no node \"" + m.name + "\"", {}, {}};
    return seen;
  });
}

}  // namespace belfry::test
