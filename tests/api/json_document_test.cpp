// The parser: what it takes, what it refuses and where, and that opaque values stay byte by byte what they
// are.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/json/document.hpp"
#include "api/json/nearest.hpp"

namespace belfry::api::json {
namespace {

std::string repeated(std::string_view s, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += s;
  return out;
}

core::failure refused(std::string_view text) {
  const auto d = document::parse(text);
  REQUIRE_FALSE(d);
  CHECK(d.error().code == core::errc::malformed);
  return d.error();
}

}  // namespace

TEST_CASE("json: every kind of value is found with its bytes", "[api][json]") {
  const std::string text = R"( {"a" : [1, -2.5e3, true, false, null, "x\ty"], "b":{}, "c":[]} )";
  const auto d = document::parse(text);
  REQUIRE(d);
  CHECK(d->at(0).what == kind::object);
  CHECK(d->at(0).count == 3);
  std::string store;
  CHECK(d->text(1, store) == "a");
  CHECK(d->at(2).what == kind::array);
  CHECK(d->at(2).count == 6);
  CHECK(d->raw(4) == "-2.5e3");
  CHECK(d->raw(2) == R"([1, -2.5e3, true, false, null, "x\ty"])");
  CHECK(d->text(8, store) == "x\ty");
  CHECK(d->at(2).next == 9);
}

TEST_CASE("json: texts are resolved, surrogate pairs and all", "[api][json]") {
  const std::string text = R"("\"\\\/\b\f\n\r\t\u0041\u00e4\u20ac\ud83d\ude00 ä€😀")";
  const auto d = document::parse(text);
  REQUIRE(d);
  std::string store;
  CHECK(d->text(0, store) == "\"\\/\b\f\n\r\tAä€😀 ä€😀");
}

TEST_CASE("json: what is no JSON is refused with the place", "[api][json]") {
  CHECK(refused("").text.find("empty") != std::string::npos);
  CHECK(refused("   ").text.find("empty") != std::string::npos);
  CHECK(refused("{\n  \"a\": 1,\n  b: 2\n}").text.find("line 3, column 3") != std::string::npos);
  for (const auto* bad : {"{",
                          "[",
                          "[1,]",
                          "[,1]",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{,}",
                          "{1:2}",
                          "tru",
                          "True",
                          "nul",
                          "01",
                          "-",
                          "1.",
                          ".5",
                          "+1",
                          "1e",
                          "1e+",
                          "0x1",
                          "NaN",
                          "'a'",
                          "\"a",
                          "\"\\x\"",
                          "\"\\u12\"",
                          "\"\\ud800\"",
                          "\"\\ud800\\u0041\"",
                          "\"\\udc00\"",
                          "\"\x01\"",
                          "\"\xff\"",
                          "\"\xc0\xaf\"",
                          "\"\xed\xa0\x80\"",
                          "\"\xf4\x90\x80\x80\"",
                          "\"\xe2\x82\"",
                          "[1 2]",
                          "{\"a\":1 \"b\":2}",
                          "1 2",
                          "{}x",
                          "[}",
                          "{]",
                          "\xEF\xBB\xBF{}"}) {
    INFO(bad);
    (void)refused(bad);
  }
}

TEST_CASE("json: 64 levels are taken, one more is not, and a hundred thousand cost no stack", "[api][json]") {
  CHECK(document::parse(repeated("[", 64) + repeated("]", 64)));
  CHECK(refused(repeated("[", 65) + repeated("]", 65)).text.find("64") != std::string::npos);
  (void)refused(repeated("[", 100'000));
  (void)refused(repeated("{\"a\":", 100'000) + "1" + repeated("}", 100'000));
  parse_limits more;
  more.depth = 200'000;
  CHECK(document::parse(repeated("[", 150'000) + repeated("]", 150'000), more));
}

TEST_CASE("json: a key twice in one object is refused, however it is written", "[api][json]") {
  (void)refused(R"({"a":1,"a":2})");
  (void)refused(R"({"a":1,"\u0061":2})");
  (void)refused(R"({"x":{"a":1,"b":2,"a":3}})");
  std::string many = "{\"k0\":0";
  for (int i = 1; i < 5000; ++i) many += ",\"k" + std::to_string(i) + "\":0";
  CHECK(document::parse(many + "}"));
  (void)refused(many + ",\"k77\":1}");
  CHECK(document::parse(R"({"a":{"a":{"a":1}},"b":{"a":1}})"));
}

TEST_CASE("json: a body above its limit is told so", "[api][json]") {
  parse_limits small;
  small.bytes = 4;
  const auto d = document::parse("[1,2]", small);
  REQUIRE_FALSE(d);
  CHECK(d.error().code == core::errc::too_large);
}

TEST_CASE("json: compacting leaves out white space between tokens and nothing else", "[api][json]") {
  const auto compact = [](std::string_view s) {
    std::string out;
    append_compact(out, s);
    return out;
  };
  CHECK(compact(" { \"a b\" :\n [ 1 , 2.50 , \" x \\\" y \" ] } ") == R"({"a b":[1,2.50," x \" y "]})");
  CHECK(compact("1e400") == "1e400");
  CHECK(compact("12345678901234567890") == "12345678901234567890");
  CHECK(compact("\"\\\\\" ") == "\"\\\\\"");
}

TEST_CASE("json: the nearest name is the one that was probably meant", "[api][json]") {
  const std::vector<std::string_view> names{"name", "handler", "priority", "timeout", "tags"};
  CHECK(nearest("nmae", names) == "name");
  CHECK(nearest("Priority", names) == "priority");
  CHECK(nearest("time_out", names) == "timeout");
  CHECK(nearest("tag", names) == "tags");
  CHECK(nearest("zebra", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest(std::string(5000, 'a'), names).empty());
  CHECK(edit_distance("abcd", "abdc") == 1);
  CHECK(edit_distance("", "abc") == 3);
}

}  // namespace belfry::api::json
