#include "core/codec/trace.hpp"

#include <array>
#include <cstddef>

namespace belfry::core::codec {
namespace {

// Octets of the trace id, the parent id and the flags.
constexpr std::array<std::size_t, 3> parts{16, 8, 1};
constexpr std::string_view prefix = "00";
constexpr std::size_t length = 55;
constexpr std::string_view digits = "0123456789abcdef";

// Of each byte that is a lower-case hexadecimal digit its value, else 255. Every submission is looked at.
constexpr std::uint8_t none = 255;
constexpr std::array<std::uint8_t, 256> values = [] {
  std::array<std::uint8_t, 256> t{};
  t.fill(none);
  for (std::size_t i = 0; i < digits.size(); ++i)
    t.at(static_cast<std::uint8_t>(digits[i])) = static_cast<std::uint8_t>(i);
  return t;
}();
unsigned digit(char c) { return values[static_cast<std::uint8_t>(c)]; }
bool is_digit(char c) { return digit(c) != none; }

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

}  // namespace belfry::core::codec
