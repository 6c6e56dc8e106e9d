// Beats, and what silence means: who is suspect, lost, back; and when a draining node has nothing left.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/cluster/desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "core/time/text.hpp"

namespace belfry::actors {

namespace msg = messages;
namespace wire = messages::wire;
using core::node_state;
using core::node_word;
using platform::metric;

namespace {

constexpr core::span between_looks = std::chrono::seconds{1};

// Whether its silence can still change what is said of it. Without a boot it has never joined.
bool judged(const core::cluster_node& n) {
  return !n.boot.empty() && !n.removed && n.state != node_state::left && n.state != node_state::lost;
}

std::string silence_text(const core::cluster_node& n) {
  return "silent since " + core::to_rfc3339(n.seen_at);
}

}  // namespace

void cluster_desk::look() {
  const auto now = deps_.clock->steady();
  end_silent_callers();
  for (auto& [name, m] : members_) {
    judge(m);
    if (m.link != 0 && m.beat_at <= now) beat(m);
  }
  if (looks_for_drained_ && look_for_drained_at_ <= now) look_for_drained();
  arm();
}

void cluster_desk::arm() {
  const auto now = deps_.clock->steady();
  const auto& o = deps_.options.membership;
  const auto ring_at = [&](core::instant at) { alarm_.arm(cluster_desk_actor{this}, at, now); };
  for (const auto& [link, from] : callers_)
    if (!from.joined) ring_at(core::later(from.since, o.lost_after));
  for (const auto& [name, m] : members_) {
    if (m.link != 0) ring_at(m.beat_at);
    if (!judged(m.is)) continue;
    if (core::judge_silence(m.heard, now, o) != node_state::lost)
      ring_at(core::next_judgement(m.heard, now, o));
  }
  if (looks_for_drained_) ring_at(look_for_drained_at_);
}

// A caller that does not say who it is has no business here.
void cluster_desk::end_silent_callers() {
  const auto now = deps_.clock->steady();
  std::vector<link_id> silent;
  for (const auto& [link, from] : callers_)
    if (!from.joined && core::later(from.since, deps_.options.membership.lost_after) <= now)
      silent.push_back(link);
  for (const auto link : silent) hang_up(link, "it did not join in time");
}

void cluster_desk::heard(member& m) {
  m.heard = deps_.clock->steady();
  m.is.seen_at = deps_.clock->now();
  if (m.is.state == node_state::up) return;
  m.is.state = node_state::up;
  m.is.changed_at = m.is.seen_at;
  tell_story(m.is.name, node_word::returned, {});
  tell_state();
  arm();
}

void cluster_desk::beat(member& m) {
  const auto now = deps_.clock->steady();
  m.beat_at = core::later(now, deps_.options.membership.beat);
  m.beat = ++next_beat_;
  m.beat_sent = now;
  // A window that is full is full of what the member reads as signs of life.
  send(m.link, wire::kind::beat, m.beat,
       wire::encode(wire::beat{0, m.is.draining ? wire::beat_drains : wire::beat_works}));
}

void cluster_desk::beaten(member& m, std::uint64_t number) {
  if (number != m.beat) return;
  m.beat = 0;
  m.latency = deps_.clock->steady() - m.beat_sent;
  deps_.says.observe(metric::cluster_link_seconds, seconds(m.latency));
}

void cluster_desk::judge(member& m) {
  if (!judged(m.is)) return;
  const auto is = core::judge_silence(m.heard, deps_.clock->steady(), deps_.options.membership);
  if (is == m.is.state || is == node_state::up) return;
  m.is.state = is;
  m.is.changed_at = deps_.clock->now();
  deps_.says.say(note_level::warning,
                 "node-" + std::string{core::to_text(is)} + " node=" + m.is.name + " " + silence_text(m.is));
  tell_story(m.is.name, is == node_state::lost ? node_word::lost : node_word::suspected, silence_text(m.is));
  // What its claims would be given might never arrive. Nothing is taken from it.
  stop_claims_of(m.is.name);
  tell_state();
}

// Whether the last lease of a draining node has ended. Asked of the store: leases end in many ways.
void cluster_desk::look_for_drained() {
  looks_for_drained_ = std::any_of(members_.begin(), members_.end(), [](const auto& one) {
    return one.second.is.draining && !one.second.is.removed && !one.second.drained;
  });
  if (!looks_for_drained_) return;
  look_for_drained_at_ = core::later(deps_.clock->steady(), between_looks);
  look_at_store([this](core::result<store_view> known) {
    if (!known) return;
    for (auto& [name, m] : members_) {
      if (!m.is.draining || m.is.removed || m.drained) continue;
      const bool busy =
          std::any_of(known->leases.begin(), known->leases.end(), [&, node = name](const auto& head) {
            return std::any_of(known->sessions.begin(), known->sessions.end(), [&](const auto& s) {
              return s.id == head.held.holder && core::belongs_to(s, node);
            });
          });
      const bool old = std::exchange(m.drain_is_old, false);
      if (busy) continue;
      m.drained = true;
      if (!old) tell_story(name, node_word::drained, {});
    }
  });
}

void cluster_desk::tell_story(const std::string& node, node_word word, std::string because) {
  core::node_news news;
  news.word = word;
  news.node.name = node;
  news.because = std::move(because);
  if (const auto it = members_.find(node); it != members_.end()) news.node.seen_at = it->second.is.seen_at;
  commit_changes sets;
  sets.sets.push_back({deps_.clock->now(), "node", {}, {storage::tell_node{std::move(news)}}});
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, node](commit_results& r) {
            if (!r.answers.front())
              deps_.says.say(note_level::warning,
                             "node-not-written node=" + node + " " + r.answers.front().error().text);
          },
          [](caf::error&) {});
}

void cluster_desk::tell_state() {
  std::array<double, 4> of_state{};
  of_state[static_cast<std::size_t>(node_state::up)] = 1;  // this one
  std::vector<std::string> issues;
  for (const auto& [name, m] : members_) {
    if (m.is.removed || m.is.boot.empty()) continue;
    of_state.at(static_cast<std::size_t>(m.is.state)) += 1;
    if (m.is.state == node_state::lost || m.is.state == node_state::suspect)
      issues.push_back("node_" + std::string{core::to_text(m.is.state)} + ": " + name + " " +
                       silence_text(m.is));
  }
  if (deps_.says.meter != nullptr)
    for (const auto s : {node_state::up, node_state::suspect, node_state::lost, node_state::left})
      deps_.says.meter->set(metric::cluster_nodes, of_state.at(static_cast<std::size_t>(s)),
                            core::to_text(s));
  if (issues == issues_) return;
  issues_ = issues;
  if (deps_.supervisor) caf::anon_send(deps_.supervisor, msg::cluster_changed{std::move(issues)});
}

}  // namespace belfry::actors
