#include <catch2/catch.hpp>

#include <algorithm>

#include "core/schedule/canonical.hpp"
#include "core/simulate/simulate.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const auto noon = from_micros(1'795'003'200'000'000);  // 2026-11-18T12:00:00Z, a Wednesday

simulated_job planned(const char* name, const char* schedule_text) {
  const auto s = parse_canonical(schedule_text, {});
  REQUIRE(s.ok());
  simulated_job j;
  j.id = job_id{7};
  j.name = name;
  j.when = std::make_shared<const schedule>(*s);
  return j;
}

simulation_setup over(span length, std::vector<simulated_job> jobs) {
  simulation_setup s;
  s.from = noon;
  s.until = noon + length;
  s.jobs = std::move(jobs);
  return s;
}

std::vector<instant> begun(const simulation& s) {
  std::vector<instant> all;
  for (const auto& l : s.lines)
    if (l.what == simulated::fires) all.push_back(l.begins);
  return all;
}

}  // namespace

TEST_CASE("simulate: what is planned fires, at its time, and no later than the end", "[core][simulate]") {
  const auto out = simulate(over(3h, {planned("a", "0 * * * *"), planned("b", "30 13 * * *")}));
  CHECK(begun(out) == std::vector<instant>{noon + 1h, noon + 90min, noon + 2h, noon + 3h});
  CHECK(out.fires == 4);
  CHECK(out.lines[1].job == 1);
  CHECK_FALSE(out.cut);
  CHECK(out.upto == noon + 3h);
}

TEST_CASE("simulate: a node that was away catches up by the job's policy, and says what it left out",
          "[core][simulate]") {
  auto none = planned("none", "0 * * * *");
  none.policy.missed = catch_up::skip;
  auto all = planned("all", "0 * * * *");
  all.policy.missed = catch_up::all;
  all.policy.all_at_most = 2;
  all.on_overlap = overlap::queue_all;  // else the second would meet the first
  auto s = over(8h, {planned("once", "0 * * * *"), none, all});
  s.away = {{noon + 30min, noon + 5h + 30min}};
  const auto out = simulate(s);
  const auto count = [&](std::size_t job, simulated what) {
    return std::count_if(out.lines.begin(), out.lines.end(),
                         [&](const auto& l) { return l.job == job && l.what == what; });
  };
  CHECK(count(0, simulated::fires) == 4);  // one for the five that were missed, then three
  CHECK(count(1, simulated::fires) == 3);
  CHECK(count(2, simulated::fires) == 5);
  CHECK(out.caught_up == 3);
  CHECK(out.skipped == 4 + 5 + 3);
  for (const auto& l : out.lines)
    if (l.caught_up) CHECK(l.begins == noon + 5h + 30min);
  const auto first = std::find_if(out.lines.begin(), out.lines.end(),
                                  [](const auto& l) { return l.job == 2 && l.what == simulated::skipped; });
  REQUIRE(first != out.lines.end());
  CHECK(first->range.reason == skip_reason::catch_up_limit);
}

TEST_CASE("simulate: runs that take longer than their period meet the overlap policy", "[core][simulate]") {
  const auto with = [](overlap o) {
    auto j = planned("long", "0 * * * *");
    j.on_overlap = o;
    j.takes = 90min;
    return simulate(over(6h, {j}));
  };
  const auto skip = with(overlap::skip);
  CHECK(begun(skip) == std::vector<instant>{noon + 1h, noon + 3h, noon + 5h});
  CHECK(skip.overlapped == 3);
  const auto all = with(overlap::queue_all);
  CHECK(all.overlapped == 0);
  CHECK(begun(all)[1] == noon + 2h + 30min);
  CHECK(begun(all)[2] == noon + 4h);
  CHECK(all.longest_wait == 90min);
  CHECK(all.not_begun == 2);
  const auto replaced = with(overlap::replace);
  CHECK(replaced.cancelled == 5);
  CHECK(replaced.waited == 0);
  const auto one = with(overlap::queue_one);
  CHECK(one.overlapped > 0);
  CHECK(one.overlapped < 3);
}

TEST_CASE("simulate: with one slot jobs wait for each other, longest first", "[core][simulate]") {
  auto a = planned("a", "0 13 * * *"), b = planned("b", "10 13 * * *"), c = planned("c", "5 13 * * *");
  for (auto* j : {&a, &b, &c}) j->takes = 1h;
  auto s = over(8h, {a, b, c});
  s.slots = 1;
  const auto out = simulate(s);
  REQUIRE(out.lines.size() == 3);
  CHECK(out.lines[0].begins == noon + 1h);
  CHECK(out.lines[1].job == 2);
  CHECK(out.lines[1].begins == noon + 2h);
  CHECK(out.lines[2].begins == noon + 3h);
  CHECK(out.waited == 2);
  CHECK(out.longest_wait == 110min);
}

TEST_CASE("simulate: fire limits of job, workspace and node move starts", "[core][simulate]") {
  auto own = planned("own", "*/10 * * * *");
  own.policy.limit = {2, 1h};
  own.on_overlap = overlap::queue_all;
  const auto of_job = simulate(over(30min, {own}));
  REQUIRE(of_job.lines.size() == 3);
  CHECK(of_job.lines[2].limited_by == fire_scope::job);
  CHECK(of_job.lines[2].start == noon + 70min);
  CHECK(of_job.not_begun == 1);
  auto a = planned("a", "0 13 * * *"), b = planned("b", "0 13 * * *"), c = planned("c", "0 13 * * *");
  a.workspace = b.workspace = "blue";
  auto s = over(4h, {a, b, c});
  s.limits.fires = 2;
  s.limits.fires_per_workspace = 1;
  const auto out = simulate(s);
  CHECK(out.lines[0].limited_by == fire_scope::none);
  CHECK(out.lines[1].limited_by == fire_scope::workspace);
  CHECK(out.lines[1].begins == noon + 2h);
  CHECK(out.lines[2].limited_by == fire_scope::none);
  CHECK(out.moved == 1);
}

TEST_CASE("simulate: pauses, exclusions and a number of runs are kept", "[core][simulate]") {
  auto paused = planned("paused", "0 * * * *");
  paused.pauses.push_back({"manual", {}, "", noon, noon + 2h + 30min});
  auto for_good = planned("for good", "0 * * * *");
  for_good.pauses.push_back({"manual", {}, "", noon});
  auto few = planned("few", "0 * * * *");
  few.policy.most_runs = 5;
  few.made = 3;
  const auto out = simulate(over(5h, {paused, for_good, few}));
  std::int64_t left_out = 0;
  std::array<int, 3> fires{};
  for (const auto& l : out.lines) {
    if (l.what == simulated::fires) ++fires[l.job];
    if (l.what != simulated::skipped) continue;
    CHECK(l.range.reason == skip_reason::paused);
    left_out += l.range.count;
  }
  CHECK(fires == std::array<int, 3>{3, 0, 2});
  CHECK(left_out == 2 + 5);
}

TEST_CASE("simulate: an excluded time is told although nothing is planned after it", "[core][simulate]") {
  auto j = planned("daytime", "0 13,22 * * *; not times 12:30-20:00");
  const auto out = simulate(over(5h, {j}));
  REQUIRE(out.lines.size() == 1);
  CHECK(out.lines[0].what == simulated::skipped);
  CHECK(out.lines[0].range.reason == skip_reason::excluded);
  CHECK(out.lines[0].at == noon + 1h);
  CHECK(out.fires == 0);
  // One that has no runs left has no times either.
  j.policy.most_runs = 1;
  j.made = 1;
  CHECK(simulate(over(5h, {j})).lines.empty());
  // Between two that are made it is told once.
  const auto between = simulate(over(5h, {planned("hourly", "0 * * * *; not times 14:00-14:30")}));
  CHECK(between.fires == 4);
  CHECK(std::count_if(between.lines.begin(), between.lines.end(),
                      [](const auto& l) { return l.what == simulated::skipped; }) == 1);
}

TEST_CASE("simulate: every run that is made counts as a success", "[core][simulate]") {
  auto j = planned("few", "0 * * * *");
  j.policy.most_runs = 3;
  j.policy.most_runs_of = run_count::successes;
  j.made = 100;
  j.succeeded = 1;
  CHECK(simulate(over(10h, {j})).fires == 2);
}

TEST_CASE("simulate: what runs when the node goes away begins again when it is back", "[core][simulate]") {
  auto j = planned("long", "0 13 * * *");
  j.takes = 2h;
  auto s = over(10h, {j});
  s.away = {{noon + 2h, noon + 4h}};
  const auto out = simulate(s);
  REQUIRE(out.lines.size() == 1);
  CHECK(out.lines[0].begins == noon + 1h);
  CHECK(out.lines[0].ends == noon + 6h);
  CHECK(out.again == 1);
}

TEST_CASE("simulate: it ends at the number of lines, or when it is told that it is enough",
          "[core][simulate]") {
  auto s = over(24h * 300, {planned("often", "* * * * *")});
  s.most_lines = 50;
  const auto few = simulate(s);
  CHECK(few.cut);
  CHECK(few.lines.size() == 50);
  CHECK(few.upto == noon + 50min);
  s.most_lines = 10'000;
  s.enough = [] { return true; };
  CHECK(simulate(s).cut);
}

TEST_CASE("simulate: what is wrong with a simulation is told with its place", "[core][simulate]") {
  const auto first = [](simulation_setup s) {
    const auto found = check(s, {});
    return found.empty() ? std::string{} : found.front().pointer;
  };
  auto s = over(1h, {});
  CHECK(first(s).empty());
  s.until = s.from;
  CHECK(first(s) == "/until");
  s.until = s.from + 24h * 401;
  CHECK(first(s) == "/until");
  s.until = s.from + 24h;
  s.away = {{noon + 2h, noon + 1h}};
  CHECK(first(s) == "/down/0");
  s.away = {{noon + 1h, noon + 3h}, {noon + 2h, noon + 4h}};
  CHECK(first(s) == "/down/1");
  s.away = {{noon - 1h, noon + 3h}};
  CHECK(first(s) == "/down/0");
  s.away = {};
  s.most_lines = 0;
  CHECK(first(s) == "/limit");
}
