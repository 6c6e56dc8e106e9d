// HTTP CLIENT of the tests: blocking, small, over TCP or a unix socket. Unlike a proper client it can also
// send any bytes at all, stop in the middle of a request, and read as slowly as it likes. Not for two threads
// at a time.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry::test {

using json = nlohmann::json;
using header_list = std::vector<std::pair<std::string, std::string>>;

// Nobody answered: no connection, cut off in the middle, or too late.
struct no_answer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct http_reply {
  int status = 0;
  header_list headers;  // names in lower case
  std::string body;
  std::string header(std::string_view name) const;
  bool ok() const { return status >= 200 && status < 300; }
  json parsed() const;       // throws std::runtime_error with the body when it is no JSON
  std::string code() const;  // of a problem document; empty when it is none
};

// Where a node is: a port on loopback, or a unix socket.
struct endpoint {
  int port = 0;
  std::string socket;
};

// One connection, byte by byte.
class http_link {
 public:
  using clock = std::chrono::steady_clock;
  using span = std::chrono::milliseconds;

  // Throws no_answer. `receive_buffer` > 0: bytes that the kernel holds for a reader who does not read.
  explicit http_link(const endpoint& where, int receive_buffer = 0);
  ~http_link();
  http_link(http_link&& other) noexcept;
  http_link& operator=(http_link&& other) noexcept;
  http_link(const http_link&) = delete;
  http_link& operator=(const http_link&) = delete;

  // False when the other side has closed, or does not take the bytes in time.
  bool send(std::string_view bytes, span deadline = std::chrono::seconds{10});
  void shut_sending();
  // Reads an answer with its whole body; nothing when the connection ended, or the time is over, before it
  // was complete.
  std::optional<http_reply> reply(span deadline = std::chrono::seconds{20}, bool head_only = false);
  // The head of an answer whose body never ends, and pieces of that body, without chunk frames. An empty
  // piece: the time is over; nothing: the stream has ended.
  std::optional<http_reply> reply_head(span deadline = std::chrono::seconds{20});
  std::optional<std::string> piece(span deadline);
  // Whether the other side closes the connection in time; what it still says is thrown away.
  bool closed_within(span deadline);
  bool open() const { return fd_ >= 0; }
  void close();

 private:
  bool fill(clock::time_point until);  // at least one byte more; false at the end and when the time is over
  bool fill_to(std::size_t bytes, clock::time_point until);
  std::optional<std::string> take_chunk(clock::time_point until);
  std::optional<http_reply> head(clock::time_point until);

  int fd_ = -1;
  bool ended_ = false;
  bool chunked_ = false;
  bool last_chunk_ = false;
  std::string in_;
};

// Requests over one connection that is opened again when it was closed.
class http_client {
 public:
  explicit http_client(endpoint where) : where_(std::move(where)) {}

  // Throws no_answer. A request is never sent twice.
  http_reply send(std::string_view method, std::string_view target, std::string_view body = {},
                  const header_list& headers = {});
  http_reply get(std::string_view target, const header_list& headers = {}) {
    return send("GET", target, {}, headers);
  }
  http_reply post(std::string_view target, const json& body, const header_list& headers = {}) {
    return send("POST", target, body.dump(), headers);
  }
  http_reply post(std::string_view target) { return send("POST", target); }
  // The JSON of an answer that must be a success; throws std::runtime_error with what came instead.
  json get_json(std::string_view target);
  json post_json(std::string_view target, const json& body, const header_list& headers = {});

  const endpoint& where() const { return where_; }
  std::chrono::milliseconds patience{20'000};

 private:
  endpoint where_;
  std::optional<http_link> link_;
};

// The text of a request; Host, Content-Type and Content-Length are added where they are not given and needed.
std::string request_text(std::string_view method, std::string_view target, std::string_view body = {},
                         const header_list& headers = {});

struct sse_event {
  std::string id, event, data;
  std::int64_t number() const { return id.empty() ? -1 : std::stoll(id); }
};

// A stream of server-sent events.
class event_stream {
 public:
  // Throws no_answer, and std::runtime_error when the answer is not a stream.
  event_stream(const endpoint& where, std::string_view target, const header_list& headers = {},
               int receive_buffer = 0);
  // Nothing when the time is over or the stream has ended.
  std::optional<sse_event> next(std::chrono::milliseconds deadline = std::chrono::seconds{20});
  bool ended() const { return ended_; }
  std::size_t comments() const { return comments_; }

 private:
  http_link link_;
  std::string in_;
  std::size_t comments_ = 0;
  bool ended_ = false;
};

}  // namespace belfry::test
