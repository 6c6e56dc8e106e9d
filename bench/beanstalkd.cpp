// BEANSTALKD: the peer's protocol, spoken by the same kind of client as our own (bench/load.cpp,
// bench/drain.cpp).
//   bench_beanstalkd put    --port P --connections N --seconds S   jobs of 200 bytes, one under way per
//   connection bench_beanstalkd pickup --port P --runs N --every MS           one worker waits in `reserve`;
//   from put to RESERVED
// One JSON line comes out.
#include "bench/support/wire.hpp"

namespace {

using bench::steady;

struct wish {
  std::string mode;
  int port = 11300;
  std::size_t connections = 1, runs = 500;
  double seconds = 4;
  int every_ms = 20;
};

struct client {
  int fd = -1;
  std::string in;
  steady::time_point began;
};

const std::string job = "put 0 0 60 200\r\n" + std::string(200, 'x') + "\r\n";

[[noreturn]] void fail(const std::string& answer) {
  std::fprintf(stderr, "beanstalkd: unexpected answer: %s\n", answer.c_str());
  std::exit(1);
}

void put(const wish& w) {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<client> all(w.connections);
  for (auto& c : all) {
    c.fd = bench::connect_to("127.0.0.1", w.port);
    bench::watch(poll, c.fd, &c);
    c.began = steady::now();
    bench::send_all(c.fd, job);
  }
  std::vector<double> latency;
  const auto from = steady::now() + std::chrono::seconds(1);
  const auto until =
      from + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(w.seconds));
  std::array<epoll_event, 256> ready{};
  while (steady::now() < until) {
    const int n = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<client*>(ready[static_cast<std::size_t>(i)].data.ptr);
      bench::receive(c.fd, c.in);
      const auto end = c.in.find("\r\n");
      if (end == std::string::npos) continue;
      if (c.in.rfind("INSERTED ", 0) != 0) fail(c.in);
      c.in.erase(0, end + 2);
      const auto at = steady::now();
      if (at >= from) latency.push_back(bench::ms_between(c.began, at));
      c.began = at;
      bench::send_all(c.fd, job);
    }
  }
  const double took = bench::ms_between(from, steady::now()) / 1000;
  std::printf(
      "{\"name\":\"put\",\"connections\":%zu,\"requests\":%zu,\"per_second\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":"
      "%.3f}\n",
      w.connections, latency.size(), static_cast<double>(latency.size()) / took,
      bench::quantile(latency, 0.5), bench::quantile(latency, 0.99));
  for (const auto& c : all) ::close(c.fd);
}

// One worker: reserve, delete, reserve. One producer: a job each `every_ms`.
void pickup(const wish& w) {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  client worker, producer;
  for (auto* c : {&worker, &producer}) {
    c->fd = bench::connect_to("127.0.0.1", w.port);
    bench::watch(poll, c->fd, c);
  }
  bench::send_all(worker.fd, "reserve\r\n");
  std::vector<double> latency;
  steady::time_point sent_at;
  auto due = steady::now() + std::chrono::milliseconds(200);
  std::array<epoll_event, 4> ready{};
  for (std::size_t sent = 0; latency.size() < w.runs;) {
    if (sent < w.runs && steady::now() >= due) {
      due = steady::now() + std::chrono::milliseconds(w.every_ms);
      ++sent;
      sent_at = steady::now();
      bench::send_all(producer.fd, job);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - steady::now()).count();
    const int n =
        ::epoll_wait(poll, ready.data(), 4, sent < w.runs ? static_cast<int>(std::max<long>(left, 0)) : 1000);
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<client*>(ready[static_cast<std::size_t>(i)].data.ptr);
      bench::receive(c.fd, c.in);
      for (auto end = c.in.find("\r\n"); end != std::string::npos; end = c.in.find("\r\n")) {
        std::size_t used = end + 2;
        if (c.in.rfind("RESERVED ", 0) == 0) {
          if (c.in.size() < used + 202) break;  // the body is still on its way
          used += 202;
          latency.push_back(bench::ms_between(sent_at, steady::now()));
          const auto id = c.in.substr(9, c.in.find(' ', 9) - 9);
          bench::send_all(c.fd, "delete " + id + "\r\nreserve\r\n");
        } else if (c.in.rfind("INSERTED ", 0) != 0 && c.in.rfind("DELETED", 0) != 0) {
          fail(c.in);
        }
        c.in.erase(0, used);
      }
    }
  }
  std::printf("{\"name\":\"pickup\",\"runs\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
              latency.size(), bench::quantile(latency, 0.5), bench::quantile(latency, 0.99), latency.back());
  ::close(worker.fd);
  ::close(producer.fd);
}

}  // namespace

int main(int argc, char** argv) {
  wish w;
  w.mode = argc > 1 ? argv[1] : "";
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    const double value = std::atof(argv[i + 1]);
    if (key == "--port")
      w.port = static_cast<int>(value);
    else if (key == "--connections")
      w.connections = static_cast<std::size_t>(value);
    else if (key == "--runs")
      w.runs = static_cast<std::size_t>(value);
    else if (key == "--seconds")
      w.seconds = value;
    else if (key == "--every")
      w.every_ms = static_cast<int>(value);
    else
      w.mode.clear();
  }
  if (w.mode == "put")
    put(w);
  else if (w.mode == "pickup")
    pickup(w);
  else {
    std::fprintf(
        stderr,
        "bench_beanstalkd put|pickup --port P [--connections N] [--seconds S] [--runs N] [--every MS]\n");
    return 2;
  }
  return 0;
}
