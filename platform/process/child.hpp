// CHILD: the life of one process group inside the reactor.
//
//   running ──leader ended, pipes closed────────────────► kill rest ─► sweep ─► settled ─► reported
//      │  └───leader ended, a pipe is open─► lingering ──►    ▲                    │
//      └stop─► TERM, CONT ─► leader ended: sweep until empty ─┤                    └─ hunt for escapees, when
//      stopped or
//                                     grace is over ──────────┘                       when a pipe is still
//                                     held
//
// "Kill rest" is sent even when nobody seems left: the leader is still a zombie then, its group number cannot
// belong to anybody else, and it costs one system call. During a stop members get the whole grace after the
// leader has gone: in `sh -c "a; b"` the shell dies of TERM at once, the program that cleans up is the
// grandchild. A stop that finds the leader ended already changes nothing about how the run ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "platform/process/event_gate.hpp"
#include "platform/process/group.hpp"
#include "platform/process/hunter.hpp"
#include "platform/process/input_writer.hpp"
#include "platform/process/launch.hpp"
#include "platform/process/output_reader.hpp"

namespace belfry::platform {

// What a child needs from its reactor.
struct child_host {
  boost::asio::io_context& io;
  const clock& time;
  launcher& launch;
  output_allowance& allowance;
  hunter& hunt;
  std::span<char> buffer;
  std::function<void(std::uint64_t number)> gone;
};

class child : public std::enable_shared_from_this<child> {
 public:
  child(child_host& host, std::uint64_t number, process_order order, std::shared_ptr<event_gate> events);

  /// Starts it; a failure is reported before this returns. `running` counts the others.
  void begin(std::uint64_t running);
  void stop(stop_reason why);
  void kill();

 private:
  void attend(launched started);
  void fail(int error, std::string text);
  void watch();
  void leader_ended();
  void sample();
  void kill_group();
  void sweep();
  void settle(bool gone);
  void report();
  template <class Member>
  void after(boost::asio::steady_timer& timer, core::span pause, Member then);

  child_host& host_;
  std::uint64_t number_;
  process_order order_;
  std::shared_ptr<event_gate> events_;
  process_report report_;
  std::optional<process_group> group_;
  std::shared_ptr<output_reader> reader_;
  std::shared_ptr<input_writer> writer_;
  boost::asio::posix::stream_descriptor watch_;  // the pidfd
  boost::asio::steady_timer phase_timer_;        // linger, then sweeping
  boost::asio::steady_timer grace_timer_;
  boost::asio::steady_timer sample_timer_;  // of memory, while the leader lives
  bool leader_ended_ = false;
  bool stopping_ = false;  // TERM was sent
  bool killed_ = false;    // KILL was sent
  bool hurry_ = false;     // no lingering, and hunt for escapees
  bool settled_ = false;
  core::span pause_{0};
  core::span sample_pause_{std::chrono::milliseconds{5}};
  steady_time give_up_{};
};

}  // namespace belfry::platform
