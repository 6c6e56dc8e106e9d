#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "core/schedule/names.hpp"
#include "core/schedule/phrase.hpp"
#include "core/time/text.hpp"
#include "tests/core/slow_cron.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

instant at(std::string_view text) {
  const auto t = parse_instant(text);
  REQUIRE(t.ok());
  return *t;
}

// Saturday, 21 November 2026, 22:07:30 UTC.
schedule_context here() {
  schedule_context c;
  c.now = at("2026-11-21T22:07:30Z");
  c.calendars = [](std::string_view name) -> std::shared_ptr<const calendar> {
    if (name != "holidays") return nullptr;
    calendar content;
    content.local.push_back(
        {local_days{std::chrono::year{2026} / 12 / 25}, local_days{std::chrono::year{2026} / 12 / 27}});
    return std::make_shared<const calendar>(content);
  };
  return c;
}

std::string source_folder() {
  const auto root = std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();
  return std::filesystem::exists(root / "docs/reference/schedules.md") ? root.string() : ".";
}

std::vector<std::vector<std::string>> table_after(const std::string& marker) {
  std::ifstream in{source_folder() + "/docs/reference/schedules.md"};
  REQUIRE(in.good());
  std::vector<std::vector<std::string>> rows;
  std::string line;
  while (std::getline(in, line) && line != "<!-- " + marker + " -->") continue;
  while (std::getline(in, line) && line.empty()) continue;
  std::getline(in, line);
  while (std::getline(in, line) && line.starts_with("|")) {
    std::vector<std::string> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
        cell += '|';
        ++i;
      } else if (line[i] == '|') {
        std::erase(cell, '`');
        cell.erase(0, cell.find_first_not_of(' '));
        cell.erase(cell.find_last_not_of(' ') + 1);
        cells.push_back(cell);
        cell.clear();
      } else {
        cell += line[i];
      }
    }
    rows.push_back(cells);
  }
  return rows;
}

// A schedule of any kind, from a text that core accepts.
class schedule_maker {
 public:
  explicit schedule_maker(std::uint64_t seed) : cron_{seed} {}

  std::string text() {
    std::string out = trigger_text();
    if (!out.starts_with("@event")) {
      while (cron_.chance(25)) out += " | " + plain_trigger();
      if (cron_.chance(15)) out += "; not times 22:00-06:00 on sat,sun";
      if (cron_.chance(15)) out += "; postpone times 12:00-12:30";
      if (cron_.chance(15)) out += "; not dates 2026-12-24,2026-12-25,2027-01-01";
      if (cron_.chance(15)) out += "; postpone calendar holidays";
      if (cron_.chance(15)) out += "; gap skip";
      if (cron_.chance(15)) out += "; overlap both";
      if (cron_.chance(15)) out += "; start 2026-11-22T08:00:00.5Z";
      if (cron_.chance(15)) out += "; end 2036-11-22T08:00:00Z";
      if (cron_.chance(15)) out += "; jitter 1m30s";
    }
    const char* zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"};
    return out + "; zone " + zones[pick(0, 3)];
  }

 private:
  int pick(int a, int b) { return cron_.pick(a, b); }
  std::string number(int a, int b) { return std::to_string(pick(a, b)); }
  std::string date() { return "202" + number(4, 6) + "-0" + number(1, 9) + "-1" + number(0, 9); }
  std::string times() {
    std::string out;
    for (int n = pick(1, 3); n > 0; --n)
      out += (out.empty() ? "" : ",") + std::string{"0"} + number(0, 9) + ":" + number(10, 59) +
             (pick(0, 9) == 0 ? ":30" : "");
    return out;
  }
  std::string days() {
    const char* items[] = {"1", "15", "L", "mon", "fri", "tue#2", "wed#5", "friL", "10-20", "29-31", "sun"};
    std::string out;
    for (int n = pick(1, 3); n > 0; --n) out += (out.empty() ? "" : ",") + std::string{items[pick(0, 10)]};
    return out;
  }
  std::string tail() {
    return (cron_.chance(20) ? " until 2036-01-0" + number(1, 9) : "") +
           (cron_.chance(20) ? " short-months last" : "");
  }

  std::string trigger_text() {
    if (pick(0, 9) != 0) return plain_trigger();
    std::string out = "@event deploy.Finished*";
    if (cron_.chance(50)) out += " where env=prod,user!=ci,host";
    if (cron_.chance(50)) out += cron_.chance(50) ? " debounce 30s" : " debounce 1m30s hold 5m";
    if (cron_.chance(30)) out += " depth 3";
    return out;
  }

  std::string plain_trigger() {
    switch (pick(0, 9)) {
      case 0: return "@at 2030-0" + number(1, 9) + "-01T10:00:0" + number(0, 9) + "Z";
      case 1: return "@every " + number(1, 100) + "smh"[pick(0, 2)];
      case 2: return "@every 1." + number(1, 9) + "s from 2026-01-01T00:00:00.25Z";
      case 3: return "@every " + number(1, 100) + "m from 2026-01-01T00:0" + number(0, 9) + ":00Z";
      case 4: return "@days " + number(1, 40) + " from " + date() + " at " + times() + tail();
      case 5: return "@weeks " + number(1, 9) + " from " + date() + " on mon,thu at " + times();
      case 6:
        return "@months " + number(1, 9) + " from " + date() + " on " + days() + ",1 at " + times() + tail();
      case 7:
        return "@years " + number(1, 9) + " from " + date() + " in 1,2," + number(3, 12) + " on " + days() +
               ",1 at " + times() + tail();
      default: break;
    }
    for (;;) {
      const auto e = cron_.make();
      if (parse_cron(e.text())) return e.text();
    }
  }

  slow_cron::maker cron_;
};

}  // namespace

TEST_CASE("phrases: every form of the catalogue is understood", "[core][schedule][phrase]") {
  const std::pair<const char*, const char*> forms[] = {
      {"in 5 minutes", "@at 2026-11-21T22:12:30.000Z; zone UTC"},
      {"in 2 hours", "@at 2026-11-22T00:07:30.000Z; zone UTC"},
      {"in 3 days", "@at 2026-11-24T22:07:30.000Z; zone UTC"},
      {"in 1h30m", "@at 2026-11-21T23:37:30.000Z; zone UTC"},
      {"in 2 hours and 30 minutes", "@at 2026-11-22T00:37:30.000Z; zone UTC"},
      {"tomorrow at 9am", "@at 2026-11-22T09:00:00.000Z; zone UTC"},
      {"at 17:30", "@at 2026-11-22T17:30:00.000Z; zone UTC"},
      {"at 22:30", "@at 2026-11-21T22:30:00.000Z; zone UTC"},
      {"next monday at noon", "@at 2026-11-23T12:00:00.000Z; zone UTC"},
      {"on 2026-12-24 at 9am in Europe/Berlin", "@at 2026-12-24T08:00:00.000Z; zone Europe/Berlin"},
      {"every minute", "* * * * *; zone UTC"},
      {"every 30 seconds", "*/30 * * * * *; zone UTC"},
      {"every 5 minutes", "*/5 * * * *; zone UTC"},
      {"every 6 hours", "0 */6 * * *; zone UTC"},
      {"every 7 minutes", "@every 7m; zone UTC"},
      {"every 2 days", "@days 2 from 2026-11-21 at 09:00; zone UTC"},
      {"hourly", "0 * * * *; zone UTC"},
      {"daily", "0 9 * * *; zone UTC"},
      {"every day at 9:30pm", "30 21 * * *; zone UTC"},
      {"every day at 9:30 pm", "30 21 * * *; zone UTC"},
      {"weekdays at 9am", "0 9 * * 1-5; zone UTC"},
      {"weekdays", "0 9 * * 1-5; zone UTC"},
      {"monday to friday", "0 9 * * 1-5; zone UTC"},
      {"mon-fri at 8:15", "15 8 * * 1-5; zone UTC"},
      {"weekends at 10am", "0 10 * * 0,6; zone UTC"},
      {"weekends", "0 10 * * 0,6; zone UTC"},
      {"every monday and thursday at noon", "0 12 * * 1,4; zone UTC"},
      {"weekly", "0 9 * * 1; zone UTC"},
      {"weekly on friday at 17:00", "0 17 * * 5; zone UTC"},
      {"monthly", "0 9 1 * *; zone UTC"},
      {"monthly on the 15th", "0 9 15 * *; zone UTC"},
      {"yearly", "0 9 1 1 *; zone UTC"},
      {"on the 1st at midnight", "0 0 1 * *; zone UTC"},
      {"first monday of the month at 9am", "0 9 * * 1#1; zone UTC"},
      {"first and third monday of the month at 9am", "0 9 * * 1#1,1#3; zone UTC"},
      {"last day of the month", "0 9 L * *; zone UTC"},
      {"last friday of the month at 17:00", "0 17 * * 5L; zone UTC"},
      {"weekdays at 9am in Europe/Berlin", "0 9 * * 1-5; zone Europe/Berlin"},
      {"Every Day At 9AM in UTC", "0 9 * * *; zone UTC"},
      {"every 15 minutes between 9am and 5pm on weekdays", "*/15 9-16 * * 1-5; zone UTC"},
      {"every 30 minutes from 22:00 to 02:00", "*/30 0,1,22,23 * * *; zone UTC"},
      {"every hour at minute 15", "15 * * * *; zone UTC"},
      {"at 9am and 5pm on weekdays", "0 9,17 * * 1-5; zone UTC"},
      {"every day at 9:00 and 17:30", "0 9 * * * | 30 17 * * *; zone UTC"},
      {"every january and july on the 1st at 8am", "0 8 1 */6 *; zone UTC"},
      {"every 3 months", "0 9 1 */3 *; zone UTC"},
      {"every 2 weeks on monday at 9am starting 2026-12-07",
       "@weeks 2 from 2026-12-07 on mon at 09:00; zone UTC"},
      {"every month on the 31st at 9am using the last day of shorter months",
       "@months 1 from 2026-11-21 on 31 at 09:00 short-months last; zone UTC"},
      {"on the 13th but only on friday at 13:13", "13 13 13 * &5; zone UTC"},
      {"on the 13th or friday", "0 9 13 * 5; zone UTC"},
      {"daily at 9am, not on 2026-12-24 and 2026-12-25",
       "0 9 * * *; not dates 2026-12-24,2026-12-25; zone UTC"},
      {"every 5 minutes, not between 22:00 and 06:00", "*/5 * * * *; not times 22:00-06:00; zone UTC"},
      {"hourly except weekends", "0 * * * *; not times 00:00-24:00 on sat,sun; zone UTC"},
      {"daily at 9am postponed during holidays", "0 9 * * *; postpone calendar holidays; zone UTC"},
      {"when event deploy.finished arrives where env=prod, debounce 5m",
       "@event deploy.finished where env=prod debounce 5m; zone UTC"},
      {"on event deploy.finished with env=prod after 5m of quiet",
       "@event deploy.finished where env=prod debounce 5m; zone UTC"},
      {"every other week on tuesday at noon", "@weeks 2 from 2026-11-21 on tue at 12:00; zone UTC"},
      {"0 9 * * mon-fri", "0 9 * * 1-5; zone UTC"},
      {"@hourly", "0 * * * *; zone UTC"},
      {"@every 1h30m", "@every 1h30m; zone UTC"},
  };
  for (const auto& [text, normal] : forms) {
    const auto u = understand(text, here(), 3);
    INFO(text << ": " << (u ? "" : u.problem().why + " at " + std::to_string(u.problem().offset)));
    REQUIRE(u.ok());
    CHECK(u->canonical == normal);
    const auto again = parse_schedule(u->description, here());
    INFO(u->description << ": "
                        << (again ? ""
                                  : again.problem().why + " at " + std::to_string(again.problem().offset)));
    REQUIRE(again.ok());
    CHECK(canonical(*again) == u->canonical);
  }
}

TEST_CASE("phrases: a word that is not understood is pointed at, with what would have been",
          "[core][schedule][phrase]") {
  struct wrong {
    const char* text;
    const char* word;      // at the offset; empty for the end
    const char* expected;  // one of what is listed
  };
  const wrong all[] = {
      {"weekdays at 25:00", "25:00", "a time such as"},
      {"weekdays at 9", "9", "a time such as"},
      {"weekdays at", "", "a time such as"},
      {"every", "", "a number"},
      {"every 5 fortnights", "fortnights", "seconds, minutes"},
      {"every 0 minutes", "every", "every 5 minutes"},
      {"every day at 9am please", "please", ""},
      {"every day at 9am in Europe/Berlinn", "Europe/Berlinn", "a name of the zone database"},
      {"every day at 9am in europe/berlin", "europe/berlin", "did you mean Europe/Berlin"},
      {"first of the month", "of", "a weekday"},
      {"every second monday", "", "of the month"},
      {"daily every day", "every", ""},
      {"", "", "a phrase such as"},
      {"on the 30th of february", "on", ""},
      {"on the 32nd", "32nd", "a weekday"},
      {"in 0 minutes", "in", "in 5 minutes"},
      {"daily at 9am not during carnival", "carnival", "belfry calendar ls"},
      {"daily at 9am or postponed to the end", "or", ""},
      {"on 2026-02-30", "2026-02-30", "a date such as"},
      {"every 15 minutes between 9:30 and 17:00", "between", "between 9:00 and 17:00"},
      {"every 7 minutes on monday", "on", ""},
      {"go away", "go", "on"},
  };
  for (const auto& w : all) {
    const auto read = parse_schedule(w.text, here());
    INFO(w.text);
    REQUIRE_FALSE(read.ok());
    const auto& p = read.problem();
    INFO("offset " << p.offset << " length " << p.length << " why " << p.why);
    std::string listed;
    for (const auto& e : p.expected) listed += e + "; ";
    INFO(listed);
    CHECK(std::string_view{w.text}.substr(p.offset, p.length) == w.word);
    if (w.expected[0] != '\0') CHECK(listed.find(w.expected) != std::string::npos);
    CHECK_FALSE(p.why.empty());
  }
}

TEST_CASE("phrases: describing a schedule and reading it back gives the same schedule",
          "[core][schedule][phrase]") {
  const bool thorough = std::getenv("BELFRY_LONG") != nullptr;
  schedule_maker make{thorough ? std::random_device{}() : 99U};
  for (int i = 0; i < (thorough ? 200'000 : 3'000); ++i) {
    const auto text = make.text();
    const auto first = parse_canonical(text, here());
    INFO(text);
    if (!first) {
      // Random bounds and exclusions may leave nothing.
      INFO(first.problem().why << " at " << first.problem().offset);
      REQUIRE(
          (first.problem().why == "it would never fire" || first.problem().why == "it would never happen"));
      continue;
    }
    const auto normal = canonical(*first);
    const auto second = parse_canonical(normal, here());
    INFO(normal << " " << (second ? "" : second.problem().why));
    REQUIRE(second.ok());
    REQUIRE(canonical(*second) == normal);
    const auto words = describe(*first);
    const auto third = parse_phrase(words, here());
    INFO(words << "\n"
               << (third ? "" : third.problem().why + " at " + std::to_string(third.problem().offset)));
    REQUIRE(third.ok());
    REQUIRE(canonical(*third) == normal);
    REQUIRE_FALSE(timing_label(*first).empty());
  }
}

TEST_CASE("phrases: no text throws, and a problem lies within the text", "[core][schedule][phrase]") {
  const char* pieces[] = {"every",
                          "day",
                          "at",
                          "9am",
                          "in",
                          "5",
                          "minutes",
                          "*/5",
                          "*",
                          "monday",
                          "and",
                          "or",
                          ",",
                          ";",
                          "|",
                          "not",
                          "between",
                          "9:00",
                          "Europe/Berlin",
                          "of",
                          "the",
                          "month",
                          "1st",
                          "last",
                          "@every",
                          "@days",
                          "@event",
                          "from",
                          "2026-12-24",
                          "until",
                          "\xff",
                          "\xc3\xa4",
                          "99999999999",
                          "h(1-5)",
                          "5l",
                          "1#2",
                          "&5",
                          "counted",
                          "on",
                          "but",
                          "only",
                          "@at",
                          "2026-12-24T09:00:00Z",
                          "zone",
                          "jitter",
                          "second",
                          "hours",
                          "past",
                          "minutes 5",
                          "spread over",
                          "1h",
                          "-",
                          "\t",
                          "24:00",
                          "noon",
                          "weekdays",
                          "starting",
                          "where",
                          "a=b",
                          "weeks"};
  slow_cron::maker dice{5};
  const bool thorough = std::getenv("BELFRY_LONG") != nullptr;
  for (int i = 0; i < (thorough ? 2'000'000 : 30'000); ++i) {
    std::string text;
    for (int n = dice.pick(0, 10); n > 0; --n) {
      text += pieces[dice.pick(0, static_cast<int>(std::size(pieces)) - 1)];
      if (dice.chance(85)) text += ' ';
    }
    if (dice.chance(20) && !text.empty())
      text[dice.dice()() % text.size()] = static_cast<char>(dice.pick(1, 255));
    const auto read = parse_schedule(text, here());
    if (read) {
      const auto again = parse_canonical(canonical(*read), here());
      INFO(text << "\n" << canonical(*read) << "\n" << (again ? "" : again.problem().why));
      REQUIRE(again.ok());
      REQUIRE(canonical(*again) == canonical(*read));
      (void)preview(*read, here().now, 2);
      continue;
    }
    INFO(text);
    REQUIRE(read.problem().offset <= text.size());
    REQUIRE(read.problem().length <= text.size() - read.problem().offset);
    REQUIRE_FALSE(read.problem().why.empty());
  }
}

TEST_CASE("labels: they are derived from the schedule and its zone", "[core][schedule]") {
  const std::pair<const char*, const char*> labels[] = {
      {"*/5 * * * *", "every-5min"},
      {"every 6 hours", "every-6hr"},
      {"every 30 seconds", "every-30sec"},
      {"hourly", "hourly"},
      {"daily at 9am", "daily-9am"},
      {"daily at 14:30", "daily-2-30pm"},
      {"daily at midnight", "daily-midnight"},
      {"daily at noon", "daily-noon"},
      {"weekdays at 9am", "weekdays-9am"},
      {"weekends", "weekends-10am"},
      {"weekly", "weekly-mon-9am"},
      {"monthly", "monthly-1st-9am"},
      {"last day of the month", "monthly-last-9am"},
      {"every 7 minutes", "every-7min"},
      {"daily at 9am in Europe/Berlin", "daily-9am-europe-berlin"},
  };
  for (const auto& [text, label] : labels) {
    INFO(text);
    const auto s = parse_schedule(text, here());
    REQUIRE(s.ok());
    CHECK(timing_label(*s) == label);
  }
  const auto odd = parse_schedule("3,17 4 * 2 *", here());
  REQUIRE(odd.ok());
  CHECK(timing_label(*odd).starts_with("custom-"));
  CHECK(timing_label(*odd).size() == 15);
}

TEST_CASE("timing groups: the key leaves out what is a job's own", "[core][schedule]") {
  const auto a = parse_schedule("daily at 9am", here());
  const auto b = parse_schedule("0 9 * * *; start 2026-12-01T00:00:00Z", here());
  const auto c = parse_schedule("daily at 9am in Europe/Berlin", here());
  const auto d = parse_schedule("daily at 9am, spread over 5m", here());
  REQUIRE((a.ok() && b.ok() && c.ok() && d.ok()));
  CHECK(timing_key(*a) == timing_key(*b));
  CHECK(canonical(*a) != canonical(*b));
  CHECK(timing_key(*a) != timing_key(*c));
  CHECK(timing_key(*a) != timing_key(*d));
}

// Prints the rows of both tables as they should be, for whoever changes the document.
TEST_CASE("docs/reference/schedules.md: its tables", "[.write][docs]") {
  const auto cell = [](std::string text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '|') text.insert(i++, 1, '\\');
    return text.empty() ? std::string{} : '`' + text + '`';
  };
  for (const auto& row : table_after("examples")) {
    const auto u = understand(row.at(0), here(), 1);
    if (!u)
      std::cout << "NOT UNDERSTOOD " << row[0] << ": " << u.problem().why << '\n';
    else
      std::cout << "| " << cell(row[0]) << " | " << cell(u->canonical) << " | "
                << (u->next.empty() ? "none" : u->next[0].local + ' ' + u->next[0].offset) << " |\n";
  }
  for (const auto& row : table_after("refused")) {
    const auto u = understand(row.at(0), here(), 1);
    if (u)
      std::cout << "UNDERSTOOD " << row[0] << ": " << u->canonical << '\n';
    else
      std::cout << "| " << cell(row[0]) << " | "
                << cell(row[0].substr(u.problem().offset, u.problem().length)) << " | " << u.problem().why
                << " |\n";
  }
}

TEST_CASE("docs/reference/schedules.md: every example is what it says", "[core][schedule][docs]") {
  const auto examples = table_after("examples");
  REQUIRE(examples.size() > 40);
  for (const auto& row : examples) {
    REQUIRE(row.size() == 3);
    INFO(row[0]);
    const auto u = understand(row[0], here(), 1);
    INFO((u ? "" : u.problem().why + " at " + std::to_string(u.problem().offset)));
    REQUIRE(u.ok());
    CHECK(u->canonical == row[1]);
    CHECK((u->next.empty() ? "none" : u->next[0].local + ' ' + u->next[0].offset) == row[2]);
  }
  const auto refused = table_after("refused");
  REQUIRE(refused.size() > 10);
  for (const auto& row : refused) {
    REQUIRE(row.size() == 3);
    INFO(row[0]);
    const auto u = understand(row[0], here(), 1);
    REQUIRE_FALSE(u.ok());
    INFO(u.problem().why);
    CHECK(row[0].substr(u.problem().offset, u.problem().length) == row[1]);
    CHECK(u.problem().why == row[2]);
  }
}
