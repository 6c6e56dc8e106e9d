#include "platform/process/output_gate.hpp"

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

using namespace belfry;
using namespace std::chrono_literals;
using platform::output_allowance;
using platform::output_gate;
using platform::output_limits;
using platform::steady_time;

namespace {

constexpr core::instant at = core::from_micros(1'000'000);
constexpr auto out = core::log_stream::out;
constexpr steady_time start{1h};

std::string numbered(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

std::size_t weight(const std::vector<platform::output_line>& lines) {
  std::size_t sum = 0;
  for (const auto& line : lines) sum += line.text.size() + 64;
  return sum;
}

}  // namespace

TEST_CASE("output gate: a quiet program is passed on as it is", "[platform][output]") {
  output_allowance shared({});
  output_gate gate(shared);
  gate.take(out, "a\nb\n", at, start);
  CHECK_FALSE(gate.holding());
  const auto ready = gate.take_ready();
  REQUIRE(ready.size() == 2);
  CHECK(ready[0].text == "a");
  CHECK(ready[0].at == at);
  CHECK(gate.total() == 4);
  CHECK(gate.ready_cost() == 0);
}

TEST_CASE("output gate: a flood keeps its beginning and its end, and says how much is missing",
          "[platform][output]") {
  const output_limits limits{200ms, 64 * 1024, 16 * 1024, 1024 * 1024};
  output_allowance shared(limits);
  output_gate gate(shared);
  const std::string flood = numbered(0, 200'000);
  gate.take(out, flood, at, start);
  CHECK(gate.holding());
  CHECK(gate.release_at() == start + 200ms);
  const auto head = gate.take_ready();
  CHECK(head.front().text == "line 0");
  CHECK(weight(head) >= limits.head);
  CHECK(weight(head) <= limits.head + 64 * 1024);  // one slice more at most
  gate.release(at, start + 200ms);
  CHECK_FALSE(gate.holding());
  const auto tail = gate.take_ready();
  CHECK(tail.back().text == "line 199999");
  CHECK(weight(tail) <= limits.tail + 200);
  const auto gap = std::find_if(tail.begin(), tail.end(),
                                [](const auto& l) { return l.stream == core::log_stream::node; });
  REQUIRE(gap != tail.end());
  // Nothing is lost silently: what was handed over and what was dropped is everything.
  std::size_t handed = 0;
  for (const auto* part : {&head, &tail})
    for (const auto& line : *part)
      if (line.stream == out) handed += line.text.size() + 1;
  const std::string digits = gap->text.substr(gap->text.find_first_of("0123456789"));
  const std::size_t dropped = std::stoul(digits);
  CHECK(gap->text == "… " + std::to_string(dropped) + " bytes dropped …");
  // The line at the cut is handed over as far as it had come, with an end that it did not have.
  CHECK((handed + dropped == flood.size() || handed + dropped == flood.size() + 1));
  CHECK(gate.total() == flood.size());
}

TEST_CASE("output gate: a burst just over the allowance is late but complete", "[platform][output]") {
  const output_limits limits{200ms, 8 * 1024, 64 * 1024, 1024 * 1024};
  output_allowance shared(limits);
  output_gate gate(shared);
  const std::string burst = numbered(0, 500);
  gate.take(out, burst, at, start);
  REQUIRE(gate.holding());
  gate.finish(at, start + 10ms);
  std::string all;
  for (const auto& line : gate.take_ready()) all += line.text + "\n";
  CHECK(all == burst);
}

TEST_CASE("output gate: a new window brings a new allowance", "[platform][output]") {
  const output_limits limits{200ms, 8 * 1024, 8 * 1024, 1024 * 1024};
  output_allowance shared(limits);
  output_gate gate(shared);
  for (int window = 0; window < 50; ++window) {
    gate.take(out, numbered(0, 80), at, start + window * 200ms);
    CHECK_FALSE(gate.holding());
    CHECK(gate.take_ready().size() == 80);
  }
}

TEST_CASE("output gate: all children share an allowance too", "[platform][output]") {
  const output_limits limits{200ms, 64 * 1024, 16 * 1024, 128 * 1024};
  output_allowance shared(limits);
  std::vector<std::unique_ptr<output_gate>> gates;
  std::size_t handed = 0;
  for (int i = 0; i < 20; ++i) {
    gates.push_back(std::make_unique<output_gate>(shared));
    gates.back()->take(out, numbered(0, 5'000), at, start);
    handed += weight(gates.back()->take_ready());
  }
  CHECK(handed <= limits.all + 20 * 64 * 1024);
  for (auto& gate : gates) {
    gate->finish(at, start + 1ms);
    const auto rest = gate->take_ready();
    CHECK(rest.back().text == "line 4999");  // the last words of each, however loud the others are
    CHECK(weight(rest) <= limits.tail + 200);
  }
}

TEST_CASE("output gate: no window hands over more than its allowance", "[platform][output]") {
  rc::prop("head + tail + a slice per window; the count is exact", [] {
    const output_limits limits{200ms, 4 * 1024, 2 * 1024, 1024 * 1024};
    output_allowance shared(limits);
    output_gate gate(shared);
    steady_time now = start;
    std::uint64_t written = 0;
    const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 60), rc::gen::inRange(0, 20'000)));
    for (const auto& [pause, size] : steps) {
      now += std::chrono::milliseconds{pause};
      if (gate.holding() && now >= gate.release_at()) {
        gate.release(at, now);
        RC_ASSERT(weight(gate.take_ready()) <= 2 * limits.tail + 400 + platform::line_splitter::longest);
      }
      const std::string text = numbered(0, size / 10);
      gate.take(out, text, at, now);
      written += text.size();
      RC_ASSERT(weight(gate.take_ready()) <= limits.head + 64 * 1024);
    }
    RC_ASSERT(gate.total() == written);
  });
}
