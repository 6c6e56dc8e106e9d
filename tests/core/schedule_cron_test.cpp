#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>

#include "core/schedule/canonical.hpp"
#include "core/schedule/cron.hpp"
#include "core/time/text.hpp"
#include "tests/core/slow_cron.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

instant at(const char* text) {
  const auto t = parse_instant(text);
  REQUIRE(t.ok());
  return *t;
}

zone named(const char* name) {
  const auto z = zone::named(name);
  REQUIRE(z.ok());
  return *z;
}

schedule cron_in(const std::string& text, const char* zone_name, gap_rule gap = gap_rule::first_valid,
                 overlap_rule overlap = overlap_rule::first) {
  const auto cron = parse_cron(text);
  INFO(text << ": " << (cron ? "" : cron.problem().why));
  REQUIRE(cron.ok());
  schedule s;
  s.any_of.emplace_back(*cron);
  s.in = named(zone_name);
  s.gap = gap;
  s.overlap = overlap;
  return s;
}

std::string list(const schedule& s, instant after, std::size_t count) {
  std::string out;
  for (const auto& c : preview(s, after, count)) out += (out.empty() ? "" : ", ") + c.local + c.offset;
  return out;
}

}  // namespace

TEST_CASE("cron: expressions have one normal form", "[core][schedule]") {
  const std::pair<const char*, const char*> forms[] = {
      {"0 9 * * 1-5", "0 9 * * 1-5"},
      {"0 9 * * MON-FRI", "0 9 * * 1-5"},
      {"0 9 ? * mon,tue,wed,thu,fri", "0 9 * * 1-5"},
      {"0 0 * * 7", "0 0 * * 0"},
      {"0 0 * * fri-sun", "0 0 * * 0,5,6"},
      {"*/5 * * * *", "*/5 * * * *"},
      {"0,5,10,15,20,25,30,35,40,45,50,55 * * * *", "*/5 * * * *"},
      {"5/15 * * * *", "5,20,35,50 * * * *"},
      {"10-40/10 * * * *", "10,20,30,40 * * * *"},
      {"0 */6 * * *", "0 */6 * * *"},
      {"0 0 1 jan *", "0 0 1 1 *"},
      {"0 0 L * *", "0 0 L * *"},
      {"0 0 15,l * *", "0 0 15,L * *"},
      {"0 0 28-31,L * *", "0 0 28-31 * *"},
      {"0 0 * * 5L", "0 0 * * 5L"},
      {"0 0 * * friL", "0 0 * * 5L"},
      {"0 0 * * MON#2", "0 0 * * 1#2"},
      {"0 0 * * 1,1#2,1L", "0 0 * * 1"},
      {"0 0 13 * 5", "0 0 13 * 5"},
      {"0 0 13 * &5", "0 0 13 * &5"},
      {"0 0 */2 * 1", "0 0 */2 * &1"},
      {"0 0 1-31 * 1", "0 0 * * *"},
      {"30 0 0 * * *", "30 0 0 * * *"},
      {"0 0 0 * * *", "0 0 * * *"},
      {"*/30 * * * * *", "*/30 * * * * *"},
      {"@hourly", "0 * * * *"},
      {"@Daily", "0 0 * * *"},
      {"@midnight", "0 0 * * *"},
      {"@weekly", "0 0 * * 0"},
      {"@monthly", "0 0 1 * *"},
      {"@yearly", "0 0 1 1 *"},
      {"@annually", "0 0 1 1 *"},
      {"0 0 29 2 *", "0 0 29 2 *"},
      {"0 0 * 2 MON#5", "0 0 * 2 1#5"},
  };
  for (const auto& [text, normal] : forms) {
    INFO(text);
    const auto read = parse_cron(text);
    REQUIRE(read.ok());
    CHECK(canonical(*read) == normal);
    const auto again = parse_cron(canonical(*read));
    REQUIRE(again.ok());
    CHECK(*again == *read);
  }
}

TEST_CASE("cron: what cannot be meant is refused, and the place is said", "[core][schedule]") {
  struct refused {
    const char* text;
    std::size_t offset;
    const char* why;
  };
  const refused all[] = {
      {"", 0, "empty"},
      {"* * * *", 7, "4 of 5 fields"},
      {"* * * * * * *", 12, "more than 6"},
      {"60 * * * *", 0, "out of range"},
      {"* 24 * * *", 2, "out of range"},
      {"* * 0 * *", 4, "out of range"},
      {"* * 32 * *", 4, "out of range"},
      {"* * * 13 *", 6, "out of range"},
      {"* * * * 8", 8, "out of range"},
      {"*/0 * * * *", 0, "step"},
      {"*/60 * * * *", 0, "step"},
      {"1- * * * *", 2, "missing"},
      {"1,,2 * * * *", 2, "missing"},
      {"1,2, * * * *", 4, "missing"},
      {"40-10 * * * *", 0, "backwards"},
      {"* 22-2 * * *", 2, "backwards"},
      {"* * * * SAT-MON", 8, "backwards"},
      {"? * * * *", 0, "?"},
      {"* * 15W * *", 4, "W"},
      {"* * LW * *", 4, "W"},
      {"* * W * *", 4, "W"},
      {"0 0 30 2 *", 4, "no such day"},
      {"0 0 31 4,6,9,11 *", 4, "no such day"},
      {"0 0 31 2 &1", 4, "no such day"},
      {"* * * * 1#6", 8, "#"},
      {"* * * * 1#", 8, "#"},
      {"* * * foo *", 6, "no value"},
      {"H * * * *", 0, "H"},
      {"@reboot", 0, "boot"},
      {"@fortnightly", 0, "no such macro"},
      {"@hourly x", 8, "nothing may follow"},
      {"x * * * *", 0, "no value"},
      {"5x * * * *", 1, "follows"},
  };
  for (const auto& r : all) {
    INFO(r.text);
    const auto read = parse_cron(r.text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.problem().offset == r.offset);
    CHECK(read.problem().why.find(r.why) != std::string::npos);
    CHECK(read.problem().offset + read.problem().length <= std::string_view{r.text}.size());
    const auto f = refuse("cron expression", r.text, read.problem());
    CHECK(f.code == errc::invalid);
    CHECK(f.problems.size() == 1);
  }
}

TEST_CASE("cron: H stays for a seed, differs between seeds and keeps its range", "[core][schedule]") {
  std::set<std::string> texts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto once = parse_cron("H H(1-5) H * *", {seed});
    const auto again = parse_cron("h h(1-5) h * *", {seed});
    REQUIRE(once.ok());
    CHECK(*once == *again);
    CHECK((once->hours & ~0x3EU) == 0);
    CHECK((once->days.month_days & ~0x1FFFFFFEU) == 0);
    texts.insert(canonical(*once));
    const auto steps = parse_cron("H/15 * * * *", {seed});
    REQUIRE(steps.ok());
    CHECK(__builtin_popcountll(steps->minutes) == 4);
  }
  CHECK(texts.size() > 150);
}

TEST_CASE("cron: the next times of usual expressions", "[core][schedule]") {
  const auto now = at("2026-11-21T22:07:30Z");
  CHECK(list(cron_in("*/15 * * * *", "UTC"), now, 2) ==
        "2026-11-21 22:15:00+00:00, 2026-11-21 22:30:00+00:00");
  CHECK(list(cron_in("0 9 * * 1-5", "UTC"), now, 2) ==
        "2026-11-23 09:00:00+00:00, 2026-11-24 09:00:00+00:00");
  CHECK(list(cron_in("0 0 29 2 *", "UTC"), now, 2) == "2028-02-29 00:00:00+00:00, 2032-02-29 00:00:00+00:00");
  CHECK(list(cron_in("0 0 * 2 MON#5", "Europe/Berlin"), now, 2) ==
        "2044-02-29 00:00:00+01:00, 2072-02-29 00:00:00+01:00");
  CHECK(list(cron_in("0 0 13 * 5", "UTC"), at("2026-11-12T12:00:00Z"), 3) ==
        "2026-11-13 00:00:00+00:00, 2026-11-20 00:00:00+00:00, 2026-11-27 00:00:00+00:00");
  CHECK(list(cron_in("0 0 13 * &5", "UTC"), now, 2) ==
        "2027-08-13 00:00:00+00:00, 2028-10-13 00:00:00+00:00");
  CHECK(list(cron_in("0 12 L * *", "UTC"), at("2027-01-31T12:00:00Z"), 2) ==
        "2027-02-28 12:00:00+00:00, 2027-03-31 12:00:00+00:00");
  CHECK(list(cron_in("0 12 * * 5L", "UTC"), now, 2) ==
        "2026-11-27 12:00:00+00:00, 2026-12-25 12:00:00+00:00");
  CHECK(list(cron_in("30 59 23 31 12 *", "UTC"), at("2026-12-31T23:59:30Z"), 1) ==
        "2027-12-31 23:59:30+00:00");
  CHECK(list(cron_in("0 0 29 2 *", "UTC"), at("2096-03-01T00:00:00Z"), 1) == "2104-02-29 00:00:00+00:00");
  CHECK(preview(cron_in("0 0 1 1 *", "UTC"), end_of_time, 1).empty());
}

TEST_CASE("cron: times that the clock jumps over and times that it shows twice", "[core][schedule]") {
  const auto spring = at("2026-03-28T12:00:00Z");
  const auto autumn = at("2026-10-24T12:00:00Z");
  // 02:30 does not exist on 29 March in Berlin: first valid instant, or not at all.
  CHECK(list(cron_in("30 2 * * *", "Europe/Berlin"), spring, 2) ==
        "2026-03-29 03:00:00+02:00, 2026-03-30 02:30:00+02:00");
  CHECK(list(cron_in("30 2 * * *", "Europe/Berlin", gap_rule::skip), spring, 1) ==
        "2026-03-30 02:30:00+02:00");
  // 02:30 happens twice on 25 October.
  CHECK(list(cron_in("30 2 * * *", "Europe/Berlin"), autumn, 2) ==
        "2026-10-25 02:30:00+02:00, 2026-10-26 02:30:00+01:00");
  CHECK(list(cron_in("30 2 * * *", "Europe/Berlin", gap_rule::first_valid, overlap_rule::both), autumn, 3) ==
        "2026-10-25 02:30:00+02:00, 2026-10-25 02:30:00+01:00, 2026-10-26 02:30:00+01:00");
  // Every hour: real time goes on.
  CHECK(list(cron_in("30 * * * *", "Europe/Berlin"), at("2026-03-29T00:00:00Z"), 2) ==
        "2026-03-29 01:30:00+01:00, 2026-03-29 03:30:00+02:00");
  CHECK(list(cron_in("30 * * * *", "Europe/Berlin"), at("2026-10-25T00:00:00Z"), 3) ==
        "2026-10-25 02:30:00+02:00, 2026-10-25 02:30:00+01:00, 2026-10-25 03:30:00+01:00");
  // The other hemisphere, half an hour, and a day that was left out whole.
  CHECK(list(cron_in("15 2 * * *", "Australia/Lord_Howe"), at("2026-10-03T12:00:00Z"), 1) ==
        "2026-10-04 02:30:00+11:00");
  CHECK(list(cron_in("30 2 * * *", "Australia/Sydney", gap_rule::skip), at("2026-10-03T12:00:00Z"), 1) ==
        "2026-10-05 02:30:00+11:00");
  CHECK(list(cron_in("0 9 * * *", "Pacific/Apia"), at("2011-12-29T12:00:00Z"), 3) ==
        "2011-12-29 09:00:00-10:00, 2011-12-31 00:00:00+14:00, 2011-12-31 09:00:00+14:00");
  const auto shown = preview(cron_in("30 2 * * *", "Europe/Berlin"), spring, 2);
  CHECK(shown[0].shift == clock_shift::gap);
  CHECK(shown[1].shift == clock_shift::none);
}

TEST_CASE("cron: a schedule that lies in the gap of every year never fires when gaps are skipped",
          "[core][schedule]") {
  // 29 March 2026, 02:30, in Berlin; in other years the day is another one.
  const auto s = cron_in("30 2 29 3 &sun", "Europe/Berlin", gap_rule::skip);
  CHECK(preview(s, at("2025-01-01T00:00:00Z"), 3).size() <= 3);
}

TEST_CASE("cron: next equals a reference that looks at every minute", "[core][schedule]") {
  const char* zones[] = {"UTC",
                         "Europe/Berlin",
                         "America/New_York",
                         "Australia/Sydney",
                         "Asia/Kolkata",
                         "America/Sao_Paulo",
                         "Australia/Lord_Howe",
                         "Pacific/Apia",
                         "Asia/Tehran",
                         "Africa/Casablanca",
                         "America/Santiago",
                         "Pacific/Chatham",
                         "America/Havana",
                         "Antarctica/Troll",
                         "Europe/Dublin",
                         "Asia/Gaza"};
  const bool thorough = std::getenv("BELFRY_LONG") != nullptr;
  // In the long form with a seed of its own each time; BELFRY_SEED=n replays one.
  const char* given = std::getenv("BELFRY_SEED");
  const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10)
                    : thorough       ? std::uint64_t{std::random_device{}()}
                                     : 4711U;
  INFO("BELFRY_SEED=" << seed);
  slow_cron::maker make{seed};
  const int cases = thorough ? 120'000 : 1'000;
  int compared = 0;
  for (int i = 0; i < cases; ++i) {
    const auto e = make.make();
    const auto read = parse_cron(e.text());
    if (!read) {
      INFO(e.text() << ": " << read.problem().why);
      REQUIRE(read.problem().why == "there is no such day in any year");
      continue;
    }
    schedule s;
    s.any_of.emplace_back(*read);
    s.in = named(zones[make.pick(0, 15)]);
    s.gap = make.chance(50) ? gap_rule::skip : gap_rule::first_valid;
    s.overlap = make.chance(50) ? overlap_rule::both : overlap_rule::first;
    // Half of them around a change of the clock.
    auto from = at("1990-01-01T00:00:00Z") + std::chrono::minutes{make.pick(0, 47 * 525'960)};
    if (make.chance(70)) {
      for (int day = 0; day < 400 && s.in.offset(from) == s.in.offset(from + 24h); ++day) from += 24h;
      from -= std::chrono::hours{make.pick(0, 20)};
    }
    const auto upto = from + std::chrono::hours{thorough ? make.pick(3, 30) : make.pick(12, 60)};
    const auto expected = slow_cron::fires(e, s, from, upto);
    std::vector<instant> got;
    for (auto f = next(s, from); f && f->at <= upto && got.size() < 1'000'000; f = next(s, f->at))
      got.push_back(f->at);
    INFO(e.text() << " in " << s.in.name() << " gap " << int(s.gap) << " overlap " << int(s.overlap)
                  << " after " << to_rfc3339(from));
    const auto [a, b] = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
    INFO("expected " << (a == expected.end() ? "the end" : to_rfc3339(*a)) << ", got "
                     << (b == got.end() ? "the end" : to_rfc3339(*b)));
    const bool same = expected == got;  // a list may have thousands
    REQUIRE(same);
    // The same from in between, and the last one by bisection.
    if (!expected.empty()) {
      const auto middle = expected[expected.size() / 2];
      const auto f = next(s, middle - 1us);
      REQUIRE((f && f->at == middle));
      const auto newest = last(s, from, upto);
      REQUIRE((newest && newest->at == expected.back()));
      CHECK(count_between(s, from, upto, 1'000'000) == static_cast<std::int64_t>(expected.size()));
    }
    const auto again = parse_cron(canonical(*read));
    REQUIRE(again.ok());
    REQUIRE(*again == *read);
    ++compared;
  }
  CHECK(compared > cases * 8 / 10);
  if (thorough) std::cout << compared << " expressions compared, seed " << seed << "\n";
}

namespace {

slow_cron::expression each_day(slow_cron::field minute, slow_cron::field hour) {
  slow_cron::expression e;
  e.minute = std::move(minute);
  e.hour = std::move(hour);
  for (int v = 1; v <= 31; ++v) e.month_day.values.insert(v);
  for (int v = 1; v <= 12; ++v) e.month.values.insert(v);
  for (int v = 0; v <= 6; ++v) e.weekday.values.insert(v);
  e.month_day.text = e.month.text = e.weekday.text = "*";
  e.second = {"0", {0}};
  e.star_joined = true;
  return e;
}

// Every zone that the database names, links left out.
std::vector<std::string> all_zones() {
  std::vector<std::string> found;
  std::ifstream in{"/usr/share/zoneinfo/tzdata.zi"};
  std::string line;
  while (std::getline(in, line))
    if (line.starts_with("Z ")) found.push_back(line.substr(2, line.find(' ', 2) - 2));
  return found;
}

void compare_around(const slow_cron::expression& e, const std::string& name, instant from, instant upto) {
  for (const auto gap : {gap_rule::first_valid, gap_rule::skip})
    for (const auto overlap : {overlap_rule::first, overlap_rule::both}) {
      const auto s = cron_in(e.text(), name.c_str(), gap, overlap);
      std::vector<instant> got;
      for (auto f = next(s, from); f && f->at <= upto; f = next(s, f->at)) got.push_back(f->at);
      INFO(name << ' ' << to_rfc3339(from) << ' ' << e.text());
      const bool same = got == slow_cron::fires(e, s, from, upto);
      REQUIRE(same);
    }
}

}  // namespace

TEST_CASE("cron: every clock change of a zone, with both rules", "[core][schedule]") {
  // Fixed times are made up for or happen once; schedules of every hour follow real time.
  const bool thorough = std::getenv("BELFRY_LONG") != nullptr;
  const auto fixed = each_day({"30", {30}}, {"0-3", {0, 1, 2, 3}});
  slow_cron::field hours{"*", {}};
  for (int v = 0; v < 24; ++v) hours.values.insert(v);
  const auto hourly = each_day({"15,45", {15, 45}}, hours);
  std::vector<std::string> zones{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                 "Africa/Casablanca", "Pacific/Apia"};
  if (thorough) zones = all_zones();
  REQUIRE(zones.size() >= 5);
  const auto begin = at(thorough ? "1970-01-01T00:00:00Z" : "2005-01-01T00:00:00Z");
  const auto end = at(thorough ? "2038-01-01T00:00:00Z" : "2027-01-01T00:00:00Z");
  int changes = 0;
  for (const auto& name : zones) {
    const auto z = named(name.c_str());
    for (auto day = begin; day < end; day += 24h) {
      if (z.offset(day) == z.offset(day + 24h)) continue;
      // The reference looks at full minutes; a few clocks of the seventies were off by seconds.
      if ((z.offset(day) % 60s).count() != 0 || (z.offset(day + 24h) % 60s).count() != 0) continue;
      compare_around(fixed, name, day, day + 24h);
      compare_around(hourly, name, day, day + 24h);
      ++changes;
    }
  }
  CHECK(changes > (thorough ? 5'000 : 100));
  if (thorough) std::cout << changes << " clock changes in " << zones.size() << " zones\n";
}

TEST_CASE("cron: what one call of next costs", "[.measure][schedule]") {
  const std::pair<const char*, const char*> all[] = {
      {"*/5 * * * *", "UTC"},         {"*/5 * * * *", "Europe/Berlin"}, {"0 9 * * 1-5", "America/New_York"},
      {"0 0 1 * *", "Europe/Berlin"}, {"0 0 29 2 *", "Europe/Berlin"},  {"0 0 * 2 MON#5", "Europe/Berlin"}};
  for (const auto& [text, name] : all) {
    const auto s = cron_in(text, name);
    constexpr int rounds = 200'000;
    auto t = at("2026-01-01T00:00:00Z");
    const auto begin = std::clock();
    for (int i = 0; i < rounds; ++i) {
      const auto f = next(s, t);
      t = f && f->at < at("2100-01-01T00:00:00Z") ? f->at : at("2026-01-01T00:00:00Z");
    }
    const auto us = 1e6 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / rounds;
    std::cout << "next() " << text << " in " << name << ": " << us << " us\n";
  }
}
