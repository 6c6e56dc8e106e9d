// SERVER: the HTTP door. One io thread by default, a strand per connection, callbacks only.
//
// What it promises: no bytes that a client sends can end the process; every request gets exactly one answer,
// in order; whatever outside traffic can fill has a limit below and says so when it is full; a connection
// never waits on a thread. Rejected: a thread per connection (300 readers of a stream blocked the whole
// server), coroutines (g++ 12 destroys temporaries of co_await twice).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/http/upstream.hpp"
#include "core/errors/result.hpp"
#include "core/operators/access.hpp"
#include "core/time/instant.hpp"
#include "messages/node_port.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/metrics.hpp"
#include "platform/ports/processes.hpp"

namespace belfry::api {

struct server_limits {
  /// Bytes of a request body. Default 1 MiB. 1 KiB to 64 MiB.
  std::size_t body = 1U << 20;
  /// Bytes of the request line or of one header. Default 8 KiB.
  std::size_t header_line = 8U * 1024;
  /// Bytes of the request line and all headers. Default 16 KiB.
  std::size_t header_total = 16U * 1024;
  /// Headers of a request. Default 100.
  std::size_t headers = 100;
  /// From the first byte of a request (or the connect) to the end of its headers. Default 10 s.
  core::span header_time = std::chrono::seconds{10};
  /// From the end of the headers to the end of the body. Default 30 s.
  core::span body_time = std::chrono::seconds{30};
  /// A connection without a request. Default 75 s.
  core::span idle_time = std::chrono::seconds{75};
  /// One write that the client does not take. Default 30 s.
  core::span write_time = std::chrono::seconds{30};
  /// Comment on a silent stream, so that proxies and clients see that it lives. Default 15 s.
  core::span keep_alive = std::chrono::seconds{15};
  /// Open connections; one more is answered 503. Default 4,096.
  std::size_t connections = 4096;
  /// Requests read but not yet answered, of one connection; then it is not read from. Default 64.
  std::size_t pipelined = 64;
  /// Requests under way in all connections, waiting claims included; one more is answered 503. Default
  /// 16,384.
  std::size_t requests = 16384;
  /// Bytes of request bodies held at a time; one more is answered 503. Default 256 MiB.
  std::size_t body_memory = 256U << 20;
  /// Open event and log streams; one more is answered 503. Default 1,024.
  std::size_t streams = 1024;
};

// What the node was started with, as the program that runs it tells.
struct told_setting {
  std::string key;     // "store.durability"
  std::string value;   // JSON
  std::string origin;  // "default", "file belfry.toml:3", "environment …", "flag …"
};
struct told_configuration {
  std::string file;  // that was read; empty: none
  std::vector<told_setting> settings;
};

struct server_options {
  /// TCP addresses, "127.0.0.1:7420", "[::1]:7420" or "localhost:7420"; port 0 takes a free one. Default one
  /// on loopback.
  std::vector<std::string> listen{"127.0.0.1:7420"};
  /// Path of the unix socket (mode 0600; a stale one is replaced). Empty: none. Default none.
  std::string unix_socket;
  /// Allows addresses other than loopback. What is said there can be read on the way, tokens included, so
  /// the default is false.
  bool allow_remote = false;
  /// Host names, besides loopback ones, that the Host and Origin headers may carry on a loopback listener.
  std::vector<std::string> allowed_hosts;
  /// Io threads. Default 1; range 1..16.
  std::uint32_t threads = 1;
  /// The folder whose disk is watched in /v1/node; empty: the folder of the store.
  std::string data_folder;
  /// Bytes free on that disk below which /v1/node raises the alarm `disk_low`. Default 256 MiB.
  std::uint64_t disk_alarm = 256ULL << 20;
  /// Bytes free below which the store refuses new work; for the doctor. Default 0: not known.
  std::uint64_t disk_reserve = 0;
  /// Log streams and event pages: rows per read. Default 500; range 1..1000.
  std::size_t stream_page = 500;
  /// Looks whether what is submitted could be started by this node's executors. Null: nobody looks.
  platform::start_check* start_check = nullptr;
  /// For GET /v1/config. It must not hold a secret: secrets are given by reference.
  told_configuration configuration;
  server_limits limits;
  /// Asked at each request that a member passes on: whether it still may. Empty: it may.
  std::function<bool(const std::string& node)> admits;
  /// Who may do what. Default: everybody who comes in may do everything.
  core::access_options access;
};

// Problems of the options, with option names as pointers ("listen/0", "limits/body"); empty when they are
// fine.
std::vector<core::field_problem> check(const server_options& options);

class server {
 public:
  // Listens and serves from now on. Codes: invalid (options; a remote address without allow_remote says so),
  // unavailable (an address is in use or not ours; names it). `port`, `meter` and `time` must live until
  // stop() has returned and every question put to the port has been answered.
  static core::result<std::unique_ptr<server>> start(messages::node_port& port, platform::meter& meter,
                                                     const platform::clock& time, server_options options);
  // The door of a member: it answers what is asked about itself, and passes everything else on. `to` must
  // live until stop() has returned and every connect has been answered.
  static core::result<std::unique_ptr<server>> start_member(upstream& to, platform::meter& meter,
                                                            const platform::clock& time,
                                                            server_options options,
                                                            forwarding_limits limits = {});
  ~server();  // stop(0)
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Where it is reached, with true port numbers: "http://127.0.0.1:7420", "unix:/run/belfry.sock".
  std::vector<std::string> addresses() const;
  // Serves a connection that has come about elsewhere, of the member `node`, which has shown who it is. What
  // it says of its clients (api/http/forwarded.hpp) is believed. Any thread; after stop() it is closed.
  void adopt(platform::descriptor connection, std::string node);
  // Takes no more connections, lets requests under way finish for at most `drain`, ends streams, closes
  // everything and joins the io threads. Idempotent. The unix socket is removed.
  void stop(core::span drain);

 private:
  struct impl;
  static core::result<std::unique_ptr<server>> begin(std::unique_ptr<impl> i);
  explicit server(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

}  // namespace belfry::api
