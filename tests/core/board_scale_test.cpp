#include <malloc.h>

#include <chrono>

#include <catch2/catch.hpp>

#include "tests/core/board_parts.hpp"

using namespace belfry::core;
using namespace belfry::core::test;
using namespace std::chrono_literals;

namespace {

// Bytes handed out by malloc; under a sanitizer it is always the same and the checks of memory say nothing.
std::size_t allocated() {
  const auto m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

double seconds_since(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
}

}  // namespace

TEST_CASE("board: 200,000 runs take at most 128 bytes each and leave in order", "[core][board][scale]") {
  constexpr std::int64_t n = 200'000;
  const std::size_t before = allocated();
  auto l = line::unlimited();
  const auto begun = std::chrono::steady_clock::now();
  for (std::int64_t id = 1; id <= n; ++id)
    l.put(line_entry{id}.in("a lane with quite a long name").batch(1 + id / 1000));
  CHECK((allocated() - before) / n <= 128);
  std::int64_t last = 0;
  bool ordered = true;
  for (auto got = l.pick(100); !got.empty(); got = l.pick(100))
    for (const auto id : got) {
      ordered = ordered && id == last + 1;
      last = id;
      l.it.ended(run_id{id});
    }
  CHECK(ordered);
  CHECK(last == n);
  // Only a sanity check: it takes about 0.2 s.
  CHECK(seconds_since(begun) < 20);
}

TEST_CASE("board: a full batch of 100,000 at the head of a lane costs the others nothing",
          "[core][board][scale]") {
  line l{limit_options{0, 0, 5, 0}};
  for (std::int64_t id = 1; id <= 100'000; ++id) {
    auto e = line_entry{id}.in("a").batch(1);
    if (id % 2 == 0) e.key("key-" + std::to_string(id));
    l.put(e);
  }
  for (std::int64_t id = 100'001; id <= 130'000; ++id) l.put(line_entry{id}.in("a"));
  CHECK(l.pick(5) == ids{1, 2, 3, 4, 5});
  const auto begun = std::chrono::steady_clock::now();
  for (std::int64_t id = 100'001; id <= 130'000; ++id) {
    const auto got = l.pick(1);
    REQUIRE(got == ids{id});
    l.it.ended(run_id{id});
    if (id % 1000 == 0) CHECK(l.codes(99'999) == words{"batch_limit"});  // all before it are held
  }
  // Three thousand million steps if the batch were passed over each time.
  CHECK(seconds_since(begun) < 10);
}

TEST_CASE("board: lanes, keys, batches, jobs and needs that are gone leave nothing behind",
          "[core][board][scale]") {
  line l;
  std::int64_t id = 0;
  std::size_t picked = 0;
  const auto use = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      ++id;
      const auto text = std::to_string(id);
      auto e = line_entry{id}
                   .in("a lane that is used once only " + text)
                   .key("and such a key " + text)
                   .batch(id)
                   .job(id, 1);
      e.workspace("workspace " + text);
      l.put(e);
      picked += l.pick(a_wish(a_worker(1 + id % 50, "workspace " + text, "type " + text))).size();
      l.it.live(e.head, "type " + text);
      if (id % 3 == 0) {
        l.put(e);
        l.it.drop(e.head.id);
      }
      l.it.ended(e.head.id);
    }
  };
  use(2'000);
  const std::size_t before = allocated();
  use(100'000);
  CHECK(picked == 102'000);
  CHECK(l.it.counts().ready + l.it.counts().live + l.it.counts().reserved == 0);
  CHECK(allocated() <= before + 64 * 1024);
}

TEST_CASE("board: what 100,000 runs needed is given back or used again", "[core][board][scale]") {
  const std::size_t empty = allocated();
  auto l = line::unlimited();
  std::size_t first_peak = 0;
  for (std::int64_t round = 0; round < 4; ++round) {
    for (std::int64_t id = 1; id <= 100'000; ++id)
      l.put(line_entry{id * 7919 % 100'003}.key("k" + std::to_string(id % 5000), 9));
    if (round == 0)
      first_peak = allocated();
    else
      CHECK(allocated() <= first_peak + first_peak / 10);
    while (!l.pick(1000).empty())
      for (std::int64_t id = 1; id <= 100'003; ++id) l.it.ended(run_id{id});
    for (std::int64_t id = 1; id <= 100'003; ++id) l.it.drop(run_id{id});
    CHECK(allocated() <= empty + 1024 * 1024);
  }
}
