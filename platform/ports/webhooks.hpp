// WEBHOOKS: signed posts to addresses that others have named (Standard Webhooks 1.0).
//
// The real one has one thread, which begins with the first order, and a bounded number of connections.
// Whoever registers names the address, so this is the place that has to distrust it: only http and https, no
// proxy, no redirect is followed (it counts as a refusal), the answer's body is thrown away unless the order
// wants it, and the address that a name stands for is looked at when the connection is made, so that a name
// cannot change its meaning in between. Link-local, multicast and unspecified addresses are never called;
// loopback and private ones only where the options allow it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::platform {

struct webhook_order {
  std::string url;
  std::string secret;                           // as in core::wake_sink
  std::string id;                               // webhook-id: the same for every repetition
  core::instant at;                             // webhook-timestamp
  std::string body;                             // JSON
  core::span timeout{std::chrono::seconds{5}};  // of the whole exchange
  std::size_t keep = 0;  // bytes of the answer that are wanted; a longer answer is none. 0: it is thrown away
};
struct webhook_report {
  unsigned status = 0;    // of the answer; 0: there was none
  std::string trouble;    // why there was none; never a secret
  std::string body = {};  // of the answer, where it was wanted
};

class webhooks {
 public:
  virtual ~webhooks() = default;
  // Never blocks. `done` is called once, from any thread, unless abandon() comes before.
  virtual void post(webhook_order order, std::function<void(webhook_report)> done) = 0;
  // Gives up what is under way: no report begins after it returns.
  virtual void abandon() = 0;
};

struct webhook_options {
  /// Whether loopback and private addresses may be called. Default true: agents mostly live on the machine
  /// or in the network of their node.
  bool private_targets = true;
  /// Connections at a time; further orders wait, within their own time. Default 64.
  std::size_t connections = 64;
  /// Goes out as User-Agent.
  std::string agent = "belfry";
};

std::unique_ptr<webhooks> real_webhooks(webhook_options options);

// The value of the header webhook-signature: "v1," and the HMAC-SHA256 of "id.seconds.body" in base64.
std::string webhook_signature(std::string_view key, std::string_view id, core::instant at,
                              std::string_view body);

// An IPv4 or IPv6 address in text that may be called under these options.
bool may_call(std::string_view address, bool private_targets);

}  // namespace belfry::platform
