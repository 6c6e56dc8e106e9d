#include "core/session/wake_sink.hpp"

#include <algorithm>
#include <array>

#include "core/text/base64.hpp"
#include "core/text/word.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t longest_url = 2000;
constexpr std::size_t most_words = 64;
constexpr std::size_t longest_word = 4096;
constexpr std::size_t longest_variable = 100;
constexpr std::size_t least_key = 24, most_key = 64;
constexpr std::string_view by_value = "whsec_", by_name = "env:";

constexpr std::array<std::string_view, 4> names{"poll", "webhook", "command", "none"};

bool starts_with_any_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char want, char is) {
           return want == (is >= 'A' && is <= 'Z' ? static_cast<char>(is - 'A' + 'a') : is);
         });
}

// What is wrong with an address; empty: nothing.
std::string_view url_trouble(std::string_view url) {
  if (url.empty()) return "a webhook needs an address";
  if (url.size() > longest_url) return "it is too long";
  if (std::any_of(url.begin(), url.end(), [](char c) { return c <= 0x20 || c == 0x7F || c < 0; }))
    return "white space and characters beyond ASCII have to be escaped";
  std::string_view rest;
  if (starts_with_any_case(url, "http://"))
    rest = url.substr(7);
  else if (starts_with_any_case(url, "https://"))
    rest = url.substr(8);
  else
    return "only http and https are spoken";
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority.front() == ':') return "there is no host in it";
  if (authority.find('@') != std::string_view::npos) return "a user does not belong into it";
  if (authority.find('\\') != std::string_view::npos) return "there is no such host";
  if (url.find('#') != std::string_view::npos) return "a fragment means nothing here";
  return {};
}

bool is_variable(std::string_view name) {
  return name.starts_with(secret_variable_prefix) && name.size() > secret_variable_prefix.size() &&
         name.size() <= longest_variable && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

void check_webhook(const wake_sink& s, const std::string& base, std::vector<field_problem>& found) {
  if (const auto trouble = url_trouble(s.url); !trouble.empty())
    found.push_back({base + "/url", shown_url(s.url.substr(0, 100)),
                     "an address such as https://example.org/wakes", std::string{trouble}});
  const bool good = s.secret.starts_with(by_name) ? is_variable(s.secret.substr(by_name.size()))
                                                  : webhook_key(s.secret).has_value();
  if (!good)
    found.push_back(
        {base + "/secret", "",
         "whsec_ and 24 to 64 bytes in base64, or env: and the name of a variable of the node that "
         "begins with " +
             std::string{secret_variable_prefix},
         s.secret.empty() ? "a webhook is signed, so it needs a secret" : "it is not a secret"});
}

void check_command(const wake_sink& s, const std::string& base, std::vector<field_problem>& found) {
  if (s.argv.empty() || s.argv.size() > most_words || s.argv.front().empty())
    found.push_back({base + "/argv", std::to_string(s.argv.size()) + " words", "1 to 64, the program first",
                     "a command needs a program"});
  for (std::size_t i = 0; i < s.argv.size(); ++i)
    if (s.argv[i].size() > longest_word || s.argv[i].find('\0') != std::string::npos)
      found.push_back({base + "/argv/" + std::to_string(i), "", "at most 4096 bytes, without NUL",
                       "it cannot be an argument"});
  if (!s.cwd.empty() &&
      (s.cwd.front() != '/' || s.cwd.size() > longest_word || s.cwd.find('\0') != std::string::npos))
    found.push_back({base + "/cwd", s.cwd.substr(0, 100), "an absolute path", "it is not one"});
}

}  // namespace

std::string_view to_text(wake_via v) {
  switch (v) {
    case wake_via::poll: return names[0];
    case wake_via::webhook: return names[1];
    case wake_via::command: return names[2];
    case wake_via::none: return names[3];
  }
  return "unknown";
}

std::optional<wake_via> wake_via_from(std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return static_cast<wake_via>(i);
  return std::nullopt;
}

std::vector<field_problem> check(const wake_sink& s, const std::string& base) {
  std::vector<field_problem> found;
  const auto stray = [&](bool given, const char* member, const char* belongs) {
    if (given)
      found.push_back({base + "/" + member, "", std::string{"only with \"sink\": \""} + belongs + "\"",
                       "the sink " + std::string{to_text(s.via)} + " has no such member"});
  };
  if (s.via == wake_via::webhook) {
    check_webhook(s, base, found);
  } else {
    stray(!s.url.empty(), "url", "webhook");
    stray(!s.secret.empty(), "secret", "webhook");
  }
  if (s.via == wake_via::command) {
    check_command(s, base, found);
  } else {
    stray(!s.argv.empty(), "argv", "command");
    stray(!s.cwd.empty(), "cwd", "command");
  }
  if (s.timeout < std::chrono::milliseconds{100} || s.timeout > std::chrono::seconds{60})
    found.push_back({base + "/timeout", std::to_string(millis(s.timeout)) + " ms", "100ms to 60s",
                     "not a time for a webhook or a command"});
  return found;
}

std::optional<std::string> webhook_key(std::string_view secret) {
  if (!secret.starts_with(by_value)) return std::nullopt;
  auto key = from_base64(secret.substr(by_value.size()));
  if (!key || key->size() < least_key || key->size() > most_key) return std::nullopt;
  return key;
}

std::string shown_url(std::string_view url) {
  const auto query = url.find('?');
  if (query == std::string_view::npos) return std::string{url};
  return std::string{url.substr(0, query)} + "?…";
}

}  // namespace belfry::core
