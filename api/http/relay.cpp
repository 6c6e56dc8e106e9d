// RELAY: one request of a member's client on its way to the coordinator, and the answer on its way back.
// Lives on the strand of the client's connection. What was sent is never sent twice, but for a GET whose kept
// connection turned out to be closed before a byte of the answer.
#include <algorithm>
#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <utility>

#include "api/http/connection.hpp"
#include "api/http/forwarded.hpp"
#include "api/http/forwarding.hpp"
#include "api/http/upstream_pool.hpp"
#include "core/time/text.hpp"

namespace belfry::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using core::errc;

constexpr std::size_t relay_read = 16 * 1024;
constexpr std::uint32_t largest_answer_head = 64 * 1024;
constexpr auto look_again = std::chrono::seconds{2};  // whether the coordinator is lost
constexpr std::string_view nodes_command = "belfry node ls";

// What this side writes itself, or what concerns one connection alone.
bool passed_on(std::string_view name) {
  static constexpr std::array<std::string_view, 15> own{"Connection",
                                                        "Keep-Alive",
                                                        "Transfer-Encoding",
                                                        "Content-Length",
                                                        "Content-Type",
                                                        "Server",
                                                        "Date",
                                                        "X-Content-Type-Options",
                                                        "Cache-Control",
                                                        "X-Request-Id",
                                                        "Te",
                                                        "Trailer",
                                                        "Upgrade",
                                                        "Proxy-Connection",
                                                        "Proxy-Authenticate"};
  return std::none_of(own.begin(), own.end(), [&](std::string_view o) {
    return boost::beast::iequals(boost::beast::string_view{o.data(), o.size()},
                                 boost::beast::string_view{name.data(), name.size()});
  });
}

std::string_view seen_as(boost::beast::string_view s) { return {s.data(), s.size()}; }

class relay final : public client_watch, public std::enable_shared_from_this<relay> {
 public:
  using error = boost::beast::error_code;
  using clock = std::chrono::steady_clock;

  relay(std::shared_ptr<engine> e, std::shared_ptr<upstream_pool> pool, std::shared_ptr<exchange> x)
      : engine_(std::move(e)),
        pool_(std::move(pool)),
        x_(std::move(x)),
        strand_(client().where()),
        timer_(strand_),
        head_request_(x_->in.method == verb::head),
        safe_(head_request_ || x_->in.method == verb::get) {}
  ~relay() override { leave(); }

  void begin(std::string head) {
    head_ = std::move(head);
    client().watch(weak_from_this());
    deadline_ = clock::now() + pool_->limits.connect_time;
    arm();
    const bool taken = pool_->enter([weak = weak_from_this(), e = engine_, s = strand_] {
      auto self = weak.lock();
      if (!self) return false;
      e->post(s, self, make_task([self] { self->entered(); }));
      return true;
    });
    if (!taken) refuse(errc::overloaded, "too many requests wait for the coordinator at this member");
  }

  void client_gone(bool wholly) override {
    if (over_) return;
    if (wholly) return end();
    deadline_ = clock::now() + pool_->limits.half_closed;
    half_closed_ = true;
    arm();
  }

 private:
  enum class step : std::uint8_t { connecting, asked, answering };

  connection& client() const { return static_cast<connection&>(x_->line()); }

  void entered() {
    if (over_) return pool_->leave();
    has_place_ = true;
    find_way();
  }

  void find_way() {
    if (!fresh_) {
      if (auto kept = pool_->idle()) return use(std::move(kept), true);
    }
    pool_->to().connect([e = engine_, s = strand_, self = shared_from_this()](auto r) {
      e->post(s, self, make_task([self, r = std::move(r)]() mutable { self->connected(std::move(r)); }));
    });
  }

  void connected(core::result<platform::descriptor> r) {
    if (over_) return;
    const auto now = x_->node().time.now();
    if (!r) return unreachable(r.error(), pool_->unreachable(false, now));
    (void)pool_->unreachable(true, now);
    use(std::move(*r), false);
  }

  void unreachable(const core::failure& why, std::optional<core::instant> since) {
    const auto seen = pool_->to().seen();
    if (!seen.joined && seen.since != core::never && (!since || seen.since < *since)) since = seen.since;
    refuse(errc::unavailable,
           "the coordinator" + (seen.coordinator.empty() ? std::string{} : " " + seen.coordinator) +
               " cannot be reached from the member " + seen.node +
               (since ? ", since " + core::to_rfc3339(*since) : std::string{}) + ": " + why.text);
  }

  void use(platform::descriptor d, bool kept) {
    kept_ = kept;
    step_ = step::asked;
    asked_at_ = clock::now();
    if (!half_closed_) deadline_ = asked_at_ + pool_->limits.answer_time;
    arm();
    error ec;
    socket_.emplace(strand_);
    socket_->assign(asio::local::stream_protocol{}, d.get(), ec);
    if (ec)
      return refuse(errc::unavailable, "the connection to the coordinator cannot be used: " + ec.message());
    (void)d.release();
    written_ = false;
    const std::array<asio::const_buffer, 2> all{asio::buffer(head_), asio::buffer(x_->in.body)};
    // A coordinator may answer before it has taken all: a failed write leaves the word to the read.
    asio::async_write(*socket_, all, [self = shared_from_this(), n = life_](error e, std::size_t) {
      if (self->life_ == n) self->written_ = !e;
    });
    read();
  }

  void read() {
    if (step_ == step::answering && !half_closed_) deadline_ = clock::now() + pool_->limits.silence;
    arm();
    socket_->async_read_some(asio::buffer(incoming_),
                             [self = shared_from_this(), n = life_](error ec, std::size_t got) {
                               if (self->over_ || self->life_ != n) return;
                               self->on_read(ec, got);
                             });
  }

  void on_read(error ec, std::size_t n) {
    if (ec) return cut_off();
    buffer_.commit(asio::buffer_copy(buffer_.prepare(n), asio::buffer(incoming_, n)));
    parse();
  }

  void parse() {
    if (!parser_) {
      parser_.emplace();
      parser_->header_limit(largest_answer_head);
      parser_->body_limit(boost::none);
      parser_->skip(head_request_);
    }
    while (buffer_.size() > 0 && !parser_->is_done()) {
      error ec;
      parser_->eager(parser_->is_header_done());
      const auto used = parser_->put(buffer_.data(), ec);
      buffer_.consume(used);
      if (ec == http::error::need_more || (!ec && used == 0)) break;
      if (ec) return cut_off();
    }
    if (!parser_->is_header_done()) return read();
    if (step_ == step::asked) return on_head();
    on_piece();
  }

  void on_head() {
    step_ = step::answering;
    const auto length = parser_->content_length();
    if (!head_request_ && parser_->need_eof()) return cut_off();  // its end could not be told from a break
    if (!head_request_ && !parser_->is_done() && (!length || *length > pool_->limits.whole)) {
      if (!begin_stream()) return;
    }
    on_piece();
  }

  response head_of_answer() const {
    const auto& m = parser_->get();
    response r;
    r.status = m.result_int();
    r.content_type = seen_as(m[http::field::content_type]);
    for (const auto& f : m)
      if (passed_on(seen_as(f.name_string())))
        r.headers.emplace_back(seen_as(f.name_string()), std::string{seen_as(f.value())});
    return r;
  }

  bool begin_stream() {
    auto r = head_of_answer();
    const bool events = r.content_type.starts_with(event_stream_type);
    counted_.emplace(x_->node().streams, x_->node().options.limits.streams);
    if (events && counted_->full()) {
      refuse(errc::overloaded, "too many streams are open at this member");
      return false;
    }
    r.unbroken = !events;
    if (const auto n = parser_->content_length()) r.length = static_cast<std::int64_t>(*n);
    out_ = x_->begin_stream(std::move(r), [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->end();
    });
    return !over_;
  }

  void on_piece() {
    auto piece = std::exchange(parser_->get().body(), {});
    const bool done = parser_->is_done();
    if (!out_) {
      whole_ += piece;
      return done ? answer() : read();
    }
    if (piece.empty()) return done ? finish() : read();
    // No further before the client has taken it; its connection sees to it that this ends.
    timer_.cancel();
    armed_ = false;
    out_->write(std::move(piece), [self = shared_from_this(), done](bool ok) {
      if (self->over_) return;
      if (!ok) return self->end();
      done ? self->finish() : self->read();
    });
  }

  void answer() {
    auto r = head_of_answer();
    if (head_request_)
      if (const auto n = parser_->content_length()) r.length = static_cast<std::int64_t>(*n);
    r.body = std::move(whole_);
    const auto x = x_;
    x->answer(std::move(r));
    keep();
    end();
  }

  void finish() {
    const auto out = std::exchange(out_, nullptr);
    keep();
    end();
    out->finish();
  }

  // For the next request, when nothing is left of this one.
  void keep() {
    if (!parser_ || !parser_->is_done() || !parser_->keep_alive() || buffer_.size() > 0 || !written_) return;
    error ec;
    const auto fd = socket_->release(ec);
    socket_.reset();
    if (!ec) pool_->keep(platform::descriptor{fd});
  }

  // The answer ended before its end.
  void cut_off() {
    const bool nothing_came = !parser_ && buffer_.size() == 0;
    if (out_) return break_off();
    if (nothing_came && kept_ && safe_) {
      drop_way();
      fresh_ = true;
      step_ = step::connecting;
      deadline_ = clock::now() + pool_->limits.connect_time;
      return find_way();
    }
    not_known("the connection to the coordinator ended before its answer was whole");
  }

  void break_off() {
    const auto out = std::exchange(out_, nullptr);
    end();
    out->abort();
  }

  void not_known(std::string text) {
    if (safe_) return refuse(errc::unavailable, std::move(text));
    refuse(errc::aborted, std::move(text) + "; whether the request took effect is not known");
  }

  void refuse(errc code, std::string text) {
    if (over_) return;
    const auto x = x_;
    end();
    x->refuse(core::failure{code, std::move(text), {}, std::string{nodes_command}});
  }

  void arm() {
    const auto next = step_ == step::asked ? std::min(deadline_, clock::now() + look_again) : deadline_;
    if (over_ || (armed_ && armed_at_ <= next)) return;
    armed_ = true;
    armed_at_ = next;
    timer_.expires_at(next);
    timer_.async_wait([self = shared_from_this()](error ec) {
      if (ec || self->over_) return;
      self->armed_ = false;
      self->on_time();
    });
  }

  void on_time() {
    const auto now = clock::now();
    if (now >= deadline_) {
      if (half_closed_) return end();
      if (step_ == step::connecting)
        return unreachable({errc::timed_out, "no connection came about in time", {}, {}},
                           pool_->unreachable(false, x_->node().time.now()));
      if (out_) return break_off();
      return not_known("the coordinator did not answer in time");
    }
    if (step_ == step::asked) {
      const auto seen = pool_->to().seen();
      if (!seen.joined && seen.since != core::never && now - asked_at_ >= pool_->limits.lost_time &&
          x_->node().time.now() - seen.since >= pool_->limits.lost_time)
        return not_known("the member " + seen.node + " has lost its coordinator, since " +
                         core::to_rfc3339(seen.since));
    }
    arm();
  }

  void drop_way() {
    ++life_;
    error ignored;
    if (socket_) socket_->close(ignored);
    socket_.reset();
    parser_.reset();
    buffer_.clear();
  }

  void end() {
    if (std::exchange(over_, true)) return;
    timer_.cancel();
    drop_way();
    counted_.reset();
    leave();
  }

  void leave() {
    if (std::exchange(has_place_, false)) pool_->leave();
  }

  const std::shared_ptr<engine> engine_;  // first: outlives the socket
  const std::shared_ptr<upstream_pool> pool_;
  const std::shared_ptr<exchange> x_;
  const strand strand_;
  asio::steady_timer timer_;
  const bool head_request_;
  const bool safe_;
  std::string head_;
  std::optional<any_socket> socket_;
  std::array<char, relay_read> incoming_{};
  boost::beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::optional<counted> counted_;
  std::shared_ptr<stream> out_;
  std::string whole_;
  step step_ = step::connecting;
  clock::time_point deadline_ = clock::time_point::max();
  clock::time_point asked_at_{};
  clock::time_point armed_at_{};
  std::uint32_t life_ = 0;  // of the connection in use: what an earlier one still says is not heard
  bool armed_ = false;
  bool has_place_ = false;
  bool kept_ = false;
  bool fresh_ = false;
  bool written_ = false;
  bool half_closed_ = false;
  bool over_ = false;
};

class forwarding_door final : public forwarding {
 public:
  forwarding_door(upstream& to, forwarding_limits limits, engine& by)
      : pool_(std::make_shared<upstream_pool>(to, limits)), engine_(by) {}

  void take(const std::shared_ptr<exchange>& x) override {
    auto head = forwarded_head(x->in, pool_->to().seen().node, x->request_id);
    if (!head) return x->refuse(head.error());
    std::make_shared<relay>(engine_.shared_from_this(), pool_, x)->begin(std::move(*head));
  }
  member_seen seen() const override { return pool_->to().seen(); }
  void stop() override { pool_->clear(); }

 private:
  const std::shared_ptr<upstream_pool> pool_;
  engine& engine_;  // has this door
};

}  // namespace

std::shared_ptr<forwarding> forward_to(upstream& to, forwarding_limits limits, engine& by) {
  return std::make_shared<forwarding_door>(to, limits, by);
}

}  // namespace belfry::api
