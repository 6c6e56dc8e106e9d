// LINK PROXY: the way between a member and its coordinator, which a test may cut: then nothing goes through
// and nobody is told, as in a network that is gone. One thread, loopback only.
#pragma once

#include <atomic>
#include <list>
#include <string>
#include <thread>

#include "tests/support/link_way.hpp"

namespace belfry::test {

// A port that nobody has at present.
int free_port();

class link_proxy final : public link_way {
 public:
  explicit link_proxy(int to);
  ~link_proxy() override;
  link_proxy(const link_proxy&) = delete;
  link_proxy& operator=(const link_proxy&) = delete;

  std::string address() const override { return "127.0.0.1:" + std::to_string(port_); }
  void cut() override { cut_ = true; }    // held back, not closed; new connections too
  void mend() override { cut_ = false; }  // what was held back goes on
  void sever() override { sever_ = true; }

 private:
  struct half {
    int from = -1, to = -1;
    std::string waiting;
    bool ended = false;
  };
  struct pair {
    half there, back;
    bool over = false;
  };
  void run();
  void take();
  static void pump(half& h, bool readable);

  const int to_;
  int listener_ = -1;
  int port_ = 0;
  std::list<pair> pairs_;
  std::atomic<bool> cut_{false}, sever_{false}, end_{false};
  std::thread thread_;
};

}  // namespace belfry::test
