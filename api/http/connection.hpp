// CONNECTION: one client. Reads requests, as many as may be under way, and writes their answers in order.
// Everything but post, wind_down and cut happens on the strand. Seen by connection_in.cpp, connection_out.cpp
// and relay.cpp only.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <optional>
#include <vector>

#include "api/http/engine.hpp"
#include "api/http/head.hpp"
#include "api/http/outbox.hpp"

namespace belfry::api {

// Somebody who works for the client of a connection and stops when it goes. On the strand.
class client_watch {
 public:
  virtual ~client_watch() = default;
  // wholly: the connection is closed; else the client has said all and may still read.
  virtual void client_gone(bool wholly) = 0;
};

class connection final : public reply_line, public link_end, public std::enable_shared_from_this<connection> {
 public:
  using error = boost::beast::error_code;
  using clock = std::chrono::steady_clock;

  connection(std::shared_ptr<engine> e, any_socket s, listener_kind kind, bool refuse, std::string peer);
  ~connection() override;
  void start();

  // ---- reply_line
  void answer(std::uint64_t slot, std::string head, std::string body, bool close) override;
  std::shared_ptr<stream> begin_stream(std::uint64_t slot, std::string head, bool chunked, bool unbroken,
                                       std::function<void()> closed) override;
  void post(std::unique_ptr<task> t) override;
  void after(core::span delay, std::unique_ptr<task> t) override;
  bool client_gone() const override { return closed_ || eof_; }
  bool keep_alive() const override { return !winding_down_; }

  // ---- link_end
  void wind_down() override;
  void cut() override;

  // ---- of the stream that is under way
  void stream_write(std::uint64_t slot, std::string bytes, std::function<void(bool)> written);
  void stream_finish(std::uint64_t slot);
  bool stream_open(std::uint64_t slot) const { return !closed_ && box_.stream_open(slot); }
  void close();

  // ---- of whoever works for this client elsewhere
  const strand& where() const { return strand_; }
  void watch(std::weak_ptr<client_watch> by);

 private:
  enum class phase : std::uint8_t { idle, head, body, lingering };
  static constexpr auto no_deadline = clock::time_point::max();
  static constexpr std::size_t read_size = 8192;

  // ---- in
  bool may_parse() const;
  void read();
  void on_read(error ec, std::size_t n);
  void on_end(error ec);
  void proceed();  // parses what is there, then waits for more where that makes sense
  void wait_for_more();
  bool parse();  // one step; false when more bytes are needed
  bool on_head();
  bool begin_body(bool expects_continue);
  bool count_body();
  void release_body();
  void on_request();
  std::size_t body_limit() const;
  head_mistake mistake_of(error ec) const;
  void refuse_and_close(head_mistake m);

  // ---- out and time
  void arm();
  void too_slow();
  void flush();
  void on_written();
  void finish();
  void end_stream();
  void leave();
  void tell_watchers(bool wholly);

  const std::shared_ptr<engine> engine_;  // first: outlives the socket
  const server_limits limits_;
  any_socket socket_;
  const strand strand_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer extra_;
  const listener_kind kind_;
  const bool refuse_;
  const std::string peer_;  // of a member

  std::array<char, read_size> incoming_{};
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::size_t counted_body_ = 0;  // bytes of a body that is not whole yet, as the door counts them
  request request_;
  outbox box_;
  std::vector<std::string_view> views_;
  std::vector<boost::asio::const_buffer> buffers_;
  std::function<void()> stream_closed_;
  std::uint64_t stream_slot_ = 0;
  bool stream_unbroken_ = false;
  std::vector<std::weak_ptr<client_watch>> watchers_;

  phase phase_ = phase::head;
  clock::time_point read_deadline_ = no_deadline;
  clock::time_point write_deadline_ = no_deadline;
  clock::time_point armed_at_ = no_deadline;
  std::size_t lingered_ = 0;
  bool armed_ = false;
  bool head_checked_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool parsing_ = false;
  bool eof_ = false;
  bool ending_ = false;   // no more requests are taken from here
  bool lingers_ = false;  // bytes may still be on their way here
  bool winding_down_ = false;
  bool closed_ = false;
  bool left_ = false;
};

}  // namespace belfry::api
