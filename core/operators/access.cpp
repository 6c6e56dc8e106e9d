#include "core/operators/access.hpp"

#include <algorithm>
#include <array>

namespace belfry::core {
namespace {

constexpr std::array<std::string_view, 5> role_names{"none", "read", "work", "operate", "admin"};
constexpr std::size_t longest_name = 40;
constexpr std::size_t most_tokens = 1000;
constexpr std::string_view digits = "0123456789abcdef";

failure no_token(std::string_view line, std::string why) {
  failure f{errc::invalid,
            "\"" + std::string{line.substr(0, 60)} + "\" declares no access token: " + why,
            {},
            "belfry access create NAME --role work"};
  return f;
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

// The next word, cut off.
std::string_view word_of(std::string_view& rest) {
  const auto from = std::min(rest.find_first_not_of(' '), rest.size());
  rest.remove_prefix(from);
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

std::optional<token_hash> hash_of(std::string_view hex) {
  token_hash hash{};
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const auto value = digits.find(hex[i]);
    if (value == std::string_view::npos) return std::nullopt;
    hash[i / 2] =
        static_cast<std::uint8_t>((static_cast<unsigned>(hash[i / 2]) << 4U) | static_cast<unsigned>(value));
  }
  return hash;
}

// As long for a nearly right one as for a wrong one.
bool same(const token_hash& a, const token_hash& b) {
  std::uint8_t differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing = static_cast<std::uint8_t>(differing | (a[i] ^ b[i]));
  return differing == 0;
}

}  // namespace

std::string_view to_text(role r) { return role_names.at(static_cast<std::size_t>(r)); }

result<access_token> parse_access_token(std::string_view line) {
  auto rest = line;
  const auto name = word_of(rest);
  const auto role_word = word_of(rest);
  const auto hex = word_of(rest);
  if (!word_of(rest).empty()) return no_token(line, "it is \"NAME ROLE SHA256\", three words");
  if (!good_name(name)) return no_token(line, "the name is 1 to 40 letters, digits and . _ -");
  const auto found = std::find(role_names.begin() + 1, role_names.end(), role_word);
  if (found == role_names.end()) return no_token(line, "the role is read, work, operate or admin");
  const auto hash = hash_of(hex);
  if (!hash) return no_token(line, "the last word is the SHA-256 of the token, 64 hex digits in lower case");
  return access_token{std::string{name}, static_cast<role>(found - role_names.begin()), *hash};
}

std::string to_text(const access_token& t) {
  auto out = t.name + " " + std::string{to_text(t.may)} + " ";
  for (const auto b : t.hash) {
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
  return out;
}

std::vector<field_problem> check(const access_options& o) {
  std::vector<field_problem> found;
  if (o.tokens.size() > most_tokens)
    found.push_back({"tokens", std::to_string(o.tokens.size()), "at most 1000", "there are too many"});
  for (std::size_t i = 0; i < o.tokens.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (o.tokens[k].name == o.tokens[i].name)
        found.push_back(
            {"tokens/" + std::to_string(i), o.tokens[i].name, "a name once", "it is given twice"});
  return found;
}

std::optional<visitor> admit(const access_options& o, bool own_socket, const token_hash* shown) {
  if (shown != nullptr) {
    const access_token* found = nullptr;
    for (const auto& t : o.tokens)
      if (same(t.hash, *shown)) found = &t;
    if (found == nullptr) return std::nullopt;
    return visitor{found->may, found->name};
  }
  if (own_socket) return visitor{role::admin, {}};
  return visitor{o.without_token.value_or(o.tokens.empty() ? role::admin : role::none), {}};
}

}  // namespace belfry::core
