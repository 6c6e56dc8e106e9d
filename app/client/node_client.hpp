// NODE CLIENT: the API as commands see it. Answers are JSON; whatever else comes back is thrown as a refusal
// with the exit code of the table.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/refusal.hpp"
#include "app/client/json_view.hpp"
#include "app/client/sse.hpp"
#include "app/client/transport.hpp"

namespace belfry::app {

// "?a=1&b=2" of what is given; empty values are left out.
class query_text {
 public:
  query_text& add(const std::string& name, const std::string& value);
  query_text& add(const std::string& name, const char* value) { return add(name, std::string(value)); }
  query_text& add(const std::string& name, const std::optional<std::string>& value) {
    return add(name, value.value_or(""));
  }
  query_text& each(const std::string& name, const std::vector<std::string>& values);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct call_options {
  std::string idempotency_key;  // makes a POST safe to repeat when contact is lost
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds timeout{120'000};
};

class node_client {
 public:
  // `server` empty: BELFRY_URL, else the local node.
  node_client(const std::string& server, bool debug);

  json_text get(const std::string& target, const call_options& o = {}) { return call("GET", target, {}, o); }
  json_text post(const std::string& target, const std::string& body, const call_options& o = {}) {
    return call("POST", target, body, o);
  }
  json_text call(const std::string& method, const std::string& target, const std::string& body,
                 const call_options& o = {});
  http_answer raw(const std::string& method, const std::string& target, const std::string& body,
                  const call_options& o = {});

  // One stream until `on` says no (true) or the deadline passes (false). Lost contact is repaired by resuming
  // after the last event id; a node that is away for longer than `patience` is a refusal.
  bool follow(const std::string& target, const std::function<bool(const sse_event&)>& on,
              std::optional<std::chrono::steady_clock::time_point> until = {},
              std::chrono::seconds patience = std::chrono::minutes{5});

  std::string where();

 private:
  void show_access(http_request& request) const;
  contact exchange(const http_request& request, const std::function<bool(std::string_view)>& take);
  contact exchange_once(const http_request& request, const std::function<bool(std::string_view)>& take);

  std::vector<address> candidates_;
  std::string actor_;   // who acts, for the journal: "cli:alice"
  std::string access_;  // BELFRY_ACCESS_TOKEN
  std::unique_ptr<transport> line_;
  bool debug_;
};

// The refusal that an answer of 400 or more stands for.
refusal refusal_of(const http_answer& answer);
std::string random_key();  // 128 random bits in hex

}  // namespace belfry::app
