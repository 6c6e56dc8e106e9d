#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "core/schedule/fire_line.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const auto noon = from_micros(1'795'003'200'000'000);

// What the limit means, looked at start by start: no window that begins with one of them has too many.
bool kept(const fire_limit& limit, const std::vector<instant>& starts) {
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::size_t inside = 0;
    for (std::size_t k = i; k < starts.size() && starts[k] < starts[i] + limit.window; ++k) ++inside;
    if (inside > limit.most) return false;
  }
  return true;
}

// The first instant that fits, found by trying every second.
instant slow_earliest(const fire_limit& limit, const std::vector<instant>& starts, instant from) {
  for (auto at = from;; at += 1s) {
    auto with = starts;
    with.insert(std::upper_bound(with.begin(), with.end(), at), at);
    if (kept(limit, with)) return at;
  }
}

planned_time wanted(instant at) { return {at, at}; }

}  // namespace

TEST_CASE("fire line: the earliest place is the one that trying every second finds",
          "[core][schedule][fires]") {
  std::mt19937_64 dice{7};
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(dice() % static_cast<std::uint64_t>(high - low + 1));
  };
  for (int i = 0; i < 300; ++i) {
    const fire_limit limit{static_cast<std::uint32_t>(pick(1, 4)), std::chrono::seconds{pick(1, 60)}};
    std::vector<instant> starts;
    for (int n = pick(0, 25); n > 0; --n) {
      const auto from = noon + std::chrono::seconds{pick(0, 200)};
      const auto at = earliest(limit, starts, from);
      REQUIRE(at == slow_earliest(limit, starts, from));
      starts.insert(std::upper_bound(starts.begin(), starts.end(), at), at);
      REQUIRE(kept(limit, starts));
    }
  }
}

TEST_CASE("fire line: so many start at once, the others one after the other, in order",
          "[core][schedule][fires]") {
  std::vector<fire_line> lines{{fire_scope::node, {3, 1h}, {}, "fires"}};
  std::vector<instant> given;
  for (int i = 0; i < 10; ++i) {
    auto p = wanted(noon);
    REQUIRE(keep_limits(lines, p, noon));
    note_start(lines[0], p.start, noon);
    CHECK(p.limited == (i >= 3));
    CHECK(p.limited_by == (i >= 3 ? fire_scope::node : fire_scope::none));
    CHECK(p.start == noon + std::chrono::hours{i / 3});
    given.push_back(p.start);
  }
  CHECK(std::is_sorted(given.begin(), given.end()));
  // When the window has passed nothing is left of it.
  auto p = wanted(noon + 5h);
  REQUIRE(keep_limits(lines, p, noon + 5h));
  CHECK_FALSE(p.limited);
  note_start(lines[0], p.start, noon + 5h);
  CHECK(lines[0].starts == std::vector<instant>{noon + 5h});
}

TEST_CASE("fire line: a start that lies far ahead keeps nobody from starting now",
          "[core][schedule][fires]") {
  fire_line line{fire_scope::node, {2, 1h}, {}, "fires"};
  for (const auto ahead : {10h, 10h, 11h, 11h}) note_start(line, noon + ahead, noon);
  auto p = wanted(noon);
  REQUIRE(keep_limits({line}, p, noon));
  CHECK_FALSE(p.limited);
}

TEST_CASE("fire line: the start is put off until every limit has a place, and says which was the last",
          "[core][schedule][fires]") {
  std::vector<fire_line> lines{{fire_scope::workspace, {1, 1h}, {noon}, "fires/blue"},
                               {fire_scope::node, {2, 1h}, {noon + 30min, noon + 70min}, "fires"}};
  auto p = wanted(noon + 1min);
  REQUIRE(keep_limits(lines, p, noon + 1min));
  CHECK(p.start == noon + 90min);
  CHECK(p.limited_by == fire_scope::node);
  lines.pop_back();
  auto q = wanted(noon + 1min);
  REQUIRE(keep_limits(lines, q, noon + 1min));
  CHECK(q.start == noon + 1h);
  CHECK(q.limited_by == fire_scope::workspace);
}

TEST_CASE("fire line: a thousand wait, one more does not; who need not wait still starts",
          "[core][schedule][fires]") {
  std::vector<fire_line> lines{{fire_scope::node, {1, 1min}, {}, "fires"}};
  for (std::size_t i = 0; i <= most_put_off; ++i) {
    auto p = wanted(noon);
    REQUIRE(keep_limits(lines, p, noon));
    note_start(lines[0], p.start, noon);
  }
  auto p = wanted(noon);
  CHECK_FALSE(keep_limits(lines, p, noon));
  auto later_one = wanted(noon + 48h);
  CHECK(keep_limits(lines, later_one, noon + 1s));
  CHECK_FALSE(later_one.limited);
}

TEST_CASE("fire line: what stands in its row is read back, and anything else is none",
          "[core][schedule][fires]") {
  const std::vector<instant> starts{noon, noon, noon + 1us, noon + 3h};
  CHECK(read_starts(write_starts(starts)) == starts);
  CHECK(read_starts({}).empty());
  CHECK(write_starts({}).empty());
  for (const auto* bad : {"x", "1 x", "1 -5", "1,2", "99999999999999999999", "1 9223372036854775807"})
    CHECK(read_starts(bad).empty());
}
