#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "api/http/connection.hpp"

namespace belfry::api {
namespace {

namespace asio = boost::asio;

constexpr auto linger_time = std::chrono::seconds{2};

void note_connections(const door& d) {
  d.meter.set(platform::metric::http_connections,
              static_cast<double>(d.connections.load(std::memory_order_relaxed)));
}

class connection_stream final : public stream {
 public:
  connection_stream(std::shared_ptr<connection> c, std::uint64_t slot) : c_(std::move(c)), slot_(slot) {}
  void write(std::string bytes, std::function<void(bool)> written) override {
    c_->stream_write(slot_, std::move(bytes), std::move(written));
  }
  void finish() override { c_->stream_finish(slot_); }
  void abort() override { c_->close(); }
  bool open() const override { return c_->stream_open(slot_); }

 private:
  std::shared_ptr<connection> c_;
  std::uint64_t slot_;
};

}  // namespace

connection::connection(std::shared_ptr<engine> e, any_socket s, listener_kind kind, bool refuse,
                       std::string peer)
    : engine_(std::move(e)),
      limits_(engine_->at->options.limits),
      socket_(std::move(s)),
      strand_(socket_.get_executor()),
      timer_(strand_),
      extra_(strand_),
      kind_(kind),
      refuse_(refuse),
      peer_(std::move(peer)) {
  engine_->at->connections.fetch_add(1, std::memory_order_relaxed);
  note_connections(*engine_->at);
}

connection::~connection() {
  release_body();
  leave();
}

void connection::start() {
  engine_->enter(this, weak_from_this());
  error ignored;
  if (kind_ == listener_kind::loopback || kind_ == listener_kind::remote)
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  asio::dispatch(strand_, [self = shared_from_this()] {
    self->read_deadline_ = clock::now() + self->limits_.header_time;
    self->arm();
    self->read();
  });
}

void connection::answer(std::uint64_t slot, std::string head, std::string body, bool close) {
  if (closed_) return;
  box_.answer(slot, std::move(head), std::move(body), close);
  flush();
}

std::shared_ptr<stream> connection::begin_stream(std::uint64_t slot, std::string head, bool chunked,
                                                 bool unbroken, std::function<void()> closed) {
  auto s = std::make_shared<connection_stream>(shared_from_this(), slot);
  if (closed_) {
    if (closed) closed();
    return s;
  }
  stream_closed_ = std::move(closed);
  stream_slot_ = slot;
  stream_unbroken_ = unbroken;
  box_.begin_stream(slot, std::move(head), chunked);
  flush();
  read();  // to see the client go
  return s;
}

void connection::post(std::unique_ptr<task> t) {
  const auto e = engine_;  // this may be gone before the call returns
  e->post(strand_, shared_from_this(), std::move(t));
}

void connection::after(core::span delay, std::unique_ptr<task> t) {
  if (closed_) return;
  extra_.expires_after(delay);
  extra_.async_wait([self = shared_from_this(), w = std::shared_ptr<task>{std::move(t)}](error ec) {
    if (!ec && !self->closed_) w->run();
  });
}

void connection::wind_down() {
  asio::post(strand_, [self = shared_from_this()] {
    self->winding_down_ = true;
    if (self->box_.waiting() == 0) return self->close();
    if (self->box_.streaming() && !self->stream_unbroken_) self->end_stream();
  });
}

void connection::cut() {
  asio::post(strand_, [self = shared_from_this()] { self->close(); });
}

void connection::stream_write(std::uint64_t slot, std::string bytes, std::function<void(bool)> written) {
  box_.stream_write(slot, std::move(bytes), std::move(written));
  flush();
}

void connection::stream_finish(std::uint64_t slot) {
  stream_closed_ = nullptr;
  extra_.cancel();
  box_.stream_finish(slot, winding_down_ || eof_);
  flush();
  proceed();
}

// The node stops: the client is told that this is the whole, and comes back with its position.
void connection::end_stream() {
  const auto gone = std::exchange(stream_closed_, nullptr);
  extra_.cancel();
  box_.stream_finish(stream_slot_, true);
  flush();
  if (gone) gone();
}

// One timer for both deadlines, set again only when one comes nearer: a busy connection hardly ever touches
// it.
void connection::arm() {
  const auto next = std::min(read_deadline_, write_deadline_);
  if (closed_ || next == no_deadline || (armed_ && armed_at_ <= next)) return;
  armed_ = true;
  armed_at_ = next;
  timer_.expires_at(next);
  timer_.async_wait([self = shared_from_this()](error ec) {
    if (ec || self->closed_) return;
    self->armed_ = false;
    const auto now = clock::now();
    if (now >= self->write_deadline_) return self->close();
    if (now >= self->read_deadline_) return self->too_slow();
    self->arm();
  });
}

void connection::too_slow() {
  read_deadline_ = no_deadline;
  const bool nothing_begun =
      phase_ == phase::idle || phase_ == phase::lingering || (phase_ == phase::head && buffer_.size() == 0);
  if (nothing_begun) return close();
  refuse_and_close({fail(core::errc::timed_out, phase_ == phase::body ? "the body did not come in time"
                                                                      : "the headers did not come in time"),
                    408});
}

void connection::flush() {
  if (closed_ || writing_ || parsing_ || !box_.next(views_)) return;
  buffers_.clear();
  for (const auto v : views_) buffers_.emplace_back(v.data(), v.size());
  writing_ = true;
  write_deadline_ = clock::now() + limits_.write_time;
  arm();
  asio::async_write(socket_, buffers_, [self = shared_from_this()](error ec, std::size_t) {
    self->writing_ = false;
    self->write_deadline_ = no_deadline;
    if (self->closed_) return;
    if (ec) return self->close();
    self->on_written();
  });
}

void connection::on_written() {
  const bool end = box_.wrote();
  if (closed_) return;
  if (end || (winding_down_ && box_.waiting() == 0) || (ending_ && box_.waiting() == 0)) return finish();
  flush();
  proceed();
}

// Everything is said. Bytes that are still on their way here would make the kernel drop what was sent, so
// they are read and forgotten for a moment.
void connection::finish() {
  if (eof_ || (!lingers_ && buffer_.size() == 0)) return close();
  phase_ = phase::lingering;
  buffer_.clear();
  error ignored;
  socket_.shutdown(any_socket::shutdown_send, ignored);
  read_deadline_ = clock::now() + linger_time;
  arm();
  read();
}

void connection::close() {
  if (closed_) return;
  closed_ = true;
  leave();
  error ignored;
  timer_.cancel();
  extra_.cancel();
  socket_.shutdown(any_socket::shutdown_both, ignored);
  socket_.close(ignored);
  parser_.reset();
  release_body();
  const auto gone = std::exchange(stream_closed_, nullptr);
  box_.drop();
  if (gone) gone();
  tell_watchers(true);
}

void connection::watch(std::weak_ptr<client_watch> by) {
  watchers_.erase(
      std::remove_if(watchers_.begin(), watchers_.end(), [](const auto& w) { return w.expired(); }),
      watchers_.end());
  watchers_.push_back(std::move(by));
}

void connection::tell_watchers(bool wholly) {
  const auto all = wholly ? std::exchange(watchers_, {}) : watchers_;
  for (const auto& each : all)
    if (const auto w = each.lock()) w->client_gone(wholly);
}

// A closed connection can be kept by a question that the node has not answered; it is no longer one of those
// that count.
void connection::leave() {
  if (std::exchange(left_, true)) return;
  engine_->leave(this);
  engine_->at->connections.fetch_sub(1, std::memory_order_relaxed);
  note_connections(*engine_->at);
}

void serve(const std::shared_ptr<engine>& e, any_socket socket, listener_kind kind, bool refuse,
           std::string peer) {
  std::make_shared<connection>(e, std::move(socket), kind, refuse, std::move(peer))->start();
}

}  // namespace belfry::api
