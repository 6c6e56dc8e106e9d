// TRANSPORT: HTTP requests over TCP or a unix socket. libcurl is seen by transport.cpp only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::app {

struct address {
  std::string base;    // "http://127.0.0.1:7420", "http://localhost" for a socket
  std::string socket;  // path of the unix socket, or empty
  std::string shown() const { return socket.empty() ? base : "unix:" + socket; }
};
// "http://…", "https://…", "unix:path", "/path", "host:port".
core::result<address> parse_address(std::string_view text);
// Where to look for the node when nobody says it: the socket of the default data directory, then loopback.
std::vector<address> local_addresses();
std::string default_data_folder();  // $XDG_STATE_HOME/belfry or ~/.local/state/belfry

struct http_request {
  std::string method = "GET";
  std::string target;  // path and query
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds timeout{120'000};  // of the whole exchange; 0: none
};
struct http_answer {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string header(std::string_view name) const;
};

struct lost_contact {
  std::string text;       // what curl says
  bool connected = true;  // false: nobody answered at the address, so nothing was sent
};
using contact = std::variant<http_answer, lost_contact>;

class transport {
 public:
  explicit transport(address where);
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  contact send(const http_request& request);
  // Hands over the body as it comes, until the node ends it, contact is lost or `take` says no. The answer
  // has no body unless its status is an error. Silence of more than a minute counts as lost contact: the node
  // sends comments.
  contact stream(const http_request& request, const std::function<bool(std::string_view)>& take);
  const address& where() const { return where_; }

 private:
  struct state;
  address where_;
  std::unique_ptr<state> s_;
};

std::string percent_encoded(std::string_view text);

}  // namespace belfry::app
