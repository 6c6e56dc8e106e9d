#include "core/cluster/membership.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/text/word.hpp"

namespace belfry::core {
namespace {

failure no_entry(errc code, std::string text, std::string command = {}) {
  return {code, std::move(text), {}, std::move(command)};
}

std::string prefix_of(std::string_view node) { return std::string{node} + "/"; }

}  // namespace

std::optional<failure> refuse_hello(const greeting& g, const membership_options& o) {
  const auto& name = g.said.name;
  if (g.version != wire_version)
    return no_entry(errc::invalid, "the node speaks version " + std::to_string(g.version) +
                                       " between nodes, the coordinator (belfry " + g.own_version +
                                       ") version " + std::to_string(wire_version) +
                                       "; run the same belfry on both");
  if (auto found = check_node_name(name, "/node"); !found.empty())
    return failure{errc::invalid, "the node has no name that can be used", std::move(found), {}};
  if (name != g.certificate)
    return no_entry(errc::forbidden, "the node says that it is \"" + name +
                                         "\", but its certificate is of \"" + g.certificate + "\"");
  if (name == g.own_name)
    return no_entry(errc::already_exists, "\"" + name + "\" is the name of the coordinator itself");
  if (g.removed)
    return no_entry(errc::forbidden, "the node \"" + name + "\" was removed from the cluster",
                    "belfry node ls");
  if (g.said.boot.size() != 36)
    return no_entry(errc::invalid, "the boot of the node \"" + name + "\" is no UUID of 36 characters");
  if (auto found = check_words_of(g.said); !found.empty())
    return failure{
        errc::invalid, "the words of the node \"" + name + "\" cannot be used", std::move(found), {}};
  if (!g.linked_boot.empty() && g.linked_boot != g.said.boot &&
      judge_silence(g.heard, g.now, o) == node_state::up)
    return no_entry(errc::conflict,
                    "another process is here as the node \"" + name +
                        "\" and was heard of just now; if it is dead, this one is let in after " +
                        std::to_string(millis(o.suspect_after)) + " ms of its silence");
  if (!g.known && g.nodes >= g.max_nodes)
    return no_entry(errc::limit_exceeded,
                    "the cluster knows " + std::to_string(g.nodes) + " nodes already, which is its limit",
                    "belfry node ls");
  return std::nullopt;
}

bool belongs_to(const session& s, std::string_view node) {
  return !s.local && owned_by_node(s) && s.name.size() > node.size() && s.name.starts_with(node) &&
         s.name[node.size()] == '/';
}

session session_of_node(const session& asked, const cluster_node& node) {
  session s;
  s.id = asked.id;
  const auto prefix = prefix_of(node.name);
  s.name = asked.name.starts_with(prefix) ? asked.name : prefix + asked.name;
  s.agent_type = "process";
  s.handlers = {handler_kind::process};
  s.slots = 1;  // an executor has one process at a time, and one claim
  s.capabilities = node.capabilities;
  s.capabilities.insert(s.capabilities.end(), node.labels.begin(), node.labels.end());
  s.capabilities.push_back("node:" + node.name);
  s.draining = node.draining;
  s.state = state_here(s);
  s.metadata = R"({"node":")" + node.name + R"("})";  // a name needs no escapes
  s.wake.via = wake_via::none;
  normalise(s);
  return s;
}

std::vector<field_problem> check_words_of(const cluster_node& node) {
  constexpr std::size_t longest = 100;
  std::vector<field_problem> found;
  check_words(found, "/labels", node.labels, most_node_words, longest);
  check_words(found, "/capabilities", node.capabilities, most_node_words, longest);
  return found;
}

reconciliation reconcile(const homecoming& h) {
  reconciliation r;
  const std::unordered_set<session_id> said{h.said.begin(), h.said.end()};
  std::unordered_map<session_id, bool> ours;  // with whether it is gone
  for (const auto& s : h.sessions)
    if (belongs_to(s, h.node)) ours.emplace(s.id, s.state == session_state::gone);

  for (const auto& [id, gone] : ours) {
    if (gone) continue;
    auto& where = h.new_boot ? r.crashed : said.contains(id) ? r.here : r.orphaned;
    where.push_back(id);
  }
  for (const auto id : h.said) {
    const auto it = ours.find(id);
    if (h.new_boot || it == ours.end() || it->second) r.gone.push_back(id);
  }
  std::sort(r.crashed.begin(), r.crashed.end());
  std::sort(r.orphaned.begin(), r.orphaned.end());
  std::sort(r.here.begin(), r.here.end());

  std::unordered_map<run_id, const run_head*> leased;
  for (const auto& head : h.leases) leased.emplace(head.id, &head);
  std::unordered_set<run_id> in_hand;
  for (const auto& one : h.held) {
    const auto it = leased.find(one.run);
    // What is nobody's now may still be told: a result that comes too late is kept as evidence.
    if (it == leased.end()) continue;
    const bool own = it->second->fencing == one.fencing && ours.contains(it->second->held.holder);
    if (!own || h.new_boot) {
      r.taken.push_back(one);
      continue;
    }
    in_hand.insert(one.run);
    if (it->second->cancel_requested) r.asked_to_end.push_back(*it->second);
  }
  for (const auto& head : h.leases) {
    const auto it = ours.find(head.held.holder);
    if (it == ours.end() || in_hand.contains(head.id)) continue;
    if (!h.new_boot)
      r.unseen.push_back(head);
    else if (it->second)
      r.lost.push_back(head);
  }
  return r;
}

span waited_for(span elapsed, span since) { return std::max(elapsed - std::max(since, span{0}), span{0}); }

}  // namespace belfry::core
