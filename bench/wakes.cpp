// WAKES: sessions that wait to be woken, as many as wanted from one thread, and somebody who wakes them.
//
// Each connection is a session that waits by long poll or on a stream. One run is submitted; then one session
// after the other is woken for it by hand, and the time from the request that wakes to the bytes at the
// session is taken: the look-up of the run and the door on both sides are in it. What was heard is
// acknowledged on a connection of its own, and whoever polled polls again.
//   bench_wakes poll   --port P --sessions N --wakes K --every MS
//   bench_wakes stream --port P --sessions N --wakes K --every MS
// Prints {"waiting":N} when all wait, and goes on after a line on stdin, so that a caller can look at memory.
// One JSON line comes out.
#include <cstring>

#include "bench/support/wire.hpp"

namespace {

using bench::steady;

struct wish {
  std::string mode;
  int port = 7420;
  std::size_t sessions = 1000, wakes = 100;
  int every_ms = 5;
};

struct sleeper {
  int fd = -1;
  std::string in, session;
  bool registered = false, waits = false;
  steady::time_point woken_at;
  bool woken = false;
};

[[noreturn]] void fail(const std::string& what, std::string_view body) {
  std::fprintf(stderr, "wakes: %s: %s\n", what.c_str(), std::string(body.substr(0, 500)).c_str());
  std::exit(1);
}

std::string text_behind(std::string_view in, std::string_view key) {
  const auto at = in.find(key);
  if (at == std::string_view::npos) return {};
  const auto begin = at + key.size();
  return std::string(in.substr(begin, in.find('"', begin) - begin));
}

class dormitory {
 public:
  explicit dormitory(const wish& w)
      : w_{w}, streams_{w.mode == "stream"}, poll_{::epoll_create1(EPOLL_CLOEXEC)}, all_(w.sessions) {
    for (auto* own : {&waker_, &acknowledger_}) {
      own->fd = bench::connect_to("127.0.0.1", w_.port);
      bench::watch(poll_, own->fd, own);
    }
    for (auto& one : all_) {
      one.fd = bench::connect_to("127.0.0.1", w_.port);
      bench::watch(poll_, one.fd, &one);
    }
    // In portions, so that the node never holds more open calls than it allows by default.
    constexpr std::size_t portion = 256;
    for (std::size_t i = 0; i < all_.size(); i += portion) {
      const auto end = std::min(i + portion, all_.size());
      for (auto j = i; j < end; ++j)
        bench::send_all(all_[j].fd, bench::post("/v1/sessions", R"({"name":"bench","agent_type":"bench"})"));
      while (registered_ < end) turn(1000);
    }
  }
  dormitory(const dormitory&) = delete;
  dormitory& operator=(const dormitory&) = delete;
  ~dormitory() {
    for (const auto& one : all_) ::close(one.fd);
    ::close(waker_.fd);
    ::close(acknowledger_.fd);
    ::close(poll_);
  }

  void measure() {
    for (auto& one : all_) wait(one);
    for (const auto until = steady::now() + std::chrono::seconds(1); steady::now() < until;) turn(50);
    std::printf("{\"waiting\":%zu}\n", all_.size());
    std::fflush(stdout);
    if (std::getchar() == EOF) std::exit(2);
    bench::send_all(waker_.fd, bench::post("/v1/runs", R"({"name":"bench","payload":{}})"));
    while (run_.empty()) turn(1000);
    auto due = steady::now();
    std::size_t sent = 0, next = 0;
    const std::size_t stride = all_.size() / 2 + 7;  // not in the order of their connections
    while (latency_.size() < w_.wakes) {
      if (sent < w_.wakes && steady::now() >= due && !all_[next].woken) {
        due += std::chrono::milliseconds(w_.every_ms);
        auto& one = all_[next];
        next = (next + stride) % all_.size();
        ++sent;
        one.woken = true;
        one.woken_at = steady::now();
        bench::send_all(
            waker_.fd, bench::post("/v1/sessions/" + one.session + ":wake", "{\"run_id\":\"" + run_ + "\"}"));
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - steady::now()).count();
      turn(sent < w_.wakes ? static_cast<int>(std::max<long>(left, 0)) : 1000);
    }
    std::printf(
        "{\"name\":\"wakes_%s\",\"sessions\":%zu,\"wakes\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%."
        "3f}\n",
        w_.mode.c_str(), all_.size(), latency_.size(), bench::quantile(latency_, 0.5),
        bench::quantile(latency_, 0.99), bench::quantile(latency_, 1.0));
  }

 private:
  void wait(sleeper& one) {
    one.waits = true;
    std::string text = "GET /v1/sessions/" + one.session + "/wakes";
    if (!streams_) text += "?wait=60s" + (last_.empty() ? std::string() : "&after=" + last_);
    text += " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    if (streams_) text += "Accept: text/event-stream\r\n";
    bench::send_all(one.fd, text + "\r\n");
  }

  void turn(int timeout_ms) {
    const int n = ::epoll_wait(poll_, ready_.data(), static_cast<int>(ready_.size()), timeout_ms);
    for (int i = 0; i < n; ++i) {
      auto& one = *static_cast<sleeper*>(ready_[static_cast<std::size_t>(i)].data.ptr);
      bench::receive(one.fd, one.in);
      if (streams_ && one.waits)
        streamed(one);
      else
        while (answered(one)) {
        }
    }
  }

  void streamed(sleeper& one) {
    if (one.in.find("event: wake") == std::string::npos) {
      if (one.in.starts_with("HTTP/1.1 ") && !one.in.starts_with("HTTP/1.1 200")) fail("stream", one.in);
      if (one.in.ends_with("\n\n\r\n")) one.in.clear();  // a comment
      return;
    }
    if (!one.in.ends_with("\n\n\r\n")) return;
    heard(one, text_behind(one.in, "\"id\":\""));
    one.in.clear();
  }

  bool answered(sleeper& one) {
    const auto a = bench::frame(one.in);
    if (a.bytes == 0) return false;
    const std::string_view body = std::string_view(one.in).substr(a.head, a.bytes - a.head);
    if (a.status / 100 != 2) fail("answer " + std::to_string(a.status), body);
    if (&one == &waker_ && run_.empty()) {
      run_ = text_behind(body, "\"id\":\"");
    } else if (&one != &waker_ && &one != &acknowledger_) {
      if (!one.registered) {
        one.registered = true;
        one.session = text_behind(body, "\"id\":\"");
        ++registered_;
      } else {
        const auto wake = text_behind(body, "\"id\":\"");
        if (!wake.empty()) heard(one, wake);
        wait(one);
      }
    }
    one.in.erase(0, a.bytes);
    return true;
  }

  void heard(sleeper& one, const std::string& wake) {
    if (!one.woken) return;
    latency_.push_back(bench::ms_between(one.woken_at, steady::now()));
    one.woken = false;
    last_ = wake;
    bench::send_all(acknowledger_.fd, "POST /v1/sessions/" + one.session + "/wakes/" + wake +
                                          ":ack HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n");
  }

  wish w_;
  bool streams_;
  int poll_;
  std::vector<sleeper> all_;
  sleeper waker_, acknowledger_;
  std::array<epoll_event, 256> ready_{};
  std::size_t registered_ = 0;
  std::string run_, last_;
  std::vector<double> latency_;
};

wish parse(int argc, char** argv) {
  wish w;
  w.mode = argc > 1 ? argv[1] : "";
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    const auto value = std::strtoull(argv[i + 1], nullptr, 10);
    if (key == "--port")
      w.port = static_cast<int>(value);
    else if (key == "--sessions")
      w.sessions = value;
    else if (key == "--wakes")
      w.wakes = value;
    else if (key == "--every")
      w.every_ms = static_cast<int>(value);
    else {
      std::fprintf(stderr, "wakes: unknown option %s\n", argv[i]);
      std::exit(2);
    }
  }
  return w;
}

}  // namespace

int main(int argc, char** argv) {
  const auto w = parse(argc, argv);
  if (w.mode != "poll" && w.mode != "stream") {
    std::fprintf(stderr, "bench_wakes poll|stream --port P [--sessions N] [--wakes K] [--every MS]\n");
    return 2;
  }
  dormitory(w).measure();
  return 0;
}
