#include "platform/links/handshake.hpp"

#include <utility>

namespace belfry::platform::links {

namespace {

core::failure refusal_of(answer a) {
  switch (a) {
    case answer::not_admitted:
      return {
          core::errc::forbidden, "this node was removed from the cluster", {}, "belfry node ls --removed", 0};
    case answer::full:
      return {
          core::errc::overloaded, "the other side has all the connections that it may have", {}, {}, 1000};
    case answer::welcome: break;
  }
  return {core::errc::unauthorised, "the other side is no node of belfry", {}, {}, 0};
}

}  // namespace

void handshake::start(std::function<void(handshake&, const core::failure*)> done) {
  done_ = std::move(done);
  timer_.expires_at(p_.deadline);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& e) {
    if (e || self->over_) return;
    const core::failure late{core::errc::timed_out, "the handshake took too long", {}, {}, 0};
    self->finish(&late);
  });
  step();
}

void handshake::drop() {
  if (std::exchange(over_, true)) return;
  done_ = nullptr;  // it may hold who holds this
  boost::system::error_code ignored;
  timer_.cancel();
  p_.peer.close(ignored);
}

void handshake::step() {
  const auto now = p_.tls->shake();
  if (now == tls_peer::wants::nothing) return shaken();
  on(now, &handshake::step);
}

void handshake::shaken() {
  p_.tls->protocol(protocol_);
  if (!p_.accepting) return hear();
  if (p_.admit) said_ = p_.admit(p_.tls->node(), protocol_);
  say();
}

void handshake::say() {
  const char word = static_cast<char>(said_);
  std::size_t sent = 0;
  const auto now = p_.tls->write(&word, 1, sent);
  if (now != tls_peer::wants::nothing) return on(now, &handshake::say);
  if (said_ == answer::welcome) return finish(nullptr);
  p_.tls->close();
  const auto why = refusal_of(said_);
  finish(&why);
}

void handshake::hear() {
  char word = 0;
  std::size_t got = 0;
  const auto now = p_.tls->read(&word, 1, got);
  if (now == tls_peer::wants::nothing) {
    said_ = static_cast<answer>(static_cast<unsigned char>(word));
    if (said_ == answer::welcome) return finish(nullptr);
    const auto why = refusal_of(said_);
    return finish(&why);
  }
  on(now, &handshake::hear);
}

void handshake::on(tls_peer::wants what, void (handshake::*then)()) {
  using socket = boost::asio::ip::tcp::socket;
  if (what == tls_peer::wants::read || what == tls_peer::wants::write) {
    p_.peer.async_wait(what == tls_peer::wants::read ? socket::wait_read : socket::wait_write,
                       [self = shared_from_this(), then](const boost::system::error_code& e) {
                         if (!e && !self->over_) (self.get()->*then)();
                       });
    return;
  }
  const bool lost = what == tls_peer::wants::end || p_.tls->lost();
  const core::failure why{lost ? core::errc::unavailable : core::errc::unauthorised,
                          lost ? "the other side hung up during the handshake" : p_.tls->why(),
                          {},
                          {},
                          0};
  finish(&why);
}

void handshake::finish(const core::failure* why) {
  if (std::exchange(over_, true)) return;
  timer_.cancel();
  if (auto done = std::move(done_)) done(*this, why);
}

}  // namespace belfry::platform::links
