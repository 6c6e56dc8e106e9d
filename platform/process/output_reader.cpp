#include "platform/process/output_reader.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace belfry::platform {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

namespace {
constexpr std::chrono::milliseconds gather{50};
constexpr std::size_t callback_size = 64 * 1024;
constexpr std::size_t held_read_limit = 64 * 1024 * 1024;
constexpr int turns_each = 4;
constexpr int turns_at_the_end = 64;
}  // namespace

output_reader::output_reader(boost::asio::io_context& io, const clock& time, output_allowance& shared,
                             std::span<char> buffer, calls on)
    : time_(time),
      gate_(shared),
      buffer_(buffer),
      on_(std::move(on)),
      out_(io, core::log_stream::out),
      err_(io, core::log_stream::err),
      flush_timer_(io),
      release_timer_(io) {}

void output_reader::begin(descriptor out, descriptor err) {
  out_.file.assign(out.get());  // throws when the kernel has no room; then the descriptor is still ours
  out.release();
  err_.file.assign(err.get());
  err.release();
  wait(out_);
  wait(err_);
}

void output_reader::wait(stream& s) {
  if (!s.file.is_open() || std::exchange(s.waiting, true)) return;
  s.file.async_wait(stream_descriptor::wait_read, [self = shared_from_this(), &s](const error_code& error) {
    s.waiting = false;
    if (error || !s.file.is_open()) return;
    self->read(s, turns_each);
    self->pump();
    const bool enough = self->gate_.holding() && self->read_while_holding_ >= held_read_limit;
    if (!enough) self->wait(s);
    if (self->closed() && self->on_.closed) self->on_.closed();
  });
}

void output_reader::read(stream& s, int turns) {
  for (; turns > 0 && s.file.is_open(); --turns) {
    const ssize_t n = ::read(s.file.native_handle(), buffer_.data(), buffer_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) {
      error_code ignored;
      s.file.close(ignored);
      return;
    }
    const auto size = static_cast<std::size_t>(n);
    gate_.take(s.kind, {buffer_.data(), size}, time_.now(), std::chrono::steady_clock::now());
    if (gate_.holding()) read_while_holding_ += size;
    if (gate_.ready_cost() >= callback_size) deliver();
    if (size < buffer_.size()) return;  // a pipe gives all it has: there is no more at the moment
  }
}

void output_reader::pump() {
  if (gate_.ready_cost() > 0 && !std::exchange(flush_armed_, true)) {
    flush_timer_.expires_after(gather);
    flush_timer_.async_wait([self = shared_from_this()](const error_code& error) {
      self->flush_armed_ = false;
      if (!error) self->deliver();
    });
  }
  if (gate_.holding() && !std::exchange(release_armed_, true)) {
    release_timer_.expires_at(gate_.release_at());
    release_timer_.async_wait([self = shared_from_this()](const error_code& error) {
      self->release_armed_ = false;
      if (!error) self->released();
    });
  }
}

void output_reader::released() {
  read_while_holding_ = 0;
  gate_.release(time_.now(), std::chrono::steady_clock::now());
  deliver();
  wait(out_);
  wait(err_);
}

void output_reader::deliver() {
  std::vector<output_line> ready = gate_.take_ready();
  if (ready.empty() || !on_.deliver) return;
  std::vector<output_line> part;
  std::size_t size = 0;
  for (output_line& line : ready) {
    if (size + line.text.size() > callback_size && !part.empty()) {
      on_.deliver(std::exchange(part, {}));
      size = 0;
    }
    size += line.text.size() + 1;
    part.push_back(std::move(line));
  }
  on_.deliver(std::move(part));
}

void output_reader::drain() {
  read(out_, turns_at_the_end);
  read(err_, turns_at_the_end);
  pump();
}

void output_reader::finish() {
  on_.closed = nullptr;
  drain();
  error_code ignored;
  out_.file.close(ignored);
  err_.file.close(ignored);
  flush_timer_.cancel();
  release_timer_.cancel();
  gate_.finish(time_.now(), std::chrono::steady_clock::now());
  deliver();
  on_.deliver = nullptr;
}

}  // namespace belfry::platform
