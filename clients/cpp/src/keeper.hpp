// Keeps what is held: heartbeats on one thread, progress and log lines on another, so that they wait for
// nobody.
#pragma once

#include <set>
#include <thread>

#include "held.hpp"

namespace belfry::detail {

using held_ptr = std::shared_ptr<held>;

class keeper {
 public:
  struct told {
    std::function<void()> drain;
    std::function<void(const std::string&)> log;
  };
  keeper(std::shared_ptr<transport> to, span lease, span every, told t);
  ~keeper();
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;

  void add(const held_ptr& h);
  void remove(const held_ptr& h);
  bool busy() const;
  /// True when nothing is held within that time.
  bool wait_idle(span at_most) const;
  void cancel_all(const std::string& reason);
  /// Before the end of the attempt: afterwards the node takes no lines. Gives up after 5 s, loudly.
  void flush(held& h);

 private:
  void beat_loop();
  void beat(held& h);
  void lose(held& h, const std::string& why);
  void obey(held& h, const json& answer);
  void write_loop();
  void write(held& h);
  void say(held& h, const char* verb, json body);

  std::shared_ptr<transport> to_;
  span lease_;
  span every_;
  span timeout_;
  told told_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::set<held_ptr> held_;
  bool news_ = false;
  bool done_ = false;
  std::thread beats_;
  std::thread writes_;
};

}  // namespace belfry::detail
