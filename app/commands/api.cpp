// api: any operation of the API by method and path. openapi, version.
#include <cstdio>

#include "app/commands/all.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

struct api_options {
  std::string method, path;
  std::optional<std::string> body;
  std::vector<std::string> headers;
  bool include = false;
};

int call(const api_options& o, context& ctx) {
  std::string method = o.method;
  for (char& c : method)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (o.path.empty() || o.path.front() != '/')
    throw refusal(exit_code::usage, "the path begins with a slash: /v1/runs");
  std::string body;
  if (o.body)
    body =
        o.body->rfind("@", 0) == 0 ? read_text(o.body->substr(1), std::size_t{64} << 20U, "--body") : *o.body;
  call_options call;
  for (const auto& each : o.headers) {
    const auto colon = each.find(':');
    if (colon == std::string::npos)
      throw refusal(exit_code::usage, "--header: '" + each + "' will not do", {"allowed: NAME: VALUE"}, {});
    call.headers.emplace_back(each.substr(0, colon),
                              each.substr(std::min(each.size(), each.find_first_not_of(' ', colon + 1))));
  }
  const auto answer = ctx.node().raw(method, o.path, body, call);
  if (o.include) {
    ctx.put("HTTP " + std::to_string(answer.status) + "\n");
    for (const auto& [name, value] : answer.headers) ctx.put(name + ": " + value + "\n");
    ctx.put("\n");
  }
  const bool json = answer.header("content-type").find("json") != std::string::npos &&
                    answer.header("content-type").find("lines") == std::string::npos;
  if (json && answer.body.size() < (1U << 24U) && ctx.options.output != "jsonl")
    ctx.put(indented(answer.body) + "\n");
  else
    ctx.put(answer.body);
  if (answer.status < 400) return number_of(exit_code::ok);
  const auto why = refusal_of(answer);
  ctx.tell("belfry: " + std::string(why.what()));
  return number_of(why.exit);
}

int version(context& ctx) {
  const json_text mine = *json_text::parse("{\"version\":" + json_quoted(BELFRY_VERSION) + "}");
  ctx.show(mine, BELFRY_VERSION, [] { return std::string("belfry ") + BELFRY_VERSION + "\n"; });
  return number_of(exit_code::ok);
}

}  // namespace

void add_api(command& root, context& ctx) {
  auto& c = root.sub("api", "Call any operation of the HTTP API");
  auto& o = c.keep<api_options>();
  c.argument("METHOD", o.method, "the HTTP method", true, complete::nothing,
             {"GET", "POST", "PUT", "PATCH", "DELETE", "get", "post", "put", "patch", "delete"});
  c.argument("PATH", o.path, "path and query, such as /v1/runs?state=failed", true);
  c.option("--body,-d", o.body, "JSON", "body of the request; @FILE reads a file, @- stdin");
  c.option("--header,-H", o.headers, "NAME: VALUE", "header of the request, repeatable");
  c.flag("--include,-i", o.include, "print the status and the headers too");
  c.example("belfry api GET /v1/scheduler/status", "");
  c.example("belfry api POST /v1/runs -d '{\"handler\":{\"argv\":[\"true\"]}}'", "");
  c.action([&o, &ctx] { return call(o, ctx); });
  auto& problem = root.sub("problem", "Explain an error code, or list them");
  auto& code = problem.keep<std::optional<std::string>>();
  problem.argument("CODE", code, "as told with an error, such as stale_lease", false);
  problem.example("belfry problem invalid_transition", "");
  problem.action([&code, &ctx] {
    const auto answer =
        ctx.node().raw("GET", "/problems" + (code ? "/" + percent_encoded(*code) : std::string{}), {});
    if (answer.status >= 400) throw refusal_of(answer);
    ctx.put(answer.body);
    return number_of(exit_code::ok);
  });
  auto& document = root.sub("openapi", "Print the OpenAPI document of the node");
  document.example("belfry openapi > openapi.json", "");
  document.action([&ctx] {
    const auto doc = ctx.node().get("/v1/openapi.json");
    ctx.put((ctx.options.output == "jsonl" ? compact(doc.text()) : indented(doc.text())) + "\n");
    return number_of(exit_code::ok);
  });
  auto& v = root.sub("version", "Print the version of this program");
  v.example("belfry version -o name", "");
  v.action([&ctx] { return version(ctx); });
}

}  // namespace belfry::app
