// WIRE: what the load clients share: blocking TCP connections, framing of HTTP answers, quantiles.
//
// One thread, epoll for reading, plain send for writing: a server reads a request whole before it answers, so
// a blocking send cannot wait for ourselves. Every error of the network ends the program; a benchmark has
// nothing to mend.
#pragma once
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using steady = std::chrono::steady_clock;

inline double ms_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

inline int connect_to(const std::string& host, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, host.c_str(), &to.sin_addr);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("connect");
    std::exit(2);
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

inline void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) {
      std::perror("send");
      std::exit(2);
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Appends what has arrived; the end of the stream ends the program.
inline void receive(int fd, std::string& in) {
  static std::array<char, 65536> buffer;
  const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    std::fprintf(stderr, "bench: the server closed a connection\n");
    std::exit(2);
  }
  in.append(buffer.data(), static_cast<std::size_t>(got));
}

inline void watch(int poll, int fd, void* owner) {
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.ptr = owner;
  if (::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e) != 0) {
    std::perror("epoll_ctl");
    std::exit(2);
  }
}

struct http_answer {
  int status = 0;
  std::size_t head = 0,
              bytes = 0;  // where the body begins and ends in what was read; 0 bytes: not complete yet
};

inline http_answer frame(std::string_view in) {
  const auto head = in.find("\r\n\r\n");
  if (head == std::string_view::npos) return {};
  std::size_t length = 0;
  for (const std::string_view key :
       {std::string_view{"Content-Length: "}, std::string_view{"content-length: "}}) {
    const auto at = in.substr(0, head).find(key);
    if (at != std::string_view::npos) length = std::strtoull(in.data() + at + key.size(), nullptr, 10);
  }
  if (in.size() < head + 4 + length) return {};
  return {std::atoi(std::string(in.substr(9, 3)).c_str()), head + 4, head + 4 + length};
}

inline std::string post(std::string_view path, std::string_view body) {
  std::string out = "POST ";
  out.append(path).append(
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ");
  out.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return out;
}

// The nearest-rank quantile; sorts its argument.
inline double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

}  // namespace bench
