#include "api/http/forwarded.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace belfry::api {
namespace {

core::failure not_forwarded(std::string text) { return {core::errc::malformed, std::move(text), {}, {}}; }

std::string_view way_of(const request& q) {
  return q.unix_socket ? "unix" : q.local_only ? "loopback" : "remote";
}

// The parser lets through no line ends; this is for the day when it does.
bool plain_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7F'; });
}

bool plain_target(std::string_view text) {
  return text.starts_with('/') &&
         std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c <= ' ') || c == '\x7F'; });
}

}  // namespace

std::string forwarded_text(std::string_view node, const request& q) {
  return "node=" + std::string{node} + "; from=" + std::string{way_of(q)};
}

core::result<void> read_forwarded(std::string_view text, std::string_view peer, request& q) {
  if (text.empty())
    return not_forwarded("the member " + std::string{peer} + " does not say where its client came from");
  const std::string own = "node=" + std::string{peer} + "; from=";
  if (!text.starts_with(own))
    return not_forwarded("the member " + std::string{peer} + " speaks in another name than its own");
  const auto from = text.substr(own.size());
  if (from != "unix" && from != "loopback" && from != "remote")
    return not_forwarded("the member " + std::string{peer} +
                         " says of its client what is not known: unix, loopback or remote");
  q.unix_socket = from == "unix";
  q.local_only = from != "remote";
  q.by_member = true;
  return {};
}

core::result<std::string> forwarded_head(const request& q, std::string_view node,
                                         std::string_view request_id) {
  if (!plain_target(q.target)) return not_forwarded("the address has characters that cannot be passed on");
  const auto forwarded = forwarded_text(node, q);
  const std::array<std::pair<std::string_view, std::string_view>, 12> headers{
      {{"Host", q.host.empty() ? std::string_view{"belfry"} : std::string_view{q.host}},
       {forwarded_name, forwarded},
       {"X-Request-Id", request_id},
       {"Content-Type", q.content_type},
       {"Accept", q.accept},
       {"Authorization", q.authorization},
       {"Belfry-Session-Token", q.session_token},
       {"X-Belfry-Actor", q.actor},
       {"Idempotency-Key", q.idempotency_key},
       {"If-Match", q.if_match},
       {"Last-Event-ID", q.last_event_id},
       {"traceparent", q.traceparent}}};  // Origin was looked at here
  std::string out;
  out.reserve(512 + q.target.size());
  out += to_text(q.method);
  out += ' ';
  out += q.target;
  out += " HTTP/1.1\r\n";
  for (const auto& [name, value] : headers) {
    if (value.empty()) continue;
    if (!plain_value(value))
      return not_forwarded("the header " + std::string{name} + " has characters that cannot be passed on");
    ((out += name) += ": ") += value;
    out += "\r\n";
  }
  const bool may_have_body =
      q.method == verb::post || q.method == verb::put || q.method == verb::patch || !q.body.empty();
  if (may_have_body) out += "Content-Length: " + std::to_string(q.body.size()) + "\r\n";
  return out += "\r\n";
}

}  // namespace belfry::api
