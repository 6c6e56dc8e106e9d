// REACTOR: the real processes. One thread owns every child; other threads only post to it.
//
// One long-lived thread also because things that a kernel ties to the spawning thread stay tied to something
// that lives. Rejected: a thread per child (200 threads for 200 idle children), SIGCHLD (one handler for the
// whole process, and signals merge), io_uring (not everywhere).
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "platform/process/child.hpp"
#include "platform/process/orphans.hpp"

namespace belfry::platform {

class reactor final : public processes {
 public:
  reactor(const process_options& options, const clock& time, process_probe probe,
          const output_limits& limits = {});
  /// Kills what still runs, waits (seconds at most) until it is gone, and calls nobody back.
  ~reactor() override;

  void start(std::string key, process_order order, process_events events) override;
  void stop(const std::string& key, stop_reason why) override;
  void abandon(const std::string& key, std::function<void()> gone) override;
  std::size_t running() const override { return running_; }

 private:
  struct entry {
    std::uint64_t number = 0;
    std::shared_ptr<event_gate> events;
  };
  struct resident {
    std::string key;
    std::shared_ptr<child> process;
  };
  void run();
  void born(std::uint64_t number, std::string key, process_order order, std::shared_ptr<event_gate> events);
  void gone(std::uint64_t number);
  void close();
  void reap_orphans();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  launcher launcher_;
  output_allowance allowance_;
  hunter hunter_;
  orphan_reaper orphans_;
  boost::asio::steady_timer orphan_timer_;
  boost::asio::steady_timer close_timer_;
  std::vector<char> buffer_;
  child_host host_;
  std::unordered_map<std::uint64_t, resident> living_;  // the reactor thread's
  bool reaping_ = false;
  bool closing_ = false;

  std::mutex mutex_;
  std::unordered_map<std::string, entry> by_key_;  // guarded
  std::uint64_t last_number_ = 0;                  // guarded
  std::atomic<std::size_t> running_{0};
  std::thread thread_;
};

}  // namespace belfry::platform
