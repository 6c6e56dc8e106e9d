// Crontabs become jobs that mean the same; what cannot be said is told, never lost.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "app/imports/crontab.hpp"
#include "core/schedule/phrase.hpp"

namespace belfry::app {
namespace {

crontab_options at_home() {
  crontab_options o;
  o.zone = "Europe/Berlin";
  o.account = "ada";
  o.home = "/home/ada";
  return o;
}

import_source read(const std::string& text, crontab_options o = at_home()) { return read_crontab(text, o); }

const core::process_spec& work(const import_source& s, std::size_t i) {
  return s.jobs.at(i).definition.spec.process;
}

bool mentions(const std::vector<std::string>& notes, const std::string& part) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const auto& n) { return n.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("crontab: an entry becomes a job that runs as cron would run it", "[app][import][crontab]") {
  const auto s =
      read("# Nightly backup\n# of /srv\n17 3 * * 1-5  /usr/local/bin/backup.sh --all >/dev/null\n");
  REQUIRE(s.jobs.size() == 1);
  CHECK(s.refused.empty());
  const auto& d = s.jobs[0].definition;
  CHECK(d.timing.schedule == "17 3 * * 1-5; zone Europe/Berlin");
  CHECK(d.description == "Nightly backup of /srv");
  CHECK(d.spec.process.shell == "/usr/local/bin/backup.sh --all >/dev/null");
  CHECK(d.spec.process.cwd == "/home/ada");
  CHECK(d.name.rfind("backup.sh-", 0) == 0);
  CHECK(s.jobs[0].from == "line 3");
  // No retries, no time limit, nothing made up for, and it starts whatever else runs.
  CHECK(d.spec.retry.max_attempts == 1);
  CHECK(d.spec.timeout == core::span{0});
  CHECK(d.timing.policy.missed == core::catch_up::skip);
  CHECK(d.on_overlap == core::overlap::allow);
  CHECK(d.spec.tags == std::vector<std::string>{"import:crontab"});
  CHECK(d.spec.metadata.find("17 3 * * 1-5") != std::string::npos);
}

TEST_CASE("crontab: variables hold for the lines below them, with the quoting of crontab",
          "[app][import][crontab]") {
  const auto s = read(
      "0 1 * * * first\n"
      "A = plain words  \n"
      "\"B C\"='  kept '\n"
      "B=\"it's\"\n"
      "SHELL=/bin/bash\nHOME=/srv\nMAILTO=ops@example.org\nEMPTY=\n"
      "0 2 * * * second\n"
      "A=other\nSHELL=/bin/sh\n"
      "0 3 * * * third\n"
      "X='open\n");
  REQUIRE(s.jobs.size() == 3);
  CHECK(work(s, 0).env.empty());
  using pairs = std::vector<std::pair<std::string, std::string>>;
  auto second = work(s, 1).env, third = work(s, 2).env;
  std::sort(second.begin(), second.end());
  CHECK(second == pairs{{"A", "plain words"},
                        {"B", "it's"},
                        {"B C", "  kept "},
                        {"EMPTY", ""},
                        {"HOME", "/srv"},
                        {"SHELL", "/bin/bash"}});
  CHECK(std::count(third.begin(), third.end(), std::pair<std::string, std::string>{"A", "other"}) == 1);
  REQUIRE(s.refused.size() == 1);
  CHECK(s.refused[0].from == "line 13");
  CHECK(s.refused[0].why.find("quotes") != std::string::npos);
}

TEST_CASE("crontab: SHELL, HOME, CRON_TZ and RANDOM_DELAY are obeyed", "[app][import][crontab]") {
  const auto s = read(
      "A = plain words  \nB=\"it's\"\nSHELL=/bin/bash\nHOME=/srv\nMAILTO=ops@example.org\n"
      "CRON_TZ=America/New_York\nRANDOM_DELAY=10\n"
      "@daily second\n"
      "A=other\nSHELL=/bin/sh\nCRON_TZ=UTC\nRANDOM_DELAY=0\n"
      "0 3 * * * third\n"
      "CRON_TZ=Mars/Olympus\n"
      "0 4 * * * fourth\n");
  REQUIRE(s.jobs.size() == 2);
  CHECK(work(s, 0).argv == std::vector<std::string>{"/bin/bash", "-c", "second"});
  CHECK(work(s, 0).cwd == "/srv");
  CHECK(s.jobs[0].definition.timing.schedule == "0 0 * * *; zone America/New_York; jitter 10m");
  const auto& env = work(s, 0).env;
  CHECK(std::count(env.begin(), env.end(), std::pair<std::string, std::string>{"A", "plain words"}) == 1);
  CHECK(std::count(env.begin(), env.end(), std::pair<std::string, std::string>{"B", "it's"}) == 1);
  CHECK(std::none_of(env.begin(), env.end(), [](const auto& e) { return e.first == "MAILTO"; }));
  CHECK(mentions(s.notes, "MAILTO"));
  CHECK(mentions(s.notes, "RANDOM_DELAY"));
  CHECK(work(s, 1).shell == "third");
  CHECK(s.jobs[1].definition.timing.schedule == "0 3 * * *; zone UTC");
  REQUIRE(s.refused.size() == 1);
  CHECK(s.refused[0].why.find("Mars/Olympus") != std::string::npos);
}

TEST_CASE("crontab: a % ends the command, the others are lines of its input", "[app][import][crontab]") {
  const auto split = [](const std::string& t) { return split_percent(t); };
  CHECK(split("mail -s x%Hello%there").command == "mail -s x");
  CHECK(split("mail -s x%Hello%there").input == "Hello\nthere\n");
  CHECK(split("date +\\%F").command == "date +%F");
  CHECK(split("date +\\%F").input.empty());
  CHECK(split("a%1\\%2%3").input == "1%2\n3\n");
  CHECK(split("grep '\\\\.x'").command == "grep '\\\\.x'");
  CHECK(split("a%").input.empty());
  CHECK(split("a\\").command == "a\\");
  CHECK(work(read("* * * * * cat%one%two\n"), 0).stdin_text == "one\ntwo\n");
}

TEST_CASE("crontab: what cannot be said is told with its line and its reason", "[app][import][crontab]") {
  const auto s = read(
      "@reboot /usr/bin/daemon\n"
      "61 * * * * x\n"
      "0 5 * *\n"
      "0 5 30 2 * never\n"
      "#0 5 * * * switched-off --now\n"
      "0~30 5 * * * random\n"
      "@yearly good\n");
  CHECK(s.entries == 6);
  REQUIRE(s.jobs.size() == 1);
  REQUIRE(s.refused.size() == 5);
  CHECK(s.refused[0].from == "line 1");
  CHECK(s.refused[0].why.find("@reboot") != std::string::npos);
  CHECK(s.refused[1].why.find("out of range") != std::string::npos);
  CHECK(s.refused[2].from == "line 3");
  CHECK(s.refused[3].why.find("no such day") != std::string::npos);
  CHECK(s.refused[4].from == "line 6");
  CHECK(mentions(s.notes, "line 5: an entry that is disabled"));
  CHECK(s.jobs[0].definition.description.empty());
}

TEST_CASE("crontab: the system format has users, and nobody else's entry is taken over unseen",
          "[app][import][crontab]") {
  auto o = at_home();
  o.system = true;
  const std::string text = "5 * * * * root\trun-parts /etc/cron.hourly\n6 * * * * ada mine\n7 * * * * ada\n";
  const auto mine = read(text, o);
  REQUIRE(mine.jobs.size() == 1);
  CHECK(work(mine, 0).shell == "mine");
  CHECK(mine.refused.size() == 2);
  CHECK(mine.refused[0].why.find("runs as root") != std::string::npos);
  o.account = "root";
  o.may_switch = true;
  const auto all = read(text, o);
  REQUIRE(all.jobs.size() == 2);
  CHECK(work(all, 0).shell == "run-parts /etc/cron.hourly");
  CHECK(work(all, 1).argv == std::vector<std::string>{"runuser", "-u", "ada", "--", "/bin/sh", "-c", "mine"});
  o.only = "root";
  CHECK(read(text, o).jobs.size() == 1);
}

TEST_CASE("crontab: a name stays when the time changes, and two that run the same are told apart",
          "[app][import][crontab]") {
  const auto name = [](const std::string& line) { return read(line + "\n").jobs.at(0).definition.name; };
  CHECK(name("0 5 * * * cd /srv && FOO=1 ./backup.sh -q") ==
        name("0 6 * * * cd /srv && FOO=1 ./backup.sh -q"));
  CHECK(name("0 5 * * * cd /srv && FOO=1 ./backup.sh -q").rfind("backup.sh-", 0) == 0);
  CHECK(name("0 5 * * * sudo -n /opt/x").rfind("x-", 0) == 0);
  CHECK(name("0 5 * * * ./a") != name("0 5 * * * ./a --b"));
  const auto two = read("0 5 * * * same\n0 6 * * * same\n");
  REQUIRE(two.jobs.size() == 2);
  CHECK(two.jobs[1].definition.name == two.jobs[0].definition.name + "-2");
}

TEST_CASE("crontab: files that are too large, binary or without end are refused, not swallowed",
          "[app][import][crontab]") {
  CHECK(read(std::string((1U << 20U) + 1, 'x')).refused.size() == 1);
  CHECK(read("* * * * * " + std::string(20'000, 'x') + "\n* * * * * ok").jobs.size() == 1);
  CHECK(read(std::string("* * * * * a\0b\n", 14)).refused.size() == 1);
  CHECK(read("* * * * * \xff\xfe\n").refused.size() == 1);
  CHECK(read("* * * * * crlf\r\n").jobs.at(0).definition.spec.process.shell == "crlf");
  std::string many;
  for (int i = 0; i < 10'050; ++i) many += "\n";
  CHECK(read(many + "* * * * * x\n").refused.size() == 1);
}

TEST_CASE("crontab: whatever the lines are, each entry is a job or a refusal, and a job can be described",
          "[app][import][crontab][property]") {
  rc::prop("entries == jobs + refused", [] {
    const auto piece = rc::gen::element<std::string>(
        "*", " ", "\n", "0 5 * * * x", "@daily y", "A=b", "%", "\\", "\"", "'", "#", "CRON_TZ=UTC", "\t",
        "*/5", "1-5", "mon", "MAILTO=", "=", "\r\n", "@reboot z", "$", "\x80", "~");
    std::string text;
    for (const auto& p : *rc::gen::container<std::vector<std::string>>(piece)) text += p;
    const auto s = read(text);
    RC_ASSERT(s.entries == s.jobs.size() + s.refused.size());
    for (const auto& j : s.jobs) {
      const auto when = core::parse_canonical(j.definition.timing.schedule, {});
      RC_ASSERT(when.ok());
      RC_ASSERT(!core::describe(*when).empty());
      RC_ASSERT(core::check(j.definition, "").empty());
    }
    for (const auto& r : s.refused) RC_ASSERT(!r.why.empty());
  });
}

}  // namespace belfry::app
