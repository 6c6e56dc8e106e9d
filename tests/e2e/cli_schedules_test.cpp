// Schedules on the command line: what an expression means, jobs that fire, what became of planned times.
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "tests/e2e/cli.hpp"

namespace belfry::test {

TEST_CASE("cli: a schedule is parsed, described and previewed without saving it", "[e2e][cli][schedule]") {
  const cli belfry(shared_node());
  const auto parsed = belfry.doc({"schedule", "parse", "weekdays", "at", "9am", "--zone", "Europe/Berlin",
                                  "--from", "2026-11-21T22:07:30Z"});
  CHECK(parsed.at("canonical") == "0 9 * * 1-5; zone Europe/Berlin");
  CHECK(parsed.at("label") == "weekdays-9am-europe-berlin");
  CHECK(parsed.at("next").size() == 5);
  CHECK(parsed.at("next").at(0).at("at") == "2026-11-23T08:00:00.000Z");
  CHECK(parsed.at("next").at(0).at("local") == "2026-11-23 09:00:00");
  CHECK(parsed.at("next").at(0).at("offset") == "+01:00");
  const auto words = belfry.line({"schedule", "describe", "0 9 * * 1-5"});
  CHECK(belfry.doc({"schedule", "parse", words}).at("canonical") == "0 9 * * 1-5; zone UTC");
  const auto shown = belfry({"schedule", "preview", "30 2 * * *", "--zone", "Europe/Berlin", "--from",
                             "2026-03-28T12:00:00Z", "-n", "2"});
  CHECK(shown.exit_code == 0);
  CHECK(has(shown.out, "2026-03-29 03:00:00"));
  CHECK(has(shown.out, "+02:00"));
  CHECK(has(shown.out, "2026-03-29T01:00:00.000Z"));
  CHECK(has(shown.out, "the clock skips the time"));
  const auto refused = belfry({"schedule", "parse", "every day at 9am please"});
  CHECK(refused.exit_code == 2);
  CHECK(has(refused.err, "please"));
  CHECK(has(refused.err, "byte 17"));
  CHECK(belfry({"schedule", "parse", "0 9 * * *", "--zone", "europe/berlin"}).exit_code == 2);
  CHECK(belfry({"schedule", "parse", "@reboot"}).exit_code == 2);
}

TEST_CASE("cli: a job fires by its schedule, and its occurrences are listed", "[e2e][cli][schedule]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("ticker");
  const auto made = belfry({"job", "create", "--name", name, "--every", "1s", "--max-runs", "2", "--overlap",
                            "queue_all", "--shell", "echo tick"});
  CHECK(made.exit_code == 0);
  auto job = belfry.doc({"job", "show", name});
  CHECK(job.at("schedule") == "@every 1s; zone UTC");
  CHECK(job.at("definition").at("max_runs") == 2);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (job.at("state") != "completed" && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    job = belfry.doc({"job", "show", name});
  }
  REQUIRE(job.at("state") == "completed");
  CHECK(job.at("fired") == 2);
  CHECK(job.at("next_at").is_null());
  const auto list = belfry.doc({"occurrences", name}).at("occurrences");
  std::size_t runs = 0;
  for (const auto& line : list) runs += line.at("outcome") == "run" ? 1U : 0U;
  CHECK(runs == 2);
  CHECK(belfry.doc({"job", "runs", name}).at("runs").size() == 2);
  const auto table = belfry({"occurrences", name}).out;
  CHECK(has(table, "PLANNED"));
  CHECK(has(table, "run_"));
  belfry.line({"job", "delete", name, "-o", "name"});
}

TEST_CASE("cli: a one-time job is over when its run has ended, and says what it waits for until then",
          "[e2e][cli][schedule]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("once");
  const scratch_folder folder;
  const auto gate = folder / "go";
  CHECK(belfry({"job", "create", "--name", name, "--every", "1s", "--max-runs", "1", "--max-runs-of",
                "successes", "--shell", "while [ ! -e " + gate + " ]; do sleep 0.05; done"})
            .exit_code == 0);
  json job;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  const auto wait_for = [&](const auto& holds) {
    for (job = belfry.doc({"job", "show", name}); !holds() && std::chrono::steady_clock::now() < until;
         job = belfry.doc({"job", "show", name}))
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    return holds();
  };
  REQUIRE(wait_for([&] { return job.at("fired") >= 1; }));
  CHECK(job.at("state") == "active");
  CHECK(job.at("succeeded") == 0);
  CHECK(job.at("definition").at("max_runs_of") == "successes");
  // Counted by occurrences from now on: the one that is under way is the last.
  CHECK(belfry({"job", "edit", name, "--max-runs", std::to_string(job.at("fired").get<int>() + 3),
                "--max-runs-of", "runs"})
            .exit_code == 0);
  REQUIRE(wait_for([&] { return job.at("ending") == true; }));
  CHECK(job.at("state") == "active");
  CHECK(job.at("succeeded").is_null());
  CHECK(has(belfry({"job", "show", name}).out, "no further runs are planned"));
  CHECK(has(belfry({"job", "explain", name}).out, "it is completed when run_"));
  write_text(gate, "");
  REQUIRE(wait_for([&] { return job.at("state") == "completed"; }));
  CHECK(job.at("ending") == false);
  CHECK(belfry({"job", "create", "--name", fresh_name("x"), "--every", "1s", "--max-runs-of", "failures",
                "--shell", "true"})
            .exit_code == 2);
  belfry.line({"job", "delete", name, "-o", "name"});
}

TEST_CASE("cli: the schedule of a job is given, shown, edited and refused in plain words",
          "[e2e][cli][schedule]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("planned");
  CHECK(belfry({"job", "create", "--name", name, "--cron", "0 9 * * MON-FRI", "--zone", "America/New_York",
                "--jitter", "5m", "--catch-up", "all", "--catch-up-max", "3", "--", "true"})
            .exit_code == 0);
  auto job = belfry.doc({"job", "show", name});
  CHECK(job.at("schedule") == "0 9 * * 1-5; zone America/New_York; jitter 5m");
  CHECK(job.at("next_at").is_string());
  CHECK(job.at("definition").at("catch_up") == "all");
  CHECK(has(belfry({"job", "show", name}).out, "0 9 * * 1-5"));
  CHECK(belfry({"job", "edit", name, "--when", "last day of the month at noon"}).exit_code == 0);
  job = belfry.doc({"job", "show", name});
  CHECK(job.at("schedule") == "0 12 L * *; zone UTC");
  CHECK(has(belfry({"job", "pause", name}).out, "paused"));
  CHECK(belfry.doc({"job", "show", name}).at("next_at").is_null());
  CHECK(has(belfry({"job", "resume", name}).out, "resumed"));
  CHECK(belfry.doc({"job", "show", name}).at("next_at").is_string());
  CHECK(belfry({"job", "edit", name, "--when", ""}).exit_code == 0);
  CHECK(belfry.doc({"job", "show", name}).at("schedule").is_null());
  const auto other = fresh_name("refused");
  const auto odd = belfry({"job", "create", "--name", other, "--cron", "0 0 30 2 *", "--", "true"});
  CHECK(odd.exit_code == 2);
  CHECK(has(odd.err, "no such day"));
  CHECK(belfry({"job", "create", "--name", other, "--at", "2020-01-01T00:00:00Z", "--", "true"}).exit_code ==
        2);
  CHECK(belfry({"job", "create", "--name", other, "--cron", "0 9 * * *", "--every", "1h", "--", "true"})
            .exit_code == 2);
  CHECK(belfry({"job", "create", "--name", other, "--zone", "Europe/Berlin", "--", "true"}).exit_code == 2);
  CHECK(belfry({"job", "create", "--name", other, "--catch-up", "all", "--", "true"}).exit_code == 2);
  belfry.line({"job", "delete", name, "-o", "name"});
}

TEST_CASE("cli: holidays are kept in a calendar, and jobs keep to them", "[e2e][cli][schedule][calendar]") {
  const cli belfry(shared_node());
  const auto days = fresh_name("days");
  const auto name = fresh_name("mail");
  CHECK(belfry({"job", "create", "--name", name, "--when", "daily at 9am", "--not-in", days, "--", "true"})
            .exit_code == 2);
  CHECK(has(belfry({"calendar", "set", days, "--dates", "2099-12-25,2099-12-26"}).out, "created"));
  CHECK(has(belfry({"calendar", "show", days}).out, "2099-12-25 00:00:00"));
  const auto file =
      belfry.shell("printf '2099-12-25\\nsoon\\n' | belfry calendar set " + days + " --dates -");
  CHECK(file.exit_code == 2);
  CHECK(has(file.err, "line 2"));
  CHECK(belfry({"calendar", "set", days}).exit_code == 2);
  CHECK(
      belfry({"job", "create", "--name", name, "--when", "every 5 minutes", "--not-between", "22:00-06:00",
              "--not-in", days, "--not-on", "2099-12-24,2099-12-31", "--excluded", "postpone", "--", "true"})
          .exit_code == 0);
  CHECK(belfry.doc({"job", "show", name}).at("schedule") ==
        "*/5 * * * *; postpone calendar " + days +
            "; postpone dates 2099-12-24,2099-12-31; postpone times 22:00-06:00; zone UTC");
  CHECK(has(belfry({"calendar", "ls"}).out, name));
  const auto shown = belfry({"schedule", "preview", "daily at 9am except calendar " + days, "--from",
                             "2099-12-24T10:00:00Z", "-n", "1"});
  CHECK(shown.exit_code == 0);
  CHECK(has(shown.out, "2099-12-27T09:00:00.000Z"));
  CHECK(has(shown.out, "excluded by calendar " + days));
  const auto used = belfry({"calendar", "rm", days});
  CHECK(used.exit_code != 0);
  CHECK(has(used.err, name));
  CHECK(has(belfry({"job", "explain", name}).out, "due"));
  CHECK(belfry({"job", "edit", name, "--not-in", ""}).exit_code == 0);
  CHECK(belfry.doc({"job", "show", name}).at("schedule") == "*/5 * * * *; zone UTC");
  CHECK(has(belfry({"calendar", "rm", days}).out, "removed"));
  belfry.line({"job", "delete", name, "-o", "name"});
}

TEST_CASE("cli: a maintenance window opens, holds, survives a kill and closes", "[e2e][cli][window]") {
  real_node node;
  const cli belfry(node);
  CHECK(belfry({"scheduler", "window", "add", "now"}).exit_code == 2);
  CHECK(has(belfry({"scheduler", "window", "add", "now", "--when", "every hour at minute 0", "--for",
                    "59m59s", "--text", "new disks"})
                .out,
            "created"));
  CHECK(has(belfry({"scheduler", "window", "ls"}).out, "open"));
  const auto id = belfry.line({"submit", "-o", "name", "--", "true"});
  const auto why = belfry({"run", "explain", id});
  CHECK(has(why.out, "window now: new disks"));
  CHECK(has(belfry({"scheduler", "status"}).out, "window now"));
  node.kill9();
  node.start();
  const cli again(node);
  CHECK(again.doc({"show", id}).at("state") == "queued");
  CHECK(
      has(again({"scheduler", "resume", "--reason", "maintenance", "--owner", "window:now"}).out, "resumed"));
  CHECK(node.wait_finished(id).at("state") == "succeeded");
  CHECK(has(again({"scheduler", "status"}).out, "planned"));
  CHECK(has(again({"scheduler", "window", "rm", "now"}).out, "removed"));
  CHECK(has(again({"scheduler", "window", "ls"}).out, "no maintenance windows"));
}

}  // namespace belfry::test
