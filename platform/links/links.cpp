#include "platform/links/links.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "platform/errno_text.hpp"
#include "platform/links/address.hpp"

namespace belfry::platform {

core::result<std::unique_ptr<secure_links>> open_secure_links(secure_link_options options) {
  auto contexts = links::open_contexts(options);
  if (!contexts) return contexts.error();
  std::unique_ptr<secure_links> made =
      std::make_unique<links::tls_links>(std::move(options), std::move(*contexts));
  return made;
}

namespace links {

namespace {

using endpoint = boost::asio::ip::tcp::endpoint;
constexpr int accepts_per_turn = 64;
constexpr std::chrono::milliseconds shortest_pause{20}, longest_pause{1000};

core::instant steady_now() {
  return core::instant{
      std::chrono::duration_cast<core::span>(std::chrono::steady_clock::now().time_since_epoch())};
}

core::failure address_failure(core::errc code, const std::string& address, const std::string& why) {
  core::failure f{code, "cannot listen on " + address + ": " + why, {}, {}, 0};
  f.problems.push_back({"/listen", address, "HOST:PORT of this machine", why});
  return f;
}

// With a reset: a connection that was refused leaves nothing behind, here least of all.
void close_hard(descriptor peer) {
  const linger none{1, 0};
  ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void set(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

core::result<descriptor> listening_socket(const std::string& address) {
  const auto parts = parse_address(address);
  if (!parts) return address_failure(core::errc::invalid, address, "it is not HOST:PORT");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(parts->host.c_str(), std::to_string(parts->port).c_str(), &hints, &found);
  if (error != 0) return address_failure(core::errc::invalid, address, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  descriptor fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd) set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!fd || ::bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    const bool ours = errno == EADDRNOTAVAIL || errno == EACCES;
    return address_failure(ours ? core::errc::invalid : core::errc::unavailable, address, errno_text(errno));
  }
  return fd;
}

}  // namespace

tls_links::tls_links(secure_link_options options, tls_contexts contexts)
    : o_(std::move(options)),
      tls_(std::move(contexts)),
      work_(io_.get_executor()),
      acceptor_(io_),
      resolver_(io_),
      pause_(io_),
      scratch_(pump::piece),
      places_(o_.handshakes, o_.connections),
      notes_(o_.note) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for other threads
  thread_ = std::thread([this] { io_.run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

tls_links::~tls_links() {
  io_.stop();
  thread_.join();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto& [number, each] : links_) each.run->drop();
  for (auto& [number, each] : shaking_) each->drop();
  for (auto& [number, each] : calls_) {
    if (each->shaking) each->shaking->drop();
    each->peer.close(ignored);
  }
}

secure_links::counts tls_links::seen() const {
  return {seen_handshakes_.load(), seen_links_.load(), refused_.load()};
}

void tls_links::count() {
  seen_handshakes_ = places_.shaking() + calls_.size();
  seen_links_ = links_.size();
}

void tls_links::refuse(const std::string& address, const std::string& why) {
  ++refused_;
  notes_.say(steady_now(), "link-refused address=" + address + " why=\"" + why + "\"");
}

// ---- who comes

core::result<std::string> tls_links::listen(const std::string& address,
                                            std::function<void(secure_link)> came) {
  if (listening_.exchange(true))
    return address_failure(core::errc::invalid, address, "there is a listener already");
  auto fd = listening_socket(address);
  if (!fd) {
    listening_ = false;
    return fd.error();
  }
  endpoint own;
  socklen_t size = static_cast<socklen_t>(own.capacity());
  ::getsockname(fd->get(), own.data(), &size);
  own.resize(size);
  boost::asio::post(io_, [this, own, listener = std::move(*fd), came = std::move(came)]() mutable {
    came_ = std::move(came);
    acceptor_.assign(own.protocol(), listener.release());
    accept_next();
  });
  return to_text(own);
}

void tls_links::accept_next() {
  acceptor_.async_wait(boost::asio::socket_base::wait_read, [this](const boost::system::error_code& e) {
    if (!e) accept_all();
  });
}

// By hand: Asio's accept does not close on exec.
void tls_links::accept_all() {
  for (int i = 0; i < accepts_per_turn; ++i) {
    endpoint from;
    socklen_t size = static_cast<socklen_t>(from.capacity());
    descriptor peer(::accept4(acceptor_.native_handle(), from.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!peer) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        return accept_failed(errno);
      continue;  // of that one connection
    }
    from.resize(size);
    pause_length_ = std::chrono::milliseconds{0};
    came_in(std::move(peer), from);
  }
  accept_next();
}

// What is missing comes back when others end; until then, asking again at once would only burn the processor.
void tls_links::accept_failed(int error) {
  pause_length_ = std::clamp(pause_length_ * 2, shortest_pause, longest_pause);
  notes_.say(steady_now(), "link-accept-failed why=\"" + errno_text(error) + "\"");
  pause_.expires_after(pause_length_);
  pause_.async_wait([this](const boost::system::error_code& e) {
    if (!e) accept_all();
  });
}

void tls_links::came_in(descriptor fd, const endpoint& from) {
  if (const char* why = places_.shake(share_of(from))) {
    close_hard(std::move(fd));
    return refuse(to_text(from), why);
  }
  handshake_parts parts{&io_, boost::asio::ip::tcp::socket(io_), nullptr, true, {}, {}};
  boost::system::error_code e;
  const int raw = fd.get();
  parts.peer.assign(from.protocol(), raw, e);
  if (!e) {
    fd.release();
    parts.peer.non_blocking(true, e);
    parts.tls = std::make_unique<tls_peer>(tls_.accepts.get(), raw, tls_.self.cluster, std::string{});
  }
  if (e || !*parts.tls) {
    places_.shaken(share_of(from));
    return refuse(to_text(from), "no memory or no descriptors");
  }
  set(raw, IPPROTO_TCP, TCP_NODELAY, 1);
  parts.deadline = std::chrono::steady_clock::now() + o_.handshake;
  parts.admit = [this](const std::string& node, link_protocol p) { return admit(node, p); };
  const id which = next_++;
  auto h = std::make_shared<handshake>(std::move(parts));
  shaking_.emplace(which, h);
  count();
  h->start(
      [this, which, from](handshake& done, const core::failure* why) { accepted(which, from, done, why); });
}

void tls_links::accepted(id which, const endpoint& from, handshake& h, const core::failure* why) {
  const auto self = std::move(shaking_.extract(which).mapped());
  places_.shaken(share_of(from));
  const auto address = to_text(from);
  if (why != nullptr) {
    boost::system::error_code ignored;
    h.parts().peer.close(ignored);
    count();
    return refuse(address, why->text);
  }
  if (h.protocol() == link_protocol::actors) make_room(h.parts().tls->node());
  auto link = establish(h, address, true);
  count();
  if (!link) return refuse(address, link.error().text);
  came_(std::move(*link));
}

std::size_t tls_links::held_by(const std::string& node) const {
  std::size_t held = 0;
  for (const auto& [number, each] : links_)
    held += each.accepted && each.protocol == link_protocol::actors && each.node == node ? 1U : 0U;
  return held;
}

answer tls_links::admit(const std::string& node, link_protocol protocol) const {
  if (o_.admits && !o_.admits(node)) return answer::not_admitted;
  // The newest takes the place of an older one of its own.
  const bool replaces =
      protocol == link_protocol::actors && held_by(node) >= std::max<std::size_t>(1, o_.per_peer);
  const auto others = links_.size() - (replaces ? 1U : 0U);
  return places_.room(protocol, others, of_http_) ? answer::welcome : answer::full;
}

void tls_links::make_room(const std::string& node) {
  while (held_by(node) >= std::max<std::size_t>(1, o_.per_peer)) {
    for (auto& [number, each] : links_) {
      if (!each.accepted || each.protocol != link_protocol::actors || each.node != node) continue;
      const auto oldest = each.run;
      oldest->cut("a newer link of the same node took its place");  // leaves links_
      break;
    }
  }
}

// ---- who is let in

core::result<secure_link> tls_links::establish(handshake& h, const std::string& address, bool accepted) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
    return core::failure{core::errc::unavailable, "no local socket pair: " + errno_text(errno), {}, {}, 0};
  const int raw = h.parts().peer.native_handle();
  const auto write_ms = static_cast<int>(std::min<std::int64_t>(core::millis(o_.write_time), 600'000));
  set(raw, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(raw, IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(raw, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(raw, IPPROTO_TCP, TCP_KEEPCNT, 3);
  // What the kernel holds for a peer that is gone counts as well.
  set(raw, IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * write_ms);

  secure_link link;
  link.node = h.parts().tls->node();
  link.cluster = tls_.self.cluster;
  link.address = address;
  link.protocol = h.protocol();
  link.local.reset(pair[0]);

  pump_parts parts(io_, std::move(h.parts().peer), std::move(h.parts().tls), descriptor(pair[1]));
  parts.write_time = o_.write_time;
  parts.scratch = &scratch_;
  parts.key_after = o_.key_after;
  if (o_.filter && link.protocol == link_protocol::actors) parts.filter = o_.filter();
  const id which = next_++;
  parts.ended = [this, which](const std::string& why) {
    const auto it = links_.find(which);
    if (it == links_.end()) return;
    notes_.say(steady_now(), "link-down node=" + it->second.node + " address=" + it->second.address +
                                 (why.empty() ? "" : " why=\"" + why + "\""));
    if (it->second.protocol == link_protocol::http) --of_http_;
    links_.erase(it);
    count();
  };
  auto run = std::make_shared<pump>(std::move(parts));
  links_.emplace(which, established{run, link.node, address, link.protocol, accepted});
  if (link.protocol == link_protocol::http) ++of_http_;
  notes_.say(steady_now(), "link-up node=" + link.node + " address=" + address +
                               " protocol=" + std::string(alpn_of(link.protocol)));
  boost::asio::post(io_, [run] { run->start(); });
  return link;
}

}  // namespace links
}  // namespace belfry::platform
