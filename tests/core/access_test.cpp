#include "core/operators/access.hpp"

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

using namespace belfry;
using core::role;

namespace {

const std::string hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

// Put together piece by piece: g++ 12 sees ghosts in a chain of +.
std::string line(std::string name, std::string_view role_word, std::string_view hash) {
  name += ' ';
  name += role_word;
  name += ' ';
  name += hash;
  return name;
}

core::access_options two_tokens() {
  core::access_options o;
  o.tokens.push_back({"ci", role::work, {}});
  o.tokens.push_back({"ops", role::operate, {}});
  o.tokens[0].hash[0] = 1;
  o.tokens[1].hash[31] = 1;
  return o;
}

}  // namespace

TEST_CASE("access: a declared token is a name, a role and a hash, and comes back as it was written",
          "[access]") {
  const auto t = core::parse_access_token(line("ci", "work", hex));
  REQUIRE(t);
  CHECK(t->name == "ci");
  CHECK(t->may == role::work);
  CHECK(t->hash[1] == 0x11);
  CHECK(core::to_text(*t) == line("ci", "work", hex));
  rc::prop("any token", [] {
    core::access_token any;
    any.name = "n" + std::to_string(*rc::gen::arbitrary<std::uint32_t>());
    any.may = static_cast<role>(*rc::gen::inRange(1, 5));
    for (auto& b : any.hash) b = *rc::gen::arbitrary<std::uint8_t>();
    const auto back = core::parse_access_token(core::to_text(any));
    RC_ASSERT(back);
    RC_ASSERT(*back == any);
  });
}

TEST_CASE("access: a line that declares no token is refused with what it should be", "[access]") {
  const auto why = [](const std::string& line) {
    const auto t = core::parse_access_token(line);
    return t ? std::string{"taken"} : t.error().text;
  };
  CHECK(why("").find("the name is") != std::string::npos);
  CHECK(why(line("a/b", "work", hex)).find("the name is") != std::string::npos);
  CHECK(why(line(std::string(41, 'a'), "work", hex)).find("the name is") != std::string::npos);
  CHECK(why(line("ci", "root", hex)).find("read, work, operate or admin") != std::string::npos);
  CHECK(why(line("ci", "none", hex)).find("read, work, operate or admin") != std::string::npos);
  CHECK(why(line("ci", "work", hex.substr(1))).find("64 hex digits") != std::string::npos);
  CHECK(why(line("ci", "work", std::string(64, 'A'))).find("64 hex digits") != std::string::npos);
  CHECK(why(line("ci", "work", hex + " x")).find("three words") != std::string::npos);
  auto twice = two_tokens();
  twice.tokens[1].name = "ci";
  REQUIRE(core::check(twice).size() == 1);
  CHECK(core::check(twice)[0].pointer == "tokens/1");
  CHECK(core::check(two_tokens()).empty());
}

TEST_CASE("access: a token stands for its role, one that is not known for nothing", "[access]") {
  const auto o = two_tokens();
  const auto ci = core::admit(o, false, &o.tokens[0].hash);
  REQUIRE(ci);
  CHECK(ci->may == role::work);
  CHECK(ci->token == "ci");
  CHECK(core::admit(o, true, &o.tokens[1].hash)->may == role::operate);
  core::token_hash other{};
  CHECK_FALSE(core::admit(o, false, &other));
  CHECK_FALSE(core::admit(o, true, &other));
}

TEST_CASE("access: without a token everything is open until a token is declared, then nothing", "[access]") {
  core::access_options o;
  CHECK(core::admit(o, false, nullptr)->may == role::admin);
  CHECK(core::admit(two_tokens(), false, nullptr)->may == role::none);
  CHECK(core::admit(two_tokens(), true, nullptr)->may == role::admin);
  o = two_tokens();
  o.without_token = role::read;
  CHECK(core::admit(o, false, nullptr)->may == role::read);
}
