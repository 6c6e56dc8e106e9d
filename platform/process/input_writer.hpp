// INPUT WRITER: the part of a child's stdin that did not fit into the pipe at once. A child that does not
// read is no error.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <string>

#include "platform/descriptor.hpp"

namespace belfry::platform {

class input_writer : public std::enable_shared_from_this<input_writer> {
 public:
  /// Must run on a thread that has SIGPIPE blocked or ignored.
  input_writer(boost::asio::io_context& io, descriptor pipe, std::string text, std::size_t written);
  void begin() { wait(); }
  void close();

 private:
  void wait();
  void write();

  boost::asio::posix::stream_descriptor pipe_;
  std::string text_;
  std::size_t written_;
};

}  // namespace belfry::platform
