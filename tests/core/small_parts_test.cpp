#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "core/events/event.hpp"
#include "core/queue/deadlines.hpp"
#include "core/run/run.hpp"
#include "core/supervision/intensity.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {
constexpr instant noon = from_micros(1'795'255'200'000'000);
}

TEST_CASE("events: every kind has a name of its own and is found by it", "[core][events]") {
  std::set<std::string_view> names;
  std::set<event_kind> kinds;
  for (const auto k : all_event_kinds()) {
    CHECK(names.insert(to_text(k)).second);
    CHECK(kinds.insert(k).second);
    CHECK(event_kind_from(to_text(k)) == k);
  }
  CHECK(names.size() == 95);
  CHECK(static_cast<int>(event_kind::store_recovered) == 57);
  CHECK(static_cast<int>(event_kind::queue_rebuilt) == 58);
  CHECK(static_cast<int>(event_kind::paused) == 60);
  CHECK(static_cast<int>(event_kind::drained) == 63);
  CHECK(static_cast<int>(event_kind::wake_failed) == 82);
  CHECK_FALSE(event_kind_from("run_eaten").has_value());
  CHECK(to_text(static_cast<event_kind>(9999)) == "unknown");
}

TEST_CASE("log streams have names", "[core][run]") {
  CHECK(to_text(log_stream::out) == "stdout");
  CHECK(to_text(log_stream::err) == "stderr");
  CHECK(to_text(log_stream::node) == "node");
}

TEST_CASE("deadlines: the owner sleeps until the first, and the newest of a key counts", "[core][queue]") {
  deadlines d;
  CHECK_FALSE(d.next().has_value());
  d.set(1, noon + 3s);
  d.set(2, noon + 2s);
  CHECK(d.next() == noon + 2s);
  d.set(2, noon + 9s);
  CHECK(d.next() == noon + 3s);
  CHECK(d.take_due(noon + 2s, 10).empty());
  CHECK(d.take_due(noon + 3s, 10) == std::vector<std::int64_t>{1});
  d.clear(2);
  d.clear(77);
  CHECK(d.size() == 0);
  CHECK_FALSE(d.next().has_value());
}

TEST_CASE("deadlines: oldest first, at most as many as asked for", "[core][queue]") {
  deadlines d;
  for (std::int64_t k = 1; k <= 5; ++k) d.set(k, noon - std::chrono::seconds{k});
  CHECK(d.take_due(noon, 2) == std::vector<std::int64_t>{5, 4});
  CHECK(d.take_due(noon, 9) == std::vector<std::int64_t>{3, 2, 1});
  d.set(4, never);  // not set
  CHECK(d.size() == 0);
}

TEST_CASE("deadlines: the same as a map that is searched, whatever is done", "[core][queue][property]") {
  rc::prop("model", [](const std::vector<std::pair<std::uint8_t, std::uint8_t>>& moves) {
    deadlines d;
    std::map<std::int64_t, instant> model;
    for (const auto& [key, what] : moves) {
      const std::int64_t k = key % 16;
      if (what < 150) {
        d.set(k, noon + std::chrono::seconds{what % 32});
        model[k] = noon + std::chrono::seconds{what % 32};
      } else if (what < 200) {
        d.clear(k);
        model.erase(k);
      } else {
        const instant now = noon + std::chrono::seconds{what % 32};
        const auto limit = static_cast<std::size_t>(key % 4);
        std::set<std::pair<instant, std::int64_t>> order;
        for (const auto& [mk, at] : model)
          if (at <= now) order.emplace(at, mk);
        std::vector<std::int64_t> expected;
        for (const auto& [at, mk] : order)
          if (expected.size() < limit) expected.push_back(mk);
        for (const auto mk : expected) model.erase(mk);
        RC_ASSERT(d.take_due(now, limit) == expected);
      }
      RC_ASSERT(d.size() == model.size());
      std::optional<instant> first;
      for (const auto& [mk, at] : model)
        if (!first || at < *first) first = at;
      RC_ASSERT(d.next() == first);
    }
  });
}

TEST_CASE("deadlines: very many renewals of few keys stay right", "[core][queue]") {
  deadlines d;
  for (int i = 0; i < 200'000; ++i) d.set(i % 10, noon + std::chrono::seconds{i});
  CHECK(d.size() == 10);
  CHECK(d.next() == noon + 199'990s);
  CHECK(d.take_due(noon + 2'000'000s, 100).size() == 10);
}

TEST_CASE("restarts: each waits twice as long as the one before, and the sixth in the window is one too many",
          "[core][supervision]") {
  const intensity_options options;
  restart_record r;
  instant now = noon;
  for (const span expected : {100ms, 200ms, 400ms, 800ms, 1600ms}) {
    CHECK(r.died(options, now) == expected);
    now += 1s;
  }
  CHECK_FALSE(r.died(options, now).has_value());
  CHECK_FALSE(r.died(options, now).has_value());
}

TEST_CASE("restarts: what lies outside the window is forgotten", "[core][supervision]") {
  const intensity_options options;
  restart_record r;
  instant now = noon;
  for (int i = 0; i < 1000; ++i) {
    CHECK(r.died(options, now) == 100ms);
    now += 30s;
  }
}

TEST_CASE("restarts: the cap and the extremes", "[core][supervision]") {
  intensity_options options;
  options.restarts = 1000;
  restart_record r;
  span last{0};
  for (int i = 0; i < 1000; ++i) last = r.died(options, noon).value();
  CHECK(last == 5s);
  CHECK_FALSE(r.died(options, noon).has_value());
  options.restarts = 0;
  restart_record none;
  CHECK_FALSE(none.died(options, noon).has_value());
}
