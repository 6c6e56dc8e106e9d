#include "tests/support/hook_receiver.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace belfry::test {

using namespace std::chrono_literals;

std::string received_hook::header(const std::string& name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

hook_receiver::hook_receiver() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(listener_, 64) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("hook receiver: no port");
  port_ = ntohs(at.sin_port);
  thread_ = std::thread{[this] { loop(); }};
}

hook_receiver::~hook_receiver() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
  for (const int fd : kept_) ::close(fd);
}

void hook_receiver::answer_with(int status, std::string head, std::string body) {
  const std::lock_guard hold{mutex_};
  status_ = status;
  silent_ = false;
  head_ = std::move(head);
  body_ = std::move(body);
}

void hook_receiver::answer_nothing() {
  const std::lock_guard hold{mutex_};
  silent_ = true;
}

std::optional<received_hook> hook_receiver::wait_for(std::size_t number, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    {
      const std::lock_guard hold{mutex_};
      if (all_.size() > number) return all_[number];
    }
    if (std::chrono::steady_clock::now() > until) return std::nullopt;
    std::this_thread::sleep_for(2ms);
  }
}

std::size_t hook_receiver::count() {
  const std::lock_guard hold{mutex_};
  return all_.size();
}

void hook_receiver::loop() {
  while (!ending_) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) serve(fd);
  }
}

void hook_receiver::serve(int fd) {
  std::string in;
  std::size_t end = std::string::npos;
  std::size_t length = 0;
  received_hook hook;
  std::array<char, 4096> buffer{};
  while (end == std::string::npos || in.size() < end + 4 + length) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, 5000) <= 0) break;
    const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    in.append(buffer.data(), static_cast<std::size_t>(got));
    if (end != std::string::npos) continue;
    end = in.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    std::size_t at = in.find("\r\n");
    const auto first = in.substr(0, at);
    const auto space = first.find(' ');
    hook.target = first.substr(space + 1, first.rfind(' ') - space - 1);
    while (at < end) {
      const auto next = in.find("\r\n", at + 2);
      const auto line = in.substr(at + 2, next - at - 2);
      const auto colon = line.find(": ");
      auto name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (colon != std::string::npos) hook.headers.emplace_back(std::move(name), line.substr(colon + 2));
      at = next;
    }
    length = std::strtoul(hook.header("content-length").c_str(), nullptr, 10);
  }
  if (end == std::string::npos) {
    ::close(fd);
    return;
  }
  hook.body = in.substr(end + 4);
  const std::lock_guard hold{mutex_};
  all_.push_back(std::move(hook));
  if (silent_) {
    kept_.push_back(fd);
    return;
  }
  const auto answer = "HTTP/1.1 " + std::to_string(status_) + " X\r\n" + head_ +
                      "Content-Length: " + std::to_string(body_.size()) + "\r\nConnection: close\r\n\r\n" +
                      body_;
  (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  ::close(fd);
}

}  // namespace belfry::test
