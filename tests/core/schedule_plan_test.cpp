#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "core/schedule/canonical.hpp"
#include "core/schedule/plan.hpp"
#include "core/time/text.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

schedule made_of(const char* text) {
  const auto s = parse_canonical(text, {});
  INFO(text << ": " << (s ? "" : s.problem().why));
  REQUIRE(s.ok());
  return *s;
}

plan_cursor covered(instant t) {
  plan_cursor c;
  c.covered = t;
  return c;
}

plan_now now_is(instant t) { return {t, 7, false}; }

const auto noon = from_micros(1'795'003'200'000'000);  // 2026-11-18T12:00:00Z, a Wednesday

}  // namespace

TEST_CASE("plan: a timer that comes a little late makes its occurrence on time", "[core][schedule][plan]") {
  const auto s = made_of("*/5 * * * *");
  for (const auto policy : {catch_up::skip, catch_up::once, catch_up::all}) {
    plan_policy p;
    p.missed = policy;
    const auto d = plan(s, p, covered(noon), now_is(noon + 5min + 20ms));
    REQUIRE(d.make.size() == 1);
    CHECK(d.make[0].at == noon + 5min);
    CHECK_FALSE(d.make[0].caught_up);
    CHECK(d.skips.empty());
    CHECK(d.next.covered == noon + 5min + 20ms);
    CHECK(d.next.made == 1);
    CHECK(d.wake_at == noon + 10min);
  }
}

TEST_CASE("plan: what was missed is skipped, made once or made all, within the grace time",
          "[core][schedule][plan]") {
  const auto s = made_of("0 * * * *");
  const auto now = noon + 100h + 30min;
  plan_policy p;
  p.grace = 48h;

  p.missed = catch_up::skip;
  auto d = plan(s, p, covered(noon), now_is(now));
  CHECK(d.make.empty());
  REQUIRE(d.skips.size() == 2);
  CHECK(d.skips[0].reason == skip_reason::grace_passed);
  CHECK(d.skips[0].first == noon + 1h);
  CHECK(d.skips[0].last == noon + 52h);
  CHECK(d.skips[0].count == 52);
  CHECK(d.skips[1].reason == skip_reason::missed);
  CHECK(d.skips[1].first == noon + 53h);
  CHECK(d.skips[1].last == noon + 100h);
  CHECK(d.skips[1].count == 48);

  p.missed = catch_up::once;
  d = plan(s, p, covered(noon), now_is(now));
  REQUIRE(d.make.size() == 1);
  CHECK(d.make[0].at == noon + 100h);
  CHECK(d.make[0].caught_up);
  REQUIRE(d.skips.size() == 2);
  CHECK(d.skips[1].last == noon + 99h);

  p.missed = catch_up::all;
  p.all_at_most = 5;
  d = plan(s, p, covered(noon), now_is(now));
  REQUIRE(d.make.size() == 5);
  CHECK(d.make.front().at == noon + 96h);
  CHECK(d.make.back().at == noon + 100h);
  CHECK(d.next.made == 5);
  REQUIRE(d.skips.size() == 2);
  CHECK(d.skips[1].reason == skip_reason::catch_up_limit);
  CHECK(d.skips[1].last == noon + 95h);

  plan_now crashed = now_is(now);
  crashed.after_crash_loop = true;
  d = plan(s, p, covered(noon), crashed);
  CHECK(d.make.empty());
  CHECK(d.skips[1].reason == skip_reason::crash_loop);
}

TEST_CASE("plan: after a year asleep there is one decision and no storm", "[core][schedule][plan]") {
  const auto s = made_of("* * * * * *");
  plan_policy p;
  p.missed = catch_up::once;
  const auto d = plan(s, p, covered(noon), now_is(noon + 365 * 24h));
  REQUIRE(d.make.size() == 1);
  CHECK(d.skips.size() == 2);
  CHECK(d.skips[0].at_least);
  CHECK(d.next.made == 1);
}

TEST_CASE("plan: a clock that goes back fires nothing twice", "[core][schedule][plan]") {
  const auto s = made_of("*/5 * * * *");
  plan_policy p;
  auto d = plan(s, p, covered(noon), now_is(noon + 5min));
  REQUIRE(d.make.size() == 1);
  d = plan(s, p, d.next, now_is(noon - 3h));
  CHECK(d.make.empty());
  CHECK(d.skips.empty());
  CHECK(d.next.covered == noon + 5min);
  CHECK(d.wake_at == noon + 10min);
  d = plan(s, p, d.next, now_is(noon + 5min + 1s));
  CHECK(d.make.empty());
}

TEST_CASE("plan: a start deadline holds for what is on time too", "[core][schedule][plan]") {
  const auto s = made_of("0 * * * *");
  plan_policy p;
  p.start_deadline = 10s;
  auto d = plan(s, p, covered(noon), now_is(noon + 1h + 10s));
  CHECK(d.make.size() == 1);
  d = plan(s, p, covered(noon), now_is(noon + 1h + 11s));
  CHECK(d.make.empty());
  REQUIRE(d.skips.size() == 1);
  CHECK(d.skips[0].reason == skip_reason::deadline_passed);
}

TEST_CASE("plan: after as many runs as were wanted, or after its end, a schedule is completed",
          "[core][schedule][plan]") {
  plan_policy p;
  p.most_runs = 2;
  auto d = plan(made_of("0 * * * *"), p, covered(noon), now_is(noon + 1h));
  CHECK_FALSE(d.completed);
  d = plan(made_of("0 * * * *"), p, d.next, now_is(noon + 2h));
  CHECK(d.make.size() == 1);
  CHECK(d.completed);
  CHECK_FALSE(d.wake_at);
  d = plan(made_of("0 * * * *"), p, d.next, now_is(noon + 3h));
  CHECK(d.make.empty());
  CHECK(d.completed);

  // The end is inclusive.
  const auto ending = made_of("0 * * * *; start 2026-11-18T14:00:00Z; end 2026-11-18T15:00:00Z");
  d = plan(ending, {}, covered(noon), now_is(noon + 1h));
  CHECK(d.make.empty());
  CHECK(d.wake_at == noon + 2h);
  d = plan(ending, {}, d.next, now_is(noon + 2h));
  CHECK(d.make.size() == 1);
  d = plan(ending, {}, d.next, now_is(noon + 3h));
  CHECK(d.make.size() == 1);
  CHECK(d.completed);

  d = plan(made_of("@at 2026-11-18T13:00:00Z"), {}, covered(noon), now_is(noon + 1h));
  CHECK(d.make.size() == 1);
  CHECK(d.completed);
  CHECK_FALSE(plan(made_of("@event x"), {}, covered(noon), now_is(noon + 1h)).completed);
}

TEST_CASE("plan: a fire limit moves starts to when the window has room", "[core][schedule][plan]") {
  const auto s = made_of("*/10 * * * *");
  plan_policy p;
  p.limit = {3, 1h};
  plan_cursor c = covered(noon);
  std::vector<instant> starts;
  for (int i = 1; i <= 12; ++i) {
    const auto d = plan(s, p, c, now_is(noon + i * 10min));
    REQUIRE(d.make.size() == 1);
    CHECK(d.make[0].at == noon + i * 10min);
    starts.push_back(d.make[0].start);
    CHECK(d.make[0].limited == (i > 3));
    c = d.next;
  }
  CHECK(starts[3] == noon + 70min);
  for (std::size_t i = 3; i < starts.size(); ++i) CHECK(starts[i] - starts[i - 3] >= 1h);
}

TEST_CASE("plan: jitter stays for a job and within half the period", "[core][schedule][plan]") {
  const auto s = made_of("*/10 * * * *; jitter 1h");
  std::set<span> seen;
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    const auto one = plan(s, {}, covered(noon), {noon + 10min, seed, false});
    const auto other = plan(s, {}, covered(noon + 10min), {noon + 20min, seed, false});
    REQUIRE((one.make.size() == 1 && other.make.size() == 1));
    const auto a = one.make[0].start - one.make[0].at;
    CHECK(a == other.make[0].start - other.make[0].at);
    CHECK(a >= 0s);
    CHECK(a < 5min);
    seen.insert(a);
  }
  CHECK(seen.size() > 150);
  CHECK(jitter_for(1min, 5, noon, noon + 10s) < 5s);
  CHECK(jitter_for(0s, 5, noon, noon + 10s) == 0s);
}

TEST_CASE("plan: excluded and postponed instants have records", "[core][schedule][plan]") {
  const auto skipping = made_of("0 * * * *; not times 22:00-06:00");
  auto d = plan(skipping, {}, covered(noon), now_is(noon + 24h));
  REQUIRE(d.skips.size() == 2);
  const auto excluded = std::find_if(d.skips.begin(), d.skips.end(),
                                     [](const auto& r) { return r.reason == skip_reason::excluded; });
  REQUIRE(excluded != d.skips.end());
  CHECK(excluded->first == noon + 10h);
  CHECK(excluded->last == noon + 17h);
  CHECK(excluded->count == 8);

  const auto postponing = made_of("0 * * * *; postpone times 22:00-06:30");
  CHECK(next(postponing, noon + 10h)->at == noon + 18h + 30min);
  CHECK(next(postponing, noon + 14h)->at == noon + 18h + 30min);
  CHECK(next(postponing, noon + 18h + 30min)->at == noon + 19h);
  d = plan(postponing, {}, covered(noon + 9h + 30min), now_is(noon + 18h + 30min));
  REQUIRE(d.make.size() == 1);
  CHECK(d.make[0].at == noon + 18h + 30min);
  REQUIRE(d.skips.size() == 1);
  CHECK(d.skips[0].reason == skip_reason::postponed);
  CHECK(d.skips[0].count == 9);
  CHECK(d.skips[0].moved_to == noon + 18h + 30min);
}

TEST_CASE("plan: every planned instant is made or in exactly one range, whatever the clock does",
          "[core][schedule][plan]") {
  const char* schedules[] = {
      "*/7 * * * *",
      "0 */3 * * *; zone Europe/Berlin",
      "@every 11m from 2026-01-01T00:00:05Z",
      "15 2 * * *; zone America/New_York",
      "*/20 * * * *; not times 22:00-06:00; postpone times 12:00-13:10",
      "*/30 * * * * | @every 13m; postpone times 20:00-02:00 on mon,tue; not dates 2026-11-19",
      "*/10 8-18 * * 1-5; postpone dates 2026-11-19; not times 18:00-24:00"};
  for (unsigned seed = 0; seed < 140; ++seed) {
    std::mt19937_64 dice{seed};
    const auto pick = [&](std::int64_t a, std::int64_t b) {
      return a + static_cast<std::int64_t>(dice() % static_cast<std::uint64_t>(b - a + 1));
    };
    const auto s = made_of(schedules[seed % std::size(schedules)]);
    plan_policy p;
    p.missed = static_cast<catch_up>(pick(0, 2));
    p.all_at_most = static_cast<std::uint32_t>(pick(1, 10));
    p.grace = std::chrono::minutes{pick(1, 3'000)};
    p.on_time = std::chrono::seconds{pick(0, 120)};
    if (pick(0, 3) == 0) p.start_deadline = std::chrono::minutes{pick(1, 100)};
    auto cursor = covered(noon);
    auto now = noon;
    std::map<instant, int> made;
    std::vector<skip_range> skips;
    for (int step = 0; step < 40; ++step) {
      const auto jump = pick(0, 9);
      if (jump == 0)
        now -= std::chrono::minutes{pick(1, 600)};
      else if (jump == 1)
        now += std::chrono::minutes{pick(1, 2'000)};
      else
        now += std::chrono::seconds{pick(1, 1'200)};
      const auto d = plan(s, p, cursor, now_is(now));
      for (const auto& m : d.make) {
        ++made[m.at];
        CHECK(m.at <= now);
        CHECK(m.start >= m.at);
      }
      for (const auto& r : d.skips) {
        CHECK(r.first > cursor.covered);
        CHECK(r.last <= now);
        skips.push_back(r);
      }
      if (pick(0, 5) != 0)
        cursor = d.next;  // otherwise the node was killed before the commit
      else {
        for (const auto& m : d.make) --made[m.at];
        skips.resize(skips.size() - d.skips.size());
      }
    }
    INFO("seed " << seed << " covered " << to_rfc3339(cursor.covered));
    const auto of_excluded = [](const skip_range& r) {
      return r.reason == skip_reason::excluded || r.reason == skip_reason::postponed;
    };
    const auto ranges = [&](instant t, bool excluded) {
      return std::count_if(skips.begin(), skips.end(), [&](const auto& r) {
        return of_excluded(r) == excluded && r.first <= t && t <= r.last;
      });
    };
    std::int64_t fired = 0;
    for (auto f = next(s, noon); f && f->at <= cursor.covered; f = next(s, f->at)) {
      INFO(to_rfc3339(f->at));
      REQUIRE(made[f->at] + ranges(f->at, false) == 1);
      ++fired;
    }
    std::int64_t counted = 0;
    for (const auto& r : skips)
      if (!of_excluded(r)) counted += r.count;
    std::int64_t runs = 0;
    for (const auto& [t, n] : made) runs += n;
    REQUIRE(counted + runs == fired);
    for (auto f = next_of_triggers(s, noon); f && f->at <= cursor.covered; f = next_of_triggers(s, f->at))
      if (judge(s, f->at).excluded) {
        INFO(to_rfc3339(f->at));
        REQUIRE(ranges(f->at, true) == 1);
      }
  }
}

TEST_CASE("plan: a resumed or changed job plans nothing that lies behind", "[core][schedule][plan]") {
  auto c = start_from(covered(noon), noon + 5h);
  CHECK(c.covered == noon + 5h);
  CHECK(start_from(c, noon).covered == noon + 5h);
}

TEST_CASE("occurrences: an id is a function of job and instant and can be read", "[core][schedule][plan]") {
  const occurrence_id one{job_id{123'456'789}, noon};
  CHECK(to_string(one) == to_string(occurrence_id{job_id{123'456'789}, noon}));
  CHECK(to_string(one) != to_string(occurrence_id{job_id{123'456'789}, noon + 1us}));
  CHECK(to_string(one) != to_string(occurrence_id{job_id{123'456'788}, noon}));
  CHECK(to_string(one) < to_string(occurrence_id{job_id{123'456'789}, noon + 1us}));
  const auto read = parse_occurrence_id(to_string(one));
  REQUIRE(read.ok());
  CHECK(*read == one);
  for (const char* bad : {"", "occ_", "occ_123", "job_0000000000000", "occ_ZZZZZZZZZZZZZZZZZZZZZZZZZZ"})
    CHECK(parse_occurrence_id(bad).refused_with(errc::invalid));
}

TEST_CASE("plan: policies are checked and their words are read back", "[core][schedule][plan]") {
  CHECK(check(plan_policy{}, "").empty());
  plan_policy p;
  p.all_at_most = 0;
  p.grace = 0s;
  p.limit.most = 5'000;
  p.most_runs = -1;
  CHECK(check(p, "/policy").size() == 4);
  for (const auto c : {catch_up::skip, catch_up::once, catch_up::all}) CHECK(catch_up_from(to_text(c)) == c);
  for (int i = 0; i <= 6; ++i)
    CHECK(skip_reason_from(to_text(static_cast<skip_reason>(i))) == static_cast<skip_reason>(i));
  CHECK_FALSE(catch_up_from("always"));
}
