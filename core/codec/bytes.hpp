// BYTES: the primitives of what is stored in one column, or travels between nodes: LEB128 numbers and
// length-prefixed texts. Append only.
#pragma once

#include <bit>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace belfry::core::codec {

// A value that cannot be read: damaged, or of a newer version of belfry.
struct damaged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class out {
 public:
  void number(std::uint64_t v) {
    while (v >= 0x80) {
      bytes_ += static_cast<char>(v | 0x80);
      v >>= 7;
    }
    bytes_ += static_cast<char>(v);
  }
  void text(std::string_view t) {
    number(t.size());
    bytes_ += t;
  }
  void octet(std::uint8_t b) { bytes_ += static_cast<char>(b); }
  void real(double v) {
    const auto bits = std::bit_cast<std::uint64_t>(v);
    for (unsigned i = 0; i < 8; ++i) bytes_ += static_cast<char>(bits >> (8 * i));
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class in {
 public:
  explicit in(std::string_view bytes) : left_{bytes} {}
  bool empty() const { return left_.empty(); }
  std::uint64_t number() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto b = byte();
      v |= std::uint64_t{b & 0x7FU} << shift;
      if (b < 0x80) return v;
    }
    throw damaged("a stored number is too long");
  }
  std::int64_t signed_number() { return static_cast<std::int64_t>(number()); }
  std::string_view text() {
    const auto size = number();
    if (size > left_.size()) throw damaged("a stored text ends early");
    const auto t = left_.substr(0, size);
    left_.remove_prefix(size);
    return t;
  }
  double real() {
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i) bits |= std::uint64_t{byte()} << (8 * i);
    return std::bit_cast<double>(bits);
  }
  std::uint8_t octet() { return byte(); }

 private:
  std::uint8_t byte() {
    if (left_.empty()) throw damaged("a stored value ends early");
    const auto b = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return b;
  }
  std::string_view left_;
};

}  // namespace belfry::core::codec
