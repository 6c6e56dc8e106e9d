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

cluster_desk::cluster_desk(caf::actor_config& cfg, cluster_desk_deps deps)
    : cluster_desk_actor::base(cfg), deps_{std::move(deps)}, started_at_{deps_.clock->now()} {}

auto cluster_desk::make_behavior() -> behavior_type {
  return {
      [this](const msg::stop_attempt& asked) { stop(asked); },
      [this](const msg::look_at_nodes& asked) { return look_at(asked); },
      [this](const msg::steer_node& asked) { return steer(asked); },
      [this](const msg::remove_node& asked) { return remove(asked); },
      [this](const begin_cluster& who) { begin(who); },
      [this](const link_came_up& news) { up(news); },
      [this](link_said& news) { said(news); },
      [this](const link_went_down& news) { down(news.link, news.why); },
      [this](const msg::read_with& asked) { deps_.reader = asked.who; },
      [this](const msg::alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void cluster_desk::on_exit() {
  if (std::exchange(listening_, false)) {
    deps_.links->silence();
    for (const auto& [link, from] : callers_) deps_.links->close(link, "the coordinator ends");
  }
  members_.clear();
  callers_.clear();
  executors_.clear();
  life_.clear();
  home_ = {};
  deps_ = {};
}

void cluster_desk::begin(const begin_cluster& who) {
  home_ = who;
  boot_ = core::boot_uuid(deps_.randomness->bits(), deps_.randomness->bits());
  life_.tell_to(home_.registry);
  request(deps_.reader, caf::infinite, msg::query{msg::list_nodes{}})
      .then(
          [this](core::result<msg::query_answer>& r) {
            if (!r) {
              deps_.says.say(note_level::error, "cluster-not-read " + r.error().text);
              return quit(caf::exit_reason::unhandled_exception);
            }
            begun(std::get<std::vector<core::cluster_node>>(std::move(*r)));
          },
          [this](caf::error&) { quit(caf::exit_reason::unhandled_exception); });
}

// Whoever was there before this process has the whole time to come back.
void cluster_desk::begun(std::vector<core::cluster_node> rows) {
  const auto now = deps_.clock->steady();
  for (auto& row : rows) {
    auto& m = members_[row.name];
    m.heard = now;
    m.drain_is_old = row.draining;
    m.is = std::move(row);
  }
  tell_admission();
  // Weak: the links outlive this actor, and must not keep it.
  const auto self = caf::actor_cast<caf::weak_actor_ptr>(cluster_desk_actor{this});
  const auto tell = [self](auto news) {
    if (const auto to = caf::actor_cast<cluster_desk_actor>(self)) caf::anon_send(to, std::move(news));
  };
  listening_ = true;
  deps_.links->listen({[tell](link_id link, std::string node, std::string address) {
                         tell(link_came_up{link, std::move(node), std::move(address)});
                       },
                       [tell](link_id link, envelope what) {
                         tell(link_said{link, std::move(what)});
                       },
                       [tell](link_id link, std::string why) {
                         tell(link_went_down{link, std::move(why)});
                       }});
  look_for_drained();
  tell_state();
  arm();
}

void cluster_desk::up(const link_came_up& news) {
  // A node has one link, and for a moment a second one that takes over.
  if (callers_.size() >= 2 * static_cast<std::size_t>(deps_.options.max_nodes) + 2) {
    deps_.links->close(news.link, "too many links");
    return;
  }
  caller from;
  from.node = news.node;
  from.address = news.address;
  from.since = deps_.clock->steady();
  callers_.insert_or_assign(news.link, std::move(from));
  arm();
}

void cluster_desk::said(link_said& news) {
  const auto it = callers_.find(news.link);
  if (it == callers_.end()) return;  // it was hung up on
  auto& e = news.what;
  const auto kind = static_cast<wire::kind>(e.kind);
  if (kind == wire::kind::hello) {
    if (std::exchange(it->second.greeted, true)) return hang_up(news.link, "it said hello twice");
    return hello(news.link, e);
  }
  if (!it->second.joined) return hang_up(news.link, "it spoke before it was welcome");
  if (e.version != core::wire_version)
    return hang_up(news.link, "it speaks version " + std::to_string(e.version));
  auto& m = members_.at(it->second.node);
  heard(m);
  heed(news.link, m, e);
}

void cluster_desk::heed(link_id link, member& m, envelope& e) {
  switch (static_cast<wire::kind>(e.kind)) {
    case wire::kind::beat: {
      if (const auto read = wire::read_beat(e.body); !read) return hang_up(link, read.error().text);
      send(link, wire::kind::beaten, e.number, {});
      const auto now = deps_.clock->now();
      for (const auto id : sessions_of(m.is.name)) life_.heard(id, now);
      return;
    }
    case wire::kind::beaten: return beaten(m, e.number);
    case wire::kind::good_bye: return leave(link, m);
    case wire::kind::ask: return question(link, m, e);
    case wire::kind::hello:
    case wire::kind::welcome:
    case wire::kind::refused:
    case wire::kind::answer:
    case wire::kind::stop:
    case wire::kind::steer: break;
  }
  hang_up(link, "a member does not send envelopes of kind " + std::to_string(e.kind));
}

void cluster_desk::hang_up(link_id link, const std::string& why) {
  if (!callers_.contains(link)) return;
  deps_.says.say(note_level::warning, "node-link-closed node=" + callers_.at(link).node + " " + why);
  deps_.links->close(link, why);
  down(link, why);
}

void cluster_desk::down(link_id link, const std::string& why) {
  const auto it = callers_.find(link);
  if (it == callers_.end()) return;
  const auto node = it->second.node;
  const bool joined = it->second.joined;
  callers_.erase(it);
  const auto at = members_.find(node);
  if (at == members_.end()) return;
  auto& m = at->second;
  if (m.greeting == link) m.greeting = 0;
  if (!joined || m.link != link) return;
  m.link = 0;
  m.beat = 0;
  deps_.says.say(note_level::info, "node-link-down node=" + node + " " + why);
  stop_claims_of(node);
}

bool cluster_desk::send(link_id link, wire::kind kind, std::uint64_t number, std::string body, bool soon) {
  if (body.size() > wire::longest_body) return false;
  envelope e{core::wire_version, static_cast<std::uint16_t>(kind), number, std::move(body)};
  return soon ? deps_.links->send_soon(link, std::move(e)) : deps_.links->send(link, std::move(e));
}

void cluster_desk::look_at_store(std::function<void(core::result<store_view>)> then) {
  const auto lost = [then](caf::error& e) { then(failure_of(e, "reader")); };
  request(deps_.reader, caf::infinite, msg::query{msg::list_sessions{true}})
      .then(
          [this, then, lost](core::result<msg::query_answer>& r) {
            if (!r) return then(r.error());
            auto known = std::make_shared<store_view>();
            known->sessions = std::get<std::vector<core::session>>(std::move(*r));
            request(deps_.reader, caf::infinite, msg::query{msg::list_leases{}})
                .then(
                    [then, known](core::result<msg::query_answer>& leases) {
                      if (!leases) return then(leases.error());
                      known->leases = std::get<std::vector<core::run_head>>(std::move(*leases));
                      then(std::move(*known));
                    },
                    lost);
          },
          lost);
}

std::vector<core::session_id> cluster_desk::sessions_of(const std::string& node) const {
  std::vector<core::session_id> all;
  for (const auto& [id, e] : executors_)
    if (e.node == node) all.push_back(id);
  std::sort(all.begin(), all.end());
  return all;
}

// Nobody there hears of what they would be given. They claim again as soon as somebody does.
void cluster_desk::stop_claims_of(const std::string& node) {
  auto all = sessions_of(node);
  if (!all.empty() && home_.dispatcher) caf::anon_send(home_.dispatcher, msg::end_claims{std::move(all)});
}

}  // namespace belfry::actors
