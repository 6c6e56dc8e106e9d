#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include "core/text/utf8.hpp"
#include "core/text/word.hpp"

using namespace belfry::core;

TEST_CASE("utf-8: characters are counted, and what is not UTF-8 is seen", "[core][text]") {
  CHECK(count_utf8("") == 0U);
  CHECK(count_utf8("bell") == 4U);
  CHECK(count_utf8("Glöckchen") == 9U);
  CHECK(count_utf8("鐘楼") == 2U);
  CHECK(count_utf8("🔔") == 1U);
  for (const char* text :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE9\x90", "ab\xFF", "\xE9\x90\x28"})
    CHECK_FALSE(valid_utf8(text));
}

TEST_CASE("utf-8: a cut never splits a character", "[core][text]") {
  CHECK(cut_utf8("bell", 10) == "bell");
  CHECK(cut_utf8("bell", 2) == "be");
  CHECK(cut_utf8("ö", 1).empty());
  CHECK(cut_utf8("a鐘b", 3) == "a");
  CHECK(cut_utf8("a鐘b", 4) == "a鐘");
  CHECK(cut_utf8("🔔", 3).empty());
}

TEST_CASE("utf-8: what is shown of any text is valid, short and on one line", "[core][text][property]") {
  rc::prop("shown", [](const std::string& text) {
    const auto out = shown(text, 20);
    RC_ASSERT(valid_utf8(out));
    RC_ASSERT(out.size() <= 20U + 3U);
    RC_ASSERT(out.find('\n') == std::string::npos);
  });
  rc::prop("cut", [](const std::string& text) {
    const auto n = *rc::gen::inRange<std::size_t>(0, 30);
    const auto cut = cut_utf8(text, n);
    RC_ASSERT(cut.size() <= n || cut.size() == text.size());
    RC_ASSERT(text.starts_with(cut));
    if (valid_utf8(text)) RC_ASSERT(valid_utf8(cut));
  });
}

TEST_CASE("words: white space at the ends goes, letters become small, nothing else changes", "[core][text]") {
  const auto trimmed = [](std::string s) {
    trim(s);
    return s;
  };
  CHECK(trimmed("  gpu\t\n") == "gpu");
  CHECK(trimmed("a b") == "a b");
  CHECK(trimmed(" \t ").empty());
  CHECK(trimmed("").empty());
  std::string s = "GPU-Ä";
  lower_ascii(s);
  CHECK(s == "gpu-Ä");
}

TEST_CASE("words: a blank, a long, a broken and a controlling word are each refused once", "[core][text]") {
  const auto problems = [](std::string_view text, blank b) {
    std::vector<field_problem> found;
    check_word(found, "/lane", text, 5, b);
    return found.size();
  };
  CHECK(problems("", blank::fine) == 0);
  CHECK(problems("", blank::refused) == 1);
  CHECK(problems("  ", blank::refused) == 1);
  CHECK(problems("äöüßé", blank::fine) == 0);
  CHECK(problems("äöüßéx", blank::fine) == 1);
  CHECK(problems("a\nb", blank::fine) == 1);
  CHECK(problems("a\x7F", blank::fine) == 1);
  CHECK(problems("\xFF", blank::fine) == 1);
}
