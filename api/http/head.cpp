#include "api/http/head.hpp"

#include <boost/beast/core/string.hpp>

#include "api/http/forwarded.hpp"

namespace belfry::api {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

verb verb_of(http::verb v) {
  switch (v) {
    case http::verb::get: return verb::get;
    case http::verb::head: return verb::head;
    case http::verb::post: return verb::post;
    case http::verb::put: return verb::put;
    case http::verb::patch: return verb::patch;
    case http::verb::delete_: return verb::remove;
    case http::verb::options: return verb::options;
    default: return verb::other;
  }
}

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

bool same(std::string_view a, std::string_view b) {
  return beast::iequals(beast::string_view{a.data(), a.size()}, beast::string_view{b.data(), b.size()});
}

// A request line may name the whole address; the path is what counts.
std::string origin_form(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const auto slash = target.find('/', scheme.size());
    return slash == std::string_view::npos ? std::string{"/"} : std::string{target.substr(slash)};
  }
  return std::string{target};
}

bool take_forwarded(std::string_view value, request& q) {
  if (!q.forwarded.empty() || value.empty()) return false;
  q.forwarded = value;
  return true;
}

void take_unknown(std::string_view name, std::string_view value, request& q) {
  if (same(name, "Idempotency-Key"))
    q.idempotency_key = value;
  else if (same(name, "Last-Event-ID"))
    q.last_event_id = value;
  else if (same(name, "X-Request-Id"))
    q.request_id = value;
  else if (same(name, "X-Belfry-Actor"))
    q.actor = value;
  else if (same(name, "traceparent"))
    q.traceparent = value;
  else if (same(name, "Belfry-Session-Token"))
    q.session_token = value;
}

std::optional<head_mistake> take(http::field name, std::string_view text, std::string_view value, request& q,
                                 bool& expects_continue) {
  switch (name) {
    case http::field::host:
      if (q.has_host) return head_mistake{fail(core::errc::malformed, "the Host header is there twice"), 400};
      q.has_host = true;
      q.host = value;
      break;
    case http::field::origin: q.origin = value; break;
    case http::field::content_type: q.content_type = value; break;
    case http::field::accept: q.accept = value; break;
    case http::field::if_match: q.if_match = value; break;
    case http::field::authorization: q.authorization = value; break;
    case http::field::expect:
      if (!same(value, "100-continue"))
        return head_mistake{fail(core::errc::malformed, "the only expectation that is known is 100-continue"),
                            400};
      expects_continue = true;
      break;
    case http::field::content_encoding:
      if (!same(value, "identity"))
        return head_mistake{fail(core::errc::unsupported_media, "bodies must come without Content-Encoding"),
                            415};
      break;
    case http::field::unknown:
      if (same(text, forwarded_name)) {
        if (!take_forwarded(value, q))
          return head_mistake{fail(core::errc::malformed,
                                   "the header " + std::string{forwarded_name} + " is empty, or there twice"),
                              400};
      } else {
        take_unknown(text, value, q);
      }
      break;
    default: break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<head_mistake> read_head(const http::request<http::string_body>& m, const server_limits& limits,
                                      request& out, bool& expects_continue) {
  out.method = verb_of(m.method());
  out.http_1_0 = m.version() == 10;
  out.keep_alive = m.keep_alive();
  const auto too_large = [](std::string text) {
    return head_mistake{fail(core::errc::too_large, std::move(text)), 431};
  };
  if (m.target().size() > limits.header_line)
    return too_large("the address has " + std::to_string(m.target().size()) + " bytes; the limit is " +
                     std::to_string(limits.header_line));
  out.target = origin_form(view(m.target()));
  std::size_t count = 0;
  std::size_t total =
      m.target().size();  // Beast looks at its own limit once per read, so it lets a little more pass
  for (const auto& f : m) {
    if (++count > limits.headers)
      return too_large("there are more than " + std::to_string(limits.headers) + " headers");
    total += f.name_string().size() + f.value().size() + 4;
    if (total > limits.header_total)
      return too_large("the headers are larger than " + std::to_string(limits.header_total) +
                       " bytes in total");
    if (f.name_string().size() + f.value().size() > limits.header_line)
      return too_large("the header " + std::string{view(f.name_string()).substr(0, 60)} + " is longer than " +
                       std::to_string(limits.header_line) + " bytes");
    if (auto mistake = take(f.name(), view(f.name_string()), view(f.value()), out, expects_continue))
      return mistake;
  }
  if (!out.has_host && !out.http_1_0)
    return head_mistake{fail(core::errc::malformed, "a request of HTTP/1.1 needs a Host header"), 400};
  return std::nullopt;
}

}  // namespace belfry::api
