// What can go wrong between a client and its node.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace belfry {

/// The base of everything that this library throws on its own.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// No answer: refused, cut or timed out.
class unreachable : public error {
 public:
  unreachable(const std::string& text, bool sent) : error(text), maybe_sent(sent) {}
  /// The node may have seen the request.
  bool maybe_sent;
};

/// One field at fault.
struct field_error {
  std::string pointer;  // JSON pointer; ?name for the query, header:Name for a header
  std::string value;    // what was given, shortened; may be empty
  std::string allowed;  // what would do; may be empty
  std::string detail;
};

/// The node answered with a problem document (RFC 9457).
class refused : public error {
 public:
  refused(long http_status, const nlohmann::json& problem, std::optional<double> retry_after_seconds);

  long status;
  std::string code;  // stable, such as "invalid"
  std::string title;
  std::string detail;
  std::vector<field_error> errors;
  std::string command;                // of the CLI, that helps; may be empty
  std::optional<double> retry_after;  // seconds

  /// The same request may succeed later: the node is overloaded, stopping, or still at the first one.
  bool worth_a_retry() const;
};

/// The lease ran out or the run was claimed again: what this worker says about it no longer counts.
class stale_lease : public refused {
 public:
  using refused::refused;
};

/// The node cannot be reached and the spool has no room: the submission was NOT accepted.
class spool_full : public error {
 public:
  using error::error;
};

/// Another process has this spool directory.
class spool_busy : public error {
 public:
  using error::error;
};

}  // namespace belfry
