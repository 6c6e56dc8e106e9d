#include "platform/links/pump.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "platform/errno_text.hpp"

namespace belfry::platform::links {

namespace {

using socket = boost::asio::ip::tcp::socket;
using stream = boost::asio::posix::stream_descriptor;
constexpr int steps_per_turn = 4;  // then the other links have theirs

bool gone_for_good(int fd) {
  pollfd p{fd, 0, 0};
  return ::poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace

pump::pump(pump_parts parts) : p_(std::move(parts)), local_(*p_.io, p_.local.release()), timer_(*p_.io) {}

void pump::start() {
  inward();
  outward();
}

void pump::drop() {
  if (std::exchange(over_, true)) return;
  boost::system::error_code ignored;
  timer_.cancel();
  local_.close(ignored);
  p_.peer.close(ignored);
}

void pump::cut(const std::string& why) {
  if (over_) return;
  drop();
  if (auto ended = std::move(p_.ended)) ended(why);
}

// ---- from the peer

void pump::inward() {
  for (int i = 0; i < steps_per_turn; ++i) {
    if (over_) return;
    switch (step_in()) {
      case turn::again: continue;
      case turn::wait:
      case turn::over: return;
    }
  }
  boost::asio::post(*p_.io, [self = shared_from_this()] { self->inward(); });
}

pump::turn pump::step_in() {
  if (!inward_.empty()) {
    const auto waiting = std::exchange(inward_, {});
    return pass_on(waiting.data(), waiting.size());
  }
  if (peer_done_) return turn::over;
  auto& room = *p_.scratch;
  std::size_t have = 0;
  auto last = tls_peer::wants::nothing;
  // What is here already goes on as one piece; nothing is waited for.
  while (have < piece) {
    std::size_t n = 0;
    last = p_.tls->read(room.data() + have, piece - have, n);
    have += n;
    if (last != tls_peer::wants::nothing || !p_.tls->buffered()) break;
  }
  if (have > 0) {
    if (p_.filter && !p_.filter->pass({room.data(), have})) {
      cut("the filter refused what the peer sent");
      return turn::over;
    }
    // Any end that `last` tells of is told again when the next step asks.
    return pass_on(room.data(), have);
  }
  switch (last) {
    case tls_peer::wants::nothing: return turn::again;
    case tls_peer::wants::read: wait_peer(awaits::readable, &pump::inward); return turn::wait;
    case tls_peer::wants::write: wait_peer(awaits::writable, &pump::inward); return turn::wait;
    case tls_peer::wants::end: return peer_ended();
    case tls_peer::wants::broken: break;
  }
  cut(p_.tls->why());
  return turn::over;
}

pump::turn pump::pass_on(const char* from, std::size_t size) {
  while (size > 0 && !deaf_) {
    const ssize_t n = ::send(local_.native_handle(), from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      from += n;
      size -= static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      inward_.assign(from, size);
      wait_local(awaits::writable, &pump::inward);
      return turn::wait;
    } else if (errno != EINTR) {
      deaf_ = true;
    }
  }
  return turn::again;
}

pump::turn pump::peer_ended() {
  peer_done_ = true;
  ::shutdown(local_.native_handle(), SHUT_WR);
  finish_if_done();
  return turn::over;
}

// ---- from local

void pump::outward() {
  for (int i = 0; i < steps_per_turn; ++i) {
    if (over_) return;
    switch (step_out()) {
      case turn::again: continue;
      case turn::wait:
      case turn::over: return;
    }
  }
  boost::asio::post(*p_.io, [self = shared_from_this()] { self->outward(); });
}

pump::turn pump::step_out() {
  if (!outward_.empty()) {
    const auto waiting = std::exchange(outward_, {});
    return send(waiting.data(), waiting.size());
  }
  if (local_done_) return end_said_ ? turn::over : say_end();
  if (pieces_ >= p_.key_after && p_.tls->renew_key()) pieces_ = 0;
  auto& room = *p_.scratch;
  const ssize_t n = ::recv(local_.native_handle(), room.data(), piece, MSG_DONTWAIT);
  if (n > 0) return send(room.data(), static_cast<std::size_t>(n));
  if (n == 0) return local_ended();
  if (errno == EINTR) return turn::again;
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    wait_local(awaits::readable, &pump::outward);
    return turn::wait;
  }
  return local_ended();  // closed with bytes of ours unread
}

pump::turn pump::send(const char* from, std::size_t size) {
  while (size > 0) {
    const auto before = p_.tls->taken();
    std::size_t n = 0;
    const auto now = p_.tls->write(from, size, n);
    ++pieces_;
    from += n;
    size -= n;
    if (now == tls_peer::wants::nothing) {
      stalled_ = false;
      continue;
    }
    if (now == tls_peer::wants::read || now == tls_peer::wants::write) {
      outward_.assign(from, size);  // the same bytes again: OpenSSL has begun with them
      if (!stalled_ || p_.tls->taken() != before) taken_at_ = std::chrono::steady_clock::now();
      stalled_ = true;
      due_at(taken_at_ + p_.write_time);
      wait_peer(now == tls_peer::wants::write ? awaits::writable : awaits::readable, &pump::outward);
      return turn::wait;
    }
    cut(p_.tls->why());
    return turn::over;
  }
  return turn::again;
}

pump::turn pump::local_ended() {
  local_done_ = true;
  return turn::again;
}

pump::turn pump::say_end() {
  const auto now = p_.tls->close();
  if (now == tls_peer::wants::write) {
    if (!stalled_) taken_at_ = std::chrono::steady_clock::now();
    stalled_ = true;
    due_at(taken_at_ + p_.write_time);
    wait_peer(awaits::writable, &pump::outward);
    return turn::wait;
  }
  stalled_ = false;
  end_said_ = true;
  finish_if_done();
  if (over_) return turn::over;
  if (gone_for_good(local_.native_handle()))
    linger();
  else
    watch_for_close();
  return turn::over;
}

// ---- the end

void pump::finish_if_done() {
  if (peer_done_ && end_said_ && inward_.empty()) cut({});
}

// Half closed by local: its other half may go later.
void pump::watch_for_close() {
  local_.async_wait(stream::wait_error, [self = shared_from_this()](const boost::system::error_code& e) {
    if (!e && !self->over_ && gone_for_good(self->local_.native_handle())) self->linger();
  });
}

// Closing a socket with bytes unread resets the connection, and the peer may lose what was sent before. So
// what it still sends is read and dropped, for as long as it may take to fetch the rest.
void pump::linger() {
  deaf_ = lingering_ = true;
  taken_at_ = std::chrono::steady_clock::now();
  due_at(taken_at_ + p_.write_time);
  if (!inward_.empty()) {
    inward_.clear();
    boost::system::error_code ignored;
    local_.cancel(ignored);
  }
}

void pump::due_at(std::chrono::steady_clock::time_point when) {
  if (timing_ && timer_.expiry() <= when) return;  // `late` looks again
  timing_ = true;
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& e) {
    if (e || self->over_) return;
    self->timing_ = false;
    self->late();
  });
}

void pump::late() {
  if (!lingering_ && !stalled_) return;
  if (std::chrono::steady_clock::now() < taken_at_ + p_.write_time)
    due_at(taken_at_ + p_.write_time);
  else
    cut(lingering_ ? "" : "the peer takes nothing");
}

void pump::wait_peer(awaits what, void (pump::*then)()) {
  p_.peer.async_wait(what == awaits::readable ? socket::wait_read : socket::wait_write,
                     [self = shared_from_this(), then](const boost::system::error_code& e) {
                       if (!e && !self->over_) (self.get()->*then)();
                     });
}

void pump::wait_local(awaits what, void (pump::*then)()) {
  local_.async_wait(what == awaits::readable ? stream::wait_read : stream::wait_write,
                    [self = shared_from_this(), then](const boost::system::error_code& e) {
                      if (!self->over_ && (!e || self->lingering_)) (self.get()->*then)();
                    });
}

}  // namespace belfry::platform::links
