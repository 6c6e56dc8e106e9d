#include "core/cluster/node_story.hpp"

#include <algorithm>
#include <utility>

namespace belfry::core {
namespace {

std::string joined_text(const cluster_node& n) {
  auto text =
      n.name + " boot=" + n.boot + " version=" + n.version + " executors=" + std::to_string(n.executors);
  if (!n.address.empty()) text += " from=" + n.address;
  return text;
}

// What a hello says; what operators said stays.
node_decision join(const std::optional<cluster_node>& before, const cluster_node& said, instant now) {
  node_decision d;
  d.changed = true;
  d.next = said;
  d.next.role = node_role::member;
  d.next.state = node_state::up;
  d.next.removed = false;
  d.next.draining = before && before->draining;
  d.next.reason = before ? before->reason : std::string{};
  d.next.by = before ? before->by : std::string{};
  d.next.first_seen = before ? before->first_seen : now;
  const bool same = before && before->boot == said.boot;
  d.next.joined_at = same ? before->joined_at : now;
  d.next.seen_at = d.next.changed_at = now;
  d.event = same ? event_kind::node_returned : event_kind::node_joined;
  d.text = joined_text(d.next);
  return d;
}

node_decision fate(const cluster_node& before, node_state now_is, event_kind event, instant now) {
  node_decision d{before, before.state != now_is, std::nullopt, {}};
  if (!d.changed) return d;
  d.next.state = now_is;
  d.next.changed_at = now;
  d.event = event;
  return d;
}

node_decision by_operator(const cluster_node& before, bool cluster_node::*flag, bool to, event_kind event,
                          const node_news& news, const std::string& actor) {
  node_decision d{before, before.*flag != to, std::nullopt, {}};
  if (!d.changed) return d;
  d.next.*flag = to;
  d.next.reason = to ? news.because : std::string{};
  d.next.by = to ? actor : std::string{};
  d.event = event;
  return d;
}

node_decision next_of(const cluster_node& before, const node_news& news, const std::string& actor,
                      instant now) {
  switch (news.word) {
    case node_word::joined: break;  // decided before
    case node_word::suspected: return {before, false, event_kind::node_suspected, {}};
    case node_word::returned: {
      auto d = fate(before, node_state::up, event_kind::node_returned, now);
      d.event = event_kind::node_returned;  // also from suspicion, of which no row knows
      return d;
    }
    case node_word::lost: return fate(before, node_state::lost, event_kind::node_lost, now);
    case node_word::left: return fate(before, node_state::left, event_kind::node_left, now);
    case node_word::drained: return {before, false, event_kind::node_drained, {}};
    case node_word::draining:
      return by_operator(before, &cluster_node::draining, true, event_kind::node_draining, news, actor);
    case node_word::resumed:
      return by_operator(before, &cluster_node::draining, false, event_kind::node_resumed, news, actor);
    case node_word::removed:
      return by_operator(before, &cluster_node::removed, true, event_kind::node_removed, news, actor);
    case node_word::readmitted:
      return by_operator(before, &cluster_node::removed, false, event_kind::node_readmitted, news, actor);
  }
  return {before, false, std::nullopt, {}};
}

}  // namespace

result<node_decision> decide_node(const std::optional<cluster_node>& before, const node_news& news,
                                  const std::string& actor, instant now) {
  if (news.word == node_word::joined) {
    if (auto found = check_node_name(news.node.name, "/node"); !found.empty())
      return failure{errc::invalid, "this is no name of a node", std::move(found), {}};
    if (before && before->removed)
      return failure{errc::invalid_transition,
                     "the node " + news.node.name + " was removed and is not let in",
                     {},
                     "belfry node resume " + news.node.name};
    return join(before, news.node, now);
  }
  if (!before)
    return failure{errc::not_found, "there is no node \"" + news.node.name + "\"", {}, "belfry node ls"};
  auto d = next_of(*before, news, actor, now);
  if (d.changed) d.next.seen_at = std::max(before->seen_at, news.node.seen_at);
  if (d.event) d.text = before->name + (news.because.empty() ? "" : ": " + news.because);
  return d;
}

}  // namespace belfry::core
