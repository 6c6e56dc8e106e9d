// Nodes: what silence means, when to dial again, how long a member may believe in a lease, names and boots.
#include "core/cluster/node.hpp"

#include <set>

#include <rapidcheck.h>
#include <catch2/catch.hpp>

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const instant node_start = from_micros(5'000'000);  // of a steady clock
const membership_options usual;

template <class Property>
void holds_for_all(const std::string& what, Property property) {
  CHECK(rc::check(what, std::move(property)));
}

}  // namespace

TEST_CASE("cluster: silence makes a node suspect at two seconds and lost at ten, not before",
          "[core][cluster]") {
  CHECK(judge_silence(node_start, node_start, usual) == node_state::up);
  CHECK(judge_silence(node_start, node_start + 2s - 1us, usual) == node_state::up);
  CHECK(judge_silence(node_start, node_start + 2s, usual) == node_state::suspect);
  CHECK(judge_silence(node_start, node_start + 10s - 1us, usual) == node_state::suspect);
  CHECK(judge_silence(node_start, node_start + 10s, usual) == node_state::lost);
  CHECK(judge_silence(node_start, node_start - 1s, usual) == node_state::up);
}

TEST_CASE("cluster: the next judgement is the instant at which the answer changes", "[core][cluster]") {
  CHECK(next_judgement(node_start, node_start, usual) == node_start + 2s);
  CHECK(next_judgement(node_start, node_start + 2s, usual) == node_start + 10s);
  CHECK(next_judgement(node_start, node_start + 10s, usual) == never);
  holds_for_all("nothing changes before the next judgement, and something does then", [] {
    const auto now = node_start + span{*rc::gen::inRange(0, 12'000'000)};
    const auto next = next_judgement(node_start, now, usual);
    const auto state = judge_silence(node_start, now, usual);
    if (next == never) {
      RC_ASSERT(state == node_state::lost);
      return;
    }
    RC_ASSERT(next > now);
    RC_ASSERT(judge_silence(node_start, next - 1us, usual) == state);
    RC_ASSERT(judge_silence(node_start, next, usual) != state);
  });
}

TEST_CASE("cluster: pauses between dials double up to ten seconds and never fall below their half",
          "[core][cluster]") {
  CHECK(dial_pause(0, 0.9) == 0s);
  CHECK(dial_pause(1, 0.0) == 100ms);
  CHECK(dial_pause(1, 0.5) == 150ms);
  CHECK(dial_pause(2, 0.0) == 200ms);
  CHECK(dial_pause(6, 0.0) == 3200ms);
  CHECK(dial_pause(7, 0.0) == 5s);
  CHECK(dial_pause(4'000'000'000, 1.0) == 10s);
  holds_for_all("between the half and the whole of it", [] {
    const auto failures = *rc::gen::inRange<std::uint32_t>(1, 100);
    const auto unit = *rc::gen::inRange(0, 1000) / 1000.0;
    const auto pause = dial_pause(failures, unit);
    RC_ASSERT(pause >= 100ms);
    RC_ASSERT(pause <= 10s);
    RC_ASSERT(pause >= dial_pause(failures, 0));
    RC_ASSERT(pause < 2 * dial_pause(failures, 0));
  });
}

TEST_CASE("cluster: a member never believes in a lease for longer than whoever granted it",
          "[core][cluster]") {
  holds_for_all("by one true time, which neither clock shows", [] {
    const auto asked = node_start + span{*rc::gen::inRange(0, 1'000'000'000)};
    const span there{*rc::gen::inRange(0, 30'000'000)}, waited{*rc::gen::inRange(0, 60'000'000)};
    const span lease{*rc::gen::inRange(1'000'000, 600'000'000)};
    const auto expires = asked + there + waited + lease;  // at the granter
    RC_ASSERT(lease_safe_until(asked, waited, lease) <= expires);
    RC_ASSERT(expires - lease_safe_until(asked, waited, lease) == there);
  });
  CHECK(lease_safe_until(node_start, -5s, 10s) == node_start + 10s);
  CHECK(lease_safe_until(end_of_time, 1s, 10s) == end_of_time);
}

TEST_CASE("cluster: a process is told to stop a grace and a margin before its lease ends",
          "[core][cluster]") {
  const auto until = node_start + 1h;
  CHECK(lease_stop_at(until, 60s, 10s) == until - 15s);
  CHECK(lease_stop_at(until, 300s, 10s) == until - 15s);  // the margin is 5 s at most
  CHECK(lease_stop_at(until, 1s, 0s) == until - 200ms);   // and 200 ms at least
  CHECK(lease_stop_at(until, 30s, 60s) == until - 20s);   // not before a third of the lease is over
  CHECK(lease_stop_at(until, 30s, -1s) == until - 3s);
  holds_for_all("within the lease, after its first third", [] {
    const span lease{*rc::gen::inRange(1'000'000, 2'000'000'000)}, grace{*rc::gen::inRange(0, 2'000'000'000)};
    const auto safe = node_start + 2h;
    const auto stop = lease_stop_at(safe, lease, grace);
    RC_ASSERT(stop < safe);
    RC_ASSERT(stop >= safe - lease + lease / 3);
  });
}

TEST_CASE("cluster: membership options outside their bounds are named with what would do",
          "[core][cluster]") {
  CHECK(check(membership_options{}, "/cluster").empty());
  membership_options o;
  o.beat = 20ms;
  auto found = check(o, "/cluster");
  REQUIRE(found.size() == 1);
  CHECK(found[0].pointer == "/cluster/beat");
  CHECK(found[0].value == "20ms");
  CHECK(found[0].allowed == "50ms to 10s");

  o = {};
  o.suspect_after = 1999ms;
  found = check(o, "/cluster");
  REQUIRE(found.size() == 1);
  CHECK(found[0].pointer == "/cluster/suspect_after");
  CHECK(found[0].allowed == "2s (four beats) to 1h");

  o = {};
  o.lost_after = o.suspect_after;
  found = check(o, "/cluster");
  REQUIRE(found.size() == 1);
  CHECK(found[0].pointer == "/cluster/lost_after");

  o.beat = 11s;
  o.suspect_after = 2h;
  o.lost_after = 3h;
  CHECK(check(o, "").size() == 3);
}

TEST_CASE("cluster: names of nodes are those of hosts, in lower case", "[core][cluster]") {
  for (const auto* good : {"a", "7", "n1", "builder-2.example.org", "a-b", "a.b"})
    CHECK(check_node_name(good, "/node").empty());
  CHECK(check_node_name(std::string(63, 'x'), "/node").empty());
  for (const auto* bad : {"", "-a", "a-", ".a", "a.", "A", "a_b", "a/b", "a b", "\xc3\xa4"})
    CHECK(check_node_name(bad, "/node").size() == 1);
  const auto found = check_node_name(std::string(64, 'x'), "/node");
  REQUIRE(found.size() == 1);
  CHECK(found[0].pointer == "/node");
  CHECK(found[0].value.size() == 63);
  CHECK(check_node_name("a\n\x1b[2J", "/node").front().value == "a??[2J");
}

TEST_CASE("cluster: a boot is a UUID of version 4 made of all its bits but six", "[core][cluster]") {
  CHECK(boot_uuid(0, 0) == "00000000-0000-4000-8000-000000000000");
  CHECK(boot_uuid(~0ULL, ~0ULL) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(boot_uuid(0x0123456789abcdefULL, 0x0123456789abcdefULL) == "01234567-89ab-4def-8123-456789abcdef");
  std::set<std::string> all;
  for (std::uint64_t i = 0; i < 100; ++i) all.insert(boot_uuid(i << 16, i));
  CHECK(all.size() == 100);
}

TEST_CASE("cluster: roles and states have words", "[core][cluster]") {
  CHECK(to_text(node_role::coordinator) == "coordinator");
  CHECK(to_text(node_role::member) == "member");
  CHECK(to_text(node_state::up) == "up");
  CHECK(to_text(node_state::suspect) == "suspect");
  CHECK(to_text(node_state::lost) == "lost");
  CHECK(to_text(node_state::left) == "left");
}
