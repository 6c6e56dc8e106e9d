#include <catch2/catch.hpp>
#include <random>

#include "core/schedule/canonical.hpp"
#include "core/schedule/ics.hpp"
#include "core/schedule/names.hpp"
#include "core/time/text.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

instant at(std::string_view text) {
  const auto t = parse_instant(text);
  REQUIRE(t.ok());
  return *t;
}

std::string list(const std::string& text, std::string_view after, std::size_t count,
                 const schedule_context& context = {}) {
  const auto s = parse_canonical(text, context);
  INFO(text << ": " << (s ? "" : s.problem().why));
  REQUIRE(s.ok());
  std::string out;
  for (const auto& c : preview(*s, at(after), count)) out += (out.empty() ? "" : ", ") + c.local;
  return out;
}

std::string holidays(const std::string& events) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + events + "END:VCALENDAR\r\n";
}
std::string event(const std::string& lines) { return "BEGIN:VEVENT\r\n" + lines + "END:VEVENT\r\n"; }

}  // namespace

TEST_CASE("zones: only names of the zone database are taken", "[core][schedule]") {
  for (const char* name : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}) {
    INFO(name);
    CHECK(zone::named(name).ok());
  }
  for (const char* name :
       {"", "localtime", "/etc/localtime", "../zoneinfo/UTC", "posix/UTC", "right/UTC", "Europe", "Europe/",
        "Mars/Olympus", "europe/berlin", "Europe/Berlin ", "Fixed/UTC+01:00:00", "tzdata.zi"}) {
    INFO(name);
    CHECK(zone::named(name).refused_with(errc::invalid));
  }
  CHECK(zone::named("europe/berlin").error().problems[0].allowed.find("Europe/Berlin?") != std::string::npos);
  CHECK(offset_text(-3h - 30min) == "-03:30");
  CHECK(offset_text(44min + 30s) == "+00:44:30");
}

TEST_CASE("intervals: the phase stays in absolute time", "[core][schedule]") {
  const interval_trigger t{7min, at("2026-01-01T00:00:03Z")};
  auto after = at("2026-01-01T00:00:00Z");
  CHECK(next_instant(t, after) == at("2026-01-01T00:00:03Z"));
  CHECK(next_instant(t, at("2026-01-01T00:00:03Z")) == at("2026-01-01T00:07:03Z"));
  CHECK(next_instant(t, at("2025-12-31T23:59:00Z")) == at("2026-01-01T00:00:03Z"));
  CHECK(next_instant(t, at("2025-12-31T23:50:00Z")) == at("2025-12-31T23:53:03Z"));
  // Over a change of the clock, too.
  CHECK(list("@every 6h; zone Europe/Berlin", "2026-03-28T12:00:00Z", 4) ==
        "2026-03-28 19:00:00, 2026-03-29 01:00:00, 2026-03-29 08:00:00, 2026-03-29 14:00:00");
  CHECK(count_between(t, at("2026-01-01T00:00:03Z"), at("2026-01-01T00:21:03Z")) == 3);
  CHECK_FALSE(next_instant(t, end_of_time));
}

TEST_CASE("recurrences: days, weeks, months and years are counted from a date", "[core][schedule]") {
  CHECK(list("@days 2 from 2026-01-30 at 09:00,17:30", "2026-01-30T09:00:00Z", 3) ==
        "2026-01-30 17:30:00, 2026-02-01 09:00:00, 2026-02-01 17:30:00");
  CHECK(list("@weeks 2 from 2026-11-18 on mon,fri at 09:00", "2026-11-01T00:00:00Z", 3) ==
        "2026-11-20 09:00:00, 2026-11-30 09:00:00, 2026-12-04 09:00:00");
  CHECK(list("@months 1 from 2026-01-01 on 31 at 09:00", "2026-01-31T09:00:00Z", 2) ==
        "2026-03-31 09:00:00, 2026-05-31 09:00:00");
  CHECK(list("@months 1 from 2026-01-01 on 31 at 09:00 short-months last", "2026-01-31T09:00:00Z", 2) ==
        "2026-02-28 09:00:00, 2026-03-31 09:00:00");
  CHECK(list("@months 3 from 2026-02-10 on L,mon#1 at 09:00", "2026-01-01T00:00:00Z", 3) ==
        "2026-02-28 09:00:00, 2026-05-04 09:00:00, 2026-05-31 09:00:00");
  CHECK(list("@years 1 from 2025-01-01 in 2 on 29 at 09:00", "2026-01-01T00:00:00Z", 2) ==
        "2028-02-29 09:00:00, 2032-02-29 09:00:00");
  CHECK(list("@years 1 from 2025-01-01 in 2 on 29 at 09:00 short-months last", "2026-01-01T00:00:00Z", 3) ==
        "2026-02-28 09:00:00, 2027-02-28 09:00:00, 2028-02-29 09:00:00");
  CHECK(list("@days 1 from 2026-01-01 at 09:00 until 2026-01-02", "2026-01-01T10:00:00Z", 5) ==
        "2026-01-02 09:00:00");
  CHECK(list("@days 1 from 2026-03-28 at 02:30; zone Europe/Berlin", "2026-03-28T12:00:00Z", 2) ==
        "2026-03-29 03:00:00, 2026-03-30 02:30:00");
  for (const char* wrong :
       {"@months 12 from 2026-02-01 on 30 at 09:00", "@days 0 from 2026-01-01 at 09:00",
        "@weeks 1 from 2026-01-01 on 5 at 09:00", "@days 1 from 2026-01-02 at 09:00 until 2026-01-01",
        "@years 1 from 2026-01-01 in 13 on 1 at 09:00", "@days 1 from 2026-01-01 at 24:00",
        "@days 1 from 2026-02-30 at 09:00"}) {
    INFO(wrong);
    CHECK_FALSE(parse_canonical(wrong, {}).ok());
  }
}

TEST_CASE("recurrences: next equals a walk over all days", "[core][schedule]") {
  std::mt19937_64 dice{3};
  const auto pick = [&](int a, int b) {
    return a + static_cast<int>(dice() % static_cast<std::uint64_t>(b - a + 1));
  };
  for (int i = 0; i < 300; ++i) {
    recurrence r;
    r.unit = static_cast<calendar_unit>(pick(0, 3));
    r.every = static_cast<std::uint32_t>(pick(1, 5));
    r.from = local_days{std::chrono::year{2024} / 1 / 1} + std::chrono::days{pick(0, 400)};
    r.times = {std::chrono::hours{pick(0, 23)}};
    if (r.unit == calendar_unit::week) r.days.weekdays = static_cast<weekday_bits>(pick(1, 127));
    if (r.unit == calendar_unit::month || r.unit == calendar_unit::year) {
      r.days.month_days = 1U << pick(1, 31) | 1U << pick(1, 28);
      if (pick(0, 1) == 0)
        r.days.nth[static_cast<std::size_t>(pick(0, 6))] = static_cast<std::uint8_t>(1U << pick(1, 5));
      if (pick(0, 1) == 0) r.month_end = month_end_rule::last_day;
    }
    if (r.unit == calendar_unit::year)
      r.months = static_cast<std::uint16_t>(1U << pick(1, 12) | 1U << pick(1, 12));
    const auto belongs = [&](local_days d) {
      using namespace std::chrono;
      if (d < r.from) return false;
      const year_month_day date{d};
      const year_month_day base{r.from};
      const auto monday = [](local_days x) { return x - days{(weekday{x}.iso_encoding() - 1)}; };
      const auto n = static_cast<unsigned>(date.day());
      const auto length =
          static_cast<unsigned>(year_month_day_last{date.year() / date.month() / std::chrono::last}.day());
      const int months = (static_cast<int>(date.year()) - static_cast<int>(base.year())) * 12 +
                         static_cast<int>(static_cast<unsigned>(date.month())) -
                         static_cast<int>(static_cast<unsigned>(base.month()));
      const int every = static_cast<int>(r.every);
      switch (r.unit) {
        case calendar_unit::day: return (d - r.from).count() % every == 0;
        case calendar_unit::week:
          return (monday(d) - monday(r.from)).count() / 7 % every == 0 &&
                 (unsigned{r.days.weekdays} >> weekday{d}.c_encoding() & 1U) != 0;
        case calendar_unit::month:
          if (months % every != 0) return false;
          break;
        case calendar_unit::year:
          if ((static_cast<int>(date.year()) - static_cast<int>(base.year())) % every != 0 ||
              (unsigned{r.months} >> static_cast<unsigned>(date.month()) & 1U) == 0)
            return false;
          break;
      }
      if ((r.days.month_days >> n & 1U) != 0) return true;
      if ((r.days.nth[weekday{d}.c_encoding()] >> ((n - 1) / 7 + 1) & 1U) != 0) return true;
      return r.month_end == month_end_rule::last_day && n == length && (r.days.month_days >> n >> 1) != 0;
    };
    auto l = local_seconds{r.from} - 1s;
    for (auto d = r.from; d < r.from + std::chrono::days{1'500}; d += std::chrono::days{1}) {
      if (!belongs(d)) continue;
      const auto got = next_local(r, l);
      INFO(canonical(trigger{r}) << " after " << local_text(l));
      REQUIRE(got);
      REQUIRE(local_text(*got) == local_text(d + r.times[0]));
      l = *got;
    }
  }
}

TEST_CASE("exclusions: dates, quiet hours over midnight and calendars", "[core][schedule]") {
  CHECK(list("0 12 * * *; not dates 2026-11-22,2026-11-23", "2026-11-21T12:00:00Z", 1) ==
        "2026-11-24 12:00:00");
  CHECK(list("0 * * * *; not times 22:00-06:00", "2026-11-21T20:30:00Z", 2) ==
        "2026-11-21 21:00:00, 2026-11-22 06:00:00");
  // It begins on Saturday and lasts into Sunday.
  CHECK(list("0 */4 * * *; not times 22:00-06:00 on sat", "2026-11-21T19:00:00Z", 3) ==
        "2026-11-21 20:00:00, 2026-11-22 08:00:00, 2026-11-22 12:00:00");
  CHECK(list("0 12 * * *; postpone dates 2026-11-22,2026-11-23", "2026-11-21T12:00:00Z", 2) ==
        "2026-11-24 00:00:00, 2026-11-24 12:00:00");
  // A day that the exclusion skips is not postponed by another.
  CHECK(list("0 12 * * *; not dates 2026-11-22; postpone times 00:00-24:00 on sun", "2026-11-21T12:00:00Z",
             1) == "2026-11-23 12:00:00");
  // Quiet hours end when the clock shows their end, also when it was changed meanwhile.
  CHECK(list("30 * * * *; not times 22:00-06:00; zone Europe/Berlin", "2026-03-28T20:45:00Z", 1) ==
        "2026-03-29 06:30:00");
  for (const char* vain :
       {"0 23 * * *; not times 22:00-06:00", "@at 2026-12-24T12:00:00Z; not dates 2026-12-24"}) {
    const auto s = parse_canonical(vain, {});
    REQUIRE_FALSE(s.ok());
    CHECK(s.problem().why == "it would never fire");
  }
  for (const char* wrong : {"0 9 * * *; not times 22:00-22:00", "0 9 * * *; not dates 2026-02-30",
                            "0 9 * * *; not calendar x", "0 9 * * *; never", "0 9 * * *;",
                            "@event x | 0 9 * * *", "0 9 * * *; jitter 2d", "0 9 * * * extra; zone UTC"}) {
    INFO(wrong);
    CHECK_FALSE(parse_canonical(wrong, {}).ok());
  }
}

TEST_CASE("calendar files: whole days, times, zones and rules become excluded time",
          "[core][schedule][ics]") {
  const auto read = parse_ics(holidays(
      event("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christ\r\n mas\r\n") +
      event("DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\n") +
      event("DTSTART:20261130T080000Z\r\nDURATION:PT2H\r\n") +
      event("DTSTART;TZID=Europe/Berlin:20261201T080000\r\nDTEND;TZID=Europe/Berlin:20261201T090000\r\n") +
      event("DTSTART;VALUE=DATE:20261202\r\nSTATUS:CANCELLED\r\n") +
      event("DTSTART;VALUE=DATE:20261207\r\nRRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO,WE\r\nEXDATE;VALUE=DATE:"
            "20261209\r\n"
            "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nDURATION:nonsense\r\nEND:VALARM\r\n")));
  INFO((read ? "" : read.problem().why));
  REQUIRE(read.ok());
  CHECK(read->events == 5);
  CHECK(read->left_out == 1);
  schedule_context context;
  const auto content = std::make_shared<const calendar>(read->content);
  context.calendars = [&](std::string_view) { return content; };
  CHECK(list("0 12 * * *; not calendar h", "2026-12-24T00:00:00Z", 2, context) ==
        "2026-12-24 12:00:00, 2026-12-27 12:00:00");
  CHECK(list("0 12 * * *; not calendar h", "2026-12-31T00:00:00Z", 2, context) ==
        "2026-12-31 12:00:00, 2027-01-02 12:00:00");
  CHECK(list("0 12 * * *; not calendar h", "2026-12-06T13:00:00Z", 4, context) ==
        "2026-12-08 12:00:00, 2026-12-09 12:00:00, 2026-12-10 12:00:00, 2026-12-11 12:00:00");
  CHECK(list("0 * * * *; not calendar h", "2026-11-30T07:30:00Z", 1, context) == "2026-11-30 10:00:00");
  CHECK(list("0 * * * *; not calendar h", "2026-12-01T06:30:00Z", 1, context) == "2026-12-01 08:00:00");
}

TEST_CASE("calendar files: what is not understood is refused with its line", "[core][schedule][ics]") {
  const std::pair<std::string, const char*> wrong[] = {
      {"", "does not begin"},
      {"hello", "does not begin"},
      {"BEGIN:VCALENDAR\r\n", "ends in the middle"},
      {holidays("BEGIN:VEVENT\r\n"), "ends in the middle"},
      {holidays(event("SUMMARY:x\r\n")), "no DTSTART"},
      {holidays(event("DTSTART:yesterday\r\n")), "no date"},
      {holidays(event("DTSTART;VALUE=DATE:20260230\r\n")), "no date"},
      {holidays(event("DTSTART;TZID=Mars/Base:20260101T000000\r\nDURATION:PT1H\r\n")), "time zone"},
      {holidays(event("DTSTART:20260101T000000Z\r\nDURATION:forever\r\n")), "no duration"},
      {holidays(event("DTSTART;VALUE=DATE:20260102\r\nDTEND;VALUE=DATE:20260101\r\n")), "ends before"},
      {holidays(event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=SECONDLY\r\n")), "not supported"},
      {holidays(event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=MONTHLY;BYDAY=1MO\r\n")), "not supported"},
      {holidays(event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY;BYSETPOS=1\r\n")), "not supported"},
      {holidays(event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=DAILY;BYMONTH=1\r\n")), "go together"},
  };
  for (const auto& [text, why] : wrong) {
    INFO(text);
    const auto read = parse_ics(text);
    REQUIRE_FALSE(read.ok());
    INFO(read.problem().why);
    CHECK(read.problem().why.find(why) != std::string::npos);
    CHECK(read.problem().offset + read.problem().length <= text.size());
  }
}

TEST_CASE("calendar files: no bytes make the reader throw", "[core][schedule][ics]") {
  const auto whole = holidays(
      event("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=3\r\nEXDATE:20261225\r\n") +
      event("DTSTART;TZID=Europe/Berlin:20261201T080000\r\nDURATION:P1DT2H\r\n"));
  std::mt19937_64 dice{11};
  for (int i = 0; i < 5'000; ++i) {
    auto text = whole;
    for (auto n = dice() % 6; n > 0; --n) {
      const auto where = dice() % text.size();
      if (dice() % 3 == 0)
        text.erase(where, dice() % 9 + 1);
      else if (dice() % 2 == 0)
        text[where] = static_cast<char>(dice() % 256);
      else
        text.insert(where, text.substr(dice() % text.size(), dice() % 20));
      if (text.empty()) text = " ";
    }
    const auto read = parse_ics(text);
    if (read) continue;
    REQUIRE(read.problem().offset <= text.size());
    REQUIRE(read.problem().length <= text.size() - read.problem().offset);
  }
}

TEST_CASE("events: names and conditions must fit, and debouncing gathers what comes in a burst",
          "[core][schedule]") {
  event_trigger t;
  t.name = "deploy.*";
  t.filters = {{"env", filter_test::equal, "prod*"}, {"user", filter_test::unequal, "ci"}};
  CHECK(matches(t, {"deploy.finished", {{"env", "production"}}, 0}));
  CHECK(matches(t, {"deploy.finished", {{"env", "prod"}, {"user", "ada"}}, 0}));
  CHECK_FALSE(matches(t, {"deploy.finished", {{"env", "prod"}, {"user", "ci"}}, 0}));
  CHECK_FALSE(matches(t, {"deploy.finished", {}, 0}));
  CHECK_FALSE(matches(t, {"deplo", {{"env", "prod"}}, 0}));

  const outside_event e{"deploy.finished", {{"env", "prod"}}, 0};
  const auto start = at("2026-11-21T12:00:00Z");
  CHECK(decide_event(t, {}, e, start).verdict == event_verdict::fire);
  CHECK(decide_event(t, {}, {"deploy.finished", {{"env", "prod"}}, 8}, start).verdict ==
        event_verdict::too_deep);
  t.debounce = 10s;
  t.longest_hold = 15s;
  auto d = decide_event(t, {}, e, start);
  CHECK(d.verdict == event_verdict::held);
  CHECK(d.next.fires_at == start + 10s);
  d = decide_event(t, d.next, e, start + 9s);
  CHECK(d.next.fires_at == start + 15s);
  CHECK(d.next.held == 2);
  // A clock that goes back shortens nothing.
  CHECK(decide_event(t, d.next, e, start - 1h).next.fires_at == start + 15s);
  CHECK(decide_debounce(d.next, start + 14s).verdict == event_verdict::held);
  const auto fired = decide_debounce(d.next, start + 15s);
  CHECK(fired.verdict == event_verdict::fire);
  CHECK(fired.next.held == 0);
  CHECK(decide_debounce(fired.next, start + 20s).verdict == event_verdict::ignored);
}
