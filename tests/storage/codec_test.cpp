// Codecs: what stands in columns can be read for ever.
#include <rapidcheck/catch.h>

#include "storage/apply/lookup.hpp"
#include "storage/apply/tallies.hpp"
#include "storage/codec/bytes.hpp"
#include "storage/memory/persistent_map.hpp"
#include "storage/sqlite/row_mapping.hpp"
#include "tests/support/store_fixture.hpp"

#include <map>

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
namespace codec = belfry::storage::codec;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto b = static_cast<std::uint8_t>(c);
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
  return out;
}

// A spec in which no field has its usual value.
core::run_spec full_spec() {
  core::run_spec s;
  s.name = "n";
  s.handler = core::handler_kind::process;
  s.process.argv = {"a", ""};
  s.process.shell = "sh";
  s.process.cwd = "/";
  s.process.env = {{"K", "V"}, {"E", ""}};
  s.process.stdin_text = "in";
  s.process.cpu_limit = 1s;
  s.process.memory_limit = 300;
  s.process.file_limit = 7;
  s.process.success_codes = {0, 255};
  s.process.retryable_codes = {75};
  s.prio = core::priority::urgent;
  s.lane = "l";
  s.needs.workspace = "w";
  s.needs.channel = "c";
  s.needs.capabilities = {"x", "y"};
  s.needs.preferred = {"p"};
  s.needs.agent_types = {"t"};
  s.needs.exact_session = core::session_id{9};
  s.needs.person_only = true;
  s.timeout = core::span{0};
  s.grace = 1s;
  s.retry = {1, 2, core::backoff_kind::linear, 2s, 1.5, 3s, 0.0};
  s.concurrency_key = "k";
  s.concurrency_limit = 2;
  s.tags = {"g", "h"};
  s.metadata = "{}";
  s.traceparent = "tp";
  s.unchecked.by = "u";
  s.hook.shell = "hk";
  return s;
}

core::run_spec any_spec() {
  core::run_spec s;
  const auto text = [] { return *rc::gen::string<std::string>(); };
  const auto texts = [] {
    return *rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>());
  };
  s.name = text();
  s.handler = *rc::gen::element(core::handler_kind::none, core::handler_kind::process);
  for (auto* p : {&s.process, &s.hook}) {
    p->argv = texts();
    p->shell = text();
    p->env = *rc::gen::container<std::vector<std::pair<std::string, std::string>>>(
        rc::gen::pair(rc::gen::string<std::string>(), rc::gen::string<std::string>()));
    p->memory_limit = *rc::gen::arbitrary<std::uint64_t>();
    p->cpu_limit = core::span{*rc::gen::arbitrary<std::int64_t>()};
    p->success_codes = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    p->retryable_codes = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  }
  s.prio = static_cast<core::priority>(*rc::gen::inRange(0, 4));
  s.needs.workspace = text();
  s.needs.capabilities = texts();
  s.needs.agent_types = texts();
  s.needs.channel = text();
  s.needs.exact_session.value = *rc::gen::arbitrary<std::int64_t>();
  s.timeout = core::span{*rc::gen::arbitrary<std::int64_t>()};
  s.retry.multiplier = *rc::gen::arbitrary<double>();
  s.retry.max_attempts = *rc::gen::arbitrary<std::uint16_t>();
  s.concurrency_limit = *rc::gen::arbitrary<std::uint32_t>();
  s.tags = texts();
  s.metadata = text();
  s.condition.argv = texts();
  s.condition.shell = text();
  // Without a command there is no condition, and nothing of it is kept.
  if (core::given(s.condition)) s.condition.timeout = core::span{*rc::gen::arbitrary<std::int64_t>()};
  return s;
}

}  // namespace

TEST_CASE("codec: golden bytes of the first release", "[codec]") {
  CHECK(hex(codec::encode_spec(core::run_spec{.name = "noop", .handler = core::handler_kind::none})) ==
        "0101046e6f6f70");
  CHECK(hex(codec::encode_spec(full_spec())) ==
        "01"
        "01016e"
        "0201"
        "0329"
        "010161"
        "0100"
        "02027368"
        "03012f"
        "04014b0156"
        "04014500"
        "0502696e"
        "06c0843d"
        "07ac02"
        "0807"
        "0900"
        "09ff01"
        "0a4b"
        "0400"
        "05016c"
        "070177"
        "061c"
        "3168313a6363313a7863313a7970313a7061313a7473313a396f303a"
        "0800"
        "09c0843d"
        "0a01"
        "0b02"
        "0c01"
        "0d80897a"
        "0e000000000000f83f"
        "0fc08db701"
        "100000000000000000"
        "11016b"
        "1202"
        "130167"
        "130168"
        "14027b7d"
        "15027470"
        "1604"
        "0202686b"
        "170175");
  auto needs = full_spec().needs;
  CHECK(codec::encode_needs(needs) == "1h1:cc1:xc1:yp1:pa1:ts1:9o0:");
  core::wake_sink sink;
  CHECK(codec::encode_sink(sink).empty());
  sink = {core::wake_via::command, "u", "s", {"a", ""}, "/d", 7s, true};
  CHECK(codec::encode_sink(sink) == "1v1:2u1:us1:sa1:aa0:d2:/dt7:7000000n0:");
  CHECK(codec::decode_sink(codec::encode_sink(sink)) == sink);
  CHECK(codec::decode_sink("") == core::wake_sink{});
  for (const auto* bad : {"2v1:1", "1v1:4", "1v2:-1", "1x0:", "1t1:x", "1u9:x"})
    CHECK_THROWS_AS(codec::decode_sink(bad), codec::damaged);
  CHECK(codec::encode_words({"gpu", "", "a:b"}) == "3:gpu0:3:a:b");
  CHECK(st::sqlite::encode_limits({1, 2, 3, 4}) == "1 1 2 3 4");
  CHECK(st::sqlite::decode_limits("1 1 2 3 4") == core::limit_options{1, 2, 3, 4});
  const core::limit_options fired{1, 2, 3, 4, 5, 6, std::chrono::minutes{7}};
  CHECK(st::sqlite::decode_limits(st::sqlite::encode_limits(fired)) == fired);
}

TEST_CASE("codec: what was encoded is decoded, the payload apart", "[codec]") {
  CHECK(codec::decode_spec(codec::encode_spec(full_spec())) == full_spec());
  CHECK(codec::decode_spec(codec::encode_spec(full_spec())).unchecked.by == "u");
  rc::prop("any spec", [] {
    const auto s = any_spec();
    RC_ASSERT(codec::decode_spec(codec::encode_spec(s)) == s);
  });
}

TEST_CASE("codec: a traceparent of version 00 takes 26 octets, any other text comes back as it was",
          "[codec]") {
  const std::string usual = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  core::run_spec s{.name = "n", .handler = core::handler_kind::none};
  const auto bare = codec::encode_spec(s).size();
  s.traceparent = usual;
  CHECK(codec::encode_spec(s).size() == bare + 26);
  CHECK(hex(codec::encode_spec(s)) ==
        "0101016e"
        "18"
        "4bf92f3577b34da6a3ce929d0e0e4736"
        "00f067aa0ba902b7"
        "01");
  const auto same = [&](std::string text) {
    s.traceparent = std::move(text);
    return codec::decode_spec(codec::encode_spec(s)).traceparent == s.traceparent;
  };
  CHECK(same(usual));
  CHECK(same("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  CHECK(same("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  CHECK(same(usual + "-extra"));
  rc::prop("one letter changed", [&] {
    auto text = usual;
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
    RC_ASSERT(same(text));
  });
}

TEST_CASE("codec: bytes that are none are refused, never misread", "[codec]") {
  CHECK_THROWS_AS(codec::decode_spec(""), codec::damaged);
  CHECK_THROWS_AS(codec::decode_spec(std::string{"\x02", 1}), codec::damaged);      // a later version
  CHECK_THROWS_AS(codec::decode_spec(std::string{"\x01\x7f", 2}), codec::damaged);  // an unknown field
  CHECK_THROWS_AS(codec::decode_spec(std::string{"\x01\x01\x05n", 4}), codec::damaged);
  CHECK_THROWS_AS(codec::decode_words("3:gp"), codec::damaged);
  CHECK_THROWS_AS(codec::decode_words("x"), codec::damaged);
  CHECK_THROWS_AS(st::sqlite::decode_limits("2 1 2 3 4"), codec::damaged);
  core::requirement into;
  CHECK_THROWS_AS(codec::decode_needs("2c1:x", into), codec::damaged);
  CHECK_THROWS_AS(codec::decode_needs("1z1:x", into), codec::damaged);
  const auto good = codec::encode_spec(full_spec());
  for (std::size_t n = 0; n < good.size(); ++n) {
    try {
      (void)codec::decode_spec(std::string_view{good}.substr(0, n));
    } catch (const codec::damaged&) {
    }
  }
  rc::prop("any bytes are a spec or damaged", [](const std::string& bytes) {
    try {
      (void)codec::decode_spec(bytes);
    } catch (const codec::damaged&) {
    }
  });
}

TEST_CASE("ids of a time: the range of ids holds exactly the ids made in a range of times", "[ids]") {
  rc::prop("bounds", [] {
    const auto us = *rc::gen::inRange<std::int64_t>(0, 400'000'000'000);
    const auto at = core::made_at(0) + core::span{us * 1000 + *rc::gen::inRange<std::int64_t>(0, 1000)};
    const auto first = st::least_id_made(at);
    RC_ASSERT(core::made_at(first) >= at);
    if (first > 0) RC_ASSERT(core::made_at(first - 1) < at);
    const auto last = st::greatest_id_made(at);
    RC_ASSERT(core::made_at(last) <= at);
    RC_ASSERT(core::made_at(last + 1) > at);
  });
  CHECK(st::least_id_made(core::never) == 0);
  CHECK(st::greatest_id_made(core::never) == 0);
  CHECK(st::least_id_made(core::from_micros(INT64_MAX)) == INT64_MAX);
}

TEST_CASE("lookup: the beginning of an id stands for all ids that begin with it", "[lookup]") {
  const auto whole = st::ids_meant("run_", "run_01HZX3K9QWERT");
  REQUIRE(whole.ok());
  CHECK(whole->first == whole->last);
  const auto some = st::ids_meant("run_", "run_01HZX3K9");
  REQUIRE(some.ok());
  CHECK(some->first <= whole->first);
  CHECK(whole->last <= some->last);
  CHECK(some->last - some->first == (std::int64_t{1} << 25) - 1);
  CHECK(core::id_text("run_", some->first).starts_with("run_01HZX3K9"));
  CHECK(core::id_text("run_", some->last).starts_with("run_01HZX3K9"));
  CHECK(!st::ids_meant("run_", "run_01HZ!3").ok());
  CHECK(!st::ids_meant("run_", "run_01HZX3K9QWERT9").ok());
  CHECK(!st::ids_meant("run_", "job_01HZX3").ok());
}

TEST_CASE("persistent map: behaves like a map, and its copies stay what they were", "[map]") {
  rc::prop("against std::map", [](const std::vector<std::tuple<bool, std::uint8_t, int>>& steps) {
    st::memory::persistent_map<int, int> map;
    std::map<int, int> model;
    std::vector<std::pair<st::memory::persistent_map<int, int>, std::map<int, int>>> past;
    for (const auto& [adds, key, value] : steps) {
      if (adds) {
        map.set(key, value);
        model[key] = value;
      } else {
        RC_ASSERT(map.erase(key) == (model.erase(key) > 0));
      }
      past.emplace_back(map, model);
    }
    for (const auto& [copy, then] : past) {
      RC_ASSERT(copy.size() == then.size());
      std::vector<std::pair<int, int>> up, down;
      copy.up(50, [&](int k, int v) {
        up.emplace_back(k, v);
        return true;
      });
      copy.down(200, [&](int k, int v) {
        down.emplace_back(k, v);
        return true;
      });
      std::vector<std::pair<int, int>> want_up(then.lower_bound(50), then.end());
      std::vector<std::pair<int, int>> want_down(then.begin(), then.upper_bound(200));
      std::reverse(want_down.begin(), want_down.end());
      RC_ASSERT(up == want_up);
      RC_ASSERT(down == want_down);
      for (const auto& [k, v] : then) RC_ASSERT(*copy.find(k) == v);
    }
  });
}
