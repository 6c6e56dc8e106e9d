// OUTPUT READER: pumps a child's stdout and stderr through its output gate to a callback.
//
// Lines are gathered for at most 50 ms or 64 KiB per callback. One child reads at most four buffers before
// others have their turn, and while its output is being dropped at most 64 MiB per window, so a flood costs a
// tenth of a core and not one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "platform/descriptor.hpp"
#include "platform/ports/clock.hpp"
#include "platform/process/output_gate.hpp"

namespace belfry::platform {

class output_reader : public std::enable_shared_from_this<output_reader> {
 public:
  struct calls {
    std::function<void(std::vector<output_line>)> deliver;
    std::function<void()> closed;  // both streams have ended; not from inside drain or finish
  };
  /// `buffer` is shared by all readers of the thread.
  output_reader(boost::asio::io_context& io, const clock& time, output_allowance& shared,
                std::span<char> buffer, calls on);

  void begin(descriptor out, descriptor err);
  bool closed() const { return !out_.file.is_open() && !err_.file.is_open(); }
  /// Takes what is there without waiting; ends streams that have ended.
  void drain();
  /// Hands everything over and closes; nothing is called afterwards.
  void finish();
  std::uint64_t total() const { return gate_.total(); }

 private:
  struct stream {
    stream(boost::asio::io_context& io, core::log_stream k) : file(io), kind(k) {}
    boost::asio::posix::stream_descriptor file;
    core::log_stream kind;
    bool waiting = false;
  };
  void wait(stream& s);
  void read(stream& s, int turns);
  void pump();
  void deliver();
  void released();

  const clock& time_;
  output_gate gate_;
  std::span<char> buffer_;
  calls on_;
  stream out_;
  stream err_;
  boost::asio::steady_timer flush_timer_;
  boost::asio::steady_timer release_timer_;
  bool flush_armed_ = false;
  bool release_armed_ = false;
  std::size_t read_while_holding_ = 0;
};

}  // namespace belfry::platform
