// READER: what the parsers of this folder share. For its own files only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/errors/result.hpp"
#include "core/text/utf8.hpp"

namespace belfry::core::time_text {

inline failure refuse(std::string_view what, std::string_view text, std::string_view forms,
                      std::string_view why) {
  failure f{errc::invalid, "not a " + std::string{what} + ": " + std::string{why}, {}, {}};
  f.problems.push_back({"", shown(text, 60), std::string{forms}, std::string{why}});
  return f;
}

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a text from left to right. Everything that can go wrong is a missing value, never an exception.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool skip(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool skip(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string_view digits() {
    std::size_t n = 0;
    while (n < rest_.size() && is_digit(rest_[n])) ++n;
    const auto found = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return found;
  }
  // Exactly `count` digits.
  std::optional<int> number(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i])) return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

 private:
  std::string_view rest_;
};

inline void append_padded(std::string& out, std::int64_t value, std::size_t width) {
  const auto text = std::to_string(value);
  if (text.size() < width) out.append(width - text.size(), '0');
  out += text;
}

}  // namespace belfry::core::time_text
