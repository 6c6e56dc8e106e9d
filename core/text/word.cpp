#include "core/text/word.hpp"

#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

constexpr std::string_view white = " \t\r\n\v\f";
constexpr std::size_t shown_bytes = 80;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
}

}  // namespace

void trim(std::string& text) {
  const auto last = text.find_last_not_of(white);
  text.erase(last == std::string::npos ? 0 : last + 1);
  text.erase(0, std::min(text.find_first_not_of(white), text.size()));
}

void lower_ascii(std::string& text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
}

void check_word(std::vector<field_problem>& found, const place& pointer, std::string_view text,
                std::size_t characters, blank when_empty) {
  const auto no = [&](std::string detail) {
    found.push_back({pointer.text(), shown(text, shown_bytes),
                     (when_empty == blank::refused ? "1 to " : "at most ") + std::to_string(characters) +
                         " characters, without control characters",
                     std::move(detail)});
  };
  const auto count = count_utf8(text);
  if (!count) return no("it is not valid UTF-8");
  if (*count > characters) return no("it has " + std::to_string(*count) + " characters");
  if (has_control(text)) return no("it has a control character");
  if (when_empty == blank::refused && text.find_first_not_of(white) == std::string_view::npos)
    return no("it is blank");
}

void check_words(std::vector<field_problem>& found, const place& pointer,
                 const std::vector<std::string>& words, std::size_t most, std::size_t characters) {
  if (words.size() > most) {
    // One problem instead of hundreds: what is said about each word would only hide it.
    found.push_back({pointer.text(), std::to_string(words.size()) + " words",
                     "at most " + std::to_string(most), "there are too many"});
    return;
  }
  for (const auto& w : words) check_word(found, pointer, w, characters, blank::refused);
}

}  // namespace belfry::core
