// NODE LINE: one connection of the worker to the node, for one thread, and what came of a request: an answer,
// a refusal that stands, or "not now" (no contact, 429, 5xx), after which the same request may be sent again.
#pragma once

#include <optional>
#include <string>

#include "app/client/node_client.hpp"
#include "app/work/plan.hpp"

namespace belfry::app {

struct node_word {
  enum class kind : std::uint8_t { yes, no, not_now };
  kind what = kind::not_now;
  json_text answer;                        // of yes
  std::string code;                        // of no: from the catalogue, "stale_lease"
  std::string text;                        // of no and not_now
  exit_code exit = exit_code::unexpected;  // what a command would end with
  std::optional<core::span> retry_after;

  bool yes() const { return what == kind::yes; }
  bool no() const { return what == kind::no; }
};

class node_line {
 public:
  explicit node_line(const work_plan& plan)
      : client_(plan.server, plan.debug), session_token_(plan.session_token) {}

  node_word post(const std::string& target, const std::string& body, core::span timeout) {
    return ask("POST", target, body, timeout);
  }
  node_word ask(const std::string& method, const std::string& target, const std::string& body,
                core::span timeout);

 private:
  node_client client_;
  std::string session_token_;
};

}  // namespace belfry::app
