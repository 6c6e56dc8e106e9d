// SECURE LINKS: connections between nodes. TLS 1.3 with certificates on both sides, from an authority that
// issues nothing but node certificates; whoever has none gets no further than the handshake, and that is
// bounded in time, number and memory. What comes out is one end of a local socket pair that nobody else can
// reach: the bytes on it are the peer's, as its certificate names it.
//
// Two protocols share the port, told apart by ALPN: "belfry-actors/1" and "belfry-http/1". A peer that offers
// neither is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"
#include "platform/descriptor.hpp"

namespace belfry::platform {

enum class link_protocol : std::uint8_t { actors = 0, http = 1 };

struct secure_link {
  std::string node;  // from the certificate (SAN "URI:belfry://CLUSTER/NODE"), never from what the peer says
  std::string cluster;
  std::string address;  // "192.0.2.7:41234"
  link_protocol protocol = link_protocol::actors;
  // Stream socket, non-blocking, close-on-exec. Closing it ends the link once what was written is delivered;
  // shutdown(SHUT_WR) ends one direction. Its end or reset is the peer's.
  descriptor local;
};

// Looks at what the peer sends before it gets through: false cuts the link. Called for each piece, in order.
class link_filter {
 public:
  virtual ~link_filter() = default;
  virtual bool pass(std::string_view piece) = 0;
};

struct secure_link_options {
  std::string authority, certificate, key;  // paths of PEM files; all three required
  /// From the connect to the end of the handshake, for those who come. Default 5 s. At most a quarter of the
  /// handshakes may be of one address, but two.
  core::span handshake{std::chrono::seconds{5}};
  /// Handshakes under way at a time; one more connection is closed at once. Default 32.
  std::size_t handshakes = 32;
  /// Connections of authenticated peers at a time, both protocols; a quarter is kept for the actors'. Default
  /// 512.
  std::size_t connections = 512;
  /// Connections per peer of the actors' protocol: the newest. Default 1 more than the one that lives, so
  /// that a peer that lost its link is not locked out by it.
  std::size_t per_peer = 2;
  /// A peer that takes nothing for so long is cut off. Default 10 s.
  core::span write_time{std::chrono::seconds{10}};
  /// Records sent under one key; then there is a new one. Default 4,194,304, a quarter of what is safe.
  std::uint64_t key_after = std::uint64_t{1} << 22U;
  /// Whether the bearer of a certificate may come in; empty: everybody with a certificate may. Asked on the
  /// thread of the links after the handshake of one who comes; does not wait.
  std::function<bool(const std::string& node)> admits;
  /// Made anew for each link of the actors' protocol; empty: nothing is looked at. Runs on the thread of the
  /// links.
  std::function<std::unique_ptr<link_filter>()> filter;
  /// Log lines, key first: "link-refused address=… why=…"; at most ten a second. May be empty. On the thread
  /// of the links.
  std::function<void(const std::string&)> note;
};

class secure_links {
 public:
  // Closes everything; nothing is called afterwards, neither `came` nor `done`. Not from one of those.
  virtual ~secure_links() = default;
  // Listens, once; what comes in goes to `came`, on the thread of the links. The answer is the address with
  // the port that port 0 became. invalid: the address; unavailable: in use.
  virtual core::result<std::string> listen(const std::string& address,
                                           std::function<void(secure_link)> came) = 0;
  // `expected`: the name that the certificate must carry; empty: any node of the own cluster. `deadline`: of
  // everything from the lookup to the welcome. `done` is called once, on the thread of the links, and only
  // after the other side has let this node in. invalid: the address; unavailable: nobody there, or hung up;
  // timed_out; unauthorised: one of the certificates was refused, or it is another node; forbidden: the other
  // side does not admit this node (removed); overloaded: no place, there or here.
  virtual void dial(const std::string& address, link_protocol protocol, const std::string& expected,
                    core::span deadline, std::function<void(core::result<secure_link>)> done) = 0;
  virtual std::string node() const = 0;  // the own name, as the own certificate says
  virtual std::string cluster() const = 0;
  struct counts {
    std::size_t handshakes = 0, links = 0;  // under way, in and out; established
    std::uint64_t refused = 0;              // of those who came
  };
  virtual counts seen() const = 0;
};

// One thread. invalid: a file that is missing, unreadable, not a certificate, expired, not of this authority,
// or a key that others may read; names the file and what helps.
core::result<std::unique_ptr<secure_links>> open_secure_links(secure_link_options options);

// ---- the authority

struct authority_paths {
  std::string certificate, key;
};
struct node_paths {
  std::string certificate, key, authority;
};
struct issued {
  std::string node, cluster, serial;
  core::instant from = core::never, until = core::never;
};
// Ed25519 keys. Files are made with mode 0600 (keys) and 0644, never overwritten (conflict).
core::result<issued> make_authority(const std::string& folder, const std::string& cluster, core::instant now,
                                    core::span valid);
// `folder`: of the authority; `into`: where node.crt, node.key and authority.crt go.
core::result<issued> issue_node(const std::string& folder, const std::string& node, const std::string& into,
                                core::instant now, core::span valid);
core::result<issued> read_certificate(const std::string& path);

}  // namespace belfry::platform
