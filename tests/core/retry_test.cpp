#include "core/run/retry.hpp"

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>
#include <limits>

using namespace belfry::core;
using namespace std::chrono_literals;

TEST_CASE("retry: the three kinds grow as they say, up to the cap", "[core][retry]") {
  retry_policy p;
  CHECK(retry_delay(p, 1, 0.5) == 1s);
  CHECK(retry_delay(p, 2, 0.5) == 2s);
  CHECK(retry_delay(p, 5, 0.5) == 16s);
  CHECK(retry_delay(p, 13, 0.5) == 1h);
  CHECK(retry_delay(p, 4'000'000'000U, 0.5) == 1h);
  p.kind = backoff_kind::linear;
  CHECK(retry_delay(p, 1, 0.5) == 1s);
  CHECK(retry_delay(p, 7, 0.5) == 7s);
  CHECK(retry_delay(p, 4'000, 0.5) == 1h);
  p.kind = backoff_kind::fixed;
  CHECK(retry_delay(p, 1, 0.5) == 1s);
  CHECK(retry_delay(p, 99, 0.5) == 1s);
}

TEST_CASE("retry: jitter moves the delay both ways by at most its share", "[core][retry]") {
  retry_policy p;
  p.base = 10s;
  CHECK(retry_delay(p, 1, 0.0) == 7s);
  CHECK(retry_delay(p, 1, 0.5) == 10s);
  CHECK(retry_delay(p, 1, 1.0) == 13s);
  p.jitter = 0;
  CHECK(retry_delay(p, 1, 0.0) == 10s);
  p.jitter = 1;
  CHECK(retry_delay(p, 1, 0.0) == 0s);
}

TEST_CASE("retry: the delay stays within its bounds and never shrinks with the attempts",
          "[core][retry][property]") {
  rc::prop("bounds", [] {
    retry_policy p;
    p.kind = *rc::gen::element(backoff_kind::fixed, backoff_kind::linear, backoff_kind::exponential);
    p.base = span{*rc::gen::inRange<std::int64_t>(0, span{24h}.count() + 1)};
    p.cap = span{*rc::gen::inRange<std::int64_t>(p.base.count(), span{7 * 24h}.count() + 1)};
    p.multiplier = 1.0 + *rc::gen::inRange(0, 91) / 10.0;
    p.jitter = *rc::gen::inRange(0, 11) / 10.0;
    const auto used = *rc::gen::inRange<std::uint32_t>(1, 1001);
    const auto unit = *rc::gen::inRange(0, 1000) / 1000.0;
    const auto middle = retry_delay(p, used, 0.5);
    RC_ASSERT(middle >= p.base - 1us);
    RC_ASSERT(middle <= p.cap);
    RC_ASSERT(retry_delay(p, used + 1, 0.5) >= middle);
    const auto d = retry_delay(p, used, unit);
    const auto width = span{static_cast<std::int64_t>(static_cast<double>(middle.count()) * p.jitter) + 2};
    RC_ASSERT(d >= middle - width);
    RC_ASSERT(d <= middle + width);
    RC_ASSERT(d >= span{0});
  });
}

TEST_CASE("retry: a policy that nobody checked does no harm", "[core][retry]") {
  retry_policy p;
  p.multiplier = std::numeric_limits<double>::quiet_NaN();
  p.jitter = std::numeric_limits<double>::infinity();
  CHECK(retry_delay(p, 3, 0.5) == 1s);
  CHECK(retry_delay(p, 0, std::numeric_limits<double>::quiet_NaN()) == 1s);
  p.base = -1s;
  CHECK(retry_delay(p, 3, 0.9) == 0s);
  p.base = span::max();
  CHECK(retry_delay(p, 3, 0.5) == 1h);
}

TEST_CASE("retry: kinds have names", "[core][retry]") {
  for (const auto k : {backoff_kind::fixed, backoff_kind::linear, backoff_kind::exponential})
    CHECK(backoff_kind_from(to_text(k)) == k);
  CHECK_FALSE(backoff_kind_from("quadratic").has_value());
}
