// MEMBER: what a node without a store answers by itself: how it is, what it was started with, what it counts.
#include <array>
#include <utility>

#include "api/http/ops/node_facts.hpp"
#include "api/json/nodes.hpp"

namespace belfry::api {
namespace {

messages::node_status status_of_member(const member_seen& m) {
  messages::node_status s;
  s.ready = m.joined && !m.stopping;
  s.stopping = m.stopping;
  s.health = m.joined ? "healthy" : "degraded";
  if (!m.joined) s.issues.push_back("not_joined: " + (m.trouble.empty() ? "it is joining" : m.trouble));
  s.started_at = m.started_at;
  s.processes = m.running;
  return s;
}

json::cluster_standing standing_of_member(const member_seen& m) {
  json::cluster_standing s;
  s.cluster = m.cluster;
  s.node = m.node;
  s.coordinator = m.coordinator;
  s.role = core::node_role::member;
  s.joined = m.joined;
  s.draining = m.draining;
  s.trouble = m.trouble;
  s.since = m.since;
  return s;
}

void get_node_of_member(const exchange_ptr& x) {
  const auto seen = x->node().elsewhere->seen();
  json::writer w{2048};
  json::write_node(w, status_of_member(seen), std::nullopt, facts_of(x->node(), std::nullopt),
                   standing_of_member(seen));
  answer_json(*x, w);
}

void get_health_of_member(const exchange_ptr& x) {
  answer_health(x, status_of_member(x->node().elsewhere->seen()));
}

void get_ready_of_member(const exchange_ptr& x) {
  const bool ready = status_of_member(x->node().elsewhere->seen()).ready;
  json::writer w{64};
  w.begin_object().member("ready", ready).end_object();
  answer_json(*x, w, ready ? 200 : 503);
}

void get_config_of_member(const exchange_ptr& x) {
  const auto& told = x->node().options.configuration;
  json::writer w{8192};
  w.begin_object().member_or_null("file", told.file).key("settings").begin_array();
  for (const auto& s : told.settings) json::write_setting(w, s.key, s.value, s.origin);
  w.end_array().end_object();
  answer_json(*x, w);
}

void get_metrics_of_member(const exchange_ptr& x) { answer_metrics(*x); }

}  // namespace

handler handler_of_member(const route& r) {
  static constexpr std::array<std::pair<std::string_view, handler>, 6> own{
      {{"get_node", get_node_of_member},
       {"get_health", get_health_of_member},
       {"get_ready", get_ready_of_member},
       {"get_config", get_config_of_member},
       {"get_metrics", get_metrics_of_member},
       {"get_metrics_v1", get_metrics_of_member}}};
  for (const auto& [operation, h] : own)
    if (r.operation == operation) return h;
  // These ask nobody.
  static constexpr std::array<std::string_view, 6> alike{"ping",        "post_ping",     "get_root",
                                                         "get_openapi", "list_problems", "get_problem"};
  for (const auto operation : alike)
    if (r.operation == operation) return r.handle;
  return nullptr;
}

}  // namespace belfry::api
