// DRAIN: workers without work, as many as wanted from one thread: claim, complete, claim again.
//
// It measures a node, so it is as thin as it can be: epoll, and of a claim's answer only the members that a
// completion needs are read (the payloads are ours and hold none of these words). Each connection is a
// session.
//   bench_drain drain  --port P --connections 64 --max 1    --runs N   one claimed, one completed
//   bench_drain drain  --port P --connections 4  --max 1000 --runs N   the same in bulk
//   bench_drain pickup --port P --connections S --runs N --every MS     S sessions wait; N runs are
//   submitted, one
//                                                                       each MS; from submit to the claim's
//                                                                       answer
// `pickup` prints {"waiting":S} when all wait, and goes on after a line on stdin, so that a caller can look
// at memory. One JSON line comes out.
#include <cstring>

#include "bench/support/wire.hpp"

namespace {

using bench::steady;

struct wish {
  std::string mode;
  int port = 7420;
  std::size_t connections = 64, max = 1, runs = 1000;
  int every_ms = 20;
};

enum class stage { registering, claiming, completing, done };

struct worker {
  int fd = -1;
  std::string in, session;
  stage at = stage::registering;
  std::size_t asked = 0;
};

[[noreturn]] void fail(const std::string& what, std::string_view body) {
  std::fprintf(stderr, "drain: %s: %s\n", what.c_str(), std::string(body.substr(0, 500)).c_str());
  std::exit(1);
}

// The text of the member `"key":"…"` behind `from`, which moves behind it; empty when there is none.
std::string_view text_member(std::string_view in, std::string_view key, std::size_t& from) {
  const auto at = in.find(key, from);
  if (at == std::string_view::npos) return {};
  const auto begin = at + key.size();
  const auto end = in.find('"', begin);
  from = end;
  return in.substr(begin, end - begin);
}

struct taken {
  std::string_view run, token, fencing;
};

bool next_claim(std::string_view body, std::size_t& from, taken& t) {
  t.run = text_member(body, "\"run_id\":\"", from);
  if (t.run.empty()) return false;
  const auto at = body.find("\"fencing\":", from) + std::strlen("\"fencing\":");
  t.fencing = body.substr(at, body.find(',', at) - at);
  t.token = text_member(body, "\"token\":\"", from);
  return true;
}

class crew {
 public:
  explicit crew(const wish& w) : w_{w}, poll_{::epoll_create1(EPOLL_CLOEXEC)}, workers_(w.connections) {
    for (auto& one : workers_) {
      one.fd = bench::connect_to("127.0.0.1", w_.port);
      bench::watch(poll_, one.fd, &one);
    }
    // In portions, so that the node never holds more open calls than it allows by default.
    constexpr std::size_t portion = 256;
    for (std::size_t i = 0; i < workers_.size(); i += portion) {
      const auto end = std::min(i + portion, workers_.size());
      for (auto j = i; j < end; ++j)
        bench::send_all(
            workers_[j].fd,
            bench::post("/v1/sessions", "{\"name\":\"bench\",\"agent_type\":\"bench\",\"slots\":" +
                                            std::to_string(w_.max) + "}"));
      while (registered_ < end) turn(1000);
    }
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew() {
    for (const auto& one : workers_) ::close(one.fd);
    if (submitter_.fd >= 0) ::close(submitter_.fd);
    ::close(poll_);
  }

  void drain() {
    const auto began = steady::now();
    for (auto& one : workers_) claim(one);
    while (completed_ < w_.runs) {
      if (idle_ == workers_.size()) fail("nothing left to claim after " + std::to_string(completed_), "");
      turn(1000);
    }
    const double seconds = bench::ms_between(began, steady::now()) / 1000;
    std::printf(
        "{\"name\":\"drain\",\"connections\":%zu,\"max\":%zu,\"runs\":%zu,\"seconds\":%.3f,\"per_second\":%."
        "0f}\n",
        w_.connections, w_.max, completed_, seconds, static_cast<double>(completed_) / seconds);
  }

  void pickup() {
    waiting_ = true;
    for (auto& one : workers_) claim(one);
    for (const auto until = steady::now() + std::chrono::seconds(1); steady::now() < until;) turn(50);
    std::printf("{\"waiting\":%zu}\n", workers_.size());
    std::fflush(stdout);
    if (std::getchar() == EOF) std::exit(2);
    submitter_.fd = bench::connect_to("127.0.0.1", w_.port);
    bench::watch(poll_, submitter_.fd, &submitter_);
    submitted_.resize(w_.runs);
    auto due = steady::now();
    std::size_t sent = 0;
    while (latency_.size() < w_.runs) {
      const auto now = steady::now();
      if (sent < w_.runs && now >= due) {
        due = now + std::chrono::milliseconds(w_.every_ms);
        const auto text =
            bench::post("/v1/runs", "{\"name\":\"" + std::to_string(sent) + "\",\"payload\":{\"text\":\"" +
                                        std::string(186, 'x') + "\"}}");
        submitted_[sent++] = steady::now();
        bench::send_all(submitter_.fd, text);
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - steady::now()).count();
      turn(sent < w_.runs ? static_cast<int>(std::max<long>(left, 0)) : 1000);
    }
    std::printf(
        "{\"name\":\"pickup\",\"sessions\":%zu,\"runs\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}"
        "\n",
        workers_.size(), latency_.size(), bench::quantile(latency_, 0.5), bench::quantile(latency_, 0.99),
        bench::quantile(latency_, 1.0));
  }

 private:
  void turn(int timeout_ms) {
    const int n = ::epoll_wait(poll_, ready_.data(), static_cast<int>(ready_.size()), timeout_ms);
    for (int i = 0; i < n; ++i) {
      auto& one = *static_cast<worker*>(ready_[static_cast<std::size_t>(i)].data.ptr);
      bench::receive(one.fd, one.in);
      const auto a = bench::frame(one.in);
      if (a.bytes == 0) continue;
      const std::string_view body = std::string_view(one.in).substr(a.head, a.bytes - a.head);
      if (a.status / 100 != 2) fail("answer " + std::to_string(a.status), body);
      if (&one != &submitter_) answered(one, body);
      one.in.erase(0, a.bytes);
    }
  }

  void answered(worker& one, std::string_view body) {
    std::size_t from = 0;
    switch (one.at) {
      case stage::registering:
        one.session = text_member(body, "\"id\":\"", from);
        ++registered_;
        break;
      case stage::claiming: claimed(one, body); break;
      case stage::completing:
        if (w_.max > 1 && body.find("\"failed\":0") == std::string_view::npos)
          fail("a completion failed", body);
        completed_ += one.asked;
        claim(one);
        break;
      case stage::done: break;
    }
  }

  void claim(worker& one) {
    const auto want = waiting_ ? 1 : std::min(w_.max, w_.runs - issued_);
    if (want == 0) {
      one.at = stage::done;
      ++idle_;
      return;
    }
    if (!waiting_) issued_ += want;
    one.asked = want;
    one.at = stage::claiming;
    bench::send_all(one.fd, bench::post("/v1/claims", "{\"session\":\"" + one.session +
                                                          "\",\"max\":" + std::to_string(want) +
                                                          (waiting_ ? ",\"wait\":\"60s\"}" : "}")));
  }

  void claimed(worker& one, std::string_view body) {
    std::size_t from = 0, n = 0;
    taken t;
    std::string items;
    if (w_.max == 1) {
      if (next_claim(body, from, t)) {
        n = 1;
        if (waiting_) picked_up(body);
        one.at = stage::completing;
        bench::send_all(one.fd, bench::post("/v1/runs/" + std::string(t.run) + ":complete",
                                            "{\"token\":\"" + std::string(t.token) +
                                                "\",\"fencing\":" + std::string(t.fencing) + "}"));
      }
    } else {
      while (next_claim(body, from, t)) {
        items.append(n++ == 0 ? "{\"items\":[" : ",").append("{\"run_id\":\"").append(t.run);
        items.append("\",\"token\":\"").append(t.token).append("\",\"fencing\":").append(t.fencing);
        items.append(",\"outcome\":\"succeeded\"}");
      }
      if (n > 0) {
        one.at = stage::completing;
        bench::send_all(one.fd, bench::post("/v1/completions", items.append("]}")));
      }
    }
    if (!waiting_) issued_ -= one.asked - n;
    one.asked = n;
    if (n > 0) return;
    if (waiting_) return claim(one);
    one.at = stage::done;
    ++idle_;
  }

  void picked_up(std::string_view body) {
    std::size_t from = 0;
    const auto now = steady::now();
    const auto name = std::string(text_member(body, "\"name\":\"", from));
    latency_.push_back(bench::ms_between(submitted_[std::strtoull(name.c_str(), nullptr, 10)], now));
  }

  wish w_;
  int poll_;
  std::vector<worker> workers_;
  worker submitter_;
  std::array<epoll_event, 256> ready_{};
  bool waiting_ = false;
  std::size_t registered_ = 0, issued_ = 0, completed_ = 0, idle_ = 0;
  std::vector<steady::time_point> submitted_;
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
    else if (key == "--connections")
      w.connections = value;
    else if (key == "--max")
      w.max = value;
    else if (key == "--runs")
      w.runs = value;
    else if (key == "--every")
      w.every_ms = static_cast<int>(value);
    else {
      std::fprintf(stderr, "drain: unknown option %s\n", argv[i]);
      std::exit(2);
    }
  }
  return w;
}

}  // namespace

int main(int argc, char** argv) {
  const auto w = parse(argc, argv);
  if (w.mode == "drain")
    crew(w).drain();
  else if (w.mode == "pickup")
    crew(w).pickup();
  else {
    std::fprintf(stderr,
                 "bench_drain drain|pickup --port P [--connections N] [--max N] [--runs N] [--every MS]\n");
    return 2;
  }
  return 0;
}
