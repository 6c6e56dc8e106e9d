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

}  // namespace belfry::test
