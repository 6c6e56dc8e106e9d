#include <catch2/catch.hpp>

#include "app/output/table.hpp"
#include "app/output/words.hpp"

namespace belfry::app {

using namespace std::chrono_literals;

TEST_CASE("table: columns are aligned, and no line is wider than the terminal", "[app][output]") {
  table t({{"ID"}, {"NAME", false, 6}, {"N", true}, {"REMARK", false, 8}});
  t.row({"run_1", "a name that is rather long", "7", "something that nobody can read in full here"});
  t.row({"run_22", "b", "1234", ""});
  terminal wide;  // nobody looks: nothing is cut off
  CHECK(t.text(wide) ==
        "ID      NAME                           N  REMARK\n"
        "run_1   a name that is rather long     7  something that nobody can read in full here\n"
        "run_22  b                           1234\n");
  terminal narrow;
  narrow.width = 40;
  std::string text = t.text(narrow);
  for (std::size_t from = 0; from < text.size();) {
    const auto end = text.find('\n', from);
    CHECK(columns_of(text.substr(from, end - from)) <= 40);
    from = end + 1;
  }
  CHECK(text.find("…") != std::string::npos);
}

TEST_CASE("table: names of others cannot steer the terminal", "[app][output]") {
  table t({{"NAME"}});
  t.row({std::string("a\x1b[2Jb\nc\td\xE2\x80\xAE")});
  CHECK(t.text(terminal{}) == "NAME\na?[2Jb c d?\n");
  CHECK(printable("\xC3\x28") == "?(");
}

TEST_CASE("table: wide characters take two columns", "[app][output]") {
  CHECK(columns_of("日本") == 4);
  CHECK(columns_of("aé") == 2);
  CHECK(fitted("日本語", 5) == "日本…");
  CHECK(fitted("abc", 3) == "abc");
  CHECK(fitted("abcd", 3) == "ab…");
}

TEST_CASE("colours: only where they were allowed", "[app][output]") {
  terminal t;
  CHECK(t.paint("x", colour::red) == "x");
  t.colours = true;
  CHECK(t.paint("x", colour::red) == "\x1b[31mx\x1b[0m");
}

TEST_CASE("words: instants, lengths and sizes as people read them", "[app][output]") {
  const core::instant at = core::from_micros(1'800'000'000'000'000);
  CHECK(ago(at - 3s, at) == "3s ago");
  CHECK(ago(at - 100ms, at) == "now");
  CHECK(ago(at + 5min, at) == "in 5m");
  CHECK(ago(at - 50h, at) == "2d2h ago");
  CHECK(ago(core::never, at).empty());
  CHECK(lasting(87) == "87ms");
  CHECK(lasting(1234) == "1.2s");
  CHECK(lasting(2000) == "2s");
  CHECK(lasting(59'990) == "60s");
  CHECK(lasting(192'000) == "3m12s");
  CHECK(lasting(5 * 3'600'000) == "5h");
  CHECK(sized(512) == "512 B");
  CHECK(sized(1536) == "1.5 KiB");
  CHECK(sized(3ULL << 30U) == "3 GiB");
}

TEST_CASE("sizes: text and number and back", "[app][output]") {
  CHECK(*parse_size("64MiB") == 64ULL << 20U);
  CHECK(*parse_size("10MB") == 10'000'000);
  CHECK(*parse_size("500k") == 512'000);
  CHECK(*parse_size("4096") == 4096);
  for (const auto* bad : {"", "MiB", "-1", "1.5GiB", "3 MiB", "9x", "99999999999TiB"})
    CHECK_FALSE(parse_size(bad));
  for (const std::uint64_t bytes : {0ULL, 1ULL, 1000ULL, 1024ULL, 65'536ULL, 1ULL << 20U, 3ULL << 40U})
    CHECK(*parse_size(size_text(bytes)) == bytes);
}

}  // namespace belfry::app
