// Events on the command line: emitted, waited for by jobs, gathered, and a chain that ends.
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

template <class F>
bool soon(F f) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (std::chrono::steady_clock::now() < until) {
    if (f()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return false;
}

std::size_t runs_of(const cli& belfry, const std::string& job) {
  return belfry.doc({"job", "runs", job}).at("runs").size();
}

}  // namespace

TEST_CASE("cli: an event that is emitted starts the job that waits for it, and its run is told of it",
          "[e2e][cli][events]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("deployer");
  const auto event = fresh_name("deploy");
  const auto made = belfry({"job", "create", "--name", name, "--on-event", event + ".*", "--where",
                            "env=prod", "--overlap", "queue_all", "--shell", "cat"});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  const auto job = belfry.doc({"job", "show", name});
  CHECK(job.at("schedule") == "@event " + event + ".* where env=prod; zone UTC");
  CHECK(job.at("next_at").is_null());
  CHECK(has(belfry({"job", "show", name}).out, "when event " + event + ".* arrives with env=prod"));
  const auto told = belfry.doc({"events", "emit", event + ".finished", "env=prod", "text=a \"b\" c"});
  CHECK(told.at("jobs") == 1);
  CHECK(told.at("started") == 1);
  REQUIRE(told.at("runs").size() == 1);
  const auto run = told.at("runs").at(0).get<std::string>();
  CHECK(belfry({"run", "wait", run}).exit_code == 0);
  const auto payload = belfry.doc({"show", run}).at("payload");
  CHECK(payload.at("event").at("name") == event + ".finished");
  CHECK(payload.at("event").at("fields") == json{{"env", "prod"}, {"text", "a \"b\" c"}});
  CHECK(payload.at("count") == 1);
  // On stdin of the command.
  CHECK(soon([&] { return has(belfry({"logs", run}).out, "\"name\":\"" + event + ".finished\""); }));
  CHECK(has(belfry({"events", "emit", event + ".finished", "env=dev"}).out, "no job waits for it"));
  CHECK(runs_of(belfry, name) == 1);
  const auto list = belfry.doc({"occurrences", name}).at("occurrences");
  REQUIRE(list.size() == 1);
  CHECK(list.at(0).at("run_id") == run);
  // The journal has it with its fields; it is still listed and followed as before.
  const auto journal = belfry.doc({"events", "--kind", "event_received", "-n", "500"}).at("events");
  bool found = false;
  for (const auto& e : journal)
    if (e.at("seq") == told.at("seq")) {
      found = true;
      CHECK(e.at("name") == event + ".finished");
      CHECK(e.at("fields").at("text") == "a \"b\" c");
    }
  CHECK(found);
  // Said twice with one key, it happened once.
  const auto first = belfry.doc({"events", "emit", event + ".x", "env=prod", "--idempotency-key", event});
  CHECK(belfry.doc({"events", "emit", event + ".x", "env=prod", "--idempotency-key", event}) == first);
  CHECK(runs_of(belfry, name) == 2);
  belfry.line({"job", "delete", name, "-o", "name"});
}

TEST_CASE("cli: a burst of events is one run", "[e2e][cli][events]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("gatherer");
  const auto event = fresh_name("burst");
  REQUIRE(belfry({"job", "create", "--name", name, "--on-event", event, "--debounce", "3s", "--hold", "20s",
                  "--shell", "true"})
              .exit_code == 0);
  for (int i = 0; i < 5; ++i)
    CHECK(belfry.doc({"events", "emit", event, "n=" + std::to_string(i)}).at("held") == 1);
  CHECK(belfry.doc({"job", "show", name}).at("next_at").is_string());
  bool gathering = false;
  const auto triggers = belfry.doc({"events", "triggers", "--all"});
  for (const auto& one : triggers.at("triggers"))
    gathering = gathering || (one.at("job") == name && one.at("held") == 5);
  CHECK(gathering);
  CHECK(has(belfry({"events", "triggers", "--all"}).out, name));
  REQUIRE(soon([&] { return runs_of(belfry, name) == 1; }));
  const auto run = belfry.doc({"job", "runs", name}).at("runs").at(0).at("id").get<std::string>();
  const auto payload = belfry.doc({"show", run}).at("payload");
  CHECK(payload.at("count") == 5);
  CHECK(payload.at("event").at("fields").at("n") == "4");
  belfry.line({"job", "delete", name, "-o", "name"});
}

TEST_CASE("cli: when one job fails another is started, and a job that emits its own event ends",
          "[e2e][cli][events]") {
  const cli belfry(shared_node());
  const auto failing = fresh_name("failing");
  const auto notify = fresh_name("notify");
  REQUIRE(belfry({"job", "create", "--name", failing, "--retries", "0", "--shell", "exit 3"}).exit_code == 0);
  REQUIRE(belfry({"job", "create", "--name", notify, "--on-event", "run_failed", "--where", "job=" + failing,
                  "--shell", "cat"})
              .exit_code == 0);
  CHECK(belfry({"job", "trigger", failing}).exit_code == 0);
  REQUIRE(soon([&] { return runs_of(belfry, notify) == 1; }));
  const auto run = belfry.doc({"job", "runs", notify}).at("runs").at(0).at("id").get<std::string>();
  const auto event = belfry.doc({"show", run}).at("payload").at("event");
  CHECK(event.at("name") == "run_failed");
  CHECK(event.at("fields").at("job") == failing);

  const auto loop = fresh_name("loop");
  REQUIRE(belfry({"job", "create", "--name", loop, "--on-event", loop, "--depth", "3", "--overlap",
                  "queue_all", "--shell",
                  "BELFRY_URL=" + shell_quoted(shared_node().url()) + " " + shell_quoted(belfry_binary()) +
                      " events emit " + loop})
              .exit_code == 0);
  CHECK(belfry.doc({"events", "emit", loop}).at("started") == 1);
  REQUIRE(soon([&] {
    return has(belfry({"events", "--kind", "event_too_deep", "--job", loop}).out, "event_too_deep");
  }));
  CHECK(runs_of(belfry, loop) == 3);
  for (const auto& each : {failing, notify, loop}) belfry.line({"job", "delete", each, "-o", "name"});
}

TEST_CASE("cli: what is no event, and what no job can wait for, is refused in plain words",
          "[e2e][cli][events]") {
  const cli belfry(shared_node());
  const auto own = belfry({"events", "emit", "run_failed"});
  CHECK(own.exit_code == 2);
  CHECK(has(own.err, "belfry itself tells of run_failed"));
  CHECK(belfry({"events", "emit", "a b"}).exit_code == 2);
  CHECK(belfry({"events", "emit", "a", "b"}).exit_code == 2);
  CHECK(has(belfry({"events", "emit", "a", "b=1", "b=2"}).err, "b"));
  CHECK(belfry({"events", "emit", "a", "--run", "run_00NF2XPW00000"}).exit_code != 0);
  const auto name = fresh_name("refused");
  const auto job = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"job", "create", "--name", name});
    words.insert(words.end(), {"--", "true"});
    return belfry(words);
  };
  CHECK(has(job({"--on-event", "run.failed"}).err, "run_failed"));
  CHECK(has(job({"--on-event", "run_progress"}).err, "starts no jobs"));
  CHECK(job({"--on-event", "a b"}).exit_code == 2);
  CHECK(job({"--on-event", "a", "--where", "x=1,y=2"}).exit_code == 2);
  CHECK(job({"--where", "x=1"}).exit_code == 2);
  CHECK(job({"--on-event", "a", "--every", "1h"}).exit_code == 2);
  CHECK(job({"--on-event", "a", "--hold", "1m"}).exit_code == 2);
  CHECK(job({"--on-event", "a", "--depth", "100"}).exit_code == 2);
  const auto words =
      belfry.doc({"schedule", "parse", "on", "event", "a.*", "where", "x=1,", "debounce", "30s"});
  CHECK(words.at("canonical") == "@event a.* where x=1 debounce 30s; zone UTC");
  CHECK(words.at("description") == "when event a.* arrives with x=1 after 30s of quiet, in UTC");
  CHECK(words.at("on_event") == true);
  CHECK(has(belfry({"schedule", "preview", "@event a"}).out, "when event a arrives"));
}

}  // namespace belfry::test
