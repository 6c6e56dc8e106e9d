// A node says hello: whether it is let in, and what the store knows of it is put right before it is welcome.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/cluster/desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

namespace msg = messages;
namespace wire = messages::wire;
using core::errc;
using core::failure;
using core::node_word;

namespace {

// Our trouble is no reason to stay away for ever.
failure not_now(const failure& why) { return {errc::unavailable, why.text, {}, {}}; }

core::cluster_node node_of(const wire::hello& h, const std::string& address) {
  core::cluster_node n;
  n.name = h.node;
  n.boot = h.boot;
  n.version = h.belfry_version;
  n.address = address;
  n.labels = h.labels;
  n.capabilities = h.capabilities;
  n.executors = h.executors;
  return n;
}

}  // namespace

void cluster_desk::refuse(link_id link, const failure& why) {
  wire::refused no;
  no.code = why.code;
  no.text = why.text;
  for (const auto& p : why.problems) no.text += "; " + p.pointer + ": " + p.value + ", allowed: " + p.allowed;
  send(link, wire::kind::refused, 0, wire::encode(no));
  hang_up(link, no.text);
}

// Another hello of the same node may have come meanwhile, or this link may be gone.
bool cluster_desk::greets(link_id link, const std::string& node) const {
  const auto it = members_.find(node);
  return callers_.contains(link) && it != members_.end() && it->second.greeting == link;
}

void cluster_desk::hello(link_id link, const envelope& e) {
  const auto& from = callers_.at(link);
  if (e.version != core::wire_version) {  // its body may be of a form that nobody here can read
    core::greeting g;
    g.version = e.version;
    g.own_version = deps_.options.version;
    return refuse(link, *core::refuse_hello(g, deps_.options.membership));
  }
  const auto said = wire::read_hello(e.body);
  if (!said) return hang_up(link, said.error().text);
  core::greeting g;
  g.version = said->version;
  g.said = node_of(*said, from.address);
  g.certificate = from.node;
  g.own_name = deps_.options.node;
  g.own_version = deps_.options.version;
  g.nodes = members_.size();
  g.max_nodes = deps_.options.max_nodes;
  g.now = deps_.clock->steady();
  const auto it = members_.find(said->node);
  if (it != members_.end()) {
    g.known = true;
    g.removed = it->second.is.removed;
    if (it->second.link != 0) g.linked_boot = it->second.is.boot;
    g.heard = it->second.heard;
  }
  if (const auto no = core::refuse_hello(g, deps_.options.membership)) return refuse(link, *no);

  auto& m = members_[said->node];
  if (!g.known) {
    m.is.name = said->node;
    m.heard = g.now;
  }
  if (const auto old = std::exchange(m.greeting, 0); old != 0) hang_up(old, "the node said hello again");
  if (m.link != 0) hang_up(m.link, "the node said hello by another link");
  m.greeting = link;
  look_at_store([this, link, said = *said](core::result<store_view> known) {
    if (!greets(link, said.node)) return;
    if (!known) return refuse(link, not_now(known.error()));
    put_right(link, said, *known);
  });
}

// Leases first: a session that is ended while its lease stands would let it run out.
void cluster_desk::put_right(link_id link, const wire::hello& said, const store_view& known) {
  core::homecoming h;
  h.node = said.node;
  h.new_boot = members_.at(said.node).is.boot != said.boot;
  h.sessions = known.sessions;
  h.leases = known.leases;
  h.said = said.sessions;
  for (const auto& one : said.held) h.held.push_back({one.session, one.run, one.fencing});
  auto right = core::reconcile(h);
  give_back(right.unseen, "the node " + said.node + " never heard of it");
  commit_changes sets;
  for (const auto& head : right.lost)
    sets.sets.push_back(
        {deps_.clock->now(),
         "node",
         {},
         {storage::step_run{head.id, core::cmd_lose{head.fencing, "the node " + said.node + " began anew",
                                                    deps_.randomness->unit()}}}});
  if (sets.sets.empty()) return end_sessions(link, said, std::move(right));
  // One that was settled or taken meanwhile refuses, and that is as well.
  request(deps_.store, caf::infinite, std::move(sets))
      .then([this, link, said, right](commit_results&) { end_sessions(link, said, right); },
            [this, link](caf::error& e) { refuse(link, not_now(failure_of(e, "storage"))); });
}

// All of them are told before the node is written as joined: whoever dies in between finds the old boot in
// the row and does it again.
void cluster_desk::end_sessions(link_id link, const wire::hello& said, core::reconciliation right) {
  for (const auto id : right.crashed) end_session(id, "the node " + said.node + " began anew", true);
  for (const auto id : right.orphaned) end_session(id, "the node " + said.node + " does not know it", false);
  enter(link, said, std::move(right));
}

void cluster_desk::enter(link_id link, const wire::hello& said, core::reconciliation right) {
  if (!greets(link, said.node)) return;
  core::node_news news;
  news.word = node_word::joined;
  news.node = node_of(said, callers_.at(link).address);
  commit_changes sets;
  sets.sets.push_back({deps_.clock->now(), "node:" + said.node, {}, {storage::tell_node{std::move(news)}}});
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, link, said, right](commit_results& r) {
            if (!greets(link, said.node)) return;
            auto& answer = r.answers.front();
            if (!answer) return refuse(link, answer.error());
            welcome(link, said, right, std::move(answer->nodes.front()));
          },
          [this, link](caf::error& e) { refuse(link, not_now(failure_of(e, "storage"))); });
}

void cluster_desk::welcome(link_id link, const wire::hello& said, const core::reconciliation& right,
                           core::cluster_node row) {
  auto& m = members_.at(said.node);
  m.is = std::move(row);
  m.link = link;
  m.greeting = 0;
  m.heard = m.beat_at = deps_.clock->steady();
  m.beat = 0;
  m.latency = core::span{0};
  callers_.at(link).joined = true;
  std::erase_if(executors_, [&](const auto& one) { return one.second.node == said.node; });
  for (const auto id : right.here) {
    auto& e = executors_[id];
    e.node = said.node;
    e.used = true;
  }
  m.runs.clear();
  m.ended.clear();
  for (const auto& one : said.held) m.runs[one.run] = {one.session, false};

  wire::welcome w;
  w.node = deps_.options.node;
  w.boot = boot_;
  w.cluster = deps_.options.name;
  w.belfry_version = deps_.options.version;
  w.membership = deps_.options.membership;
  w.draining = m.is.draining;
  w.gone = right.gone;
  for (const auto& one : right.taken) w.lost.push_back({one.session, one.run, one.fencing});
  deps_.says.say(note_level::info, "node-joined node=" + said.node + " boot=" + said.boot +
                                       " unseen=" + std::to_string(right.unseen.size()) +
                                       " held=" + std::to_string(said.held.size()));
  if (!send(link, wire::kind::welcome, 0, wire::encode(w)))
    return hang_up(link, "it cannot be told anything");
  for (const auto& head : right.asked_to_end)
    stop({head.id, head.fencing, msg::stop_why::cancel, head.held.holder});
  tell_state();
  arm();
}

// Nothing of it is left, it says. What the store still has of it, it has never seen.
void cluster_desk::leave(link_id link, member& m) {
  m.is.state = core::node_state::left;
  m.is.changed_at = deps_.clock->now();
  const auto name = m.is.name;
  tell_story(name, node_word::left, {});
  const auto all = sessions_of(name);
  std::erase_if(executors_, [&](const auto& one) { return one.second.node == name; });
  hang_up(link, "it said good-bye");
  tell_state();
  look_at_store([this, name, all](core::result<store_view> known) {
    if (!known || members_.at(name).link != 0) return;
    core::homecoming h;
    h.node = name;
    h.sessions = known->sessions;
    h.leases = known->leases;
    give_back(core::reconcile(h).unseen, "the node " + name + " has left");
    for (const auto id : all) end_session(id, "the node " + name + " has left", false);
  });
}

}  // namespace belfry::actors
