#include "platform/process/lines.hpp"

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

using namespace belfry;
using platform::line_splitter;
using platform::output_line;

namespace {

constexpr core::instant at = core::from_micros(1'000'000);
const std::string bad = "\xEF\xBF\xBD";

std::vector<std::string> cut(const std::vector<std::string>& reads) {
  line_splitter lines(core::log_stream::out);
  std::vector<output_line> out;
  for (const auto& bytes : reads) lines.feed(bytes, at, out);
  lines.finish(at, out);
  std::vector<std::string> texts;
  for (auto& line : out) texts.push_back(line.text);
  return texts;
}

using texts = std::vector<std::string>;

bool valid_utf8_without_nul(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto byte = [&](std::size_t k) {
      return i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0U;
    };
    const auto tail = [&](std::size_t k) { return byte(k) >= 0x80 && byte(k) <= 0xBF; };
    const unsigned b = byte(0);
    if (b > 0 && b < 0x80) {
      i += 1;
    } else if (b >= 0xC2 && b <= 0xDF && tail(1)) {
      i += 2;
    } else if (b >= 0xE0 && b <= 0xEF && tail(1) && tail(2) && !(b == 0xE0 && byte(1) < 0xA0) &&
               !(b == 0xED && byte(1) > 0x9F)) {
      i += 3;
    } else if (b >= 0xF0 && b <= 0xF4 && tail(1) && tail(2) && tail(3) && !(b == 0xF0 && byte(1) < 0x90) &&
               !(b == 0xF4 && byte(1) > 0x8F)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("lines: newlines end lines, and the last line needs none", "[platform][lines]") {
  CHECK(cut({"a\nb\n"}) == texts{"a", "b"});
  CHECK(cut({"a\nb"}) == texts{"a", "b"});
  CHECK(cut({"\n\n"}) == texts{"", ""});
  CHECK(cut({""}).empty());
  CHECK(cut({"a", "b", "\nc"}) == texts{"ab", "c"});
}

TEST_CASE("lines: a carriage return before the newline goes, any other stays", "[platform][lines]") {
  CHECK(cut({"a\r\nb\r\n"}) == texts{"a", "b"});
  CHECK(cut({"a\r", "\nb"}) == texts{"a", "b"});
  CHECK(cut({"10%\r20%\r\n"}) == texts{"10%\r20%"});
  CHECK(cut({"\r\r\n"}) == texts{"\r"});
}

TEST_CASE("lines: what is no text becomes U+FFFD, one per ill-formed part", "[platform][lines]") {
  CHECK(cut({std::string("a\0b", 3)}) == texts{"a" + bad + "b"});
  CHECK(cut({"\xFF\xFE"}) == texts{bad + bad});
  CHECK(cut({"\xE2\x82"}) == texts{bad});          // the end comes inside a character
  CHECK(cut({"\xE2\x82", "\xAC"}) == texts{"€"});  // the read ends inside a character
  CHECK(cut({"\xE2\x82\nx"}) == texts{bad, "x"});
  CHECK(cut({"\xC0\xAF"}) == texts{bad + bad});            // overlong
  CHECK(cut({"\xED\xA0\x80"}) == texts{bad + bad + bad});  // surrogate
  CHECK(cut({"\xF0\x9F\x98\x80"}) == texts{"😀"});
  CHECK(cut({"\xF0\x80\x80\x41"}) == texts{bad + bad + bad + "A"});
  CHECK(cut({"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"}) ==
        texts{"a" + bad + bad + bad + "b" + bad + "c" + bad + bad + "d"});  // Unicode 15, table 3-8
}

TEST_CASE("lines: a long line is split between characters", "[platform][lines]") {
  constexpr std::size_t most = line_splitter::longest;
  CHECK(cut({std::string(most, 'x') + "\n"}).size() == 1);
  CHECK(cut({std::string(most, 'x') + "\r\n"}).size() == 1);
  const auto two = cut({std::string(most + 1, 'x') + "\ny"});
  REQUIRE(two.size() == 3);
  CHECK(two[0].size() == most);
  CHECK(two[1] == "x");
  CHECK(two[2] == "y");
  std::string euros;
  for (std::size_t i = 0; i < most; ++i) euros += "€";
  const auto pieces = cut({euros});
  CHECK(pieces.size() == 4);
  std::string together;
  for (const auto& piece : pieces) {
    CHECK(piece.size() <= most);
    CHECK(valid_utf8_without_nul(piece));
    together += piece;
  }
  CHECK(together == euros);
}

TEST_CASE("lines: how the bytes were cut into reads does not show", "[platform][lines]") {
  rc::prop("same lines for any cut, all of them safe", [] {
    const auto alphabet =
        rc::gen::element<std::string>("\n", "\r", std::string(1, '\0'), "a", "é", "€", "😀", "\xE2", "\x82",
                                      "\xF0\x9F", "\xC3", "\xFF", std::string(5000, 'l'));
    const auto parts = *rc::gen::container<std::vector<std::string>>(alphabet);
    std::string whole;
    for (const auto& part : parts) whole += part;
    std::vector<std::string> single;
    for (const char c : whole) single.emplace_back(1, c);
    const auto expected = cut({whole});
    RC_ASSERT(cut(parts) == expected);
    RC_ASSERT(cut(single) == expected);
    for (const auto& line : expected) {
      RC_ASSERT(line.size() <= line_splitter::longest);
      RC_ASSERT(valid_utf8_without_nul(line));
    }
  });
}
