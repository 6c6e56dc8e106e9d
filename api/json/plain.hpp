// PLAIN TEXT inside JSON strings, skipped eight bytes at a time: most of what is read and written is of it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace belfry::api::json {

constexpr std::uint64_t in_every_byte(std::uint64_t byte) { return byte * 0x0101010101010101U; }
// The highest bit of the first byte that is zero is set, and none below it; above it there may be more.
constexpr std::uint64_t zero_bytes(std::uint64_t x) { return (x - in_every_byte(1)) & ~x; }

// Where the next byte is that is a quote, a backslash, a control character, DEL or not ASCII; the size (or
// `at`, beyond it) when there is none.
inline std::size_t skip_plain(std::string_view s, std::size_t at) {
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + sizeof(std::uint64_t) <= s.size(); at += sizeof(std::uint64_t)) {
      std::uint64_t x = 0;
      std::memcpy(&x, s.data() + at, sizeof x);
      const std::uint64_t special =
          (x | ((x - in_every_byte(0x20)) & ~x) | zero_bytes(x ^ in_every_byte('"')) |
           zero_bytes(x ^ in_every_byte('\\')) | zero_bytes(x ^ in_every_byte(0x7F))) &
          in_every_byte(0x80);
      if (special != 0) return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
    }
  }
  for (; at < s.size(); ++at) {
    const auto c = static_cast<std::uint8_t>(s[at]);
    if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') return at;
  }
  return at;
}

}  // namespace belfry::api::json
