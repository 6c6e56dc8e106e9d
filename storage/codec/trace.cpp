#include "storage/codec/trace.hpp"

#include <array>
#include <cstddef>

namespace belfry::storage::codec {
namespace {

// Octets of the trace id, the parent id and the flags.
constexpr std::array<std::size_t, 3> parts{16, 8, 1};
constexpr std::string_view prefix = "00";
constexpr std::size_t length = 55;
constexpr std::string_view digits = "0123456789abcdef";

unsigned digit(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

bool is_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

bool is_packable_trace(std::string_view text) {
  if (text.size() != length || !text.starts_with(prefix)) return false;
  std::size_t at = prefix.size();
  for (const auto octets : parts) {
    if (text[at++] != '-') return false;
    for (std::size_t n = 0; n < 2 * octets; ++n)
      if (!is_digit(text[at++])) return false;
  }
  return true;
}

void put_trace(out& o, std::string_view text) {
  std::size_t at = prefix.size();
  for (const auto octets : parts) {
    ++at;
    for (std::size_t n = 0; n < octets; ++n, at += 2)
      o.octet(static_cast<std::uint8_t>(digit(text[at]) << 4U | digit(text[at + 1])));
  }
}

std::string take_trace(in& i) {
  std::string text;
  text.reserve(length);
  text += prefix;
  for (const auto octets : parts) {
    text += '-';
    for (std::size_t n = 0; n < octets; ++n) {
      const auto b = i.octet();
      text += digits[b >> 4U];
      text += digits[b & 15U];
    }
  }
  return text;
}

}  // namespace belfry::storage::codec
