// LOAD: a keep-alive HTTP/1.1 client that holds N connections busy with one request each, from one thread.
//
// It measures a server, so it is as thin as it can be: fixed request bytes, epoll, answers are only framed
// (status and Content-Length). One JSON line comes out: requests per second, latency quantiles, statuses that
// were not 2xx.
//   bench_load --port 7420 --path /v1/ping --connections 64 --seconds 5 [--method POST] [--body-file F]
//   [--name N]
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

struct wish {
  std::string host = "127.0.0.1", path = "/v1/ping", method = "GET", body, name = "load";
  int port = 7420, connections = 64;
  double seconds = 5, warmup = 1;
};

struct connection {
  int fd = -1;
  std::size_t sent = 0;
  std::string in;
  steady::time_point began;
};

// Bytes of the first complete answer in `in`, or 0; its status goes to `status`.
std::size_t complete_answer(std::string_view in, int& status) {
  const auto head = in.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  status = std::atoi(std::string(in.substr(9, 3)).c_str());
  std::size_t length = 0;
  for (const std::string_view key :
       {std::string_view{"Content-Length: "}, std::string_view{"content-length: "}}) {
    const auto at = in.substr(0, head).find(key);
    if (at != std::string_view::npos) length = std::strtoull(in.data() + at + key.size(), nullptr, 10);
  }
  return in.size() >= head + 4 + length ? head + 4 + length : 0;
}

int open_connection(const wish& w) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(w.port));
  ::inet_pton(AF_INET, w.host.c_str(), &to.sin_addr);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("connect");
    std::exit(2);
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

wish parse(int argc, char** argv) {
  wish w;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    const std::string value = argv[i + 1];
    if (key == "--host")
      w.host = value;
    else if (key == "--port")
      w.port = std::atoi(value.c_str());
    else if (key == "--path")
      w.path = value;
    else if (key == "--method")
      w.method = value;
    else if (key == "--name")
      w.name = value;
    else if (key == "--connections")
      w.connections = std::atoi(value.c_str());
    else if (key == "--seconds")
      w.seconds = std::atof(value.c_str());
    else if (key == "--body-file") {
      std::ifstream in(value, std::ios::binary);
      w.body.assign(std::istreambuf_iterator<char>(in), {});
    } else {
      std::fprintf(stderr, "load: unknown option %s\n", argv[i]);
      std::exit(2);
    }
  }
  return w;
}

}  // namespace

int main(int argc, char** argv) {
  const wish w = parse(argc, argv);
  std::string request =
      w.method + " " + w.path + " HTTP/1.1\r\nHost: " + w.host + ":" + std::to_string(w.port) + "\r\n";
  if (!w.body.empty()) request += "Content-Type: application/json\r\n";
  if (w.method != "GET") request += "Content-Length: " + std::to_string(w.body.size()) + "\r\n";
  request += "\r\n" + w.body;

  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<connection> all(static_cast<std::size_t>(w.connections));
  auto push = [&](connection& c) {
    while (c.sent < request.size()) {
      const auto n = ::send(c.fd, request.data() + c.sent, request.size() - c.sent, MSG_NOSIGNAL);
      if (n <= 0) {
        std::perror("send");
        std::exit(2);
      }
      c.sent += static_cast<std::size_t>(n);
    }
  };
  for (auto& c : all) {
    c.fd = open_connection(w);
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = &c;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, c.fd, &e);
    c.began = steady::now();
    push(c);
  }
  std::vector<double> latency;
  std::map<int, long> bad;
  const auto start = steady::now();
  auto measured_from =
      start + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(w.warmup));
  const auto until =
      measured_from + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(w.seconds));
  std::array<char, 65536> buffer{};
  std::array<epoll_event, 256> ready{};
  for (auto now = steady::now(); now < until; now = steady::now()) {
    const int n = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<connection*>(ready[static_cast<std::size_t>(i)].data.ptr);
      const auto got = ::recv(c.fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        std::fprintf(stderr, "load: the server closed a connection\n");
        return 2;
      }
      c.in.append(buffer.data(), static_cast<std::size_t>(got));
      int status = 0;
      const auto used = complete_answer(c.in, status);
      if (used == 0) continue;
      c.in.erase(0, used);
      const auto at = steady::now();
      if (at >= measured_from) {
        latency.push_back(std::chrono::duration<double, std::milli>(at - c.began).count());
        if (status / 100 != 2) ++bad[status];
      }
      c.sent = 0;
      c.began = at;
      push(c);
    }
  }
  const double took = std::chrono::duration<double>(steady::now() - measured_from).count();
  std::sort(latency.begin(), latency.end());
  const auto quantile = [&](double q) {
    return latency.empty() ? 0.0
                           : latency[static_cast<std::size_t>(q * static_cast<double>(latency.size() - 1))];
  };
  long refused = 0;
  for (const auto& [status, count] : bad) refused += count;
  std::printf(
      "{\"name\":\"%s\",\"connections\":%d,\"requests\":%zu,\"per_second\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%."
      "3f,\"not_2xx\":%ld}\n",
      w.name.c_str(), w.connections, latency.size(), static_cast<double>(latency.size()) / took,
      quantile(0.5), quantile(0.99), refused);
  for (const auto& c : all) ::close(c.fd);
  return refused == 0 ? 0 : 1;
}
