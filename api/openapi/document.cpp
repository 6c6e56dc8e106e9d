#include <algorithm>
#include <map>

#include "api/http/problem.hpp"
#include "api/http/route.hpp"
#include "api/openapi/schema.hpp"

namespace belfry::api {
namespace {

using json::writer;

std::string_view schema_type(parameter_type t) {
  switch (t) {
    case parameter_type::text: return "text";
    case parameter_type::whole: return "int";
    case parameter_type::boolean: return "bool";
    case parameter_type::instant: return "time";
    case parameter_type::texts: return "[]text";
  }
  return "text";
}

void write_ref(writer& w, std::string_view schema) {
  w.begin_object().member("$ref", "#/components/schemas/" + std::string{schema}).end_object();
}

void write_content(writer& w, std::string_view type, std::string_view schema) {
  w.key("content").begin_object();
  std::string escaped;
  json::append_escaped(escaped, type);
  w.key(escaped).begin_object();
  if (!schema.empty()) {
    w.key("schema");
    write_ref(w, schema);
  }
  w.end_object().end_object();
}

// Names within braces, in order.
std::vector<std::string_view> path_arguments(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (auto open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1))
    names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  return names;
}

void write_parameter(writer& w, std::string_view name, std::string_view in, std::string_view type,
                     std::string_view description, bool required) {
  w.begin_object().member("name", name).member("in", in);
  if (required) w.member("required", true);
  w.member("description", description).key("schema");
  write_type(w, type, {});
  w.end_object();
}

void write_parameters(writer& w, const route& r) {
  w.key("parameters").begin_array();
  for (const auto name : path_arguments(r.pattern))
    write_parameter(w, name, "path", "text", "Id, or what else names it", true);
  for (const auto& p : r.parameters)
    write_parameter(w, p.name, "query", schema_type(p.type), p.description, false);
  if (r.once)
    write_parameter(w, "Idempotency-Key", "header", "text",
                    "The same key and content gives the same answer for 24 h; other content is refused",
                    false);
  if (r.session_token)
    write_parameter(w, "Belfry-Session-Token", "header", "text",
                    "BELFRY_TOKEN of a worker that the node has started; required for its session", false);
  w.end_array();
}

void write_answer(writer& w, const documented_answer& a) {
  w.key(std::to_string(a.status))
      .begin_object()
      .member("description", a.description.empty() ? std::string_view{"Done"} : a.description);
  if (a.status != 204) write_content(w, a.content_type, a.schema);
  w.end_object();
}

// The statuses of the refusals, each with its codes.
void write_refusals(writer& w, const route& r) {
  std::map<unsigned, std::string> by_status;
  auto codes = r.refusals;
  for (const auto always : {core::errc::malformed, core::errc::forbidden, core::errc::unauthorised,
                            core::errc::overloaded, core::errc::unavailable})
    codes.push_back(always);
  if (r.body != body_kind::none)
    codes.insert(codes.end(), {core::errc::too_large, core::errc::unsupported_media});
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  for (const auto e : codes) {
    auto& text = by_status[status_of(e)];
    text += (text.empty() ? "" : ", ") + std::string{core::code_of(e)};
  }
  for (const auto& [status, text] : by_status) {
    const bool taken = std::any_of(r.answers.begin(), r.answers.end(),
                                   [s = status](const documented_answer& a) { return a.status == s; });
    if (!taken) write_answer(w, {status, "Problem", text, problem_type});
  }
  write_answer(w, {500, "Problem", core::code_of(core::errc::internal), problem_type});
}

void write_operation(writer& w, const route& r) {
  std::string verb_name{to_text(r.method)};
  std::transform(verb_name.begin(), verb_name.end(), verb_name.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  w.key(verb_name)
      .begin_object()
      .member("operationId", r.operation)
      .key("tags")
      .begin_array()
      .text(r.group)
      .end_array();
  w.member("summary", r.summary).member("x-scope", to_text(r.needs));
  write_parameters(w, r);
  if (r.body != body_kind::none) {
    w.key("requestBody").begin_object().member("required", r.body != body_kind::optional_json);
    write_content(w, r.body == body_kind::lines ? lines_type : json_type,
                  r.body == body_kind::lines ? std::string_view{} : r.request_schema);
    w.end_object();
  }
  w.key("responses").begin_object();
  for (const auto& a : r.answers) write_answer(w, a);
  write_refusals(w, r);
  w.end_object().end_object();
}

void write_paths(writer& w) {
  std::vector<std::string_view> patterns;
  for (const auto& r : routes())
    if (std::find(patterns.begin(), patterns.end(), r.pattern) == patterns.end())
      patterns.push_back(r.pattern);
  w.key("paths").begin_object();
  for (const auto pattern : patterns) {
    w.key(pattern).begin_object();
    for (const auto& r : routes())
      if (r.pattern == pattern) write_operation(w, r);
    w.end_object();
  }
  w.end_object();
}

void write_schema(writer& w, const schema& s) {
  w.key(s.name).begin_object().member("type", "object").member("description", s.description);
  const auto all = all_properties(s);
  w.key("properties").begin_object();
  for (const auto& p : all) {
    w.key(p.name);
    write_type(w, p.type, p.description);
  }
  w.end_object();
  if (std::any_of(all.begin(), all.end(), [](const property& p) { return p.required; })) {
    w.key("required").begin_array();
    for (const auto& p : all)
      if (p.required) w.text(p.name);
    w.end_array();
  }
  if (s.request) w.member("additionalProperties", false);
  w.end_object();
}

void write_simple(writer& w, std::string_view type, bool nullable) {
  w.key("type");
  if (!nullable) {
    w.text(type);
    return;
  }
  w.begin_array().text(type).text("null").end_array();
}

void write_words(writer& w, std::string_view words, bool nullable) {
  w.key("enum").begin_array();
  for (std::string_view rest = words;;) {
    const auto bar = rest.find('|');
    w.text(rest.substr(0, bar));
    if (bar == std::string_view::npos) break;
    rest.remove_prefix(bar + 1);
  }
  if (nullable) w.null();
  w.end_array();
}

}  // namespace

void write_type(writer& w, std::string_view type, std::string_view description) {
  const bool nullable = type.ends_with('?');
  if (nullable) type.remove_suffix(1);
  w.begin_object();
  if (type.starts_with("[]")) {
    w.member("type", "array").key("items");
    write_type(w, type.substr(2), {});
  } else if (type.starts_with('@')) {
    if (nullable) w.key("oneOf").begin_array();
    if (nullable)
      write_ref(w, type.substr(1));
    else
      w.member("$ref", "#/components/schemas/" + std::string{type.substr(1)});
    if (nullable) w.begin_object().member("type", "null").end_object().end_array();
  } else if (type == "text") {
    write_simple(w, "string", nullable);
  } else if (type == "int") {
    write_simple(w, "integer", nullable);
  } else if (type == "number") {
    write_simple(w, "number", nullable);
  } else if (type == "bool") {
    write_simple(w, "boolean", nullable);
  } else if (type == "time") {
    write_simple(w, "string", nullable);
    w.member("format", "date-time");
  } else if (type == "object") {
    write_simple(w, "object", nullable);
  } else if (type == "map") {
    w.member("type", "object")
        .key("additionalProperties")
        .begin_object()
        .member("type", "integer")
        .end_object();
  } else if (type != "any") {
    write_words(w, type, nullable);
  }
  if (!description.empty()) w.member("description", description);
  w.end_object();
}

const std::vector<schema>& schemas() {
  static const auto all = [] {
    std::vector<schema> s;
    add_request_schemas(s);
    add_run_schemas(s);
    add_other_schemas(s);
    return s;
  }();
  return all;
}

const schema* find_schema(std::string_view name) {
  for (const auto& s : schemas())
    if (s.name == name) return &s;
  return nullptr;
}

std::vector<property> all_properties(const schema& s) {
  std::vector<property> all;
  if (const auto* base = s.extends.empty() ? nullptr : find_schema(s.extends)) all = all_properties(*base);
  all.insert(all.end(), s.properties.begin(), s.properties.end());
  return all;
}

const std::string& openapi_document() {
  static const std::string text = [] {
    writer w{64U * 1024};
    w.begin_object()
        .member("openapi", "3.1.0")
        .key("info")
        .begin_object()
        .member("title", "belfry")
        .member("version", BELFRY_VERSION);
    w.member("description",
             "A durable scheduler. Unknown fields and query parameters are refused. Errors are RFC 9457 "
             "problems whose type is a page of this node.");
    w.key("license")
        .begin_object()
        .member("name", "Apache-2.0")
        .member("identifier", "Apache-2.0")
        .end_object()
        .end_object();
    w.key("servers").begin_array().begin_object().member("url", "/").end_object().end_array();
    write_paths(w);
    w.key("components").begin_object().key("schemas").begin_object();
    for (const auto& s : schemas()) write_schema(w, s);
    w.end_object().key("securitySchemes").begin_object();
    w.key("access").begin_object().member("type", "http").member("scheme", "bearer");
    w.member("description",
             "An access token; needed where the node declares some. Each operation names the role that it "
             "needs in x-scope: read, work, operate or admin, each including the one before.");
    w.end_object().end_object().end_object();
    w.key("security").begin_array().begin_object().end_object();
    w.begin_object().key("access").begin_array().end_array().end_object().end_array();
    w.end_object();
    return w.take();
  }();
  return text;
}

}  // namespace belfry::api
