// OUTPUT GATE: what of a child's output is handed over, and how fast. Pure: bytes and times go in, lines come
// out.
//
// The sink gives no credit, so the gate has an allowance: per child `head` bytes of lines per window are
// handed over as they come; after that bytes are only kept in a bounded tail, and when the window is over the
// newest `tail` bytes follow a line of the node that says how many bytes were dropped between. A quiet
// program notices nothing; a flood costs a bounded amount of memory and of work downstream; the beginning and
// the end of a burst survive, and so does the last word of a dying program. Each line counts 64 bytes more
// than its text: a flood of empty lines is a flood too.
//
// Rejected: to stop reading (the child would hang on a full pipe and its timeout would be ours), and to drop
// the newest.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/process/lines.hpp"

namespace belfry::platform {

using steady_time = std::chrono::steady_clock::time_point;

struct output_limits {
  std::chrono::milliseconds window{200};
  std::size_t head = 768 * 1024;
  std::size_t tail = 256 * 1024;
  /// All children of a node together, per window.
  std::size_t all = 16 * 1024 * 1024;
};

// The allowance that all children share.
class output_allowance {
 public:
  explicit output_allowance(const output_limits& limits) : limits_(limits) {}
  const output_limits& limits() const { return limits_; }
  /// Counts `cost`; false when this window's allowance is used up.
  bool spend(std::size_t cost, steady_time now);
  std::size_t left(steady_time now) const;

 private:
  output_limits limits_;
  steady_time window_start_{};
  std::size_t spent_ = 0;
};

class output_gate {
 public:
  explicit output_gate(output_allowance& shared) : shared_(shared) {}

  void take(core::log_stream stream, std::string_view bytes, core::instant at, steady_time now);
  /// When `release` wants to be called: while bytes are being held back.
  bool holding() const { return holding_; }
  steady_time release_at() const { return window_start_ + shared_.limits().window; }
  /// Hands over the tails and opens a new window.
  void release(core::instant at, steady_time now);
  /// Nothing more will come: everything still open is handed over.
  void finish(core::instant at, steady_time now);

  /// Lines that wait for the callback, and roughly what they weigh.
  std::vector<output_line> take_ready();
  std::size_t ready_cost() const { return ready_cost_; }
  std::uint64_t total() const { return total_; }

 private:
  struct channel {
    explicit channel(core::log_stream s) : stream(s), lines(s) {}
    core::log_stream stream;
    line_splitter lines;
    std::string tail;
    std::uint64_t dropped = 0;
  };
  channel& of(core::log_stream s) { return s == core::log_stream::err ? err_ : out_; }
  std::size_t account();
  void hold(channel& c, std::string_view bytes);
  void release(channel& c, core::instant at, steady_time now);

  output_allowance& shared_;
  channel out_{core::log_stream::out};
  channel err_{core::log_stream::err};
  std::vector<output_line> ready_;
  std::size_t counted_ = 0;  // lines of ready_ already in ready_cost_
  std::size_t ready_cost_ = 0;
  steady_time window_start_{};
  std::size_t spent_ = 0;
  bool holding_ = false;
  std::uint64_t total_ = 0;
};

}  // namespace belfry::platform
