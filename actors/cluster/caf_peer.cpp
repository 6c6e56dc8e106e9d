#include "actors/cluster/caf_peer.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/send.hpp>

#include "core/codec/bytes.hpp"
#include "messages/wire/wire.hpp"

namespace belfry::actors {
namespace {

using messages::wire::longest_body;

// What is taken is said after so many bytes, or after a moment.
constexpr std::size_t most_untold = std::size_t{64} << 10;
constexpr auto longest_untold = std::chrono::milliseconds{10};
// Of long bodies so much may be under way at a time, so that short ones are not behind all of a long one.
constexpr std::size_t pieces_on_way = 4;
constexpr std::size_t bodies_at_a_time = 2;

// What may wait does so for at most so long.
constexpr auto longest_held = std::chrono::milliseconds{5};
// A bundle has at most so many envelopes, and about so many bytes.
constexpr std::size_t most_bundled = 64;
constexpr std::size_t most_held = std::size_t{64} << 10;
constexpr std::uint64_t newest_version = std::numeric_limits<std::uint16_t>::max();

// A bundle: of each envelope version, kind, number, length of the body, and the body.
link_frame bundle(const std::vector<envelope>& all) {
  core::codec::out o;
  for (const auto& e : all) {
    o.number(e.version);
    o.number(e.kind);
    o.number(e.number);
    o.text(e.body);
  }
  return {0, frame_bundle, 0, o.take()};
}

// A piece: number = the transfer; body = where it begins, and in the first one version, kind, number and
// length of the whole; then the bytes.
link_frame first_piece(std::uint64_t transfer, const envelope& e, std::size_t bytes) {
  core::codec::out o;
  o.number(0);
  o.number(e.version);
  o.number(e.kind);
  o.number(e.number);
  o.number(e.body.size());
  return {0, frame_piece, transfer, o.take().append(e.body, 0, bytes)};
}
link_frame next_piece(std::uint64_t transfer, const envelope& e, std::size_t at, std::size_t bytes) {
  core::codec::out o;
  o.number(at);
  return {0, frame_piece, transfer, o.take().append(e.body, at, bytes)};
}

}  // namespace

caf_peer::caf_peer(caf::actor_config& cfg, caf_peer_deps deps)
    : peer_link::base(cfg), deps_{std::move(deps)} {}

auto caf_peer::make_behavior() -> behavior_type {
  set_down_handler([this](const caf::down_msg&) { finish("its end is gone", true); });
  caf::delayed_anon_send(peer_link{this}, deps_.options.silence, link_alarm{link_alarm::of::greeting});
  return {
      [this](link_frame& f) {
        deps_.load->waiting -=
            deps_.frame_overhead + link_frame_fields + length_of_length(f.body.size()) + f.body.size();
        if (!finished_) came(f);
      },
      [this](link_seated& s) { seat(std::move(s.peer)); },
      [this](const link_broken& b) { finish(b.why, false); },
      [this](link_post& p) {
        if (!finished_) post(std::move(p));
      },
      [this](link_flush) {
        flushing_ = false;
        if (!finished_) flush();
      },
      [this](const link_close& c) {
        if (up_ && !finished_) flush();  // why it is closed may be among it
        finish(c.why, true);
      },
      [this](const link_alarm& a) {
        if (a.what == link_alarm::of::taken) {
          alarm_ = false;
          say_taken();
        } else if (a.what == link_alarm::of::held) {
          waiting_ = false;
          if (!finished_) flush();
        } else if (!up_) {
          finish("it did not greet in time", true);
        }
      },
  };
}

void caf_peer::on_exit() {
  deps_.gate->up = false;
  deps_.table->erase(deps_.id);
  deps_.broker = nullptr;
  deps_.failed = nullptr;
  far_ = nullptr;
  held_.clear();
  out_.clear();
  in_.clear();
}

// ---- in the thread of the sockets, as CAF's own brokers are

caf::execution_unit* caf_peer::sockets() { return &home_system().middleman().backend(); }
void caf_peer::enqueue(caf::strong_actor_ptr from, caf::message_id id, caf::message what,
                       caf::execution_unit* /*where*/) {
  peer_link::base::enqueue(std::move(from), id, std::move(what), sockets());
}
void caf_peer::enqueue(caf::mailbox_element_ptr what, caf::execution_unit* /*where*/) {
  peer_link::base::enqueue(std::move(what), sockets());
}
void caf_peer::launch(caf::execution_unit* /*where*/, bool lazy, bool hidden) {
  peer_link::base::launch(sockets(), lazy, hidden);
}

// ----

void caf_peer::seat(caf::strong_actor_ptr who) {
  if (finished_ || up_) return;
  if (!who) return finish("it has no actor for the link", true);
  far_ = caf::actor_cast<far_link>(std::move(who));
  monitor(far_);
  if (deps_.dialled) send(far_, link_frame{0, frame_greeting, 0, {}});
  up_ = true;
  deps_.failed = nullptr;
  deps_.gate->up = true;
  deps_.table->tell([&](const link_listener& l) { l.up(deps_.id, deps_.node, deps_.address); });
}

void caf_peer::came(link_frame& f) {
  if (!up_) {
    if (deps_.dialled || f.kind != frame_greeting) return finish("it did not greet", true);
    return seat(current_sender());
  }
  switch (f.kind) {
    case frame_greeting: return finish("it greeted twice", true);
    case frame_taken: return taken_there(f.number);
    case frame_piece: return piece_came(f);
    case frame_bundle: return bundle_came(f);
    default: break;
  }
  if (f.kind >= least_own_kind) return finish("a frame of a kind that this version does not know", true);
  const auto weight = f.body.size() + envelope_weight;
  deliver({f.version, f.kind, f.number, std::move(f.body)});
  took(weight);
}

void caf_peer::piece_came(const link_frame& f) try {
  core::codec::in i{f.body};
  const auto at = i.number();
  if (at == 0) {
    if (in_.size() == bodies_at_a_time) return finish("more long bodies at a time than may be", true);
    transfer t;
    t.what.version = static_cast<std::uint16_t>(i.number());
    t.what.kind = static_cast<std::uint16_t>(i.number());
    t.what.number = i.number();
    t.at = i.number();
    if (t.at > longest_body || t.what.kind >= least_own_kind)
      return finish("a body of " + std::to_string(t.at) + " bytes", true);
    if (!in_.emplace(f.number, std::move(t)).second) return finish("a long body begins twice", true);
  }
  const auto found = in_.find(f.number);
  const auto bytes = i.rest();
  if (found == in_.end() || found->second.what.body.size() != at || bytes.empty() ||
      bytes.size() > found->second.at - found->second.what.body.size())
    return finish("a piece of nothing", true);
  auto& t = found->second;
  t.what.body += bytes;
  auto weight = bytes.size();
  if (t.what.body.size() == t.at) {
    weight += envelope_weight;
    auto whole = std::move(t.what);
    in_.erase(found);
    deliver(std::move(whole));
  }
  took(weight);
} catch (const core::codec::damaged&) {
  finish("a piece that cannot be read", true);
}

void caf_peer::bundle_came(const link_frame& f) try {
  core::codec::in i{f.body};
  std::vector<envelope> all;
  std::size_t weight = 0;
  while (!i.empty()) {
    auto& e = all.emplace_back();
    const auto version = i.number();
    const auto kind = i.number();
    e.version = static_cast<std::uint16_t>(version);
    e.kind = static_cast<std::uint16_t>(kind);
    e.number = i.number();
    e.body = i.text();
    weight += weight_of(e);
    if (version > newest_version || kind >= least_own_kind || all.size() > most_bundled)
      return finish("a bundle that nobody makes", true);
  }
  if (all.empty()) return finish("an empty bundle", true);
  for (auto& e : all) deliver(std::move(e));
  took(weight);
} catch (const core::codec::damaged&) {
  finish("a bundle that cannot be read", true);
}

void caf_peer::deliver(envelope e) {
  deps_.table->tell([&](const link_listener& l) { l.came(deps_.id, std::move(e)); });
}

void caf_peer::took(std::size_t bytes) {
  taken_ += bytes;
  if (taken_ - told_ >= most_untold) return say_taken();
  if (std::exchange(alarm_, true)) return;
  caf::delayed_anon_send(peer_link{this}, longest_untold, link_alarm{link_alarm::of::taken});
}

void caf_peer::say_taken() {
  if (finished_ || told_ == taken_) return;
  told_ = taken_;
  send(far_, link_frame{0, frame_taken, taken_, {}});
}

void caf_peer::taken_there(std::uint64_t bytes) {
  if (bytes < acknowledged_ || bytes > sent_) return finish("it took what was not sent", true);
  deps_.gate->on_way -= bytes - acknowledged_;
  acknowledged_ = bytes;
  pump();
}

void caf_peer::post(link_post p) {
  auto& e = p.what;
  if (e.body.size() > deps_.options.piece) {
    flush();
    out_.push_back({std::move(e), ++last_transfer_, 0});
    return pump();
  }
  held_weight_ += weight_of(e);
  held_.push_back(std::move(e));
  if (held_.size() == most_bundled || held_weight_ >= most_held) return flush();
  // Behind what is in the mailbox already: that goes along.
  if (!p.soon && !std::exchange(flushing_, true)) send(peer_link{this}, link_flush{});
  if (p.soon && !flushing_ && !std::exchange(waiting_, true))
    caf::delayed_anon_send(peer_link{this}, longest_held, link_alarm{link_alarm::of::held});
}

void caf_peer::flush() {
  if (held_.empty()) return;
  const auto weight = std::exchange(held_weight_, 0);
  auto all = std::exchange(held_, {});
  if (all.size() > 1) return transmit(bundle(all), weight);
  auto& e = all.front();
  transmit({e.version, e.kind, e.number, std::move(e.body)}, weight);
}

void caf_peer::pump() {
  while (!out_.empty() && sent_ - acknowledged_ < pieces_on_way * deps_.options.piece) {
    auto& t = out_.front();
    const auto bytes = std::min(deps_.options.piece, t.what.body.size() - t.at);
    auto f = t.at == 0 ? first_piece(t.number, t.what, bytes) : next_piece(t.number, t.what, t.at, bytes);
    t.at += bytes;
    const bool last = t.at == t.what.body.size();
    if (last) out_.pop_front();
    transmit(std::move(f), bytes + (last ? envelope_weight : 0));
  }
}

void caf_peer::transmit(link_frame f, std::size_t weight) {
  sent_ += weight;
  send(far_, std::move(f));
}

void caf_peer::finish(const std::string& why, bool tell_broker) {
  if (std::exchange(finished_, true)) return;
  deps_.gate->up = false;
  deps_.table->erase(deps_.id);
  if (tell_broker) caf::anon_send(deps_.broker, drop_socket{deps_.id});
  const bool was_up = up_;
  const auto failed = std::exchange(deps_.failed, nullptr);
  deps_.table->tell([&](const link_listener& l) {
    if (was_up)
      l.down(deps_.id, why);
    else if (failed)
      failed({core::errc::unavailable, deps_.address + " is no good link: " + why, {}, {}, 0});
  });
  quit();
}

}  // namespace belfry::actors
