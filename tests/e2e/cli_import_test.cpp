// Moving in and moving house: crontabs and timers become jobs, and the jobs of one node those of another.
#include <catch2/catch.hpp>

#include <thread>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

std::size_t lines_with(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("cli: a crontab is imported once, shown first, and followed when it changes",
          "[e2e][cli][import]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  const scratch_folder folder;
  const auto file = folder / "crontab";
  const std::string tail = "@daily echo one%two\n";
  write_text(file, "# Every night\n17 3 * * 1-5 echo backup --all\n" + tail + "@reboot echo boot\n");
  const auto plan = belfry({"import", "crontab", file, "--dry-run", "--zone", "Europe/Berlin"});
  CHECK(plan.exit_code == 3);  // not everything can be taken over
  CHECK(lines_with(plan.out, "+ job ") == 2);
  CHECK(has(plan.out, "zone Europe/Berlin"));
  CHECK(has(plan.out, "! line 4"));
  CHECK(has(plan.out, "@reboot is not supported"));
  CHECK(lines_with(plan.out, "    next   ") == 2);
  CHECK(has(plan.out, " 03:17:00 +0"));
  CHECK(belfry({"job", "list", "-o", "name"}).out.empty());
  // Nobody said yes.
  CHECK(belfry({"import", "crontab", file}).exit_code == 2);
  CHECK(belfry({"job", "list", "-o", "name"}).out.empty());

  const auto done = belfry({"import", "crontab", file, "--yes", "--zone", "Europe/Berlin"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 3);
  CHECK(has(done.out, "done: 2 created"));
  const auto listed = belfry.doc({"job", "list"}).at("jobs");
  REQUIRE(listed.size() == 2);
  std::string name;
  for (const auto& j : listed)
    if (j.at("description") == "Every night") name = j.at("name");
  REQUIRE_FALSE(name.empty());
  const auto job = belfry.doc({"job", "show", name});
  CHECK(job.at("schedule") == "17 3 * * 1-5; zone Europe/Berlin");
  CHECK(job.at("definition").at("tags") == json{"import:crontab"});
  CHECK(job.at("definition").at("handler").at("shell") == "echo backup --all");
  CHECK(job.at("next_at").is_string());

  const auto again = belfry({"import", "crontab", file, "--yes", "--zone", "Europe/Berlin"});
  CHECK(has(again.out, "nothing to do"));
  CHECK(has(again.out, "2 unchanged"));
  CHECK(belfry.doc({"job", "show", name}).at("revision") == 1);

  write_text(file, "# Every night\n18 4 * * 1-5 echo backup --all\n");
  const auto changed = belfry({"import", "crontab", file, "--yes", "--zone", "Europe/Berlin"});
  CHECK(changed.exit_code == 0);
  CHECK(has(changed.out, "~ job " + name));
  CHECK(has(changed.out,
            "schedule: \"17 3 * * 1-5; zone Europe/Berlin\" -> \"18 4 * * 1-5; zone Europe/Berlin\""));
  CHECK(has(changed.out, "gone; --prune archives it"));
  CHECK(belfry.doc({"job", "show", name}).at("revision") == 2);
  CHECK(belfry.doc({"job", "list"}).at("jobs").size() == 2);
  CHECK(belfry({"import", "crontab", file, "--yes", "--prune", "--zone", "Europe/Berlin"}).exit_code == 0);
  CHECK(belfry({"job", "list", "-o", "name"}).out == name + "\n");

  // Another crontab is another source: it prunes nothing of this one.
  const auto other = folder / "other";
  write_text(other, "0 1 * * * echo other\n");
  CHECK(belfry({"import", "crontab", other, "--yes", "--prune", "--prefix", "o-"}).exit_code == 0);
  CHECK(belfry.doc({"job", "list"}).at("jobs").size() == 2);
  const auto doc =
      json::parse(belfry({"import", "crontab", other, "--dry-run", "--prefix", "o-", "-o", "json"}).out);
  CHECK(doc.at("plan").at(0).at("action") == "unchanged");
  CHECK(doc.at("plan").at(0).at("next").size() == 5);
}

TEST_CASE("cli: timers and their services are imported, and a job that no import made is left alone",
          "[e2e][cli][import]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  const scratch_folder folder;
  CHECK(belfry.shell("mkdir " + shell_quoted(folder / "tidy.timer.d")).exit_code == 0);
  write_text(folder / "tidy.timer", "[Timer]\nOnCalendar=weekly\nPersistent=true\n");
  write_text(folder / "tidy.timer.d/x.conf", "[Timer]\nOnCalendar=\nOnCalendar=Mon *-*-* 04:00 UTC\n");
  write_text(folder / "tidy.service", "[Service]\nType=oneshot\nExecStart=/bin/echo tidy %N\nNice=5\n");
  write_text(folder / "boot.timer", "[Timer]\nOnBootSec=5min\n");
  write_text(folder / "boot.service", "[Service]\nExecStart=/bin/true\n");
  const auto done = belfry({"import", "systemd-timers", folder.path(), "--yes"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 3);
  CHECK(has(done.out, "! boot.timer"));
  CHECK(has(done.out, "Nice="));
  const auto job = belfry.doc({"job", "show", "tidy"});
  CHECK(job.at("schedule") == "0 4 * * 1; zone UTC");
  CHECK(job.at("definition").at("handler").at("argv") == json{"/bin/echo", "tidy", "tidy"});

  belfry.line({"job", "create", "--name", "mine", "--shell", "true"});
  write_text(folder / "mine.timer", "[Timer]\nOnCalendar=daily\n");
  write_text(folder / "mine.service", "[Service]\nExecStart=/bin/true\n");
  const auto second = belfry({"import", "systemd-timers", folder.path(), "--yes"});
  CHECK(has(second.out, "that no import of"));
  CHECK(belfry.doc({"job", "show", "mine"}).at("revision") == 1);
  CHECK(belfry({"import", "systemd-timers", "/no/such/folder"}).exit_code == 2);
  CHECK(belfry({"import", "ncp", folder / "tidy.timer"}).exit_code == 2);
}

TEST_CASE("cli: a node moves house: every job arrives as it was, completed ones too",
          "[e2e][cli][transfer]") {
  real_node one{{.executors = 2}}, other{{.executors = 0}};
  const cli from(one), to(other);
  const scratch_folder folder;
  const auto file = folder / "jobs.jsonl";
  const auto at = first_line(from.shell("date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ").out);
  from.line({"job", "create", "--name", "once", "--at", at, "--shell", "true"});
  from.line({"job", "create", "--name", "nightly", "--cron", "0 3 * * *", "--zone", "Europe/Berlin",
             "--shell", "true"});
  from.line({"job", "edit", "nightly", "--description", "second revision"});
  from.line({"job", "trigger", "nightly"});
  from.line({"job", "create", "--name", "asleep", "--every", "1h", "--paused", "--shell", "true"});
  from.line({"calendar", "set", "holidays", "--dates", "2099-12-25..2099-12-26,2100-01-01"});
  from.line({"job", "create", "--name", "working-days", "--when", "weekdays at 9am except calendar holidays",
             "--shell", "true"});
  from.line({"scheduler", "window", "add", "sundays", "--when", "sundays at 2am", "--for", "2h"});
  from.line({"job", "create", "--name", "old", "--shell", "true"});
  CHECK(from({"job", "delete", "old"}).exit_code == 0);
  for (int i = 0; i < 150 && from.doc({"job", "show", "once"}).at("state") != "completed"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  REQUIRE(from.doc({"job", "show", "once"}).at("state") == "completed");

  CHECK(from({"export", "--archived", "--to", file}).exit_code == 0);
  const auto plan = to({"import", file, "--dry-run"});
  CHECK(lines_with(plan.out, "created job ") == 4);  // the fifth names a calendar that is not there yet
  CHECK(has(plan.out, "created calendar holidays"));
  CHECK(has(plan.out, "created window sundays"));
  CHECK(to({"job", "list", "-o", "name"}).out.empty());
  CHECK(to({"import", file}).exit_code == 0);
  CHECK(to({"export", "--archived"}).out == read_text(file));
  const auto there = to.doc({"job", "show", "nightly"});
  CHECK(there.at("id") == from.doc({"job", "show", "nightly"}).at("id"));
  CHECK(there.at("revision") == 2);
  CHECK(there.at("triggered") == 1);
  CHECK(there.at("next_at") == from.doc({"job", "show", "nightly"}).at("next_at"));
  CHECK(to.doc({"job", "show", "once"}).at("state") == "completed");
  const auto same = to({"import", file});
  CHECK(lines_with(same.out, "unchanged job ") == 5);
  CHECK(has(same.out, "unchanged calendar holidays"));
  CHECK(has(same.out, "unchanged window sundays"));
  to.line({"calendar", "set", "holidays", "--dates", "2099-12-25"});
  CHECK(has(to({"import", file}).out, "kept calendar holidays"));
  CHECK(has(to({"import", file, "--replace"}).out, "replaced calendar holidays"));
  // What was changed there meanwhile is kept.
  to.line({"job", "edit", "nightly", "--description", "third revision"});
  const auto kept = to({"import", file, "--dry-run"});
  CHECK(has(kept.out, "kept job nightly"));
  CHECK(has(kept.out, "third revision"));
  CHECK(has(to({"import", file, "--replace"}).out, "replaced job nightly"));
  CHECK(to.doc({"job", "show", "nightly"}).at("definition").at("description") == "second revision");
  write_text(
      file,
      "{\"kind\":\"job\",\"format\":3,\"definition\":{\"name\":\"x\",\"handler\":{\"shell\":\"x\"}}}\n");
  const auto newer = to({"import", file});
  CHECK(newer.exit_code == 2);
  CHECK(has(newer.err, "newer belfry"));
}

}  // namespace belfry::test
