#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include <catch2/catch.hpp>

#include "platform/ports/handoff.hpp"

using namespace belfry::platform;

namespace {

constexpr auto everything = [](const auto&) { return false; };

struct told {
  std::atomic<int>* drops;
  explicit told(std::atomic<int>& d) : drops(&d) {}
  told(told&& other) noexcept : drops(std::exchange(other.drops, nullptr)) {}
  told& operator=(told&& other) noexcept {
    std::swap(drops, other.drops);
    return *this;
  }
  ~told() {
    if (drops != nullptr) ++*drops;
  }
};

}  // namespace

TEST_CASE("handoff: only who finds the taker idle has to wake it", "[platform][handoff]") {
  handoff<int> box;
  int wakes = 0;
  box.wake_with([&wakes] { ++wakes; });
  CHECK(wakes == 0);
  box.put(1);
  CHECK(wakes == 1);
  box.put(2);
  CHECK(box.take(everything) == std::vector{1, 2});
  box.put(3);  // it is still at work on those
  CHECK(box.take(everything) == std::vector{3});
  CHECK(box.take(everything).empty());
  CHECK(wakes == 1);
  box.put(4);
  CHECK(wakes == 2);
}

TEST_CASE("handoff: a taker that comes late is woken at once for what waits", "[platform][handoff]") {
  handoff<int> box;
  box.put(1);
  int wakes = 0;
  box.wake_with([&wakes] { ++wakes; });
  CHECK(wakes == 1);
  box.put(2);
  CHECK(wakes == 1);
  CHECK(box.take(everything) == std::vector{1, 2});
}

TEST_CASE("handoff: what is taken at a time can be bounded, in order", "[platform][handoff]") {
  handoff<int> box;
  for (int i = 1; i <= 5; ++i) box.put(i);
  int sum = 0;
  const auto three = [&sum](int i) { return (sum += i) >= 3; };
  CHECK(box.take(three) == std::vector{1, 2});
  sum = 0;
  CHECK(box.take(three) == std::vector{3});
  CHECK(box.take(everything) == std::vector{4, 5});
}

TEST_CASE("handoff: after the taker has gone everything is dropped, outside the lock",
          "[platform][handoff]") {
  std::atomic<int> drops{0};
  handoff<told> box;
  int wakes = 0;
  box.wake_with([&wakes] { ++wakes; });
  box.put(told{drops});
  box.close();
  CHECK(drops == 1);
  box.put(told{drops});
  CHECK(drops == 2);
  CHECK(wakes == 1);
}

TEST_CASE("handoff: from many threads nothing is lost, doubled or left without a waker",
          "[platform][handoff]") {
  handoff<int> box;
  std::atomic<int> wakes{0};
  box.wake_with([&wakes] { ++wakes; });
  std::atomic<int> left{4};
  std::vector<int> seen(40'000, 0);
  {
    std::vector<std::jthread> putters;
    for (int t = 0; t < 4; ++t)
      putters.emplace_back([&, t] {
        for (int i = 0; i < 10'000; ++i) box.put(t * 10'000 + i);
        --left;
      });
    int taken = 0;
    while (taken < 40'000) {
      if (wakes.exchange(0) == 0) {
        std::this_thread::yield();
        continue;
      }
      for (auto all = box.take(everything); !all.empty(); all = box.take(everything))
        for (const int i : all) ++seen[static_cast<std::size_t>(i)], ++taken;
    }
  }
  CHECK(left == 0);
  CHECK(std::accumulate(seen.begin(), seen.end(), 0) == 40'000);
  CHECK(*std::max_element(seen.begin(), seen.end()) == 1);
}
