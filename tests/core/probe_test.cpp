#include <catch2/catch.hpp>

#include "core/pause/pauses.hpp"
#include "core/pause/probe.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

constexpr instant noon = from_micros(1'795'255'200'000'000);
const pause_target claude = the_agent_type("claude");

pause_entry limit(std::string owner = "anthropic", std::string reason = "quota",
                  instant until = noon + 10min) {
  pause_entry e{std::move(reason), std::move(owner), "429", noon, until, "ses_x"};
  e.probes = true;
  return e;
}
session of_claude() {
  session s;
  s.agent_type = "claude";
  return s;
}
pauses with(std::vector<pause_entry> all) {
  pauses p;
  p.load({});
  p.set(claude, std::move(all));
  return p;
}
attempt_record ended(run_state outcome, failure_class klass = failure_class::none) {
  attempt_record a;
  a.outcome = outcome;
  a.klass = klass;
  return a;
}
constexpr run_id first{7};

}  // namespace

TEST_CASE("probe: a limit does not lift itself; its time lets one run through, and holds while it tries",
          "[core][pause][probe]") {
  auto p = with({limit()});
  CHECK(p.holds(of_claude(), noon + 9min));
  CHECK(p.next_change(noon) == noon + 10min);
  const auto now = noon + 10min;
  CHECK_FALSE(p.holds(of_claude(), now));
  CHECK(p.over(now).empty());
  CHECK(p.next_change(now) == never);
  const auto d = decide_probe(claude, p.of(claude), first, now);
  REQUIRE(d.changed);
  CHECK(d.events.at(0).kind == event_kind::probe_started);
  p.set(claude, d.entries);
  CHECK(p.holds(of_claude(), now));
  CHECK(p.next_change(now) == never);
  CHECK(p.probed_by(first) == std::vector{claude});
  CHECK(p.probed_by(run_id{8}).empty());
  CHECK(p.why(of_claude(), now).at(0).text.find("tries whether it is over") != std::string::npos);
  CHECK_FALSE(decide_probe(claude, p.of(claude), run_id{8}, now).changed);
}

TEST_CASE("probe: nobody probes before the time, and no pause that lifts itself", "[core][pause][probe]") {
  CHECK_FALSE(decide_probe(claude, {limit()}, first, noon + 9min).changed);
  auto plain = limit();
  plain.probes = false;
  CHECK_FALSE(decide_probe(claude, {plain}, first, noon + 11min).changed);
  CHECK(with({plain}).over(noon + 11min).size() == 1);
}

TEST_CASE("probe: one that worked lifts the limits that it tried, and no other", "[core][pause][probe]") {
  const auto now = noon + 10min;
  auto mine = limit("operator", "manual", never);
  mine.probes = false;
  auto d = decide_probe(claude, {mine, limit(), limit("anthropic", "throttle", noon + 5min)}, first, now);
  d = decide_probe_ended(claude, d.entries, first, probe_result::worked, never, now + 1min);
  REQUIRE(d.entries.size() == 1);
  CHECK(d.entries.front() == mine);
  CHECK(d.events.size() == 2);
  CHECK(d.events.front().kind == event_kind::resumed);
  CHECK(d.ended.size() == 2);
}

TEST_CASE("probe: one that met the limit again prolongs it, to its own next try or for a minute",
          "[core][pause][probe]") {
  const auto now = noon + 11min;
  const auto tried = decide_probe(claude, {limit()}, first, now).entries;
  const auto parked = decide_probe_ended(claude, tried, first, probe_result::limited, now + 1h, now);
  CHECK(parked.entries.at(0).until == now + 1h);
  CHECK_FALSE(parked.entries.at(0).probe);
  const auto failed = decide_probe_ended(claude, tried, first, probe_result::limited, never, now);
  CHECK(failed.entries.at(0).until == now + probe_again_after);
  CHECK(failed.events.at(0).kind == event_kind::probe_ended);
}

TEST_CASE("probe: one that vanished leaves no latch: the next claim is the next probe",
          "[core][pause][probe]") {
  const auto now = noon + 11min;
  auto d = decide_probe(claude, {limit()}, first, now);
  d = decide_probe_ended(claude, d.entries, first, probe_result::silent, now + 1h, now);
  REQUIRE(d.changed);
  CHECK_FALSE(with(d.entries).holds(of_claude(), now));
  CHECK(decide_probe(claude, d.entries, run_id{8}, now).changed);
  CHECK_FALSE(decide_probe_ended(claude, d.entries, first, probe_result::worked, never, now).changed);
}

TEST_CASE("probe: what the end of an attempt says of the limit", "[core][pause][probe]") {
  using enum run_state;
  CHECK(result_of(ended(succeeded)) == probe_result::worked);
  CHECK(result_of(ended(failed, failure_class::error)) == probe_result::worked);
  CHECK(result_of(ended(failed, failure_class::permanent)) == probe_result::worked);
  CHECK(result_of(ended(failed, failure_class::rate_limited)) == probe_result::limited);
  CHECK(result_of(ended(parked)) == probe_result::limited);
  for (const auto klass : {failure_class::timeout, failure_class::lost, failure_class::resource})
    CHECK(result_of(ended(failed, klass)) == probe_result::silent);
  CHECK(result_of(ended(queued)) == probe_result::silent);
  CHECK(result_of(ended(cancelled, failure_class::cancelled)) == probe_result::silent);
}

TEST_CASE("probe: a limit that is reported again begins no new pause and ends the trial",
          "[core][pause][probe]") {
  const auto now = noon + 11min;
  auto there = decide_probe(claude, {limit()}, first, now).entries;
  const auto d = decide_pause(claude, there, limit("anthropic", "quota", now + 1h), "anthropic", now);
  REQUIRE(d);
  REQUIRE(d->entries.size() == 1);
  CHECK(d->entries.front().since == noon);
  CHECK(d->entries.front().until == now + 1h);
  CHECK_FALSE(d->entries.front().probe);
}
