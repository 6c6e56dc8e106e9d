// The member desk and its one link: dialling, greeting, beats, and the end of it.
#include "actors/support/message_types.hpp"
// after the message types
#include <caf/send.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "actors/cluster/member_desk.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

// Somebody else is there under our name. Our own link of before may only be slow to die, so this is final
// no sooner than it can be.
bool is_duplicate(errc code) {
  return code == errc::already_exists || code == errc::conflict || code == errc::store_held;
}

std::string other_version(std::uint16_t theirs) {
  return "the coordinator speaks version " + std::to_string(theirs) + " of the cluster protocol, this node " +
         std::to_string(core::wire_version) + "; run the same version of belfry on both";
}

}  // namespace

void member_desk::heard(member_link_news& news) {
  std::visit(
      [this](auto& one) {
        using kind = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<kind, member_link_up>) {
          rose(one);
        } else if constexpr (std::is_same_v<kind, member_link_said>) {
          if (one.id == link_ && link_ != 0) said(one);
        } else if constexpr (std::is_same_v<kind, member_link_down>) {
          if (one.id == link_ && link_ != 0) lose_link(one.why);
        } else {
          if (stage_ == stage::dialling && link_ == 0 && one.dial == dial_ && dial_at_ == core::never)
            dial_later(now(), address_ + ": " + one.why.text);
        }
      },
      news.what);
}

// ---- dialling

void member_desk::dial(core::instant at) {
  const auto& all = deps_.options.coordinators;
  if (all.empty())
    return give_up({errc::invalid, "no coordinator is named", {}, "belfry serve --join HOST:PORT"});
  stage_ = stage::dialling;
  dial_at_ = core::never;
  stage_until_ = core::later(at, 2 * membership_.lost_after);
  address_ = all[turn_++ % all.size()];
  const auto me = caf::actor_cast<caf::weak_actor_ptr>(member_desk_actor{this});
  deps_.wire->dial(address_, [me, number = ++dial_](failure why) {
    if (const auto self = caf::actor_cast<member_desk_actor>(me))
      caf::anon_send(self, member_link_news{member_dial_failed{number, std::move(why)}});
  });
}

void member_desk::dial_later(core::instant at, const std::string& why) {
  stage_ = stage::dialling;
  stage_until_ = core::end_of_time;
  if (stopping_ && attempts_.empty()) return;
  trouble_ = why;
  const auto pause = core::dial_pause(++failures_, deps_.randomness->unit());
  dial_at_ = core::later(at, pause);
  if (failures_ == 1 || failures_ % 10 == 0)
    deps_.says.say(note_level::warning, "not-joined " + why + " tries=" + std::to_string(failures_));
  show();
}

void member_desk::rose(const member_link_up& news) {
  if (stage_ != stage::dialling || link_ != 0) return deps_.wire->close(news.id, "one link is enough");
  const auto at = now();
  link_ = news.id;
  stage_ = stage::greeting;
  dial_at_ = core::never;
  heard_at_ = at;
  stage_until_ = core::later(at, membership_.lost_after);
  coordinator_ = news.node;
  if (!send(wire::kind::hello, 0, wire::encode(hello()))) cut("hello could not be sent");
}

wire::hello member_desk::hello() const {
  const auto& o = deps_.options;
  wire::hello h;
  h.node = o.node;
  h.boot = deps_.boot;
  h.belfry_version = o.version;
  h.labels = o.labels;
  h.capabilities = o.capabilities;
  h.executors = o.executor.processes;
  h.sessions = {sessions_.begin(), sessions_.end()};
  for (const auto& a : attempts_) h.held.push_back(a.held());
  return h;
}

bool member_desk::send(wire::kind what, std::uint64_t number, std::string body, bool soon) {
  if (link_ == 0) return false;
  envelope e{core::wire_version, static_cast<std::uint16_t>(what), number, std::move(body)};
  return soon ? deps_.wire->send_soon(link_, std::move(e)) : deps_.wire->send(link_, std::move(e));
}

// We close it ourselves; what comes of it from now on is not heard.
void member_desk::cut(const std::string& why) {
  if (link_ == 0) return;
  deps_.wire->close(link_, why);
  lose_link(why);
}

void member_desk::lose_link(const std::string& why) {
  const auto at = now();
  link_ = 0;
  beat_at_ = core::never;
  stage_until_ = core::end_of_time;
  if (stage_ == stage::out) return;
  if (stage_ == stage::joined)
    deps_.says.say(note_level::warning, "left-alone coordinator=" + coordinator_ + " " + why +
                                            " running=" + std::to_string(running()));
  stage_ = stage::dialling;
  dial_later(at, why);
  for (auto& q : open_.link_lost()) {
    // Claims come again at once and wait here; a heartbeat was not granted.
    core::result<wire::reply> nothing{wire::reply{claimed_runs{}}};
    if (q.kind == question_kind::renewal) nothing = failure{errc::unavailable, "the link is gone", {}, {}};
    q.then(nothing, {});
  }
  leave_if_told(at);
}

// ---- what the coordinator says

void member_desk::said(member_link_said& news) {
  heard_at_ = now();
  auto& e = news.what;
  switch (static_cast<wire::kind>(e.kind)) {
    case wire::kind::welcome: return welcomed(e.body);
    case wire::kind::refused: return turned_away(e.body);
    case wire::kind::beat: {
      const auto m = wire::read_beat(e.body);
      if (!m) return cut("its beat cannot be read: " + m.error().text);
      send(wire::kind::beaten, e.number, wire::encode(wire::beat{running()}));
      if (m->steer != 0 && stage_ == stage::joined)
        steer(m->steer == wire::beat_drains, "as the coordinator said");
      return;
    }
    case wire::kind::answer:
      if (stage_ == stage::joined) answered(e.number, e.body);
      return sessions_may_leave();
    case wire::kind::stop: {
      const auto m = wire::read_stop(e.body);
      if (!m) return cut("its word to stop cannot be read: " + m.error().text);
      auto* a = find(m->what.run, m->what.fencing);
      if (a != nullptr && m->what.why == stop_why::lease_lost) a->lost = true;
      if (a != nullptr) return stop_now(*a, m->what.why);
      // Quicker than the claim's own answer, perhaps: whoever gets that one knows then.
      if (head_) caf::anon_send(head_, m->what);
      return;
    }
    case wire::kind::steer: {
      const auto m = wire::read_steer(e.body);
      if (!m) return cut("its word to drain cannot be read: " + m.error().text);
      return steer(m->draining, m->reason);
    }
    case wire::kind::beaten:
    case wire::kind::hello:
    case wire::kind::good_bye:
    case wire::kind::ask: return;
  }
  // A newer coordinator may say more than this node knows of.
}

void member_desk::welcomed(const std::string& body) {
  if (stage_ != stage::greeting) return;
  const auto m = wire::read_welcome(body);
  if (!m) return cut("its welcome cannot be read: " + m.error().text);
  if (m->version != core::wire_version)
    return give_up({errc::invalid, other_version(m->version), {}, "belfry version"});
  const auto at = now();
  stage_ = stage::joined;
  stage_until_ = core::end_of_time;
  failures_ = 0;
  duplicate_since_.reset();
  if (!m->node.empty()) coordinator_ = m->node;
  cluster_ = m->cluster;
  if (core::check(m->membership, {}).empty()) membership_ = m->membership;
  beat_at_ = core::later(at, membership_.beat);
  draining_ = m->draining;
  deps_.says.say(note_level::info, "joined cluster=" + cluster_ + " coordinator=" + coordinator_ +
                                       " held=" + std::to_string(attempts_.size()) +
                                       " lost=" + std::to_string(m->lost.size()));
  for (const auto id : m->gone) sessions_.erase(id);
  for (const auto& which : m->lost) taken_away(which);
  for (auto& a : attempts_) a.renew_at = at;  // the sooner it is sure, the better
  show();
  look_at_attempts(at);
  send_due(at);
}

void member_desk::turned_away(const std::string& body) {
  if (stage_ != stage::greeting) return;
  const auto m = wire::read_refused(body);
  if (!m) return cut("its refusal cannot be read: " + m.error().text);
  const auto at = now();
  if (m->version != core::wire_version)
    return give_up({errc::invalid, other_version(m->version), {}, "belfry version"});
  const bool duplicate = is_duplicate(m->code);
  if (!duplicate)
    duplicate_since_.reset();
  else if (!duplicate_since_)
    duplicate_since_ = at;
  const bool stays =
      duplicate ? core::later(*duplicate_since_, membership_.lost_after) <= at : !core::retryable(m->code);
  if (!stays) return cut("refused: " + m->text);
  give_up({m->code,
           "the coordinator " + coordinator_ + " does not let this node in: " + m->text,
           {},
           "belfry node show " + deps_.options.node});
}

// It will never be let in. What runs is stopped before its lease ends, as without any link.
void member_desk::give_up(failure why) {
  if (stage_ == stage::out) return;
  const auto link = std::exchange(link_, 0);
  if (link != 0) deps_.wire->close(link, why.text);
  stage_ = stage::out;
  dial_at_ = core::never;
  stage_until_ = core::end_of_time;
  beat_at_ = core::never;
  trouble_ = why.text;
  deps_.says.say(note_level::error, "never-to-join " + why.text);
  show();
  if (auto tell = std::exchange(deps_.fatal, nullptr)) tell(why);
}

void member_desk::steer(bool draining, const std::string& reason) {
  if (draining_ == draining) return;
  draining_ = draining;
  deps_.says.say(note_level::info,
                 (draining ? std::string{"node-drains "} : std::string{"node-works-again "}) + reason);
  show();
  send_due(now());
}

// ---- time

void member_desk::look_at_link(core::instant at) {
  if (stage_ == stage::out) return;
  if (stage_ == stage::dialling) {
    if (dial_at_ != core::never && dial_at_ <= at) return dial(at);
    if (stage_until_ <= at) dial_later(at, address_ + ": no answer");
    return;
  }
  if (stage_ == stage::greeting && stage_until_ <= at) return cut("no welcome came");
  if (core::judge_silence(heard_at_, at, membership_) == core::node_state::lost)
    return cut("nothing was heard of it for " + core::to_text(membership_.lost_after));
  if (stage_ == stage::joined && beat_at_ <= at) {
    send(wire::kind::beat, ++beat_, wire::encode(wire::beat{running()}));
    beat_at_ = core::later(at, membership_.beat);
  }
}

core::instant member_desk::link_due(core::instant) const {
  switch (stage_) {
    case stage::out: return core::end_of_time;
    case stage::dialling: return dial_at_ != core::never ? dial_at_ : stage_until_;
    case stage::greeting: break;
    case stage::joined: return std::min(beat_at_, core::later(heard_at_, membership_.lost_after));
  }
  return std::min(stage_until_, core::later(heard_at_, membership_.lost_after));
}

}  // namespace belfry::actors
