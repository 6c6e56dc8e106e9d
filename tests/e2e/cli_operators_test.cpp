// Operators on the command line: force, explain, the doctor, also of a node that does not run.
#include <catch2/catch.hpp>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

node_setup only_outside() {
  node_setup s;
  s.executors = 0;
  return s;
}

bool found(const json& doctor, const std::string& code) {
  for (const auto& f : doctor.at("findings"))
    if (f.at("code") == code) return true;
  return false;
}

}  // namespace

TEST_CASE("cli: force-release takes a run from its holder, by id and by filter, and says what would be",
          "[e2e][cli][operators]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("taken");
  const auto session =
      belfry.line({"session", "register", name, "--cap", name, "--slots", "5", "-o", "name"});
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i)
    ids.push_back(belfry.line({"submit", "--name", name, "--outside", "--cap", name, "-o", "name"}));
  const auto claimed = belfry.doc({"claim", session, "--max", "2", "--wait", "10s"}).at("claims");
  REQUIRE(claimed.size() == 2);

  const auto no_reason = belfry({"run", "force-release", ids[0]});
  CHECK(no_reason.exit_code == 2);
  CHECK(has(no_reason.err, "--reason"));
  const auto older = belfry({"run", "force-release", ids[0], "--reason", "x", "--if-state", "running"});
  CHECK(older.exit_code == 6);
  CHECK(has(older.err, "/if_state"));
  const auto worker_word = belfry({"run", "release", ids[0]});
  CHECK(worker_word.exit_code == 2);
  CHECK(has(worker_word.err, "force-release"));

  const auto plan = belfry({"run", "force-release", "--session", session, "--reason", "x", "--dry-run"});
  CHECK(plan.exit_code == 0);
  CHECK(has(plan.out, "2 runs"));
  CHECK(has(plan.out, ids[0] + " would be queued"));
  CHECK(belfry.doc({"show", ids[0]}).at("state") == "claimed");

  CHECK(belfry({"run", "force-release", ids[0], "--reason", "its host is gone"}).exit_code == 0);
  const auto shown = belfry.doc({"show", ids[0]});
  CHECK(shown.at("state") == "queued");
  CHECK(shown.at("losses") == 0);
  CHECK(shown.at("attempts").at(0).at("stopped_with") == "operator");
  CHECK(has(shown.at("reason").get<std::string>(), "its host is gone"));
  const auto late =
      belfry({"run", "complete", claimed.at(0).at("run_id"), "--token", claimed.at(0).at("token"),
              "--fencing", std::to_string(claimed.at(0).at("fencing").get<int>())});
  CHECK((late.exit_code == 6 || claimed.at(0).at("run_id") != ids[0]));

  const auto mixed = belfry({"run", "force-fail", ids[0], "run_00NF2XPW00000", "--reason", "not needed"});
  CHECK(mixed.exit_code == 5);
  CHECK(has(mixed.out, ids[0]));
  CHECK(has(mixed.err, "run_00NF2XPW00000"));
  CHECK(belfry.doc({"show", ids[0]}).at("state") == "failed");
  CHECK(belfry({"run", "recover", ids[0], "--reason", "x"}).exit_code == 6);
  const auto events = belfry.doc({"events", "--run", ids[0]});
  CHECK(has(events.dump(), "run_force_released"));
  CHECK(has(events.dump(), "run_force_failed"));
  CHECK(belfry({"run", "force-fail", ids[1], "--reason", "done here"}).exit_code == 0);
}

TEST_CASE("cli: priority and run-now by filter", "[e2e][cli][operators]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("later");
  const auto id =
      belfry.line({"submit", "--name", name, "--outside", "--cap", name, "--delay", "1h", "-o", "name"});
  CHECK(belfry({"run", "priority", "urgent", "--name-has", name, "--yes"}).exit_code == 0);
  CHECK(belfry.doc({"show", id}).at("priority") == "urgent");
  CHECK(belfry({"priority", "low", id}).exit_code == 0);
  CHECK(belfry.doc({"show", id}).at("priority") == "low");
  CHECK(has(belfry({"run", "run-now", "--name-has", name, "--dry-run"}).out, id + " would be queued"));
  CHECK(belfry({"run-now", id}).exit_code == 0);
  CHECK(belfry.doc({"show", id}).at("state") == "queued");
  CHECK(belfry({"priority", "high"}).exit_code == 2);
  CHECK(belfry({"cancel", id}).exit_code == 0);
}

TEST_CASE("cli: an agent is held back when it acts as an operator, a person is not",
          "[e2e][cli][operators]") {
  cli belfry(shared_node());
  const auto name = fresh_name("agent");
  const auto session = belfry.line({"session", "register", name, "-o", "name"});
  const auto id = belfry.line({"submit", "--name", name, "--outside", "--cap", name, "-o", "name"});
  cli agent(shared_node());
  agent.variables = {{"BELFRY_SESSION", session}};
  const auto force = agent({"run", "force-fail", id, "--reason", "x"});
  CHECK(force.exit_code == 4);
  CHECK(has(force.err, "operator.agents_force"));
  int code = 0;
  for (int i = 0; i < 12 && code == 0; ++i)
    code = agent({"priority", i % 2 == 0 ? "high" : "low", id}).exit_code;
  CHECK(code == 7);
  CHECK(has(agent({"priority", "high", id}).err, "the next one is allowed at"));
  CHECK(belfry({"priority", "urgent", id}).exit_code == 0);
  CHECK(belfry({"cancel", id}).exit_code == 0);
}

TEST_CASE("cli: explain tells a stranger why, what lifts it, and which session lacks what",
          "[e2e][cli][operators]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("lonely");
  const auto id = belfry.line({"submit", "--name", name, "--outside", "--cap", name, "-o", "name"});
  const auto alone = belfry({"run", "explain", name});
  CHECK(alone.exit_code == 0);
  for (const auto* part :
       {"no_capable_session", "lifted by", "missing_capability", "queued", "belfry session register"}) {
    INFO(part);
    CHECK(has(alone.out, part));
  }
  const auto session = belfry.line({"session", "register", name, "--cap", name, "-o", "name"});
  const auto able = belfry.doc({"run", "explain", id});
  bool may = false;
  for (const auto& s : able.at("sessions"))
    if (s.at("id") == session) may = s.at("eligible");
  CHECK(may);
  CHECK(has(belfry({"session", "explain", session, id}).out, "may take"));
  belfry.doc({"claim", session, "--wait", "10s"});
  const auto held = belfry({"run", "explain", id});
  CHECK(has(held.out, "force-release " + id));
  CHECK(has(belfry({"session", "explain", session, id}).out, "not_queued"));
  belfry({"run", "force-fail", id, "--reason", "done"});
  CHECK(has(belfry({"run", "explain", id}).out, "belfry run retry " + id));
}

TEST_CASE("cli: job stats tell success, hours and failures", "[e2e][cli][operators]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("flaky");
  belfry({"job", "create", "--name", name, "--retries", "0", "--shell", "echo no >&2; exit 9"});
  const auto none = belfry.doc({"job", "stats", name}).at("runs");
  CHECK(none.at("success_rate").is_null());
  CHECK(none.at("execution").at("p95_ms").is_null());
  CHECK(none.at("failures").empty());
  for (int i = 0; i < 3; ++i) {
    const auto id = belfry.line({"job", "trigger", name, "-o", "name"});
    belfry({"wait", id});
  }
  const auto stats = belfry.doc({"job", "stats", name}).at("runs");
  CHECK(stats.at("success_rate") == 0.0);
  CHECK(stats.at("failures").at(0).at("count") == 3);
  CHECK(has(belfry({"job", "stats", name}).out, "exit code 9"));
  const auto doctor = belfry({"doctor", "-o", "json"});
  CHECK(doctor.exit_code >= 1);
  CHECK(found(json::parse(doctor.out), "job_failing"));
  belfry({"job", "delete", name});
}

TEST_CASE("doctor: what force did survives a kill, and the folder of a dead node is looked at",
          "[e2e][operators][crash]") {
  real_node node{only_outside()};
  const cli belfry(node);
  CHECK(belfry({"doctor"}).exit_code == 0);
  const auto session = belfry.line({"session", "register", "w", "--slots", "2", "-o", "name"});
  const auto kept = belfry.line({"submit", "--name", "kept", "--outside", "-o", "name"});
  const auto given_up = belfry.line({"submit", "--name", "given-up", "--outside", "-o", "name"});
  belfry.doc({"claim", session, "--max", "2", "--wait", "10s"});
  REQUIRE(belfry({"run", "force-release", kept, "--reason", "before the crash"}).exit_code == 0);
  REQUIRE(belfry({"run", "force-fail", given_up, "--reason", "before the crash"}).exit_code == 0);
  node.kill9();

  const auto dead = belfry({"doctor", "--data", node.data(), "-o", "json"});
  CHECK(dead.exit_code == 2);
  const auto told = json::parse(dead.out);
  CHECK(told.at("offline") == true);
  CHECK(told.at("health") == "unhealthy");
  CHECK(found(told, "node_unreachable"));
  CHECK(found(told, "dead_letters"));
  CHECK_FALSE(found(told, "store_unreadable"));
  const scratch_folder empty;
  const auto nothing = belfry({"doctor", "--offline", "--data", empty.path(), "-o", "json"});
  CHECK(nothing.exit_code == 2);
  CHECK(found(json::parse(nothing.out), "store_missing"));
  write_text(empty / "belfry.db", "this is no store at all, whatever its name says");
  CHECK(found(json::parse(belfry({"doctor", "--offline", "--data", empty.path(), "-o", "json"}).out),
              "store_unreadable"));

  node.start();
  const cli again(node);
  CHECK(again.doc({"show", kept}).at("state") == "queued");
  CHECK(again.doc({"show", kept}).at("attempts").at(0).at("stopped_with") == "operator");
  CHECK(again.doc({"show", given_up}).at("state") == "failed");
  const auto held = again({"doctor", "--offline", "--data", node.data(), "-o", "json"});
  CHECK(found(json::parse(held.out), "store_held"));
}

}  // namespace belfry::test
