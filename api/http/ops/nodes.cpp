// NODES: the machines of the cluster, and an operator's word on them.
#include "api/json/nodes.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/controls.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

using core::errc;

core::failure no_such_node(const std::string& name) {
  return fail_with(errc::not_found, "there is no node \"" + core::shown(name, 80) + "\" in this cluster",
                   "belfry node ls");
}

// A name that no certificate can carry is no node's, and need not be asked for.
std::optional<std::string> node_named(const exchange_ptr& x) {
  const auto& name = x->arguments.front();
  constexpr std::size_t longest_name = 63;
  if (!name.empty() && name.size() <= longest_name) return name;
  x->refuse(no_such_node(name));
  return std::nullopt;
}

void answer_nodes(const exchange_ptr& x, const messages::nodes_seen& seen) {
  json::writer w{256 + seen.nodes.size() * 512};
  json::write_nodes(w, seen);
  answer_json(*x, w);
}

auto answer_node_named(std::string name) {
  return [name = std::move(name)](const exchange_ptr& x, messages::nodes_seen seen) {
    for (const auto& each : seen.nodes) {
      if (each.node.name != name) continue;
      json::writer w{512};
      json::write_cluster_node(w, each);
      return answer_json(*x, w);
    }
    x->refuse(no_such_node(name));
  };
}

void list_nodes(const exchange_ptr& x) {
  json::problems found;
  const bool removed = flag_parameter(*x, "removed", found);
  if (!found.empty()) return x->refuse(found.refusal());
  x->node().node.call(messages::look_at_nodes{{}, removed}, x->then<messages::nodes_seen>(answer_nodes));
}

void get_cluster_node(const exchange_ptr& x) {
  auto name = node_named(x);
  if (!name) return;
  x->node().node.call(messages::look_at_nodes{*name, true},
                      x->then<messages::nodes_seen>(answer_node_named(*name)));
}

void steer_cluster_node(const exchange_ptr& x, bool draining) {
  auto reason = json::read_reason_body(x->in.body);
  if (!reason) return x->refuse(reason.error());
  auto name = node_named(x);
  if (!name) return;
  x->node().node.call(messages::steer_node{*name, draining, std::move(*reason), x->actor},
                      x->then<messages::nodes_seen>(answer_node_named(*name)));
}

void drain_node(const exchange_ptr& x) { steer_cluster_node(x, true); }
void resume_node(const exchange_ptr& x) { steer_cluster_node(x, false); }

void end_membership(const exchange_ptr& x) {
  json::problems found;
  const bool force = flag_parameter(*x, "force", found);
  if (!found.empty()) return x->refuse(found.refusal());
  auto name = node_named(x);
  if (!name) return;
  x->node().node.call(messages::remove_node{*name, force, false, {}, x->actor},
                      x->then<messages::nodes_seen>(answer_node_named(*name)));
}

void readmit(const exchange_ptr& x) {
  auto reason = json::read_reason_body(x->in.body);
  if (!reason) return x->refuse(reason.error());
  auto name = node_named(x);
  if (!name) return;
  x->node().node.call(messages::remove_node{*name, false, true, std::move(*reason), x->actor},
                      x->then<messages::nodes_seen>(answer_node_named(*name)));
}

route node_word(std::string_view pattern, std::string_view operation, std::string_view summary, handler h) {
  return {verb::post,
          pattern,
          operation,
          "nodes",
          summary,
          scope::operate,
          h,
          body_kind::optional_json,
          "Reason",
          {},
          {{200, "ClusterNode", "The node"}},
          {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::invalid_transition,
           errc::forbidden},
          false,
          0};
}

}  // namespace

void add_cluster_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/nodes",
                 "list_nodes",
                 "nodes",
                 "The nodes of the cluster, the coordinator first",
                 scope::read,
                 list_nodes,
                 body_kind::none,
                 {},
                 {{"removed", parameter_type::boolean, "those that were removed too"}},
                 {{200, "NodeList", "All of them"}},
                 {errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/nodes/{name}",
                 "get_cluster_node",
                 "nodes",
                 "One node of the cluster",
                 scope::read,
                 get_cluster_node,
                 body_kind::none,
                 {},
                 {},
                 {{200, "ClusterNode", "The node"}},
                 {errc::not_found},
                 false,
                 0});
  all.push_back(node_word("/v1/nodes/{name}:drain", "drain_node",
                          "No new runs for the executors of a node; what they run goes on", drain_node));
  all.push_back(node_word("/v1/nodes/{name}:resume", "resume_node",
                          "Runs again for the executors of a node that was drained", resume_node));
  all.push_back(
      {verb::remove,
       "/v1/nodes/{name}",
       "remove_node",
       "nodes",
       "Let a node in no more: one that is lost, has left, or is drained to nothing; its leases run out",
       scope::operate,
       end_membership,
       body_kind::none,
       {},
       {{"force", parameter_type::boolean, "whatever it does at present"}},
       {{200, "ClusterNode", "It is removed"}},
       {errc::invalid, errc::unknown_field, errc::not_found, errc::invalid_transition, errc::forbidden},
       false,
       0});
  all.push_back(
      node_word("/v1/nodes/{name}:readmit", "readmit_node", "Let a node in again that was removed", readmit));
}

}  // namespace belfry::api
