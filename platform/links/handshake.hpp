// HANDSHAKE: from a connected socket to a peer with a name, or to nothing, by a deadline.
//
// After TLS's own, the acceptor says one byte, whether it lets the peer in: a dialer in TLS 1.3 is done
// before the other side has looked at its certificate, and would take a refusal for a lost link.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "platform/links/tls.hpp"

namespace belfry::platform::links {

// On the wire: append only.
enum class answer : std::uint8_t { welcome = 1, not_admitted = 2, full = 3 };

struct handshake_parts {
  boost::asio::io_context* io = nullptr;
  boost::asio::ip::tcp::socket peer;
  std::unique_ptr<tls_peer> tls;
  bool accepting = true;
  std::chrono::steady_clock::time_point deadline{};
  // Of an acceptor, once the peer has a name.
  std::function<answer(const std::string& node, link_protocol protocol)> admit;
};

class handshake : public std::enable_shared_from_this<handshake> {
 public:
  explicit handshake(handshake_parts parts) : p_(std::move(parts)), timer_(*p_.io) {}
  // `done`, once: no failure: the peer and its socket are the caller's to take.
  void start(std::function<void(handshake&, const core::failure*)> done);
  void drop();  // silently

  handshake_parts& parts() { return p_; }
  link_protocol protocol() const { return protocol_; }

 private:
  void step();
  void shaken();
  void say();
  void hear();
  void on(tls_peer::wants what, void (handshake::*then)());
  void finish(const core::failure* why);

  handshake_parts p_;
  boost::asio::steady_timer timer_;
  std::function<void(handshake&, const core::failure*)> done_;
  link_protocol protocol_ = link_protocol::actors;
  answer said_ = answer::welcome;
  bool over_ = false;
};

}  // namespace belfry::platform::links
