// Timers of systemd, their services and drop-ins, and the tasks of ncp, as jobs.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "app/imports/calendar_time.hpp"
#include "app/imports/ncp.hpp"
#include "app/imports/timers.hpp"
#include "app/imports/unit_file.hpp"
#include "core/schedule/phrase.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;

std::string canonical_of(const std::string& text) {
  const auto read = read_calendar_time(text);
  if (!read) return "refused: " + read.error().text;
  return core::canonical(read->fires) + (read->zone.empty() ? "" : " " + read->zone) +
         (read->years ? " " + std::to_string(read->years.first) + ".." + std::to_string(read->years.last)
                      : "");
}

timers_options at_home() {
  timers_options o;
  o.origin = "/units";
  o.zone = "Europe/Berlin";
  o.account = "ada";
  o.home = "/home/ada";
  return o;
}

bool mentions(const std::vector<std::string>& notes, const std::string& part) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const auto& n) { return n.find(part) != std::string::npos; });
}

import_source one(const std::string& timer, const std::string& service) {
  return read_timers({{"a.timer", timer}, {"a.service", service}}, at_home());
}

}  // namespace

TEST_CASE("calendar time: what systemd.time says is said in belfry's words", "[app][import][systemd]") {
  CHECK(canonical_of("minutely") == "* * * * *");
  CHECK(canonical_of("hourly") == "0 * * * *");
  CHECK(canonical_of("daily") == "0 0 * * *");
  CHECK(canonical_of("weekly") == "0 0 * * 1");
  CHECK(canonical_of("monthly") == "0 0 1 * *");
  CHECK(canonical_of("quarterly") == "0 0 1 */3 *");
  CHECK(canonical_of("semi-annually").rfind("refused", 0) == 0);
  CHECK(canonical_of("*-*-* 04:00") == "0 4 * * *");
  CHECK(canonical_of("04:30") == "30 4 * * *");
  CHECK(canonical_of("*:0/15") == "*/15 * * * *");
  CHECK(canonical_of("Mon..Fri 9:00") == canonical_of("Mon-Fri *-*-* 09:00:00"));
  CHECK(canonical_of("Mon..Fri 9:00") == "0 9 * * 1-5");
  CHECK(canonical_of("Sat,Sun 12:00:30") == "30 0 12 * * 0,6");
  CHECK(canonical_of("Mon *-*-1..7 10:00") == canonical_of("mon *-*-01..07 10:00:00"));
  CHECK(canonical_of("*-02~01") == "0 0 L 2 *");
  CHECK(canonical_of("Mon *-05~07/1") == "0 0 * 5 1L");
  CHECK(canonical_of("*-*-* 8..18/2:00 Europe/Paris") == "0 8,10,12,14,16,18 * * * Europe/Paris");
  CHECK(canonical_of("2026-12-24 18:00") == "0 18 24 12 * 2026..2026");
  CHECK(canonical_of("*-*-* *:*:0/10") == "*/10 * * * * *");
  CHECK(canonical_of("daily UTC") == "0 0 * * * UTC");
  CHECK(canonical_of("@1795255200").rfind("@at ", 0) == 0);
  for (const auto* bad :
       {"", "25:00", "*-13-01", "*-02-30", "*:61", "12:00:00.5", "2026,2028-01-01", "*-*~03", "soon",
        "Mon Tue Wed", "Mars/Olympus", "*-*-* 10:00 Mars/Olympus", "1/0:00"})
    CHECK(canonical_of(bad).rfind("refused", 0) == 0);
}

TEST_CASE("calendar time: the last Monday of a month is what both days fields say",
          "[app][import][systemd]") {
  const auto read = read_calendar_time("Mon *-*~07/1 06:00");
  REQUIRE(read.ok());
  core::schedule s;
  s.any_of = {read->fires};
  const auto next = core::preview(s, *core::parse_instant("2026-11-22T00:00:00Z"), 2);
  REQUIRE(next.size() == 2);
  CHECK(next[0].local == "2026-11-30 06:00:00");
  CHECK(next[1].local == "2026-12-28 06:00:00");
}

TEST_CASE("unit spans: as systemd.time writes them", "[app][import][systemd]") {
  CHECK(read_unit_span("90") == core::span{90s});
  CHECK(read_unit_span("1h 30min") == core::span{90min});
  CHECK(read_unit_span("1h30min") == core::span{90min});
  CHECK(read_unit_span("2 weeks") == core::span{336h});
  CHECK(read_unit_span("1.5min") == core::span{90s});
  for (const auto* bad : {"", "x", "5 parsecs", "-3s", "infinity", "1e99y", "9999999999y"})
    CHECK_FALSE(read_unit_span(bad).has_value());
}

TEST_CASE("timers: a timer and its service become one job", "[app][import][systemd]") {
  const auto s = one(
      "[Unit]\nDescription=Timer\n[Timer]\nOnCalendar=Mon..Fri 02:30\nOnCalendar=Sat 04:00\nPersistent=true\n"
      "RandomizedDelaySec=10min\nAccuracySec=1s\n[Install]\nWantedBy=timers.target\n",
      "[Unit]\nDescription=Back up %n\n[Service]\nType=oneshot\nUser=ada\nWorkingDirectory=/srv/%N\n"
      "Environment=\"A=x y\" B=2\nEnvironment=C=%%\nExecStart=/usr/bin/backup --to ${A} $B 'a b' \\\n   "
      "last\n"
      "TimeoutStartSec=5min\nNice=10\n");
  REQUIRE(s.refused.empty());
  REQUIRE(s.jobs.size() == 1);
  const auto& d = s.jobs[0].definition;
  CHECK(d.name == "a");
  CHECK(d.description == "Back up %n");
  CHECK(d.timing.schedule == "0 4 * * 6 | 30 2 * * 1-5; zone Europe/Berlin; jitter 10m");
  CHECK(d.timing.policy.missed == core::catch_up::once);
  CHECK(d.spec.process.argv ==
        std::vector<std::string>{"/usr/bin/backup", "--to", "x y", "2", "a b", "last"});
  CHECK(d.spec.process.cwd == "/srv/a");
  CHECK(d.spec.process.env.size() == 3);
  CHECK(d.spec.timeout == core::span{5min});
  CHECK(mentions(s.jobs[0].notes, "AccuracySec"));
  CHECK(mentions(s.jobs[0].notes, "[Service] Nice="));
}

TEST_CASE("timers: several commands of a oneshot, and one that may fail, become a line of a shell",
          "[app][import][systemd]") {
  const auto s = one("[Timer]\nOnUnitActiveSec=15min\nOnBootSec=1min\n",
                     "[Service]\nType=oneshot\nExecStart=-/bin/a 'x y'\nExecStart=/bin/b ; /bin/c\n");
  REQUIRE(s.jobs.size() == 1);
  CHECK(s.jobs[0].definition.spec.process.shell == "{ /bin/a 'x y' || :; } && /bin/b && /bin/c");
  CHECK(s.jobs[0].definition.timing.schedule == "@every 15m; zone Europe/Berlin");
  CHECK(s.jobs[0].definition.timing.policy.missed == core::catch_up::skip);
  CHECK(mentions(s.jobs[0].notes, "OnBootSec"));
}

TEST_CASE("timers: drop-ins add, replace and reset", "[app][import][systemd]") {
  const auto s = read_timers({{"a.timer", "[Timer]\nOnCalendar=daily\nUnit=b@x.service\n"},
                              {"a.timer.d/20.conf", "[Timer]\nOnCalendar=\nOnCalendar=hourly\n"},
                              {"a.timer.d/10.conf", "[Timer]\nOnCalendar=monthly\n"},
                              {"a.timer.d/README", "not a drop-in"},
                              {"b@.service", "[Service]\nExecStart=/bin/b %i\n"},
                              {"b@x.service.d/env.conf", "[Service]\nEnvironment=X=1\n"}},
                             at_home());
  REQUIRE(s.jobs.size() == 1);
  CHECK(s.jobs[0].definition.timing.schedule == "0 * * * *; zone Europe/Berlin");
  CHECK(s.jobs[0].definition.spec.process.argv == std::vector<std::string>{"/bin/b", "x"});
  CHECK(s.jobs[0].definition.spec.process.env.size() == 1);
}

TEST_CASE("timers: what would be something else here is refused with a reason", "[app][import][systemd]") {
  const std::string daily = "[Timer]\nOnCalendar=daily\n", good = "[Service]\nExecStart=/bin/x\n";
  const auto why = [](const std::string& t, const std::string& s) {
    const auto read = one(t, s);
    CHECK(read.entries == 1);
    return read.refused.empty() ? std::string{} : read.refused.at(0).why;
  };
  const auto says = [&](const std::string& t, const std::string& s, const std::string& part) {
    INFO(why(t, s));
    CHECK(why(t, s).find(part) != std::string::npos);
  };
  CHECK(why(daily, good).empty());
  says("[Timer]\nOnBootSec=5min\n", good, "boot");
  says("[Timer]\nOnUnitInactiveSec=5min\n", good, "end of the run");
  says("[Timer]\nOnCalendar=daily\nOnCalendar=daily UTC\n", good, "zones");
  says("[Timer]\n", good, "no time");
  says(daily, "[Service]\n", "ExecStart");
  says(daily, "[Service]\nExecStart=/bin/x\nUser=root\n", "runs as root");
  {
    auto root = at_home();
    root.account = "root";
    root.may_switch = true;
    const auto switched = [&](const std::string& s) {
      return read_timers({{"a.timer", daily}, {"a.service", s}}, root);
    };
    CHECK(switched("[Service]\nUser=ada\nExecStart=/bin/x y\n").jobs.at(0).definition.spec.process.argv ==
          std::vector<std::string>{"runuser", "-u", "ada", "--", "/bin/x", "y"});
    CHECK(switched("[Service]\nUser=ada\nExecStartPre=+/bin/y\nExecStart=/bin/x\n").jobs.empty());
  }
  says(daily, "[Service]\nExecStart=/bin/x\nEnvironmentFile=/etc/default/x\n", "EnvironmentFile");
  says(daily, "[Service]\nExecStart=/bin/x %H\n", "specifier");
  says(daily, "[Service]\nExecStart=/bin/x $HOME\n", "HOME");
  says(daily, "[Service]\nExecStart=/bin/x \"open\n", "quote");
  says(daily, "[Service]\nType=forking\nExecStart=/bin/x\n", "forking");
  CHECK(read_timers({{"a.timer", daily}}, at_home()).refused.at(0).why.find("a.service") !=
        std::string::npos);
  CHECK(read_timers({{"a@.timer", daily}, {"a@.service", good}}, at_home()).refused.size() == 1);
}

TEST_CASE("timers: whatever the bytes are, a timer is a job or a refusal",
          "[app][import][systemd][property]") {
  rc::prop("entries == jobs + refused", [] {
    const auto piece = rc::gen::element<std::string>(
        "[Timer]\n", "[Service]\n", "OnCalendar=", "daily", "*-*-* ", "~07/1", "Mon..Fri", " 10:00", "\n",
        "ExecStart=", "/bin/x ", "%i", "%", "\\", "\"", "'", "$A", "${A}", "${", "Environment=A=1", ";", "-",
        "@", "UTC", "OnUnitActiveSec=5", "Unit=a.service", "\x80", "0/5", ",");
    const auto text = [&] {
      std::string out;
      for (const auto& p : *rc::gen::container<std::vector<std::string>>(piece)) out += p;
      return out;
    };
    const auto s = one("[Timer]\n" + text(), "[Service]\nExecStart=/bin/x\n" + text());
    RC_ASSERT(s.entries == 1U);
    RC_ASSERT(s.jobs.size() + s.refused.size() == 1U);
    for (const auto& j : s.jobs) {
      const auto when = core::parse_canonical(j.definition.timing.schedule, {});
      RC_ASSERT(when.ok());
      RC_ASSERT(!core::describe(*when).empty());
    }
    (void)read_calendar_time(text());
    (void)read_exec(text(), {});
  });
}

TEST_CASE("ncp: tasks of both versions become jobs", "[app][import][ncp]") {
  ncp_options o;
  o.origin = "schedule.json";
  o.zone = "Europe/Berlin";
  const auto first = read_ncp(
      R"({"version":"1.0.0","jobs":{"j1":{"id":"j1","name":"Mail digest","cronExpression":"0 9 * * 1-5","timezone":"UTC",
      "tool":"mail:digest","parameters":{"to":"ops","n":1.50},"fireOnce":false,"maxExecutions":10,"createdAt":"2026-01-01T00:00:00Z",
      "status":"active","executionCount":4,"colour":"red"},
      "j2":{"id":"j2","name":"Done","cronExpression":"0 9 * * *","tool":"a:b","parameters":{},"fireOnce":true,"status":"completed"}}})",
      o);
  REQUIRE(first.ok());
  REQUIRE(first->jobs.size() == 1);
  const auto& d = first->jobs[0].definition;
  CHECK(d.name == "Mail-digest");
  CHECK(d.spec.process.argv ==
        std::vector<std::string>{"ncp", "run", "mail:digest", "--params", R"({"to":"ops","n":1.50})"});
  CHECK(d.timing.schedule == "0 9 * * 1-5; zone UTC");
  CHECK(d.timing.policy.most_runs == 6);
  CHECK(mentions(first->jobs[0].notes, "colour"));
  REQUIRE(first->refused.size() == 1);
  CHECK(first->refused[0].why.find("completed") != std::string::npos);

  const auto second = read_ncp(
      R"({"version":"2.0.0","tasks":{"t":{"id":"t","name":"n","timingId":"daily-9am","tool":"a:b","parameters":{},
      "fireOnce":true,"endDate":"2030-01-01T00:00:00Z","status":"paused","executionCount":0},
      "u":{"id":"u","name":"n","timingId":"gone","tool":"a:b","parameters":{},"status":"active"}},
      "timings":{"daily-9am":{"id":"daily-9am","name":"x","cronExpression":"0 9 * * *","taskIds":["t"]}}})",
      o);
  REQUIRE(second.ok());
  REQUIRE(second->jobs.size() == 1);
  CHECK(second->jobs[0].paused);
  CHECK(second->jobs[0].definition.timing.policy.most_runs == 1);
  CHECK(second->jobs[0].definition.timing.schedule ==
        "0 9 * * *; zone Europe/Berlin; end 2030-01-01T00:00:00.000Z");
  CHECK(second->refused.at(0).why.find("gone") != std::string::npos);

  CHECK_FALSE(read_ncp("{}", o).ok());
  CHECK_FALSE(read_ncp(R"({"version":"3.0.0","tasks":{}})", o).ok());
  CHECK_FALSE(read_ncp("nonsense", o).ok());
}

}  // namespace belfry::app
