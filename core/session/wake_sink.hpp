// WAKE SINK: the way by which a session hears that there is work for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Numbers stand in rows: append only.
enum class wake_via : std::uint8_t {
  poll = 0,     // it asks, and waits for the answer
  webhook = 1,  // the node posts to an address of its own
  command = 2,  // the node runs a command for it
  none = 3,     // it is never woken: it asks for work by itself
};
std::string_view to_text(wake_via v);
std::optional<wake_via> wake_via_from(std::string_view text);

struct wake_sink {
  wake_via via = wake_via::poll;
  /// webhook: where to. http or https, no user, no fragment; at most 2,000 characters.
  std::string url;
  /// webhook: "whsec_" and the key in base64, or "env:" and the name of a variable of the node that holds
  /// such a text. It signs, and leaves the node nowhere.
  std::string secret;
  /// command: the program and its arguments.
  std::vector<std::string> argv;
  /// command: absolute; empty: the node's working directory for runs.
  std::string cwd;
  /// One webhook or command. Default 5 s; 100 ms to 60 s.
  span timeout = std::chrono::seconds{5};
  /// Named by the configuration of the node, and not by whoever registered.
  bool from_node = false;
  friend bool operator==(const wake_sink&, const wake_sink&) = default;
};

// A secret may name variables that begin so, and no others: whoever registers shall not sign with something
// that was put there for another purpose.
inline constexpr std::string_view secret_variable_prefix = "BELFRY_WEBHOOK_";

// Every mistake of a sink, with JSON pointers below `base`. No problem shows a secret.
std::vector<field_problem> check(const wake_sink& s, const std::string& base);
// The key that a secret of the form "whsec_…" stands for: 24 to 64 bytes (Standard Webhooks 1.0).
std::optional<std::string> webhook_key(std::string_view secret);
// For lists: what may be secret, a query, is left out.
std::string shown_url(std::string_view url);

}  // namespace belfry::core
