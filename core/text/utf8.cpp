#include "core/text/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace belfry::core {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

// Length of the character at the front, 0 when it is not valid. The bounds of the second byte exclude
// overlong forms, surrogates and what lies above U+10FFFF (RFC 3629, section 4).
std::size_t character_at(std::string_view text, std::size_t i) {
  const auto first = byte_at(text, i);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF)
    length = 2;
  else if (first >= 0xE0 && first <= 0xEF)
    length = 3;
  else if (first >= 0xF0 && first <= 0xF4)
    length = 4;
  else
    return 0;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  if (text.size() - i < length) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    const auto next = byte_at(text, i + k);
    if (next < low || next > high) return 0;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

// Bytes at the front that are plain ASCII, in steps of eight: most texts are nothing else.
std::size_t plain_at(std::string_view text, std::size_t i) {
  constexpr std::uint64_t high_bits = 0x8080808080808080ULL;
  const auto from = i;
  for (std::uint64_t eight = 0; text.size() - i >= sizeof eight; i += sizeof eight) {
    std::memcpy(&eight, text.data() + i, sizeof eight);
    if ((eight & high_bits) != 0) break;
  }
  return i - from;
}

}  // namespace

std::optional<std::size_t> count_utf8(std::string_view text) {
  std::size_t count = plain_at(text, 0);
  for (std::size_t i = count; i < text.size(); ++count) {
    const auto length = character_at(text, i);
    if (length == 0) return std::nullopt;
    i += length;
  }
  return count;
}

std::string_view cut_utf8(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (byte_at(text, bytes) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes);
}

std::string shown(std::string_view text, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = character_at(text, i);
    const auto step = length == 0 ? 1 : length;
    if (out.size() + step > bytes) return out += "…";
    const auto first = byte_at(text, i);
    if (length == 0 || first < 0x20 || first == 0x7F)
      out += '?';
    else
      out += text.substr(i, length);
    i += step;
  }
  return out;
}

}  // namespace belfry::core
