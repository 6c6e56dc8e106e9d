#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <limits>

#include "core/time/text.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

TEST_CASE("durations: every form is read exactly", "[core][time]") {
  const std::pair<const char*, span> forms[] = {{"0", 0us},
                                                {"0s", 0us},
                                                {"90s", 90s},
                                                {"1h30m", 90min},
                                                {"1.5s", 1500ms},
                                                {"250ms", 250ms},
                                                {"2d", 48h},
                                                {"7us", 7us},
                                                {"1.5h", 90min},
                                                {"1m30.25s", 90'250ms},
                                                {"0.5d", 12h},
                                                {"1d1h1m1s1ms1us", 90'061'001'001us},
                                                {"090s", 90s},
                                                {"1h90m", 150min},
                                                {"PT1M30S", 90s},
                                                {"P1D", 24h},
                                                {"P1DT2H", 26h},
                                                {"PT0.5S", 500ms},
                                                {"PT0,5S", 500ms},
                                                {"P2W", 14 * 24h},
                                                {"PT36H", 36h},
                                                {"0.000001s", 1us},
                                                {"1.500000000s", 1500ms}};
  for (const auto& [text, value] : forms) {
    INFO(text);
    const auto read = parse_span(text);
    REQUIRE(read.ok());
    CHECK(*read == value);
  }
}

TEST_CASE("durations: what has no unit or no sense is refused with the forms that exist", "[core][time]") {
  for (const char* text : {"",
                           "5",
                           "-5s",
                           "+5s",
                           "s",
                           "5x",
                           "5 s",
                           " 5s",
                           "5s ",
                           "1h 30m",
                           "30m1h",
                           "5s5s",
                           "1.5h30m",
                           "1.s",
                           ".5s",
                           "5S",
                           "1e3s",
                           "P",
                           "PT",
                           "P1Y",
                           "P1M",
                           "P1DT",
                           "P1W2D",
                           "P1D1W",
                           "PT1S1M",
                           "1P",
                           "pt1s",
                           "PT1.5M2S",
                           "0.5us",
                           "0.0000001s",
                           "99999999999999999999s",
                           "9223372036854775807s",
                           "106751992d",
                           "inf",
                           "nan"}) {
    INFO(text);
    const auto read = parse_span(text);
    REQUIRE(read.refused_with(errc::invalid));
    CHECK(read.error().problems.at(0).allowed.find("1h30m") != std::string::npos);
  }
}

TEST_CASE("durations: the text is the shortest exact one", "[core][time]") {
  CHECK(to_text(span{0}) == "0s");
  CHECK(to_text(90s) == "1m30s");
  CHECK(to_text(1h) == "1h");
  CHECK(to_text(36h) == "1d12h");
  CHECK(to_text(1500ms) == "1.5s");
  CHECK(to_text(250ms) == "250ms");
  CHECK(to_text(1500us) == "1500us");
  CHECK(to_text(24h + 1us) == "1d0.000001s");
  CHECK(to_text(-90s) == "-1m30s");
  CHECK(to_text(span::min()).front() == '-');
}

TEST_CASE("durations: reading gives back what was written", "[core][time][property]") {
  rc::prop("any size", [] {
    const auto bits = *rc::gen::inRange(0, 63);
    const span s{*rc::gen::inRange<std::int64_t>(0, std::numeric_limits<std::int64_t>::max()) >> bits};
    const auto back = parse_span(to_text(s));
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == s);
  });
  CHECK(*parse_span(to_text(span::max())) == span::max());
}

TEST_CASE("durations: no text harms, and none is negative", "[core][time][property]") {
  const auto pieces = rc::gen::element<std::string>("1", "999999999999999999", "P", "T", "h", "m", "s", "ms",
                                                    "us", "d", ".", ",", "W", "-", " ", "0");
  rc::prop("nearly right", [&] {
    std::string text;
    for (const auto& piece : *rc::gen::container<std::vector<std::string>>(pieces)) text += piece;
    const auto read = parse_span(text);
    if (read.ok()) RC_ASSERT(*read >= span{0});
  });
  rc::prop("garbage", [](const std::string& text) {
    const auto read = parse_span(text);
    if (read.ok()) RC_ASSERT(*read >= span{0});
  });
}

TEST_CASE("instants: RFC 3339 is read with any offset", "[core][time]") {
  const auto at = [](const char* text) {
    INFO(text);
    const auto read = parse_instant(text);
    REQUIRE(read.ok());
    return micros(*read);
  };
  CHECK(at("1970-01-01T00:00:00Z") == 0);
  CHECK(at("2026-11-21T10:00:00Z") == 1'795'255'200'000'000);
  CHECK(at("2026-11-21t10:00:00z") == 1'795'255'200'000'000);
  CHECK(at("2026-11-21 10:00:00Z") == 1'795'255'200'000'000);
  CHECK(at("2026-11-21T11:30:00+01:30") == 1'795'255'200'000'000);
  CHECK(at("2026-11-20T23:00:00-11:00") == 1'795'255'200'000'000);
  CHECK(at("2026-11-21T10:00:00-00:00") == 1'795'255'200'000'000);
  CHECK(at("2026-11-21T10:00:00.5Z") == 1'795'255'200'500'000);
  CHECK(at("2026-11-21T10:00:00.123456789Z") == 1'795'255'200'123'456);
  CHECK(at("2024-02-29T00:00:00Z") == 1'709'164'800'000'000);
  CHECK(at("2016-12-31T23:59:60Z") == at("2016-12-31T23:59:59.999999Z"));
  CHECK(from_micros(at("9999-12-31T23:59:59.999999Z")) == end_of_time);
}

TEST_CASE("instants: what is no point in time is refused", "[core][time]") {
  for (const char* text : {"",
                           "2026-11-21",
                           "2026-11-21T10:00:00",
                           "2026-11-21T10:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2026-11-31T00:00:00Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T10:60:00Z",
                           "2026-11-21T10:00:61Z",
                           "2026-11-21T10:00:00.Z",
                           "2026-11-21T10:00:00+1:00",
                           "2026-11-21T10:00:00+24:00",
                           "2026-11-21T10:00:00+01:60",
                           "2026-11-21T10:00:00Zx",
                           " 2026-11-21T10:00:00Z",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "26-11-21T10:00:00Z",
                           "2026-11-21X10:00:00Z",
                           "20261121T100000Z",
                           "+2026-11-21T10:00:00Z"}) {
    INFO(text);
    CHECK(parse_instant(text).refused_with(errc::invalid));
  }
}

TEST_CASE("instants: the text has milliseconds, or microseconds where there are some", "[core][time]") {
  CHECK(to_rfc3339(from_micros(1'795'255'200'000'000)) == "2026-11-21T10:00:00.000Z");
  CHECK(to_rfc3339(from_micros(1'795'255'200'120'000)) == "2026-11-21T10:00:00.120Z");
  CHECK(to_rfc3339(from_micros(1'795'255'200'120'001)) == "2026-11-21T10:00:00.120001Z");
  CHECK(to_rfc3339(never) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(instant::max()) == to_rfc3339(end_of_time));
}

TEST_CASE("instants: reading gives back what was written", "[core][time][property]") {
  rc::prop("round trip", [] {
    const auto t = from_micros(*rc::gen::inRange<std::int64_t>(0, micros(end_of_time)));
    const auto back = parse_instant(to_rfc3339(t));
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == t);
  });
  rc::prop("offsets", [] {
    const auto t =
        from_micros(*rc::gen::inRange<std::int64_t>(micros(end_of_time) / 4, micros(end_of_time) / 2));
    const auto h = *rc::gen::inRange(0, 24);
    auto text = to_rfc3339(t + std::chrono::hours{h});
    text.pop_back();
    text += h < 10 ? "+0" : "+";
    text += std::to_string(h) + ":00";
    RC_ASSERT(*parse_instant(text) == t);
  });
}

TEST_CASE("instants: no text harms", "[core][time][property]") {
  rc::prop("one character changed", [] {
    std::string text = "2026-11-21T10:00:00.123456+01:00";
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = *rc::gen::arbitrary<char>();
    const auto read = parse_instant(text);
    if (read.ok()) RC_ASSERT(*read >= never);
  });
  rc::prop("garbage", [](const std::string& text) {
    const auto read = parse_instant(text);
    if (read.ok()) RC_ASSERT(*read <= end_of_time);
  });
}

TEST_CASE("instants: a delay of any size leads to an instant that can be stored", "[core][time]") {
  CHECK(later(never, 5s) == never + 5s);
  CHECK(later(never + 10s, -5s) == never + 5s);
  CHECK(later(end_of_time, 1us) == end_of_time);
  CHECK(later(never + 1s, span::max()) == end_of_time);
  CHECK(later(never + 1s, span::min()) == never);
  CHECK(later(instant::max(), span::max()) == end_of_time);
  CHECK(later(instant::min(), span::min()) == never);
}
