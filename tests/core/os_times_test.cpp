#include <catch2/catch.hpp>

#include <random>

#include "core/schedule/canonical.hpp"
#include "core/schedule/os_times.hpp"
#include "core/time/text.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

instant at(std::string_view text) {
  const auto t = parse_instant(text);
  REQUIRE(t.ok());
  return *t;
}

zone named(const std::string& name) {
  const auto z = zone::named(name);
  REQUIRE(z.ok());
  return *z;
}

schedule read(const std::string& text) {
  schedule_context context;
  context.now = at("2026-01-01T00:00:00Z");
  context.calendars = [](std::string_view) { return std::make_shared<const calendar>(); };
  auto s = parse_schedule(text, context);
  INFO(text << ": " << (s ? "" : s.problem().why));
  REQUIRE(s.ok());
  return *s;
}

os_times crontab(const std::string& text, const std::string& machine = "UTC") {
  auto t = os_times_of(read(text), crontab_abilities(named(machine)));
  INFO(text << ": " << (t ? "" : t.error().text));
  REQUIRE(t.ok());
  return *t;
}

std::string lines(const os_times& t) {
  std::string out;
  for (const auto& c : t.any_of) out += (out.empty() ? "" : " | ") + crontab_fields(c);
  return out;
}

// The lines as cron reads them, by belfry's own cron, on the clock of the machine.
schedule as_cron_reads(const os_times& t, const zone& machine) {
  schedule s;
  s.in = machine;
  for (const auto& c : t.any_of) {
    const auto again = parse_cron(crontab_fields(c));
    INFO(crontab_fields(c));
    REQUIRE(again.ok());
    s.any_of.emplace_back(*again);
  }
  return s;
}

std::string field(std::mt19937& dice, unsigned low, unsigned high) {
  const auto value = [&] { return std::to_string(low + dice() % (high - low + 1)); };
  switch (dice() % 5) {
    case 0: return value();
    case 1: return value() + "," + value();
    case 2: return "*/" + std::to_string(2 + dice() % 14);
    default: return "*";
  }
}

}  // namespace

TEST_CASE("os times: what a crontab can say is said in its words", "[core][os]") {
  const std::pair<const char*, const char*> exact[] = {
      {"*/5 * * * *", "*/5 * * * *"},
      {"0 9 * * 1-5", "0 9 * * 1-5"},
      {"0 9 13 * 5", "0 9 13 * 5"},
      {"@hourly", "0 * * * *"},
      {"0 9 * * * | 30 17 * * 5", "0 9 * * * | 30 17 * * 5"},
      {"@every 15m", "*/15 * * * *"},
      {"@every 1h", "0 * * * *"},
      {"@days 1 from 2026-01-01 at 09:00", "0 9 * * *"},
      {"@weeks 1 from 2026-01-01 on mon,thu at 12:30", "30 12 * * 1,4"},
  };
  for (const auto& [given, wanted] : exact) {
    INFO(given);
    const auto t = crontab(given);
    CHECK(lines(t) == wanted);
    CHECK(t.exact);
    CHECK(t.why.empty());
  }
}

TEST_CASE("os times: what a crontab cannot say comes more often, with the reason", "[core][os]") {
  const std::pair<const char*, const char*> wide[] = {
      {"0 9 L * *", "0 9 28-31 * *"},
      {"0 9 * * 1#2", "0 9 * * 1"},
      {"0 9 13 * &5", "0 9 * * 5"},
      {"@every 7m", "* * * * *"},
      {"@every 90m", "*/30 * * * *"},
      {"@every 25m", "*/5 * * * *"},
      {"@every 2h", "0 * * * *"},
      {"@every 90s", "* * * * *"},
      {"30 * * * * *", "* * * * *"},
      {"0 9 * * *; zone Europe/Berlin", "*/15 * * * *"},
      {"5 9 * * 1; zone Asia/Kolkata", "5,20,35,50 * * * *"},
      {"@at 2026-12-24T09:00:30Z", "1 9 24 12 *"},
      {"0 9 * * *; not dates 2026-12-24", "0 9 * * *"},
      {"0 9 * * *; postpone times 08:00-10:00", "* * * * *"},
      {"0 9 * * *; not calendar holidays", "0 9 * * *"},
      {"@days 3 from 2026-01-01 at 09:00,17:30", "0 9 * * * | 30 17 * * *"},
      {"@months 1 from 2026-01-01 on 31 at 09:00 short-months last", "0 9 28-31 * *"},
  };
  for (const auto& [given, wanted] : wide) {
    INFO(given);
    const auto t = crontab(given);
    CHECK(lines(t) == wanted);
    CHECK_FALSE(t.exact);
    CHECK_FALSE(t.why.empty());
  }
  // On its own clock it is exact; at full quarters on every clock.
  CHECK(crontab("0 9 * * *; zone Europe/Berlin", "Europe/Berlin").exact);
  CHECK(crontab("*/15 * * * *; zone Europe/Berlin").exact);
  CHECK_FALSE(crontab("0 9 * * *; zone Europe/Berlin; overlap both", "Europe/Berlin").exact);
  const auto unknown = os_times_of(read("0 9 * * *"), crontab_abilities(std::nullopt));
  REQUIRE(unknown.ok());
  CHECK(lines(*unknown) == "*/15 * * * *");
}

TEST_CASE("os times: what no entry can say is refused", "[core][os]") {
  for (const char* given : {"*/10 * * * * *", "@every 30s", "@event build.done"}) {
    INFO(given);
    const auto t = os_times_of(read(given), crontab_abilities(zone{}));
    REQUIRE(t.refused_with(errc::invalid));
    CHECK_FALSE(t.error().text.empty());
  }
  CHECK(os_times_of(read("*/10 * * * * *"), systemd_abilities()).ok());
  CHECK(os_times_of(read("@every 30s"), systemd_abilities()).ok());
  CHECK(os_times_of(read("@every 7s"), systemd_abilities()).refused_with(errc::invalid));
}

TEST_CASE("os times: a crontab line is read back as the same times, or as more of them",
          "[core][os][property]") {
  std::mt19937 dice{54};
  const char* zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"};
  int exact = 0, tried = 0;
  for (int i = 0; i < 1'500; ++i) {
    std::string text = field(dice, 0, 59) + ' ' + field(dice, 0, 23) + ' ' + field(dice, 1, 28) + ' ' +
                       field(dice, 1, 12) + ' ';
    switch (dice() % 6) {
      case 0: text += "1#2"; break;
      case 1: text += "&5"; break;
      default: text += field(dice, 0, 6);
    }
    if (dice() % 8 == 0) text = "@every " + std::to_string(1 + dice() % 300) + "m";
    const std::string in = zones[dice() % 5], machine_name = dice() % 3 == 0 ? zones[dice() % 5] : in;
    const auto parsed = parse_schedule(text + "; zone " + in, {});
    if (!parsed) continue;
    ++tried;
    const auto machine = named(machine_name);
    const auto times = os_times_of(*parsed, crontab_abilities(machine));
    INFO(text << "; zone " << in << " on " << machine_name);
    REQUIRE(times.ok());
    const auto entry = as_cron_reads(*times, machine);
    INFO(canonical(entry) << (times->exact ? " exact" : " wide"));
    // In summer, away from the days on which the clocks change.
    auto after = at("2026-06-01T00:00:00Z");
    const auto until = at("2026-09-01T00:00:00Z");
    exact += times->exact ? 1 : 0;
    for (int n = 0; n < 8; ++n) {
      const auto due = next(*parsed, after);
      if (!due || due->at > until) break;
      const auto tick = next(entry, due->at - 1us);
      REQUIRE(tick);
      REQUIRE(tick->at == due->at);
      if (times->exact) REQUIRE(next(entry, after)->at == due->at);
      after = due->at;
    }
  }
  CHECK(tried > 1'000);
  CHECK(exact > 500);
}

TEST_CASE("os times: systemd is told zones, seconds and rare days exactly", "[core][os]") {
  const auto units = [](const std::string& text) {
    const auto t = os_times_of(read(text), systemd_abilities());
    REQUIRE(t.ok());
    std::string out = t->exact ? "" : "~";
    for (const auto& c : t->any_of)
      for (const auto& line : on_calendar(c, t->in)) out += (out.size() < 2 ? "" : " | ") + line;
    return out;
  };
  CHECK(units("0 9 * * 1-5; zone Europe/Berlin") == "Mon,Tue,Wed,Thu,Fri *-*-* 09:00:00 Europe/Berlin");
  CHECK(units("0 9 L * *") == "*-*~01 09:00:00 UTC");
  CHECK(units("0 9 * * 1#2") == "Mon *-*-08,09,10,11,12,13,14 09:00:00 UTC");
  CHECK(units("0 9 * 6 5L") == "Fri *-06~07/1 09:00:00 UTC");
  CHECK(units("0 0 13 * &5") == "Fri *-*-13 00:00:00 UTC");
  CHECK(units("0 0 13 * 5") == "*-*-13 00:00:00 UTC | Fri *-*-* 00:00:00 UTC");
  CHECK(units("*/20 * * * * *") == "*-*-* *:*:00,20,40 UTC");
  CHECK(units("@every 90m") == "~*-*-* *:00,30:00 UTC");
}

TEST_CASE("os times: launchd gets a list of intervals, and not too many", "[core][os]") {
  const auto t = crontab("0,30 9 * * 1,3");
  const auto list = launchd_intervals(t);
  REQUIRE(list);
  REQUIRE(list->size() == 4);
  CHECK(list->front() == launchd_interval{{"Weekday", 1}, {"Hour", 9}, {"Minute", 0}});
  const auto either = launchd_intervals(crontab("0 9 13 * 5"));
  REQUIRE(either);
  CHECK(either->size() == 2);
  const auto minutely = launchd_intervals(crontab("* * * * *"));
  REQUIRE(minutely);
  REQUIRE(minutely->size() == 1);
  CHECK(minutely->front().empty());
  CHECK_FALSE(launchd_intervals(crontab("*/2 0-22 * * 1-5")));
}
