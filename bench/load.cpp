// LOAD: a keep-alive HTTP/1.1 client that holds N connections busy with one request each, from one thread.
//
// It measures a server, so it is as thin as it can be: fixed request bytes, epoll, answers are only framed
// (status and Content-Length). One JSON line comes out: requests per second, latency quantiles, statuses that
// were not 2xx.
//   bench_load --port 7420 --path /v1/ping --connections 64 --seconds 5 [--method POST] [--body-file F]
//   [--name N]
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include "bench/support/wire.hpp"

namespace {

using bench::steady;

struct wish {
  std::string host = "127.0.0.1", path = "/v1/ping", method = "GET", body, name = "load";
  int port = 7420, connections = 64;
  double seconds = 5, warmup = 1;
};

struct connection {
  int fd = -1;
  std::string in;
  steady::time_point began;
};

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
  for (auto& c : all) {
    c.fd = bench::connect_to(w.host, w.port);
    bench::watch(poll, c.fd, &c);
    c.began = steady::now();
    bench::send_all(c.fd, request);
  }
  std::vector<double> latency;
  std::map<int, long> bad;
  const auto start = steady::now();
  auto measured_from =
      start + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(w.warmup));
  const auto until =
      measured_from + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(w.seconds));
  std::array<epoll_event, 256> ready{};
  for (auto now = steady::now(); now < until; now = steady::now()) {
    const int n = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<connection*>(ready[static_cast<std::size_t>(i)].data.ptr);
      bench::receive(c.fd, c.in);
      const auto answer = bench::frame(c.in);
      if (answer.bytes == 0) continue;
      c.in.erase(0, answer.bytes);
      const auto at = steady::now();
      if (at >= measured_from) {
        latency.push_back(bench::ms_between(c.began, at));
        if (answer.status / 100 != 2) ++bad[answer.status];
      }
      c.began = at;
      bench::send_all(c.fd, request);
    }
  }
  const double took = std::chrono::duration<double>(steady::now() - measured_from).count();
  long refused = 0;
  for (const auto& [status, count] : bad) refused += count;
  std::printf(
      "{\"name\":\"%s\",\"connections\":%d,\"requests\":%zu,\"per_second\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%."
      "3f,\"not_2xx\":%ld}\n",
      w.name.c_str(), w.connections, latency.size(), static_cast<double>(latency.size()) / took,
      bench::quantile(latency, 0.5), bench::quantile(latency, 0.99), refused);
  for (const auto& c : all) ::close(c.fd);
  return refused == 0 ? 0 : 1;
}
