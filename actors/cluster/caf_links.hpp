// CAF LINKS: envelopes over BASP, in an actor system of its own. It has no listener and no actor of the node:
// BASP speaks only over descriptors that the platform has authenticated and handed in, and a peer reaches one
// actor, that of its own link (docs/decisions/0061).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "actors/cluster/links.hpp"
#include "core/time/instant.hpp"
#include "platform/ports/secure_links.hpp"

namespace belfry::actors {

struct caf_link_options {
  /// A heartbeat of BASP goes out this often. Default 500 ms.
  core::span heartbeat{std::chrono::milliseconds{500}};
  /// A peer of which nothing has come for so long is cut off; also the time to the end of the handshake.
  /// Raised to 4 heartbeats where it is less. Default 2 s.
  core::span silence{std::chrono::seconds{2}};
  /// Bytes of bodies that may be on their way to one peer. A body that begins below it is taken whole.
  /// Default 8 MiB.
  std::size_t window = std::size_t{8} << 20;
  /// A longer body goes in pieces of so many bytes, between which others pass. Default 256 KiB; at most 512.
  std::size_t piece = std::size_t{256} << 10;
  /// From the call to the end of the TLS handshake. Default 5 s.
  core::span dial{std::chrono::seconds{5}};
  /// Threads beside the one of the sockets. Default 1.
  std::size_t threads = 1;
};

class caf_links : public links {
 public:
  // A coordinator's side. `others`: connections of the other protocol; empty: they are closed. invalid,
  // unavailable: as secure_links::listen.
  virtual core::result<std::string> listen_on(const std::string& address,
                                              std::function<void(platform::secure_link)> others) = 0;
  // A connection that somebody else has accepted.
  virtual void adopt(platform::secure_link link) = 0;
  struct standing {
    std::size_t links = 0;   // up, or about to be
    std::size_t actors = 0;  // of all of them
  };
  virtual standing seen() const = 0;
};

// `through` outlives it.
std::unique_ptr<caf_links> make_caf_links(platform::secure_links& through, caf_link_options options = {});

}  // namespace belfry::actors
