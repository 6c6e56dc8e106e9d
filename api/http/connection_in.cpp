#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "api/http/connection.hpp"
#include "api/http/forwarded.hpp"

namespace belfry::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t read_ahead = 16 * 1024;       // bytes taken in while answers are awaited
constexpr std::size_t most_ready_bytes = 1U << 20;  // answers that a slow client has not taken
constexpr std::size_t kept_buffer = 16 * 1024;      // of an idle connection
constexpr std::size_t linger_bytes = 64U << 20;
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

bool connection::may_parse() const {
  return !closed_ && !ending_ && !box_.streaming() && box_.waiting() < limits_.pipelined &&
         box_.ready_bytes() < most_ready_bytes;
}

void connection::read() {
  if (closed_ || reading_ || eof_) return;
  // While nothing can be taken in, a little is read all the same, to see the client go.
  if (phase_ != phase::lingering && !may_parse() && buffer_.size() >= read_ahead) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(incoming_), [self = shared_from_this()](error ec, std::size_t n) {
    self->reading_ = false;
    self->on_read(ec, n);
  });
}

void connection::on_read(error ec, std::size_t n) {
  if (closed_) return;
  if (ec) return on_end(ec);
  if (phase_ == phase::lingering) {
    lingered_ += n;
    if (lingered_ > linger_bytes) return close();
    return read();
  }
  // Not read into the buffer itself: parsing may go on while a read waits.
  buffer_.commit(asio::buffer_copy(buffer_.prepare(n), asio::buffer(incoming_, n)));
  proceed();
}

void connection::on_end(error ec) {
  eof_ = true;
  if (ec != asio::error::eof || phase_ == phase::lingering || box_.waiting() == 0 || box_.streaming())
    return close();
  // The client has said all; what it asked is still answered.
  read_deadline_ = no_deadline;
  ending_ = true;
  tell_watchers(false);
}

void connection::proceed() {
  if (parsing_) return;
  parsing_ = true;
  while (may_parse() && buffer_.size() > 0 && parse()) {
  }
  parsing_ = false;
  if (closed_) return;
  flush();  // answers that were there at once go out together
  if (!ending_) wait_for_more();
  read();
}

void connection::wait_for_more() {
  if (phase_ == phase::lingering) return;
  if (!may_parse()) {
    read_deadline_ = no_deadline;
    return;
  }
  if (!parser_ && buffer_.size() == 0) {
    phase_ = phase::idle;
    if (buffer_.capacity() > kept_buffer) buffer_.shrink_to_fit();
    // Not before the answers are out: a long poll is not idle.
    read_deadline_ = box_.waiting() == 0 ? clock::now() + limits_.idle_time : no_deadline;
  } else if (phase_ == phase::idle) {
    phase_ = phase::head;
    read_deadline_ = clock::now() + limits_.header_time;
  } else if (read_deadline_ == no_deadline) {
    read_deadline_ = clock::now() + (phase_ == phase::body ? limits_.body_time : limits_.header_time);
  }
  arm();
}

bool connection::parse() {
  if (!parser_) {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_total));
    parser_->body_limit(boost::none);
    head_checked_ = false;
  }
  error ec;
  parser_->eager(head_checked_);
  const auto used = parser_->put(buffer_.data(), ec);
  buffer_.consume(used);
  if (ec && ec != http::error::need_more) {
    refuse_and_close(mistake_of(ec));
    return false;
  }
  if (head_checked_ && !count_body()) return false;
  if (ec) return false;
  if (!head_checked_ && parser_->is_header_done() && !on_head()) return false;
  if (parser_->is_done()) on_request();
  return true;
}

head_mistake connection::mistake_of(error ec) const {
  if (ec == http::error::header_limit)
    return {fail(core::errc::too_large,
                 "the headers are larger than " + std::to_string(limits_.header_total) + " bytes, the limit"),
            431};
  if (ec == http::error::body_limit)
    return {fail(core::errc::too_large, "the body is larger than its limit"), 413};
  return {fail(core::errc::malformed, "this is not HTTP: " + ec.message()), 400};
}

bool connection::on_head() {
  head_checked_ = true;
  request_ = {};
  bool expects_continue = false;
  if (auto mistake = read_head(parser_->get(), limits_, request_, expects_continue)) {
    refuse_and_close(std::move(*mistake));
    return false;
  }
  request_.unix_socket = kind_ == listener_kind::unix_socket;
  request_.local_only = kind_ != listener_kind::remote;
  if (kind_ == listener_kind::member) {
    const auto& admits = engine_->at->options.admits;
    if (admits && !admits(peer_)) {
      refuse_and_close(
          {fail(core::errc::forbidden, "the node " + peer_ + " was removed from the cluster"), 403});
      return false;
    }
    if (const auto ok = read_forwarded(request_.forwarded, peer_, request_); !ok) {
      refuse_and_close({ok.error(), 400});
      return false;
    }
  } else if (!request_.forwarded.empty()) {
    refuse_and_close({fail(core::errc::malformed, "the header " + std::string{forwarded_name} +
                                                      " is for connections of members of a cluster"),
                      400});
    return false;
  }
  if (refuse_) {
    refuse_and_close({fail(core::errc::overloaded,
                           "the node has " + std::to_string(limits_.connections) + " connections, its limit"),
                      503});
    return false;
  }
  return parser_->is_done() || begin_body(expects_continue);
}

bool connection::begin_body(bool expects_continue) {
  const auto limit = body_limit();
  const auto length = parser_->content_length();
  if (length && *length > limit) {
    refuse_and_close({fail(core::errc::too_large, "the body has " + std::to_string(*length) +
                                                      " bytes; the limit is " + std::to_string(limit)),
                      413});
    return false;
  }
  parser_->body_limit(limit);
  phase_ = phase::body;
  read_deadline_ = clock::now() + limits_.body_time;
  arm();
  if (expects_continue && buffer_.size() == 0) {
    box_.answer(box_.reserve(), std::string{go_on}, {}, false);
    flush();
  }
  return true;
}

std::size_t connection::body_limit() const {
  const auto path = std::string_view{request_.target}.substr(0, request_.target.find('?'));
  const auto m = engine_->at->paths.find(request_.method, path);
  return m.found != nullptr && m.found->body_limit > 0 ? std::max(m.found->body_limit, limits_.body)
                                                       : limits_.body;
}

// What has come of the body counts before it is whole.
bool connection::count_body() {
  const auto size = parser_->get().body().size();
  const auto held = engine_->at->body_bytes.fetch_add(size - counted_body_, std::memory_order_relaxed);
  const bool fits = held + (size - counted_body_) <= limits_.body_memory;
  counted_body_ = size;
  if (!fits)
    refuse_and_close({fail(core::errc::overloaded, "too many request bodies are held at present"), 503});
  return fits;
}

void connection::release_body() {
  engine_->at->body_bytes.fetch_sub(std::exchange(counted_body_, 0), std::memory_order_relaxed);
}

void connection::on_request() {
  request_.body = std::move(parser_->get().body());
  parser_.reset();
  release_body();  // from here on the exchange counts it
  phase_ = phase::idle;
  if (!request_.keep_alive) ending_ = true;
  const auto slot = box_.reserve();
  dispatch(std::make_shared<exchange>(engine_->at, shared_from_this(), slot, std::move(request_)));
}

// For what is wrong with the request as HTTP: nothing behind it can be trusted.
void connection::refuse_and_close(head_mistake m) {
  if (closed_ || ending_) return;
  ending_ = true;
  lingers_ = true;
  read_deadline_ = no_deadline;
  parser_.reset();
  release_body();
  request q;
  q.method = head_checked_ ? request_.method : verb::other;
  q.keep_alive = false;
  const auto slot = box_.reserve();
  const auto x = std::make_shared<exchange>(engine_->at, shared_from_this(), slot, std::move(q));
  x->request_id = request_id_for(*x);
  x->close = true;
  x->refuse(m.why, m.status);
}

}  // namespace belfry::api
