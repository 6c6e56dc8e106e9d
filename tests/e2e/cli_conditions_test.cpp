// Conditions, fire limits and simulations on the command line, with the real binary.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "tests/e2e/cli.hpp"

namespace belfry::test {

TEST_CASE("cli: a run begins only when its check says yes", "[e2e][cli][condition]") {
  const cli belfry(shared_node());
  const auto end_of = [&](const std::string& check) {
    const auto id =
        belfry.line({"submit", "--retries", "0", "--only-if", check, "-o", "name", "--shell", "echo did it"});
    belfry({"wait", id});
    return belfry.doc({"run", "show", id});
  };
  const auto yes = end_of("echo looked; test 1 = 1");
  CHECK(yes.at("state") == "succeeded");
  CHECK(yes.at("condition").at("shell") == "echo looked; test 1 = 1");
  const auto log = belfry({"logs", yes.at("id").get<std::string>()}).out;
  CHECK(has(log, "condition: looked"));
  CHECK(has(log, "did it"));
  const auto no = end_of("test 1 = 2");
  CHECK(no.at("state") == "skipped");
  CHECK(no.at("reason") == "condition: exit code 1");
  CHECK_FALSE(has(belfry({"logs", no.at("id").get<std::string>()}).out, "did it"));
  const auto broken = end_of("exit 4");
  CHECK(broken.at("state") == "failed");
  CHECK(has(broken.at("reason").get<std::string>(), "the condition gave no answer: exit code 4"));
  const auto slow = belfry.line({"submit", "--retries", "0", "--only-if", "sleep 60", "--only-if-timeout",
                                 "1s", "-o", "name", "--", "true"});
  belfry({"wait", slow});
  CHECK(belfry.doc({"run", "show", slow}).at("state") == "failed");
  CHECK(belfry({"submit", "--only-if-timeout", "1s", "--", "true"}).exit_code == 2);
  const auto odd = belfry({"submit", "--only-if", "true", "--only-if-timeout", "0s", "--", "true"});
  CHECK(odd.exit_code == 2);
  CHECK(has(odd.err, "--only-if-timeout"));
}

TEST_CASE("cli: the condition of a job is kept, shown and taken away", "[e2e][cli][condition]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("checked");
  CHECK(belfry({"job", "create", "--name", name, "--only-if", "test -e /tmp/never-there", "--retry-past-next",
                "--cron", "0 9 * * *", "--", "true"})
            .exit_code == 0);
  auto d = belfry.doc({"job", "show", name}).at("definition");
  CHECK(d.at("condition").at("shell") == "test -e /tmp/never-there");
  CHECK(d.at("retry_past_next") == true);
  CHECK(belfry({"job", "edit", name, "--only-if", ""}).exit_code == 0);
  d = belfry.doc({"job", "show", name}).at("definition");
  CHECK_FALSE(d.contains("condition"));
  belfry.line({"job", "delete", name, "-o", "name"});
  // One for outside workers waits for a worker that asks.
  const auto id = belfry.line({"submit", "--outside", "--only-if", "true", "-o", "name", "--name", name});
  CHECK(belfry.doc({"run", "show", id}).at("capabilities") == nlohmann::json::array({"belfry:conditions"}));
  belfry({"cancel", id});
}

TEST_CASE("cli: what schedules would do is simulated, for declared jobs and for those of the node",
          "[e2e][cli][simulate]") {
  const cli belfry(shared_node());
  const auto file = std::filesystem::temp_directory_path() / (fresh_name("simulated") + ".toml");
  std::ofstream{file} << "[[job]]\nname = \"hourly\"\nshell = \"true\"\nschedule = \"0 * * * *\"\n"
                         "zone = \"Europe/Berlin\"\n\n[[job]]\nname = \"by-hand\"\nshell = \"true\"\n";
  const std::vector<std::string> words{"simulate", "--file", file.string(), "--from", "2026-03-28T22:00:00Z",
                                       "--until",  "12h"};
  auto with = [&](std::vector<std::string> more) {
    auto all = words;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const auto plain = belfry.doc(words);
  CHECK(plain.at("lines").size() == 12);
  CHECK(plain.at("summary").at("fires") == 12);
  CHECK(plain.at("lines").at(2).at("local") == "2026-03-29 03:00:00");
  const auto away = belfry.doc(with({"--down", "2026-03-29T00:30:00Z..5h"}));
  CHECK(away.at("summary").at("caught_up") == 1);
  CHECK(away.at("summary").at("skipped") == 4);
  const auto slow = belfry(with({"--run-seconds", "hourly=5400", "--slots", "1"}));
  CHECK(slow.exit_code == 0);
  CHECK(has(slow.out, "skipped"));
  CHECK(has(slow.out, "skipped because of the one before"));
  CHECK(belfry(with({"--until", "2020-01-01T00:00:00Z"})).exit_code == 2);
  CHECK(belfry(with({"--down", "yesterday"})).exit_code == 2);
  CHECK(belfry(with({"--run-seconds", "nobody=5"})).exit_code == 2);
  CHECK(belfry(with({"--limit", "0"})).exit_code == 2);
  CHECK(belfry({"simulate", "--job", "no-such-job"}).exit_code != 0);
  const auto name = fresh_name("real");
  belfry.line({"job", "create", "--name", name, "--cron", "0 9 * * *", "-o", "name", "--", "true"});
  const auto real =
      belfry.doc({"simulate", "--job", name, "--from", "2027-01-01T00:00:00Z", "--until", "3d"});
  CHECK(real.at("summary").at("fires") == 3);
  CHECK(belfry.doc({"job", "show", name}).at("fired") == 0);
  belfry.line({"job", "delete", name, "-o", "name"});
  std::filesystem::remove(file);
}

TEST_CASE("cli: limits of starts by schedule are set, shown and refused in plain words",
          "[e2e][cli][fires]") {
  const cli belfry(shared_node());
  CHECK(has(
      belfry({"limits", "set", "--fires", "1000", "--fires-per-workspace", "900", "--fire-window", "2h"}).out,
      "starts by schedule 1000, starts by schedule per workspace 900 in 2h"));
  const auto shown = belfry.doc({"limits", "show"});
  CHECK(shown.at("fires") == 1000);
  CHECK(shown.at("fire_window") == "2h");
  CHECK(belfry({"limits", "set", "--fires", "1001"}).exit_code == 2);
  CHECK(belfry({"limits", "set", "--fire-window", "8d"}).exit_code == 2);
  CHECK(belfry({"limits", "set", "--fires", "0", "--fires-per-workspace", "0", "--fire-window", "1h"})
            .exit_code == 0);
}

}  // namespace belfry::test
