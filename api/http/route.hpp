// ROUTE: one operation of the API. The table of routes is the single source of the router, of the OpenAPI
// document and of the tests that walk it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "api/http/request.hpp"
#include "core/errors/result.hpp"

namespace belfry::api {

class exchange;
using handler = void (*)(const std::shared_ptr<exchange>&);

enum class parameter_type : std::uint8_t { text, whole, boolean, instant, texts };
struct parameter {
  std::string_view name;
  parameter_type type = parameter_type::text;
  std::string_view description;
};

struct documented_answer {
  unsigned status = 200;
  std::string_view schema;  // component schema; empty: no body, or not JSON
  std::string_view description;
  std::string_view content_type = json_type;
};

enum class body_kind : std::uint8_t { none, json, optional_json, lines };
// The role that an operation needs, core::role; `open` needs none.
enum class scope : std::uint8_t { open, read, work, operate, admin };
std::string_view to_text(scope s);

struct route {
  verb method = verb::get;
  std::string_view pattern;    // "/v1/runs/{id}:cancel"
  std::string_view operation;  // "cancel_run"
  std::string_view group;      // "runs"
  std::string_view summary;
  scope needs = scope::read;
  handler handle = nullptr;
  body_kind body = body_kind::none;
  std::string_view request_schema;
  std::vector<parameter> parameters;       // of the query
  std::vector<documented_answer> answers;  // those that are no problems
  std::vector<core::errc> refusals;        // besides those that every operation has
  bool once = false;                       // takes an Idempotency-Key
  std::size_t body_limit = 0;              // 0: the server's
  bool session_token = false;              // spoken by a session: may have to come with its token
  bool lease_token = false;                // its body carries the token of a lease
};

// Every operation, in the order of the document.
const std::vector<route>& routes();

}  // namespace belfry::api
