// REQUEST and RESPONSE: what handlers see of HTTP. No Beast here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry::api {

enum class verb : std::uint8_t { get, head, post, put, patch, remove, options, other };
std::string_view to_text(verb v);

struct request {
  verb method = verb::other;
  std::string target;  // as it came; absolute form is cut down to its path
  std::string body;
  // The headers that anything here looks at; empty when absent.
  std::string host, origin, content_type, accept, idempotency_key, if_match, last_event_id, request_id, actor,
      traceparent, session_token, authorization, forwarded;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool has_host = false;
  bool local_only = true;  // came in through a loopback or a unix listener
  bool unix_socket = false;
  bool by_member = false;  // passed on by a member, which has looked at Host and Origin
};

inline constexpr std::string_view json_type = "application/json";
inline constexpr std::string_view problem_type = "application/problem+json";
inline constexpr std::string_view text_type = "text/plain; charset=utf-8";
inline constexpr std::string_view event_stream_type = "text/event-stream";
inline constexpr std::string_view lines_type = "application/x-ndjson";

struct response {
  unsigned status = 200;
  std::string_view content_type = json_type;
  std::string body;
  std::vector<std::pair<std::string_view, std::string>> headers;
  bool close = false;        // the connection ends after it
  bool unbroken = false;     // of a stream: it has an end of its own, and is cut off rather than ended early
  std::int64_t length = -1;  // of the body that a HEAD would have had; below 0: that of `body`
};

std::string_view reason_of(unsigned status);
// Status line and headers; `length` < 0 announces chunks.
std::string head_of(const response& r, const request& q, std::string_view request_id, std::string_view date,
                    std::int64_t length, bool keep_alive);

}  // namespace belfry::api
