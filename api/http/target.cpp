#include "api/http/target.hpp"

#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

core::failure broken(std::string_view what) {
  return {
      core::errc::malformed, "the address of the request cannot be read: " + core::shown(what, 80), {}, {}};
}

}  // namespace

bool percent_decode(std::string_view text, bool plus, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out.find('\0') == std::string::npos && core::valid_utf8(out);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    const auto b = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      ((out += '%') += digits[b >> 4U]) += digits[b & 15U];
  }
  return out;
}

core::result<parsed_target> parse_target(std::string_view target) {
  parsed_target out;
  const auto mark = target.find('?');
  out.path = target.substr(0, mark);
  if (out.path.empty() || (out.path.front() != '/' && out.path != "*")) return broken(target);
  if (mark == std::string_view::npos) return out;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    std::string name;
    std::string value;
    if (!percent_decode(pair.substr(0, equals), true, name)) return broken(pair);
    if (equals != std::string_view::npos && !percent_decode(pair.substr(equals + 1), true, value))
      return broken(pair);
    out.parameters.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

}  // namespace belfry::api
