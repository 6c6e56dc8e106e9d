// PUMP: carries bytes both ways between an authenticated peer and one end of a local socket pair.
//
//   peer ──TLS──► filter ──► local        what local does not take stays with the peer: nothing more is read
//   peer ◄──TLS── local                   what the peer does not take stays with local; it has `write_time`
//
// At most one piece per direction is held (64 KiB), and nothing while both sides keep up. The end of one
// direction is passed on; the other goes on. When local is closed for good, what it wrote is still delivered.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/links/tls.hpp"

namespace belfry::platform::links {

struct pump_parts {
  pump_parts(boost::asio::io_context& on, boost::asio::ip::tcp::socket with, std::unique_ptr<tls_peer> as,
             descriptor end)
      : io(&on), peer(std::move(with)), tls(std::move(as)), local(std::move(end)) {}

  boost::asio::io_context* io;
  boost::asio::ip::tcp::socket peer;
  std::unique_ptr<tls_peer> tls;  // shaken, on that socket
  descriptor local;               // non-blocking
  std::unique_ptr<link_filter> filter;
  core::span write_time{};
  std::vector<char>* scratch = nullptr;               // of the thread, for what is passed on at once
  std::uint64_t key_after = 0;                        // pieces sent under one key
  std::function<void(const std::string& why)> ended;  // once, last of all; empty: both sides were done
};

class pump : public std::enable_shared_from_this<pump> {
 public:
  static constexpr std::size_t piece = 64 * 1024;

  explicit pump(pump_parts parts);
  void start();
  void cut(const std::string& why);  // at once; tells `ended`
  void drop();                       // at once and silently
  std::size_t held() const { return inward_.size() + outward_.size(); }

 private:
  enum class turn : std::uint8_t { again, wait, over };
  enum class awaits : std::uint8_t { readable, writable };

  void inward();   // peer to local
  void outward();  // local to peer
  turn step_in();
  turn step_out();
  turn pass_on(const char* from, std::size_t size);
  turn send(const char* from, std::size_t size);
  turn peer_ended();
  turn local_ended();
  turn say_end();
  void finish_if_done();

  void wait_peer(awaits what, void (pump::*then)());
  void wait_local(awaits what, void (pump::*then)());
  void watch_for_close();
  void linger();
  void due_at(std::chrono::steady_clock::time_point when);
  void late();

  pump_parts p_;
  boost::asio::posix::stream_descriptor local_;
  boost::asio::steady_timer timer_;
  std::string inward_, outward_;  // what the other side has not taken yet
  std::uint64_t pieces_ = 0;
  std::chrono::steady_clock::time_point taken_at_{};  // by the peer, the last time; or when lingering began
  bool stalled_ = false;                              // the peer does not take
  bool timing_ = false;
  bool peer_done_ = false, local_done_ = false;
  bool end_said_ = false;   // to the peer
  bool deaf_ = false;       // local takes nothing any more: what comes is dropped
  bool lingering_ = false;  // local is gone for good; the peer may still fetch what was sent
  bool over_ = false;
};

}  // namespace belfry::platform::links
