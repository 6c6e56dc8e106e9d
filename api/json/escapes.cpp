#include "api/json/escapes.hpp"

#include <cstdint>

#include "api/json/document.hpp"
#include "api/json/plain.hpp"

namespace belfry::api::json {
namespace {

bool white(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_code_point(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t b) { out += static_cast<char>(static_cast<unsigned char>(b)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0U | c >> 6U);
  } else if (c < 0x10000) {
    put(0xE0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3FU));
  } else {
    put(0xF0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3FU));
    put(0x80U | (c >> 6U & 0x3FU));
  }
  put(0x80U | (c & 0x3FU));
}

}  // namespace

int hex4(std::string_view s, std::size_t at) {
  if (at + 4 > s.size()) return -1;
  int v = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int d = hex_value(s[at + i]);
    if (d < 0) return -1;
    v = v * 16 + d;
  }
  return v;
}

void unescape(std::string& out, std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\') {
      out += s[i];
      continue;
    }
    switch (s[++i]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': {
        auto c = static_cast<std::uint32_t>(hex4(s, i + 1));
        i += 4;
        if (c >= 0xD800 && c < 0xDC00) {
          c = 0x10000U + ((c - 0xD800U) << 10U) + (static_cast<std::uint32_t>(hex4(s, i + 3)) - 0xDC00U);
          i += 6;
        }
        append_code_point(out, c);
        break;
      }
      default: out += s[i]; break;
    }
  }
}

void append_compact(std::string& out, std::string_view json) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      for (i = skip_plain(json, i + 1); i < json.size() && json[i] != '"'; i = skip_plain(json, i))
        i += json[i] == '\\' ? 2U : 1U;
    } else if (white(c)) {
      out.append(json, from, i - from);
      from = i + 1;
    }
  }
  out.append(json, from);
}

}  // namespace belfry::api::json
