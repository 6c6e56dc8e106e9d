#include "tests/support/secrets.hpp"

#include <cstdio>
#include <cstdlib>

namespace belfry::test {
namespace {

constexpr std::size_t token_length = 43;

bool of_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// 256 random bits have letters of both cases and digits; a long name of ours has not.
bool random_looking(std::string_view word) {
  bool upper = false, lower = false, digit = false;
  for (const char c : word) {
    upper = upper || (c >= 'A' && c <= 'Z');
    lower = lower || (c >= 'a' && c <= 'z');
    digit = digit || (c >= '0' && c <= '9');
  }
  return upper && lower && digit;
}

}  // namespace

std::vector<std::string> token_like_words(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t from = 0; from < text.size();) {
    auto to = from;
    while (to < text.size() && of_token(text[to])) ++to;
    const auto word = text.substr(from, to - from);
    if (word.size() == token_length && random_looking(word)) found.emplace_back(word);
    from = to + 1;
  }
  return found;
}

void expect_no_token(std::string_view text, const std::string& where) {
  const auto found = token_like_words(text);
  if (found.empty()) return;
  const auto at = text.find(found.front());
  const auto line = text.rfind('\n', at) + 1;
  std::fprintf(stderr, "FAILED: a token stands in %s:\n%s\n", where.c_str(),
               std::string(text.substr(line, text.find('\n', at) - line)).c_str());
  std::abort();
}

}  // namespace belfry::test
