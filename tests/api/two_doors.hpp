// TWO DOORS: a coordinator's server with a fake node behind it, and a member's server that passes on to it
// over socket pairs. The test may cut the way, hold it back, or stand at its end itself.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/api/open_door.hpp"

namespace belfry::test {

// Both ends of a stream that nobody else can reach.
inline std::pair<platform::descriptor, platform::descriptor> local_pair() {
  int fds[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    throw std::runtime_error("no socket pair");
  return {platform::descriptor{fds[0]}, platform::descriptor{fds[1]}};
}

class way_to_door final : public api::upstream {
 public:
  explicit way_to_door(const platform::clock& time) : time_(time) {
    seen_.node = "b";
    seen_.cluster = "home";
    seen_.coordinator = "a";
    seen_.joined = true;
    seen_.since = time.now();
    seen_.started_at = time.now();
  }

  void connect(std::function<void(core::result<platform::descriptor>)> done) override {
    ++connects;
    if (down) return done(core::failure{core::errc::unavailable, "planted: nobody answers", {}, {}});
    auto [near, far] = local_pair();
    if (by_hand) {
      const std::lock_guard lock{mutex_};
      ends_.push_back(std::move(far));
    } else if (to != nullptr) {
      to->adopt(std::move(far), speaks_as);
    }
    done(std::move(near));
  }
  api::member_seen seen() const override {
    const std::lock_guard lock{mutex_};
    return seen_;
  }
  void say(bool joined, std::string trouble) {
    const std::lock_guard lock{mutex_};
    seen_.joined = joined;
    seen_.trouble = std::move(trouble);
    seen_.since = time_.now();
  }
  // Where the test stands instead of the coordinator; waits for it.
  platform::descriptor next_end() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    for (;;) {
      {
        const std::lock_guard lock{mutex_};
        if (!ends_.empty()) {
          auto d = std::move(ends_.front());
          ends_.erase(ends_.begin());
          return d;
        }
      }
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("nobody connects");
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }

  std::atomic<int> connects{0};
  std::atomic<bool> down{false};
  std::atomic<bool> by_hand{false};
  std::string speaks_as = "b";
  api::server* to = nullptr;

 private:
  const platform::clock& time_;
  mutable std::mutex mutex_;
  api::member_seen seen_;
  std::vector<platform::descriptor> ends_;
};

class two_doors {
 public:
  explicit two_doors(api::server_options at_a = {}, api::server_options at_b = {},
                     api::forwarding_limits limits = {})
      : a(std::move(at_a)), meter_(platform::make_meter()), way(a.clock()) {
    way.to = a.server.get();
    folder_ = std::filesystem::temp_directory_path() /
              ("belfry-member-" + std::to_string(::getpid()) + "-" + std::to_string(next_++));
    std::filesystem::create_directory(folder_);
    at_b.unix_socket = (folder_ / "s").string();
    auto s = api::server::start_member(way, *meter_, a.clock(), on_loopback(std::move(at_b)), limits);
    if (!s) throw std::runtime_error(s.error().text);
    member = std::move(*s);
    const auto url = member->addresses().front();
    tcp_.port = std::stoi(url.substr(url.rfind(':') + 1));
    http_.emplace(tcp_);
  }
  ~two_doors() {
    member->stop(core::span{0});
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  http_client& http() { return *http_; }
  const endpoint& tcp() const { return tcp_; }
  endpoint unix_socket() const { return {0, (folder_ / "s").string()}; }
  // Of the coordinator, as it counts itself.
  std::size_t streams_at_a() {
    return a.http().get_json("/v1/node").at("http").at("streams").get<std::size_t>();
  }

  open_door a;

 private:
  std::unique_ptr<platform::meter> meter_;
  std::filesystem::path folder_;
  inline static int next_ = 0;

 public:
  way_to_door way;
  std::unique_ptr<api::server> member;

 private:
  endpoint tcp_;
  std::optional<http_client> http_;
};

// The end of a way, byte by byte.
class far_end {
 public:
  explicit far_end(platform::descriptor d) : d_(std::move(d)) {
    ::fcntl(d_.get(), F_SETFL, ::fcntl(d_.get(), F_GETFL) & ~O_NONBLOCK);
    const timeval patience{10, 0};
    ::setsockopt(d_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  // Reads up to and with the end of the head and `body` bytes behind it; empty: it was closed before.
  std::string request(std::size_t body = 0) {
    std::string in;
    char piece[4096];
    for (;;) {
      const auto end = in.find("\r\n\r\n");
      if (end != std::string::npos && in.size() >= end + 4 + body) return in;
      const auto n = ::recv(d_.get(), piece, sizeof piece, 0);
      if (n <= 0) return {};
      in.append(piece, static_cast<std::size_t>(n));
    }
  }
  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(d_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  // Whether the other side closes before anything more comes.
  bool closed() {
    char byte = 0;
    return ::recv(d_.get(), &byte, 1, 0) <= 0 && errno != EAGAIN;
  }
  void close() { d_.reset(); }

 private:
  platform::descriptor d_;
};

}  // namespace belfry::test
