#include "api/json/nodes.hpp"

namespace belfry::api::json {

void write_cluster_node(writer& w, const messages::node_view& v) {
  const auto& n = v.node;
  w.begin_object().member("name", n.name).member("role", core::to_text(n.role));
  w.member("state", core::to_text(n.state)).member("draining", n.draining).member("removed", n.removed);
  w.member_or_null("boot", n.boot).member_or_null("address", n.address);
  w.member_or_null("version", n.version).texts("labels", n.labels).texts("capabilities", n.capabilities);
  w.member("executors", n.executors).member("leases", v.leases).key("sessions").begin_array();
  for (const auto id : v.sessions) w.id_value(core::session_tag::prefix, id.value);
  w.end_array().member("joined_at", n.joined_at).member("seen_at", n.seen_at);
  w.member("changed_at", n.changed_at).key("latency_ms");
  if (v.latency > core::span{0})
    w.number(static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(v.latency).count()) /
             1000.0);
  else
    w.null();
  w.end_object();
}

void write_nodes(writer& w, const messages::nodes_seen& seen) {
  w.begin_object().member_or_null("cluster", seen.cluster).key("nodes").begin_array();
  for (const auto& each : seen.nodes) write_cluster_node(w, each);
  w.end_array().end_object();
}

std::optional<cluster_standing> standing_of(const messages::nodes_seen& seen) {
  if (seen.cluster.empty()) return std::nullopt;
  cluster_standing s;
  s.cluster = seen.cluster;
  auto& counts = s.nodes.emplace();
  for (const auto& v : seen.nodes) {
    if (v.node.role == core::node_role::coordinator) {
      s.node = v.node.name;
      s.coordinator = v.node.name;
      s.draining = v.node.draining;
      s.since = v.node.joined_at;
    }
    switch (v.node.state) {
      case core::node_state::up: ++counts.up; break;
      case core::node_state::suspect: ++counts.suspect; break;
      case core::node_state::lost:
        ++counts.lost;
        counts.lost_names.push_back(v.node.name);
        break;
      case core::node_state::left: break;
    }
  }
  return s;
}

void write_standing(writer& w, const std::optional<cluster_standing>& s) {
  if (!s) {
    w.null();
    return;
  }
  w.begin_object().member_or_null("name", s->cluster).member("node", s->node);
  w.member("role", core::to_text(s->role)).member_or_null("coordinator", s->coordinator);
  w.member("joined", s->joined).member("draining", s->draining).member_or_null("trouble", s->trouble);
  w.member("since", s->since);
  if (s->nodes) {
    w.member("up", s->nodes->up).member("suspect", s->nodes->suspect).member("lost", s->nodes->lost);
    w.texts("lost_nodes", s->nodes->lost_names);
  } else {
    w.key("up").null().key("suspect").null().key("lost").null().key("lost_nodes").null();
  }
  w.end_object();
}

}  // namespace belfry::api::json
