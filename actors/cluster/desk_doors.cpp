// What operators ask of nodes, and orders to stop attempts.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/cluster/desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

namespace msg = messages;
namespace wire = messages::wire;
using core::errc;
using core::failure;
using core::node_state;
using core::node_word;

namespace {

failure no_node(const std::string& name) {
  return {errc::not_found, "there is no node \"" + name + "\" in the cluster", {}, "belfry node ls"};
}

}  // namespace

caf::result<cluster_desk::nodes_answer> cluster_desk::look_at(const msg::look_at_nodes& asked) {
  auto [guard, promise] = answer_later<nodes_answer>(this);
  show(asked.name, asked.removed_too, guard);
  return promise;
}

void cluster_desk::show(const std::string& name, bool removed_too, const nodes_promise& told) {
  look_at_store([this, name, removed_too, told](core::result<store_view> known) {
    if (!known) return told->deliver(nodes_answer{known.error()});
    told->deliver(seen(name, removed_too, *known));
  });
}

core::cluster_node cluster_desk::self() const {
  core::cluster_node n;
  n.name = deps_.options.node;
  n.boot = boot_;
  n.role = core::node_role::coordinator;
  n.version = deps_.options.version;
  n.executors = deps_.own_executors;
  n.joined_at = n.changed_at = n.first_seen = started_at_;
  n.seen_at = deps_.clock->now();
  return n;
}

core::result<msg::nodes_seen> cluster_desk::seen(const std::string& name, bool removed_too,
                                                 const store_view& known) const {
  msg::nodes_seen all;
  all.cluster = deps_.options.name;
  const auto show_one = [&](const core::cluster_node& is, core::span latency, auto is_its) {
    msg::node_view v;
    v.node = is;
    v.latency = latency;
    for (const auto& s : known.sessions) {
      if (!is_its(s)) continue;
      if (s.state != core::session_state::gone) v.sessions.push_back(s.id);
      v.leases += static_cast<std::uint32_t>(
          std::count_if(known.leases.begin(), known.leases.end(),
                        [&](const auto& head) { return head.held.holder == s.id; }));
    }
    all.nodes.push_back(std::move(v));
  };
  if (name.empty() || name == deps_.options.node)
    show_one(self(), core::span{0}, [](const core::session& s) { return s.local; });
  for (const auto& [node, m] : members_) {
    if (!m.is.boot.empty() && (name.empty() ? removed_too || !m.is.removed : name == node))
      show_one(m.is, m.latency, [&, n = node](const core::session& s) { return core::belongs_to(s, n); });
  }
  if (all.nodes.empty()) return no_node(name);
  return all;
}

caf::result<cluster_desk::nodes_answer> cluster_desk::steer(const msg::steer_node& asked) {
  if (asked.name == deps_.options.node)
    return nodes_answer{
        failure{errc::invalid_transition,
                "\"" + asked.name +
                    "\" is the coordinator itself: drain the scheduler, or stop the node, which "
                    "lets its own runs end first",
                {},
                "belfry scheduler drain"}};
  if (!members_.contains(asked.name)) return nodes_answer{no_node(asked.name)};
  auto [guard, promise] = answer_later<nodes_answer>(this);
  core::node_news news;
  news.word = asked.draining ? node_word::draining : node_word::resumed;
  news.node.name = asked.name;
  news.because = asked.reason;
  commit_changes sets;
  sets.sets.push_back({deps_.clock->now(), asked.actor, {}, {storage::tell_node{std::move(news)}}});
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, asked, told = guard](commit_results& r) {
            auto& answer = r.answers.front();
            if (!answer) return told->deliver(nodes_answer{std::move(answer).error()});
            follow_row(answer->nodes.front());
            auto& m = members_.at(asked.name);
            m.drained = m.drain_is_old = false;
            if (m.link != 0)
              send(m.link, wire::kind::steer, 0, wire::encode(wire::steer{asked.draining, asked.reason}));
            look_at_store([this, asked, told](core::result<store_view> known) {
              if (!known) return told->deliver(nodes_answer{known.error()});
              steer_sessions(asked, *known, [this, asked, told] {
                show(asked.name, true, told);
                // Not at once: what was claimed before the word was heard is on its way.
                looks_for_drained_ = asked.draining || looks_for_drained_;
                look_for_drained_at_ = core::later(deps_.clock->steady(), std::chrono::seconds{1});
                arm();
              });
            });
          },
          [told = guard](caf::error& e) { told->deliver(nodes_answer{failure_of(e, "storage")}); });
  return promise;
}

// `then` when each of them has been told, or cannot be.
void cluster_desk::steer_sessions(const msg::steer_node& asked, const store_view& known,
                                  std::function<void()> then) {
  const auto left = std::make_shared<std::size_t>(1);
  const auto told = [left, then = std::move(then)] {
    if (--*left == 0) then();
  };
  for (const auto& s : known.sessions) {
    if (!core::belongs_to(s, asked.name) || s.state == core::session_state::gone || !home_.registry) continue;
    ++*left;
    request(home_.registry, caf::infinite,
            msg::steer_session{s.id, asked.draining, asked.reason, asked.actor})
        .then([told](core::result<msg::sessions_seen>&) { told(); }, [told](caf::error&) { told(); });
  }
  told();
}

caf::result<cluster_desk::nodes_answer> cluster_desk::remove(const msg::remove_node& asked) {
  if (asked.name == deps_.options.node)
    return nodes_answer{
        failure{errc::invalid_transition, "\"" + asked.name + "\" is the coordinator itself", {}, {}}};
  const auto it = members_.find(asked.name);
  if (it == members_.end()) return nodes_answer{no_node(asked.name)};
  auto [guard, promise] = answer_later<nodes_answer>(this);
  const bool gone = it->second.is.state == node_state::lost || it->second.is.state == node_state::left;
  if (asked.back || asked.force || gone) {
    write_removal(asked, guard);
    return promise;
  }
  look_at_store([this, asked, told = guard](core::result<store_view> known) {
    if (!known) return told->deliver(nodes_answer{known.error()});
    const auto is = seen(asked.name, true, *known);
    if (!is) return told->deliver(nodes_answer{is.error()});
    const auto& v = is->nodes.front();
    if (v.node.draining && v.leases == 0) return write_removal(asked, told);
    told->deliver(nodes_answer{
        failure{errc::invalid_transition,
                "the node \"" + asked.name + "\" is " + std::string{core::to_text(v.node.state)} + " and " +
                    (v.node.draining ? "still has " + std::to_string(v.leases) + " runs" : "takes runs") +
                    "; drain it first, or force it: its runs are then lost when their leases run out",
                {},
                v.node.draining ? "belfry node show " + asked.name : "belfry node drain " + asked.name}});
  });
  return promise;
}

void cluster_desk::write_removal(const msg::remove_node& asked, const nodes_promise& told) {
  core::node_news news;
  news.word = asked.back ? node_word::readmitted : node_word::removed;
  news.node.name = asked.name;
  news.because = asked.reason;
  commit_changes sets;
  sets.sets.push_back({deps_.clock->now(), asked.actor, {}, {storage::tell_node{std::move(news)}}});
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, asked, told](commit_results& r) {
            auto& answer = r.answers.front();
            if (!answer) return told->deliver(nodes_answer{std::move(answer).error()});
            follow_row(answer->nodes.front());
            tell_admission();
            auto& m = members_.at(asked.name);
            const failure why{
                errc::forbidden, "the node \"" + asked.name + "\" was removed from the cluster", {}, {}};
            if (!asked.back)
              for (const auto link : {m.greeting, m.link})
                if (link != 0) refuse(link, why);
            // Whoever comes back has the whole time to do so.
            if (asked.back) m.heard = deps_.clock->steady();
            tell_state();
            arm();
            show(asked.name, true, told);
          },
          [told](caf::error& e) { told->deliver(nodes_answer{failure_of(e, "storage")}); });
}

// What operators said of it; whether it lives is judged here.
void cluster_desk::follow_row(const core::cluster_node& row) {
  auto& is = members_.at(row.name).is;
  is.draining = row.draining;
  is.removed = row.removed;
  is.reason = row.reason;
  is.by = row.by;
}

void cluster_desk::tell_admission() {
  if (!deps_.admits) return;
  std::set<std::string> removed;
  for (const auto& [name, m] : members_)
    if (m.is.removed) removed.insert(name);
  deps_.admits->refuse_only(std::move(removed));
}

// A member that cannot be told stops by itself before its lease is over; and when it is back it is told of
// what was cancelled meanwhile.
void cluster_desk::stop(const msg::stop_attempt& asked) {
  const auto it = executors_.find(asked.holder);
  if (it == executors_.end()) {
    if (deps_.executors) caf::anon_send(deps_.executors, asked);
    return;
  }
  const auto& m = members_.at(it->second.node);
  if (m.link != 0) send(m.link, wire::kind::stop, 0, wire::encode(wire::stop{asked}));
}

}  // namespace belfry::actors
