// Calendars under names: dates, phrases that name them, and what becomes of plans when one changes.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <random>

#include "core/calendar/calendar.hpp"
#include "core/job/outlook.hpp"
#include "core/schedule/canonical.hpp"
#include "core/schedule/ics.hpp"
#include "core/schedule/phrase.hpp"
#include "core/schedule/plan.hpp"
#include "core/time/text.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

instant at(const char* text) {
  const auto t = parse_instant(text);
  REQUIRE(t);
  return *t;
}

std::shared_ptr<const calendar> dates(const char* text) {
  auto read = parse_dates(text);
  INFO((read ? "" : read.problem().why));
  REQUIRE(read.ok());
  return std::make_shared<const calendar>(std::move(*read));
}

std::shared_ptr<const calendar> times(std::initializer_list<std::pair<const char*, const char*>> all) {
  calendar c;
  for (const auto& [from, to] : all) c.fixed.push_back({at(from), at(to)});
  normalise(c);
  return std::make_shared<const calendar>(std::move(c));
}

schedule_context with(std::shared_ptr<const calendar> content, instant now = never) {
  schedule_context context;
  context.now = now;
  context.calendars = [content = std::move(content)](std::string_view name) {
    return name == "holidays" ? content : nullptr;
  };
  return context;
}

schedule made_of(const std::string& text, std::shared_ptr<const calendar> content) {
  const auto s = parse_schedule(text, with(std::move(content), at("2026-11-18T12:00:00Z")));
  INFO(text << ": " << (s ? "" : s.problem().why));
  REQUIRE(s.ok());
  return *s;
}

plan_cursor covered(instant t) {
  plan_cursor c;
  c.covered = t;
  return c;
}

}  // namespace

TEST_CASE("calendar: dates and ranges are read, remarks left out, and a mistake is found in its line",
          "[core][calendar]") {
  const auto c = dates("2026-12-25, 2026-12-26 # Christmas\n2026-12-31..2027-01-01\n\n# nothing\n");
  REQUIRE(c->local.size() == 2);  // days that touch are one
  CHECK(c->local[0].end - c->local[0].begin == 48h);
  CHECK(c->local[1].end - c->local[1].begin == 48h);
  const std::string bad = "2026-12-25\n2026-13-01\n";
  const auto no = parse_dates(bad);
  REQUIRE_FALSE(no.ok());
  CHECK(line_at(bad, no.problem().offset) == 2);
  CHECK_FALSE(parse_dates("2027-01-02..2027-01-01"));
  CHECK_FALSE(parse_dates("2027-01-01..2029-01-01"));
  CHECK_FALSE(parse_dates("2027-01-01.."));
  CHECK_FALSE(parse_dates("christmas"));
  CHECK(parse_dates("")->local.empty());
  named_calendar named;
  named.name = "a b";
  CHECK(check(named).size() == 2);
  named.name = "holidays";
  named.content = std::make_shared<const calendar>();
  CHECK(check(named).size() == 1);  // it excludes nothing
  named.content = c;
  CHECK(check(named).empty());
}

TEST_CASE("calendar: no bytes make the readers of dates or of files throw", "[core][calendar]") {
  std::mt19937_64 dice{7};
  const std::string alphabet = "0123456789-., \n#BEGINVCALENDAR:;=DTSTARTRRULEFREQ";
  for (int i = 0; i < 3'000; ++i) {
    std::string text = i % 2 == 0 ? "" : "BEGIN:VCALENDAR\nBEGIN:VEVENT\n";
    for (auto n = dice() % 60; n > 0; --n) text += alphabet[dice() % alphabet.size()];
    const auto a = parse_dates(text);
    const auto b = parse_ics(text);
    if (!a) CHECK(a.problem().offset <= text.size());
    if (!b) CHECK(b.problem().offset <= text.size());
  }
}

TEST_CASE("calendar: phrases name calendars and postpone, and what they say is read back",
          "[core][calendar]") {
  const auto some = dates("2026-12-25");
  const std::pair<const char*, const char*> rows[] = {
      {"weekdays at 9am except calendar holidays", "0 9 * * 1-5; not calendar holidays; zone UTC"},
      {"weekdays at 9am except holidays", "0 9 * * 1-5; not calendar holidays; zone UTC"},
      {"weekdays at 9am except on holidays", "0 9 * * 1-5; not calendar holidays; zone UTC"},
      {"weekdays at 9am, not during holidays", "0 9 * * 1-5; not calendar holidays; zone UTC"},
      {"weekdays at 9am not during calendar holidays in Europe/Berlin",
       "0 9 * * 1-5; not calendar holidays; zone Europe/Berlin"},
      {"every 5 minutes not between 22:00 and 06:00", "*/5 * * * *; not times 22:00-06:00; zone UTC"},
      {"every 5 minutes not between 22:00 and 06:00 or postponed to the end",
       "*/5 * * * *; postpone times 22:00-06:00; zone UTC"},
      {"daily at 9am not in calendar holidays, postponed to the end",
       "0 9 * * *; postpone calendar holidays; zone UTC"},
      {"daily at 9am, postponed during holidays", "0 9 * * *; postpone calendar holidays; zone UTC"}};
  for (const auto& [text, expected] : rows) {
    const auto s = made_of(text, some);
    CHECK(canonical(s) == expected);
    CHECK(canonical(made_of(canonical(s), some)) == expected);
    CHECK(canonical(made_of(describe(s), some)) == expected);
    CHECK(calendars_named_in(canonical(s)) == calendars_of(s));
  }
  const auto unknown = parse_schedule("weekdays at 9am except calendar hollidays", with(some));
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.problem().why == "there is no such calendar");
  CHECK(unknown.problem().offset == 32);
  CHECK_FALSE(parse_schedule("daily at 9am or postponed to the end", with(some)));
  CHECK_FALSE(parse_schedule("daily at 9am except calendar", with(some)));
  CHECK_FALSE(parse_schedule("0 9 * * *; not calendar", with(some)));
  CHECK(parse_exclusion("times 22:00-06:00 on sat,sun", excluded_are::postponed, {}).ok());
  CHECK_FALSE(parse_exclusion("times 22:00-22:00", excluded_are::skipped, {}));
  CHECK_FALSE(parse_exclusion("dates 2026-12-25; zone UTC", excluded_are::skipped, {}));
}

TEST_CASE("calendar: one that blocks everything for years ends the search, and the job is not over for good",
          "[core][calendar][plan]") {
  calendar daily;  // an hour of each day, for longer than anybody looks
  for (int d = 0; d < 30'000; ++d) {
    const auto begin = at("2026-01-01T08:30:00Z") + 24h * d;
    daily.fixed.push_back({begin, begin + 1h});
  }
  const auto s = [&] {
    auto read = made_of("0 9 * * *; not calendar holidays", dates("2020-01-01"));
    std::get<excluded_calendar>(read.not_during[0].what).content =
        std::make_shared<const calendar>(std::move(daily));
    return read;
  }();
  const auto began = std::chrono::steady_clock::now();
  const auto now = at("2026-11-18T12:00:00Z");
  CHECK_FALSE(next(s, now));
  CHECK_FALSE(last(s, now - 24h * 300, now));
  const auto d = plan(s, {}, covered(now - 24h * 30), {now, 7, false});
  CHECK(d.make.empty());
  CHECK_FALSE(d.completed);                        // somebody may correct the calendar
  CHECK(d.wake_at == at("2026-11-19T09:30:00Z"));  // to write down what was left out
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  // One time that a calendar has come to exclude is a record, and then the job is over.
  const auto once = made_of("@at 2026-11-20T09:00:00Z; not calendar holidays", dates("2020-01-01"));
  auto blocked = once;
  std::get<excluded_calendar>(blocked.not_during[0].what).content = dates("2026-11-20");
  CHECK(wake_after(blocked, covered(now)) == at("2026-11-21T00:00:00Z"));
  const auto told = plan(blocked, {}, covered(now), {at("2026-11-21T00:00:00Z"), 7, false});
  CHECK(told.completed);
  REQUIRE(told.skips.size() == 1);
  CHECK(told.skips[0].by == "calendar holidays");
  auto stored = with(dates("2026-11-20"));
  CHECK_FALSE(parse_canonical(canonical(once), stored).ok());
  stored.stored = true;
  CHECK(parse_canonical(canonical(once), stored).ok());
  // Postponed for ever is never, not at some bound of a search.
  auto always = made_of("0 9 * * *; postpone times 00:00-23:59", dates("2020-01-01"));
  std::get<excluded_times>(always.not_during[0].what).to = 24h;
  CHECK_FALSE(next(always, now));
  CHECK_FALSE(parse_canonical("0 9 * * *; postpone times 00:00-24:00", {}).ok());
}

TEST_CASE("plan: what is postponed names the exclusion, is made once, and knows when it was meant",
          "[core][calendar][plan]") {
  const auto s = made_of("30 * * * *; postpone calendar holidays",
                         times({{"2026-11-18T20:00:00Z", "2026-11-19T06:00:00Z"}}));
  auto cursor = covered(at("2026-11-18T19:45:00Z"));
  int runs = 0;
  instant meant = never;
  for (auto now = at("2026-11-18T20:30:00Z"); now <= at("2026-11-19T07:00:00Z"); now += 30min) {
    const auto d = plan(s, {}, cursor, {now, 7, false});
    for (const auto& m : d.make) {
      ++runs;
      if (m.at == at("2026-11-19T06:00:00Z")) meant = m.meant;
    }
    for (const auto& r : d.skips) {
      CHECK(r.reason == skip_reason::postponed);
      CHECK(r.by == "calendar holidays");
      CHECK(r.moved_to == at("2026-11-19T06:00:00Z"));
    }
    cursor = d.next;
  }
  CHECK(runs == 2);  // 06:00 and 06:30
  CHECK(meant == at("2026-11-18T20:30:00Z"));
  const auto out = left_out(s, at("2026-11-18T19:45:00Z"), at("2026-11-19T07:00:00Z"));
  REQUIRE(out.size() == 1);
  CHECK(out[0].count == 10);
}

TEST_CASE("plan: a calendar that changes loses nothing that was postponed and doubles nothing that was made",
          "[core][calendar][plan]") {
  const std::string text = "30 * * * *; postpone calendar holidays";
  const auto night = times({{"2026-11-18T20:00:00Z", "2026-11-19T06:00:00Z"}});
  const auto other = times({{"2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z"}});
  const auto longer = times({{"2026-11-18T18:00:00Z", "2026-11-19T10:00:00Z"}});
  const auto now = at("2026-11-19T02:00:00Z");
  const auto settled = [&](const schedule& s) {
    plan_policy all;
    all.missed = catch_up::all;
    return plan(s, all, covered(at("2026-11-18T17:45:00Z")), {now, 7, false}).next;
  };
  const auto in_night = made_of(text, night);

  SECTION("what it leaves free by now is made now, once") {
    const auto after = made_of(text, other);
    const auto c = change_plan(in_night, after, settled(in_night), now);
    REQUIRE(c.make);
    CHECK(c.make->at == now);
    CHECK(c.make->meant == at("2026-11-18T20:30:00Z"));
    CHECK(c.make->caught_up);
    CHECK(next_planned(after, c.next)->at == at("2026-11-19T02:30:00Z"));
  }
  SECTION("what it postpones further is made then, for what was held back and not for what had run") {
    const auto after = made_of(text, longer);
    const auto c = change_plan(in_night, after, settled(in_night), now);
    CHECK_FALSE(c.make);
    CHECK(next_planned(after, c.next)->at == at("2026-11-19T10:00:00Z"));
    const auto d = plan(after, {}, c.next, {at("2026-11-19T10:00:00Z"), 7, false});
    REQUIRE(d.make.size() == 1);
    CHECK(d.make[0].meant == at("2026-11-18T20:30:00Z"));
  }
  SECTION("what it now leaves out is a record") {
    const auto after = made_of("30 * * * *; not calendar holidays", night);
    const auto c = change_plan(in_night, after, settled(in_night), now);
    CHECK_FALSE(c.make);
    REQUIRE(c.skip);
    CHECK(c.skip->reason == skip_reason::excluded);
    CHECK(c.skip->by == "calendar holidays");
    CHECK(next_planned(after, c.next)->at == at("2026-11-19T06:30:00Z"));
  }
  SECTION("what had run is not postponed by a night that was made excluded afterwards") {
    const auto before = made_of(text, other);
    const auto c = change_plan(before, in_night, settled(before), now);
    CHECK_FALSE(c.make);
    CHECK_FALSE(c.skip);
    const auto d = plan(in_night, {}, c.next, {at("2026-11-19T06:00:00Z"), 7, false});
    REQUIRE(d.make.size() == 1);
    CHECK(d.make[0].meant == at("2026-11-19T02:30:00Z"));
    // A night in which nothing more is planned brings nothing up again.
    const auto late = at("2026-11-19T05:45:00Z");
    const auto quiet = change_plan(before, in_night, start_from(covered(late), late), late);
    CHECK(next_planned(in_night, quiet.next)->at == at("2026-11-19T06:30:00Z"));
  }
}

TEST_CASE("calendar files: a calendar that is written out is read back as it was", "[core][calendar][ics]") {
  rc::prop("parse(write(c)) == c", [] {
    calendar c;
    const auto count = *rc::gen::inRange(0, 40);
    for (int i = 0; i < count; ++i) {
      const auto begin = std::chrono::seconds{*rc::gen::inRange<std::int64_t>(0, 4'000'000'000)};
      const auto length = std::chrono::seconds{*rc::gen::inRange<std::int64_t>(1, 500'000)};
      if (*rc::gen::arbitrary<bool>())
        c.local.push_back({local_seconds{begin}, local_seconds{begin + length}});
      else
        c.fixed.push_back({instant{begin}, instant{begin + length}});
    }
    normalise(c);
    const auto read = parse_ics(to_ics(c));
    RC_ASSERT(read.ok());
    RC_ASSERT(read->content == c);
  });
}

TEST_CASE("exclusions: quiet hours over midnight keep to the clock when it changes", "[core][calendar]") {
  // On 29 March the clock in Berlin jumps from 2:00 to 3:00, on 25 October back from 3:00 to 2:00.
  const auto s = made_of("*/30 * * * *; not times 22:00-02:30; zone Europe/Berlin", dates("2020-01-01"));
  const auto first = [&](const char* after) { return next(s, at(after))->at; };
  CHECK(first("2026-03-28T21:00:00Z") == at("2026-03-29T01:00:00Z"));  // 3:00, the first valid instant
  CHECK(first("2026-10-24T20:00:00Z") == at("2026-10-25T00:30:00Z"));  // 2:30, the first time
  const auto whole = made_of("0 * * * *; not dates 2026-03-29; zone Europe/Berlin", dates("2020-01-01"));
  CHECK(next(whole, at("2026-03-28T22:30:00Z"))->at == at("2026-03-29T22:00:00Z"));  // a day of 23 hours
}

TEST_CASE("outlook: what a calendar leaves out before the next time is told", "[core][calendar]") {
  job_definition d;
  d.name = d.spec.name = "mail";
  d.timing.schedule = "0 9 * * *; not calendar holidays; zone UTC";
  job j;
  j.due = at("2026-12-27T09:00:00Z");
  j.definition = std::make_shared<const job_definition>(d);
  const auto found =
      left_out_before_due(j, with(dates("2026-12-25..2026-12-26")).calendars, at("2026-12-24T10:00:00Z"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].count == 2);
  CHECK(found[0].by == "calendar holidays");
  j.state = job_state::paused;
  CHECK(left_out_before_due(j, with(dates("2026-12-25")).calendars, at("2026-12-24T10:00:00Z")).empty());
}
