#include "tests/support/link_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <vector>

namespace belfry::test {
namespace {

constexpr std::size_t most_held = 256 * 1024;

sockaddr_in on_loopback_port(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  return at;
}

int listen_on_any(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  auto at = on_loopback_port(0);
  socklen_t size = sizeof at;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(fd, 64) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("no port on loopback");
  port = ntohs(at.sin_port);
  return fd;
}

}  // namespace

int free_port() {
  int port = 0;
  ::close(listen_on_any(port));
  return port;
}

link_proxy::link_proxy(int to) : to_(to) {
  listener_ = listen_on_any(port_);
  thread_ = std::thread([this] { run(); });
}

link_proxy::~link_proxy() {
  end_ = true;
  thread_.join();
  for (auto& p : pairs_) {
    ::close(p.there.from);
    ::close(p.there.to);
  }
  ::close(listener_);
}

void link_proxy::take() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto at = on_loopback_port(to_);
    if (::connect(server, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
      ::close(server);
      ::close(client);
      continue;
    }
    pair p;
    p.there.from = client;
    p.there.to = server;
    p.back.from = server;
    p.back.to = client;
    pairs_.push_back(p);
  }
}

void link_proxy::pump(half& h, bool readable) {
  char piece[16 * 1024];
  if (readable && h.waiting.size() < most_held) {
    const auto n = ::recv(h.from, piece, sizeof piece, MSG_DONTWAIT);
    if (n > 0)
      h.waiting.append(piece, static_cast<std::size_t>(n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
      h.ended = true;
  }
  while (!h.waiting.empty()) {
    const auto n = ::send(h.to, h.waiting.data(), h.waiting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n <= 0) {
      if (errno != EAGAIN && errno != EINTR) h.ended = true;
      return;
    }
    h.waiting.erase(0, static_cast<std::size_t>(n));
  }
}

void link_proxy::run() {
  while (!end_) {
    const bool silent = cut_;
    if (sever_.exchange(false))
      for (auto& p : pairs_) p.over = true;
    std::vector<pollfd> looks;
    if (!silent) {
      looks.push_back({listener_, POLLIN, 0});
      for (auto& p : pairs_)
        for (auto* h : {&p.there, &p.back})
          if (h->waiting.size() < most_held && !h->ended) looks.push_back({h->from, POLLIN, 0});
    }
    ::poll(looks.data(), looks.size(), 5);
    if (!silent) {
      take();
      for (auto& p : pairs_) {
        pump(p.there, !p.there.ended);
        pump(p.back, !p.back.ended);
        if ((p.there.ended && p.there.waiting.empty()) || (p.back.ended && p.back.waiting.empty()))
          p.over = true;
      }
    }
    pairs_.remove_if([](const pair& p) {
      if (p.over) {
        ::close(p.there.from);
        ::close(p.there.to);
      }
      return p.over;
    });
  }
}

}  // namespace belfry::test
