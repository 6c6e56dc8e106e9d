// UPSTREAM: where a member sends what it cannot answer itself: connections to its coordinator, however they
// come about, and what the member knows of itself meanwhile.
//
// A member has no store, so all but a handful of questions about itself are the coordinator's. They are
// forwarded as HTTP, request by request, over connections that the coordinator knows to be this member's;
// what its clients may do is decided there, by the one rule there is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"
#include "platform/descriptor.hpp"

namespace belfry::api {

// A member about itself.
struct member_seen {
  std::string node, cluster, coordinator;  // coordinator: its name, or its address while that is not known
  bool joined = false, draining = false, stopping = false;
  std::string trouble;                // why it is not joined
  core::instant since = core::never;  // of joined or not
  core::instant started_at = core::never;
  std::uint32_t running = 0;  // processes
};

class upstream {
 public:
  virtual ~upstream() = default;
  // A fresh connection to the coordinator: a stream socket, non-blocking. `done` is called once, on any
  // thread, now or later.
  virtual void connect(std::function<void(core::result<platform::descriptor>)> done) = 0;
  virtual member_seen seen() const = 0;  // any thread; does not wait
};

struct forwarding_limits {
  /// Connections to the coordinator that are in use at a time; each request under way has one. Default 256.
  std::size_t connections = 256;
  /// Requests that wait for one of them; one more is answered 503. Default 4,096.
  std::size_t waiting = 4096;
  /// Connections kept for the next request. Default 32.
  std::size_t idle = 32;
  /// For how long they are kept: less than a coordinator keeps a connection without a request. Default 30 s.
  core::span idle_time{std::chrono::seconds{30}};
  /// From the request to a connection to send it on. Default 10 s.
  core::span connect_time{std::chrono::seconds{10}};
  /// From the request to the head of its answer; the longest poll takes a minute. Default 90 s.
  core::span answer_time{std::chrono::seconds{90}};
  /// Between two pieces of an answer; streams say every 15 s that they live. Default 60 s.
  core::span silence{std::chrono::seconds{60}};
  /// A client that has said all may still read: how long its answer may take then. Default 1 s.
  core::span half_closed{std::chrono::seconds{1}};
  /// A request is given up when the member has been without its coordinator for so long. Default 10 s.
  core::span lost_time{std::chrono::seconds{10}};
  /// Bytes of an answer that is passed on as a whole; a longer one is passed on as it comes. Default 256 KiB.
  std::size_t whole = 256U * 1024;
};

}  // namespace belfry::api
