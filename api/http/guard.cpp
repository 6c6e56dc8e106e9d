#include "api/http/guard.hpp"

#include <algorithm>

#include "core/text/word.hpp"

namespace belfry::api {
namespace {

// The name without port and brackets.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) {
    const auto close = host.find(']');
    return close == std::string_view::npos ? std::string_view{} : host.substr(1, close - 1);
  }
  return host.substr(0, host.find(':'));
}

std::string lower(std::string_view text) {
  std::string out{text};
  core::lower_ascii(out);
  return out;
}

// Four numbers, not a name that begins like one: 127.0.0.1.example.com is foreign.
bool loopback_v4(std::string_view name) {
  return name.starts_with("127.") && name.size() <= 15 &&
         name.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(name.begin(), name.end(), '.') == 3;
}

std::string_view origin_host(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view{} : origin.substr(scheme + 3);
}

}  // namespace

bool loopback_host(std::string_view host) {
  const auto name = lower(host_name(host));
  return name == "localhost" || name == "::1" || loopback_v4(name);
}

bool allowed_host(std::string_view host, const std::vector<std::string>& allowed) {
  if (loopback_host(host)) return true;
  const auto name = lower(host_name(host));
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& a) { return lower(a) == name; });
}

std::string_view foreign(const request& q, const std::vector<std::string>& allowed) {
  if (q.unix_socket || q.by_member) return {};  // no browser gets here, or a member has looked
  if (q.local_only && q.has_host && !allowed_host(q.host, allowed))
    return "the Host header names another machine";
  if (q.origin.empty()) return {};
  const auto host = origin_host(q.origin);
  if (q.local_only ? allowed_host(host, allowed) : !host.empty() && lower(host) == lower(q.host)) return {};
  return "the request comes from a page of another origin";
}

bool plain_word(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7F' && c != '"' && c != '\\' && c != '<' && c != '>';
  });
}

std::string_view media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return type;
}

bool accepts(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    const auto comma = accept.find(',');
    auto one = media_type(accept.substr(0, comma));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    if (lower(one) == type) return true;
    accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
  }
  return false;
}

}  // namespace belfry::api
