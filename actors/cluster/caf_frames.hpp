// FRAMES: what the parts of caf_links tell each other. Only `link_frame` leaves the process, and it is the
// only type that does: its fields are frozen, since CAF writes them one after the other without names.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/typed_actor.hpp>

#include "actors/cluster/links.hpp"
#include "platform/ports/secure_links.hpp"

namespace belfry::actors {

struct link_frame {
  std::uint16_t version = 0;
  std::uint16_t kind = 0;
  std::uint64_t number = 0;
  std::string body;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, link_frame& x) {
  return f(caf::meta::type_name("belfry.link_frame"), x.version, x.kind, x.number, x.body);
}
// Fields of it but for the body, and what tells the length of the body: 7 bits of it in each byte.
inline constexpr std::size_t link_frame_fields = 2 + 2 + 8;
constexpr std::size_t length_of_length(std::size_t n) {
  std::size_t bytes = 1;
  while (n >= 0x80) {
    n >>= 7U;
    ++bytes;
  }
  return bytes;
}

// What an envelope weighs in the window: an empty one takes room as well.
inline constexpr std::size_t envelope_weight = 64;
inline std::size_t weight_of(const envelope& e) { return e.body.size() + envelope_weight; }

// Kinds that are the link's own, and never an envelope's. Append only, downwards.
inline constexpr std::uint16_t frame_greeting = 65535;  // of who has dialled: its actor is the sender
inline constexpr std::uint16_t frame_taken =
    65534;  // number: so many bytes have been taken since the link is up
inline constexpr std::uint16_t frame_piece = 65533;   // of a long body; see caf_peer.cpp
inline constexpr std::uint16_t frame_bundle = 65532;  // several envelopes; see caf_peer.cpp
inline constexpr std::uint16_t least_own_kind = 65500;

// Bytes that the broker has handed to a link's actor and that it has not looked at yet.
struct link_load {
  std::atomic<std::size_t> waiting{0};
};

// The other side's actor is there: news of the broker to who has dialled.
struct link_seated {
  caf::strong_actor_ptr peer;
};
struct link_broken {
  std::string why;
};
struct link_post {
  envelope what;
  bool soon = false;  // it may wait for others
};
struct link_flush {};
struct link_close {
  std::string why;
};
struct link_alarm {
  enum class of : std::uint8_t { greeting, taken, held } what = of::greeting;
};
using peer_link =
    caf::typed_actor<caf::reacts_to<link_frame>, caf::reacts_to<link_seated>, caf::reacts_to<link_broken>,
                     caf::reacts_to<link_post>, caf::reacts_to<link_flush>, caf::reacts_to<link_close>,
                     caf::reacts_to<link_alarm>>;
// What is known of the actor at the other end.
using far_link = caf::typed_actor<caf::reacts_to<link_frame>>;

// To the broker. A descriptor that it never sees is closed with the message.
struct take_socket {
  link_id id = 0;
  std::shared_ptr<platform::descriptor> socket;
  peer_link link;
  std::shared_ptr<link_load> load;
  bool dialled = false;
};
struct drop_socket {
  link_id id = 0;
};
struct broker_tick {};

}  // namespace belfry::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::link_seated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::link_broken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::link_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::link_flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::link_close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::link_alarm)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::take_socket)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::drop_socket)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(belfry::actors::broker_tick)
