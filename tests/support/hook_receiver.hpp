// HOOK RECEIVER: a real HTTP server of the tests for webhooks: one connection after the other, each request
// written down and answered as the test wishes.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace belfry::test {

struct received_hook {
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string header(const std::string& name) const;
};

class hook_receiver {
 public:
  hook_receiver();
  ~hook_receiver();
  hook_receiver(const hook_receiver&) = delete;
  hook_receiver& operator=(const hook_receiver&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& path = "/wakes") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  // From now on; `head`: further header lines, each with its line end.
  void answer_with(int status, std::string head = {}, std::string body = {});
  void answer_nothing();  // reads the request and stays silent
  // The request of this number, once it has come.
  std::optional<received_hook> wait_for(std::size_t number,
                                        std::chrono::milliseconds patience = std::chrono::seconds{10});
  std::size_t count();

 private:
  void loop();
  void serve(int fd);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  int status_ = 204;
  bool silent_ = false;
  std::string head_, body_;
  std::vector<received_hook> all_;
  std::vector<int> kept_;  // connections that are left without an answer
  std::thread thread_;
};

}  // namespace belfry::test
