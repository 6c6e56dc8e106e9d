#include "platform/process/input_writer.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace belfry::platform {

using boost::system::error_code;

input_writer::input_writer(boost::asio::io_context& io, descriptor pipe, std::string text,
                           std::size_t written)
    : pipe_(io), text_(std::move(text)), written_(written) {
  pipe_.assign(pipe.get());  // throws when the kernel has no room; then the descriptor is still ours
  pipe.release();
}

void input_writer::wait() {
  pipe_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                   [self = shared_from_this()](const error_code& error) {
                     if (error || !self->pipe_.is_open()) return;
                     self->write();
                     if (self->pipe_.is_open()) self->wait();
                   });
}

void input_writer::write() {
  const ssize_t n = ::write(pipe_.native_handle(), text_.data() + written_, text_.size() - written_);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (n > 0) written_ += static_cast<std::size_t>(n);
  if (n < 0 || written_ == text_.size()) close();  // EPIPE: nobody reads any more
}

void input_writer::close() {
  error_code ignored;
  pipe_.close(ignored);
  text_ = {};
}

}  // namespace belfry::platform
