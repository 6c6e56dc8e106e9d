#include "core/ids/id.hpp"

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <limits>
#include <set>

#include "core/time/text.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {
constexpr instant noon = from_micros(1'795'255'200'000'000);
constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
}  // namespace

TEST_CASE("ids: an id reads as its prefix and thirteen Crockford digits", "[core][ids]") {
  CHECK(to_string(run_id{1}) == "run_0000000000001");
  CHECK(to_string(job_id{32}) == "job_0000000000010");
  CHECK(to_string(session_id{greatest}) == "ses_7ZZZZZZZZZZZZ");
  CHECK(to_string(batch_id{}) == "bat_0000000000000");
}

TEST_CASE("ids: text and id are each other's inverse, and order is the same in both",
          "[core][ids][property]") {
  rc::prop("round trip", [] {
    const auto value = *rc::gen::inRange<std::int64_t>(1, greatest);
    const auto text = to_string(run_id{value});
    RC_ASSERT(text.size() == 17U);
    const auto back = parse_id<run_id>(text);
    RC_ASSERT(back.ok());
    RC_ASSERT(back->value == value);
  });
  rc::prop("order", [] {
    const auto a = *rc::gen::inRange<std::int64_t>(1, greatest);
    const auto b = *rc::gen::inRange<std::int64_t>(1, greatest);
    RC_ASSERT((a < b) == (to_string(run_id{a}) < to_string(run_id{b})));
  });
}

TEST_CASE("ids: what people type by mistake is understood", "[core][ids]") {
  const auto canonical = parse_id<run_id>("run_01HZX3K9QWERT");
  REQUIRE(canonical.ok());
  CHECK(parse_id<run_id>("run_01hzx3k9qwert")->value == canonical->value);
  CHECK(parse_id<run_id>("run_OLHZX3K9QWERT")->value == canonical->value);
  CHECK(parse_id<run_id>("run_oiHZX3K9QWERT")->value == canonical->value);
}

TEST_CASE("ids: what is no id is refused with what would be one", "[core][ids]") {
  for (const char* text : {"", "run_", "01HZX3K9QWERT", "job_01HZX3K9QWERT", "RUN_01HZX3K9QWERT",
                           "run_01HZX3K9QWER", "run_01HZX3K9QWERTT", "run_81HZX3K9QWERT", "run_Z1HZX3K9QWERT",
                           "run_0000000000000", "run_01HZX3K9QWERU", "run_01HZX3K9 WERT"}) {
    INFO(text);
    const auto id = parse_id<run_id>(text);
    REQUIRE(id.refused_with(errc::invalid));
    REQUIRE(id.error().problems.size() == 1);
    CHECK(id.error().problems[0].allowed.find("run_") == 0);
  }
}

TEST_CASE("ids: no text harms", "[core][ids][property]") {
  rc::prop("garbage", [](const std::string& text) {
    const auto a = parse_id<run_id>(text);
    const auto b = parse_id<run_id>("run_" + text);
    if (a.ok()) RC_ASSERT(to_string(*a).size() == 17U);
    if (!b.ok()) RC_ASSERT(b.error().problems.size() == 1U);
  });
}

TEST_CASE("ids: ids only grow and never repeat, whatever the clock does", "[core][ids][property]") {
  rc::prop("grow", [](const std::vector<std::int16_t>& jumps, std::uint8_t node) {
    id_source source{node};
    instant now = noon;
    std::int64_t last = 0;
    for (const auto jump : jumps) {
      now += std::chrono::milliseconds{jump};
      const auto id = source.next(now);
      RC_ASSERT(id > last);
      RC_ASSERT((id >> 13 & 0xFF) == node);
      last = id;
    }
    RC_ASSERT(source.last() == last);
  });
}

TEST_CASE("ids: a source goes on after the greatest id of the store, also after another node's",
          "[core][ids][property]") {
  rc::prop("goes on", [](std::uint8_t node) {
    const auto last = *rc::gen::inRange<std::int64_t>(0, greatest >> 1);
    id_source source{node, last};
    const auto first = source.next(noon);
    RC_ASSERT(first > last);
    RC_ASSERT(source.next(noon) > first);
    RC_ASSERT((first >> 13 & 0xFF) == node);
  });
}

TEST_CASE("ids: a burst borrows from the next millisecond", "[core][ids]") {
  id_source source{3};
  std::set<std::int64_t> seen;
  for (int i = 0; i < 20'000; ++i) seen.insert(source.next(noon));
  CHECK(seen.size() == 20'000);
  CHECK(made_at(*seen.begin()) == noon);
  CHECK(made_at(*seen.rbegin()) == noon + 2ms);
  const auto later_id = source.next(noon + 10ms);
  CHECK(made_at(later_id) == noon + 10ms);
}

TEST_CASE("ids: an id tells the millisecond that it was made in", "[core][ids]") {
  id_source source{255};
  CHECK(made_at(source.next(noon + 999us)) == noon);
  CHECK(to_rfc3339(made_at(0)) == "2020-01-01T00:00:00.000Z");
  // Before 2020 there is no time to put into an id, but there is one all the same.
  id_source early{0};
  CHECK(early.next(never) > 0);
}

TEST_CASE("ids: an id given from outside must not be from the far future", "[core][ids]") {
  id_source source{1};
  CHECK(acceptable_id(source.next(noon), noon));
  CHECK(acceptable_id(source.next(noon + 24h), noon));
  CHECK_FALSE(acceptable_id(source.next(noon + 25h), noon));
  CHECK_FALSE(acceptable_id(greatest, noon));
  CHECK_FALSE(acceptable_id(0, noon));
  CHECK_FALSE(acceptable_id(-1, noon));
}
