// The page about the wire says what the code says.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "messages/wire/fields.hpp"
#include "messages/wire/wire.hpp"

using namespace belfry;
namespace w = messages::wire;

TEST_CASE("wire: the page has the numbers of the code", "[wire]") {
  std::ifstream file("docs/reference/wire.md");
  std::stringstream read;
  read << file.rdbuf();
  const auto page = read.str();
  REQUIRE_FALSE(page.empty());
  const auto row = [&](auto first, const std::string& second) {
    CHECK_THAT(page, Catch::Contains("| " + std::to_string(first) + " | `" + second + "` |"));
  };
  const auto number = [](w::kind k) { return static_cast<int>(k); };
  row(number(w::kind::hello), "hello");
  row(number(w::kind::welcome), "welcome");
  row(number(w::kind::refused), "refused");
  row(number(w::kind::beat), "beat");
  row(number(w::kind::beaten), "beaten");
  row(number(w::kind::good_bye), "good_bye");
  row(number(w::kind::ask), "ask");
  row(number(w::kind::answer), "answer");
  row(number(w::kind::stop), "stop");
  row(number(w::kind::steer), "steer");
  const auto bound = [&](const std::string& what, std::size_t most, const std::string& of) {
    CHECK_THAT(page, Catch::Contains("| " + what + " | " + std::to_string(most) + of + " |"));
  };
  bound("one body", w::longest_body, " bytes");
  bound("a word: names, labels, versions", w::longest_word, " bytes");
  bound("a text for people", w::longest_line, " bytes");
  bound("a payload, a result, a checkpoint, one log line", w::longest_value, " bytes");
  bound("labels, capabilities", w::most_words, "");
  bound("items of one request or answer", w::most_items, "");
  bound("sessions and runs in a hello", w::most_held, "");
  CHECK_THAT(page, Catch::Contains("today " + std::to_string(core::wire_version) + ")"));
}
