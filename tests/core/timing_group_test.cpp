#include <catch2/catch.hpp>

#include <random>
#include <set>

#include "core/job/timing_group.hpp"
#include "core/queue/group_timers.hpp"
#include "core/schedule/canonical.hpp"
#include "core/time/text.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

constexpr instant start = from_micros(1'795'255'200'000'000);

scheduled_job member(std::int64_t id, std::string schedule, job_state state = job_state::active,
                     instant due = never, instant fired = never) {
  return {job_id{id}, "job-" + std::to_string(id), state, std::move(schedule), due, fired, {}, {}};
}

std::vector<std::int64_t> jobs_of(const std::vector<job_due>& due) {
  std::vector<std::int64_t> out;
  for (const auto& d : due) out.push_back(d.job.value);
  return out;
}

}  // namespace

TEST_CASE("timing groups: the key in a text is the key of the schedule that it says", "[core][timing]") {
  for (const char* text :
       {"* * * * *; zone UTC",
        "0 9 * * 1-5 | @every 7m; not dates 2026-12-24; zone Europe/Berlin; gap skip; jitter 5m",
        "@every 90s; postpone times 22:00-06:00; zone UTC; overlap both",
        "@event build.done where env=prod,user!=ci; zone UTC"}) {
    INFO(text);
    auto s = parse_canonical(text, {});
    REQUIRE(s.ok());
    CHECK(timing_key_of(canonical(*s)) == timing_key(*s));
    s->starts = start;
    CHECK(timing_key_of(canonical(*s)) == timing_key(*s));
    s->ends = start + 24h;
    CHECK(timing_key_of(canonical(*s)) == timing_key(*s));
    s->starts = never;
    CHECK(timing_key_of(canonical(*s)) == timing_key(*s));
    CHECK(zone_name_in(timing_key(*s)) == s->in.name());
    CHECK(timing_label_of(timing_key(*s)) == timing_label(*s));
  }
  CHECK(timing_key_of("").empty());
}

TEST_CASE("timing groups: zone and jitter make another group, bounds do not", "[core][timing]") {
  const auto number = [](const char* text) { return timing_number_of(text); };
  const auto plain = number("0 9 * * *; zone UTC");
  CHECK(plain != 0);
  CHECK(number("0 9 * * *; zone UTC; start 2026-01-01T00:00:00Z") == plain);
  CHECK(number("0 9 * * *; zone UTC; start 2026-01-01T00:00:00Z; end 2027-01-01T00:00:00Z; jitter 5m") ==
        number("0 9 * * *; zone UTC; jitter 5m"));
  CHECK(number("0 9 * * *; zone Europe/Berlin") != plain);
  CHECK(number("0 9 * * *; zone UTC; jitter 5m") != plain);
  CHECK(number("") == 0);
}

TEST_CASE("timing groups: an id is read back as its number, and nothing else is an id", "[core][timing]") {
  for (const std::uint64_t n :
       {std::uint64_t{1}, std::uint64_t{0x0123456789ABCDEF}, ~std::uint64_t{0} >> 1U}) {
    CHECK(timing_id(n).size() == 20);
    CHECK(timing_number_from(timing_id(n)) == n);
  }
  for (const char* bad : {"", "tim_", "tim_012345678901234", "tim_01234567890123456", "tim_0123456789ABCDEF",
                          "job_0123456789abcdef", "tim_0123456789abcdeg", "daily-9am"})
    CHECK_FALSE(timing_number_from(bad));
}

TEST_CASE("timing groups: what the members are is counted, and two groups of one label are two",
          "[core][timing]") {
  // Cron and interval: due at the same instants, written differently, called the same.
  timing_book book;
  scheduled_page page;
  page.jobs = {
      member(1, "*/5 * * * *; zone UTC", job_state::active, start + 5min, start),
      member(2, "*/5 * * * *; zone UTC; end 2027-01-01T00:00:00Z", job_state::paused, never, start - 1h),
      member(3, "@every 5m; zone UTC")};
  book.add(page);
  page.jobs = {member(4, "0 9 * * *; zone Not/There"),
               member(5, "*/5 * * * *; zone UTC", job_state::active, start + 3min)};
  book.add(page);
  const auto all = book.take();
  REQUIRE(all.size() == 3);
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const auto& x, const auto& y) { return x.number < y.number; }));
  for (const auto& g : all) {
    CHECK(called(g, timing_id(g.number)));
    CHECK(called(g, g.label));
    CHECK(called(g, g.key));
    if (g.zone == "Not/There") CHECK(g.label.substr(0, 7) == "custom-");
    if (g.key != "*/5 * * * *; zone UTC") continue;
    CHECK(g.label == "every-5min");
    CHECK(g.members == 3);
    CHECK(g.active == 2);
    CHECK(g.paused == 1);
    CHECK(g.next_due == start + 3min);
    CHECK(g.last_fired == start);
  }
  CHECK(std::count_if(all.begin(), all.end(), [](const auto& g) { return called(g, "every-5min"); }) == 2);
  CHECK(book.take().empty());
}

TEST_CASE("group timers: jobs of one group and instant share a timer", "[core][timing]") {
  group_timers t;
  for (int i = 1; i <= 1'000; ++i) t.set(i, 7, start);
  t.set(2'000, 8, start);
  t.set(2'001, 7, start + 1min);
  CHECK(t.size() == 1'002);
  CHECK(t.timers() == 3);
  CHECK(t.next() == start);
  CHECK(t.take_due(start - 1us, 10).empty());
  for (int i = 1; i <= 1'000; ++i) t.set(i, 7, start + 1min);
  CHECK(t.timers() == 2);
  t.set(2'000, 8, never);
  CHECK(t.timers() == 1);
  CHECK(t.next() == start + 1min);
}

TEST_CASE("group timers: groups that are due take turns", "[core][timing]") {
  group_timers t;
  for (int i = 1; i <= 10'000; ++i) t.set(i, 1, start);
  t.set(20'000, 2, start);
  t.set(20'001, 3, start + 1s);
  auto due = jobs_of(t.take_due(start, 100));
  CHECK(due.size() == 100);
  CHECK(std::count(due.begin(), due.end(), 20'000) == 1);
  // What becomes due meanwhile is in the next bite.
  due = jobs_of(t.take_due(start + 1s, 100));
  CHECK(std::count(due.begin(), due.end(), 20'001) == 1);
  CHECK(t.next() == start);
  std::set<std::int64_t> seen;
  while (true) {
    const auto more = jobs_of(t.take_due(start + 1s, 100));
    if (more.empty()) break;
    for (const auto j : more) CHECK(seen.insert(j).second);
  }
  CHECK(seen.size() == 10'002 - 200);
  CHECK(t.size() == 0);
  CHECK(t.timers() == 0);
  CHECK_FALSE(t.next());
}

TEST_CASE("group timers: a job that is due and is set anew is not handed out for its old time",
          "[core][timing]") {
  group_timers t;
  for (int i = 1; i <= 3; ++i) t.set(i, 1, start);
  CHECK(jobs_of(t.take_due(start, 1)) == std::vector<std::int64_t>{1});
  t.set(2, 1, start + 1h);
  t.set(3, 1, never);
  t.set(4, 1, start);  // late to a timer that has its turn already
  CHECK(jobs_of(t.take_due(start, 10)) == std::vector<std::int64_t>{4});
  CHECK(t.next() == start + 1h);
}

TEST_CASE("group timers: they are a list of jobs with instants, only faster", "[core][timing]") {
  std::mt19937 dice{20261122};
  const auto upto = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  group_timers t;
  std::map<std::int64_t, std::pair<instant, std::uint64_t>> model;
  auto now = start;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t job = 1 + upto(60);
    if (upto(4) != 0) {
      const auto when = upto(8) == 0 ? never : now + span{std::chrono::seconds{upto(5)}};
      const auto group = static_cast<std::uint64_t>(upto(4));
      t.set(job, group, when);
      if (when == never)
        model.erase(job);
      else
        model[job] = {when, group};
    } else {
      now += std::chrono::seconds{upto(3)};
      const auto limit = static_cast<std::size_t>(1 + upto(5));
      const auto due = t.take_due(now, limit);
      const auto ready = static_cast<std::size_t>(
          std::count_if(model.begin(), model.end(), [&](const auto& m) { return m.second.first <= now; }));
      REQUIRE(due.size() == std::min(limit, ready));
      for (const auto& d : due) {
        REQUIRE(model.at(d.job.value) == std::pair{d.at, d.group});
        REQUIRE(d.at <= now);
        model.erase(d.job.value);
      }
    }
    REQUIRE(t.size() == model.size());
    std::optional<instant> first;
    for (const auto& [id, m] : model)
      if (!first || m.first < *first) first = m.first;
    REQUIRE(t.next() == first);
  }
}
