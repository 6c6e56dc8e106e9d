// One HTTP exchange after another over a few kept connections. Knows JSON and problem documents, not belfry.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "belfry/client.hpp"

namespace belfry::detail {

using steady = std::chrono::steady_clock;

inline constexpr retry_options once_only{span{0}, span{0}, span{0}};
inline constexpr span for_ever = std::chrono::hours{24 * 365 * 100};

/// The wait after the `tries`-th try (from 1): half fixed, half random, so that clients spread.
span pause_after(const retry_options& policy, int tries, std::optional<double> at_least_seconds);

/// Ends a request from another thread, also one that waits for its answer, and pauses between two of them.
class abort_flag {
 public:
  void set();
  bool is_set() const;
  /// True when it was set within that time.
  bool wait(span at_most) const;

 private:
  friend class transport;
  void watch(CURLM* line);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool set_ = false;
  CURLM* line_ = nullptr;
};

struct reply {
  long status = 0;
  std::map<std::string, std::string> headers{};  // names in lower case
  json body{};
};

struct ask_options {
  std::string key{};  // Idempotency-Key
  std::optional<retry_options> retry{};
  std::optional<span> timeout{};
  abort_flag* abort = nullptr;
  std::function<void(bool maybe_sent)> failed{};  // after each try that failed
};

std::string encode(const json& body);

class transport {
 public:
  explicit transport(const client_options& options);
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  const retry_options& policy() const { return retry_; }
  /// Of a worker that the node has started: shown with everything that is said from now on.
  void show_session_token(std::string token) {
    const std::lock_guard lock{mutex_};
    session_token_ = std::move(token);
  }
  /// Sends until there is an answer that counts, or the policy gives up and the last error is thrown.
  reply ask(const char* verb, const std::string& path, const std::string* content, const ask_options& o);
  reply ask(const char* verb, const std::string& path, const json& body, const ask_options& o = {});
  reply get(const std::string& path, const ask_options& o = {}) { return ask("GET", path, nullptr, o); }
  /// One try.
  reply once(const char* verb, const std::string& path, const std::string* content, const ask_options& o);

 private:
  struct line {  // a connection, or one to be
    CURLM* multi;
    CURL* easy;
  };
  line take_line();
  void give_back(line l);
  static CURLcode perform(const line& l, abort_flag* abort);

  std::string url_;
  std::vector<std::string> headers_;
  span timeout_;
  retry_options retry_;
  std::mutex mutex_;
  std::vector<line> idle_;
  std::string session_token_{};
};

}  // namespace belfry::detail
