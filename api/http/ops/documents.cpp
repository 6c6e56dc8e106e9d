// DOCUMENTS: what the door tells about itself, without asking the node.
#include "api/http/guard.hpp"
#include "api/http/ops/ops.hpp"
#include "api/http/problem.hpp"
#include "api/openapi/schema.hpp"

namespace belfry::api {
namespace {

using core::errc;

void ping(const exchange_ptr& x) {
  response r;
  r.body = "{\"pong\":true}";
  x->answer(std::move(r));
}

void root(const exchange_ptr& x) {
  response r;
  r.content_type = text_type;
  r.body = "belfry " BELFRY_VERSION
           ", a durable scheduler\n\n"
           "  /v1/openapi.json   every operation\n"
           "  /v1/runs           the runs\n"
           "  /v1/jobs           the jobs\n"
           "  /v1/events         the journal\n"
           "  /v1/node           health and facts\n"
           "  /metrics           for Prometheus\n"
           "  /problems          what errors mean\n\n"
           "On the command line: belfry help\n";
  x->answer(std::move(r));
}

void openapi(const exchange_ptr& x) {
  response r;
  r.body = openapi_document();
  x->answer(std::move(r));
}

void list_problems(const exchange_ptr& x) { x->answer(problem_index(accepts(x->in.accept, "text/html"))); }

void get_problem(const exchange_ptr& x) {
  const auto code = core::errc_from(x->arguments.front());
  if (!code)
    return x->refuse(fail_with(errc::not_found, "there is no problem with this code; /problems lists them"));
  x->answer(problem_page(*code, accepts(x->in.accept, "text/html")));
}

}  // namespace

void add_document_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/",
                 "get_root",
                 "documents",
                 "Where things are",
                 scope::open,
                 root,
                 body_kind::none,
                 {},
                 {},
                 {{200, {}, "Text", "text/plain"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/openapi.json",
                 "get_openapi",
                 "documents",
                 "This document",
                 scope::open,
                 openapi,
                 body_kind::none,
                 {},
                 {},
                 {{200, {}, "OpenAPI 3.1"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/problems",
                 "list_problems",
                 "documents",
                 "Every problem",
                 scope::open,
                 list_problems,
                 body_kind::none,
                 {},
                 {},
                 {{200, {}, "Text", "text/markdown"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/problems/{code}",
                 "get_problem",
                 "documents",
                 "What a problem means and what to do",
                 scope::open,
                 get_problem,
                 body_kind::none,
                 {},
                 {},
                 {{200, {}, "Text", "text/markdown"}},
                 {errc::not_found},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/ping",
                 "ping",
                 "documents",
                 "Answers without asking the node",
                 scope::open,
                 ping,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Pong", "The door is open"}},
                 {},
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/ping",
                 "post_ping",
                 "documents",
                 "Takes any body and answers without asking the node",
                 scope::open,
                 ping,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Pong", "The door is open"}},
                 {},
                 false,
                 0});
}

}  // namespace belfry::api
