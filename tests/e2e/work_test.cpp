// `belfry work`: any command as a worker, against a real node.
#include <signal.h>

#include <catch2/catch.hpp>

#include "tests/e2e/cli.hpp"
#include "tests/support/real_worker.hpp"

namespace belfry::test {
namespace {

std::vector<std::string> for_capability(const std::string& cap, std::vector<std::string> more = {}) {
  // A workspace of its own: what other tests have left in the queue of the shared node is not taken for it.
  more.insert(more.begin(), {"--agent-type", "test", "--cap", cap, "--workspace", cap, "--wait", "5s"});
  return more;
}

json needing(const std::string& cap, json more = json::object()) {
  more["capabilities"] = {cap};
  more["workspace"] = cap;
  return outside_run(cap, more);
}

// For a worker that serves the usual workspace.
json in_no_workspace(const std::string& cap, json more) {
  auto run = needing(cap, std::move(more));
  run.erase("workspace");
  return run;
}

std::string shell_of(const std::string& folder, const std::string& script) {
  return "cd " + shell_quoted(folder) + "; " + script;
}

}  // namespace

TEST_CASE(
    "work: registers, claims, runs the command with payload and environment, reports, and drains at TERM",
    "[e2e][work]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto cap = fresh_name("plain");
  const auto worker =
      start_worker(node.url(), for_capability(cap, {"--name", cap, "--slots", "2", "--env", "OWN=a b"}),
                   shell_of(folder.path(), "cat > payload; env | sort > env; ls /proc/self/fd > fds"));
  const auto id = node.submit(needing(cap, {{"payload", {{"image", "a.png"}}}}));
  const auto run = node.wait_for_state(id, "succeeded");
  CHECK(read_text(folder / "payload") == R"({"image":"a.png"})");
  const auto env = "\n" + read_text(folder / "env");
  CHECK(has(env, "\nBELFRY_RUN_ID=" + id + "\n"));
  CHECK(has(env, "\nBELFRY_ATTEMPT=1\n"));
  CHECK(has(env, "\nBELFRY_FENCING=1\n"));
  CHECK(has(env, "\nTRACEPARENT=00-"));
  CHECK(has(env, "\nOWN=a b\n"));
  CHECK_FALSE(has(env, "BELFRY_JOB="));  // no job
  CHECK_FALSE(has(env, "CATCH_"));       // nothing of whoever started the worker
  CHECK_FALSE(has(env, "TOKEN"));
  CHECK(read_text(folder / "fds") == "0\n1\n2\n3\n");  // the fourth is of ls itself
  const auto& attempt = run.at("attempts").at(0);
  CHECK(attempt.at("outcome") == "succeeded");
  CHECK(attempt.at("exit_code") == 0);
  const auto sessions = node.http().get_json("/v1/sessions").at("sessions");
  const auto mine =
      std::find_if(sessions.begin(), sessions.end(), [&](const json& s) { return s.at("name") == cap; });
  REQUIRE(mine != sessions.end());
  CHECK(mine->at("agent_type") == "test");
  CHECK(mine->at("slots") == 2);
  // It asks conditions by itself.
  auto able = mine->at("capabilities").get<std::vector<std::string>>();
  std::erase(able, "belfry:conditions");
  CHECK(able == std::vector<std::string>{cap});
  CHECK(mine->at("capabilities").size() == 2);

  worker->signal(SIGTERM);
  CHECK(worker->wait(5s) == 0);
  CHECK(node.http().get_json("/v1/sessions/" + mine->at("id").get<std::string>()).at("state") == "gone");
  CHECK(has(worker->said(), "run-ended run=" + id));
}

TEST_CASE("work: a run of a job knows its job", "[e2e][work]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto cap = fresh_name("of-a-job");
  const auto worker =
      start_worker(node.url(), for_capability(cap), "printf %s \"$BELFRY_JOB\" > " + (folder / "job"));
  const cli belfry(node);
  CHECK(belfry({"job", "create", "--outside", "--cap", cap, "--workspace", cap, "--name", cap}).exit_code ==
        0);
  CHECK(belfry({"job", "trigger", cap, "--wait"}).exit_code == 0);
  CHECK(read_text(folder / "job") == cap);
}

TEST_CASE("work: exit codes mean what the run says, and what the worker says where it says nothing",
          "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("codes");
  const auto worker = start_worker(
      node.url(), for_capability(cap, {"--slots", "8", "--retry-codes", "75", "--success-codes", "0,3"}),
      "read code; [ \"$code\" = kill ] && kill -KILL $$; exit $code");
  const auto submit = [&](const json& payload, json handler = {{"kind", "none"}}, int attempts = 1) {
    return node.submit(needing(cap, {{"payload", payload},
                                     {"handler", handler},
                                     {"retry", {{"max_attempts", attempts}, {"base", "10ms"}}}}));
  };
  const auto last = [&](const std::string& id) { return node.wait_finished(id).at("attempts").back(); };
  const auto fine = submit(3);
  const auto temporary = submit(75, {{"kind", "none"}}, 2);
  const auto hopeless = submit(9, {{"kind", "none"}}, 5);
  const auto own = submit(9, {{"kind", "none"}, {"success_codes", {9}}});
  const auto own_retry = submit(8, {{"kind", "none"}, {"retryable_codes", {8}}}, 2);
  CHECK(last(fine).at("outcome") == "succeeded");
  CHECK(last(fine).at("exit_code") == 3);
  CHECK(node.wait_finished(temporary).at("attempt") == 2);
  CHECK(last(temporary).at("failure_class") == "error");
  CHECK(last(temporary).at("message") == "exit code 75");
  CHECK(node.wait_finished(hopeless).at("attempt") == 1);
  CHECK(last(hopeless).at("failure_class") == "permanent");
  CHECK(last(own).at("outcome") == "succeeded");
  CHECK(node.wait_finished(own_retry).at("attempt") == 2);
}

TEST_CASE("work: what ends a command is told as the node's own executor would", "[e2e][work]") {
  auto& node = shared_node();
  const auto once = json{{"max_attempts", 1}};
  SECTION("a signal") {
    const auto cap = fresh_name("killed");
    const auto worker = start_worker(node.url(), for_capability(cap), "kill -KILL $$");
    const auto run = node.wait_for_state(node.submit(needing(cap, {{"retry", once}})), "failed");
    CHECK(run.at("attempts").at(0).at("failure_class") == "resource");
    CHECK(run.at("attempts").at(0).at("signal") == 9);
  }
  SECTION("no such program") {
    const auto cap = fresh_name("missing");
    std::vector<std::string> argv{belfry_binary(), "work", "--server", node.url(),        "--cap", cap,
                                  "--workspace",   cap,    "--",       "/no/such/program"};
    background worker(argv);
    const auto run = node.wait_for_state(node.submit(needing(cap, {{"retry", once}})), "failed");
    CHECK(run.at("attempts").at(0).at("failure_class") == "spawn");
    CHECK(has(run.at("attempts").at(0).at("message").get<std::string>(), "/no/such/program"));
  }
  SECTION("its timeout, with everything that it had started") {
    const auto cap = fresh_name("late");
    const auto worker = start_worker(node.url(), for_capability(cap), "sleep 300 & sleep 300");
    const auto id = node.submit(needing(cap, {{"retry", once}, {"timeout", "300ms"}}));
    CHECK(node.wait_finished(id).at("state") == "timed_out");
    CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", id).empty(); }));
  }
}

TEST_CASE("work: a cancellation reaches the command", "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("cancelled");
  const auto worker =
      start_worker(node.url(), for_capability(cap, {"--heartbeat", "100ms"}), "sleep 300 & sleep 300");
  const auto id = node.submit(needing(cap));
  node.wait_for_state(id, "running");
  REQUIRE(eventually([&] { return processes_with("BELFRY_RUN_ID", id).size() >= 2; }));
  node.http().post("/v1/runs/" + id + ":cancel", {{"reason", "no longer wanted"}});
  CHECK(node.wait_finished(id).at("state") == "cancelled");
  CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", id).empty(); }));
  // It is free for the next one.
  const auto next = node.submit(needing(cap));
  node.wait_for_state(next, "running");
  node.http().post("/v1/runs/" + next + ":cancel", json::object());
}

TEST_CASE("work: its output is the log of the run, both streams in order", "[e2e][work]") {
  auto& node = shared_node();
  const auto paths = node.http().get_json("/v1/openapi.json").at("paths");
  if (!paths.contains("/v1/runs/{id}:log")) {
    std::puts("belfry-skip: the node takes no log lines from outside");
    return;
  }
  const auto cap = fresh_name("talks");
  const auto worker =
      start_worker(node.url(), for_capability(cap),
                   "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done; echo problem >&2");
  const auto id = node.submit(needing(cap));
  node.wait_for_state(id, "succeeded");
  const auto out = cli(node)({"logs", id});
  CHECK(std::count(out.out.begin(), out.out.end(), '\n') == 3000);
  CHECK(out.out.rfind("line 1\nline 2\n", 0) == 0);
  CHECK(has(out.out, "\nline 3000\n"));
  CHECK(out.err == "problem\n");
}

TEST_CASE("work: a node that is killed and comes back has neither lost a run nor done one twice",
          "[e2e][work]") {
  real_node node{{.executors = 0, .flags = {"--set", "limits.per_lane=0"}}, true};
  const scratch_folder folder;
  // Its address has to stay the same: the socket does.
  const auto worker = start_worker("unix:" + node.data() + "/belfry.sock", {"--slots", "4", "--wait", "5s"},
                                   "echo $BELFRY_RUN_ID >> " + (folder / "begun") + "; while [ ! -e " +
                                       (folder / "go") + " ]; do sleep 0.05; done");
  std::vector<std::string> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(node.submit(outside_run("run-" + std::to_string(i))));
  REQUIRE(eventually([&] { return read_text(folder / "begun").size() >= 4 * 18; }));
  node.kill9();
  write_text(folder / "go", "");  // four end while nobody is there to be told
  REQUIRE(eventually([&] { return has(worker->said(), "node-away"); }));
  node.start();
  for (const auto& id : ids) {
    const auto run = node.wait_for_state(id, "succeeded");
    CHECK(run.at("attempt") == 1);
    CHECK(run.at("losses") == 0);
  }
  CHECK(has(worker->said(), "node-back"));
  const auto begun = read_text(folder / "begun");
  CHECK(std::count(begun.begin(), begun.end(), '\n') == 6);
}

TEST_CASE("work: a worker that slept past its lease is refused, and its late result is evidence",
          "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("asleep");
  const scratch_folder folder;
  const auto script =
      "echo $BELFRY_ATTEMPT >> " + (folder / "begun") + "; [ $BELFRY_ATTEMPT = 1 ] && sleep 0.3; true";
  const auto worker = start_worker(node.url(), for_capability(cap, {"--lease", "1s"}), script);
  const auto id = node.submit(needing(cap));
  REQUIRE(eventually([&] { return read_text(folder / "begun") == "1\n"; }));
  worker->signal(SIGSTOP);  // the command goes on, and ends well
  const auto other = start_worker(node.url(), for_capability(cap, {"--lease", "1s"}), script);
  const auto run = node.wait_for_state(id, "succeeded");
  CHECK(run.at("attempt") == 2);
  CHECK(run.at("losses") == 1);
  CHECK(run.at("fencing") == 2);
  worker->signal(SIGCONT);
  REQUIRE(eventually([&] { return has(worker->said(), "stale_lease"); }));
  auto after = node.run(id);
  const auto evidence = after.at("late_writes");
  CHECK(std::any_of(evidence.begin(), evidence.end(), [](const json& e) {
    return e.at("kind") == "stale_settle" && e.at("fencing") == 1 &&
           has(e.at("text").get<std::string>(), "succeeded");
  }));
  auto before = run;
  for (const auto* kept : {"late_writes", "late_results"}) {
    after.erase(kept);
    before.erase(kept);
  }
  CHECK(after == before);  // nothing else has changed
  // And it works on.
  other->signal(SIGTERM);
  CHECK(other->wait(5s) == 0);
  node.wait_for_state(node.submit(needing(cap)), "succeeded");
}

TEST_CASE("work: a run that takes longer than its lease keeps it", "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("long");
  const auto worker =
      start_worker(node.url(), for_capability(cap, {"--lease", "1s", "--slots", "3"}), "sleep 2.5");
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(node.submit(needing(cap)));
  for (const auto& id : ids) CHECK(node.wait_for_state(id, "succeeded").at("losses") == 0);
}

TEST_CASE("work: a session that was removed is registered again", "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("removed");
  const auto worker = start_worker(node.url(), for_capability(cap), "true");
  node.wait_for_state(node.submit(needing(cap)), "succeeded");
  const auto said = worker->said();
  const auto session = said.substr(said.find("ses_"), 17);
  CHECK(node.http().send("DELETE", "/v1/sessions/" + session).ok());
  node.wait_for_state(node.submit(needing(cap)), "succeeded");
}

TEST_CASE("work: told to drain by an operator, it ends what it has and leaves", "[e2e][work]") {
  auto& node = shared_node();
  const auto paths = node.http().get_json("/v1/openapi.json").at("paths");
  if (!paths.contains("/v1/sessions/{id}:drain")) {
    std::puts("belfry-skip: the node cannot drain a session");
    return;
  }
  const auto cap = fresh_name("sent-home");
  const scratch_folder folder;
  const auto worker = start_worker(node.url(), for_capability(cap, {"--heartbeat", "100ms"}),
                                   "while [ ! -e " + (folder / "go") + " ]; do sleep 0.05; done");
  const auto id = node.submit(needing(cap));
  const auto session = node.wait_for_state(id, "running").at("lease").at("session_id").get<std::string>();
  CHECK(node.http().post("/v1/sessions/" + session + ":drain", {{"reason", "test"}}).ok());
  REQUIRE(eventually([&] { return has(worker->said(), "worker-drains"); }));
  write_text(folder / "go", "");
  CHECK(worker->wait(10s) == 0);
  CHECK(node.run(id).at("state") == "succeeded");
}

TEST_CASE("work: a lease that cannot be renewed ends the command before somebody else may begin",
          "[e2e][work]") {
  real_node node{{.executors = 0}, true};
  const auto worker = start_worker(node.url(), {"--lease", "2s"}, "sleep 300");
  const auto id = node.submit(outside_run("unreachable"));
  node.wait_for_state(id, "running");
  REQUIRE(eventually([&] { return !processes_with("BELFRY_RUN_ID", id).empty(); }));
  node.kill9();
  CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", id).empty(); }, 5s));
  CHECK(has(worker->said(), "lease-not-renewed"));
}

TEST_CASE("work: TERM lets the command end and takes no more, a second one kills it and gives the run back",
          "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("leaves");
  const scratch_folder folder;
  const auto script = "while [ ! -e " + (folder / "go") + " ]; do sleep 0.05; done";
  const auto worker = start_worker(node.url(), for_capability(cap), script);
  const auto first = node.submit(needing(cap));
  const auto second = node.submit(needing(cap));
  node.wait_for_state(first, "running");
  worker->signal(SIGTERM);
  REQUIRE(eventually([&] { return has(worker->said(), "worker-drains"); }));
  SECTION("it ends by itself") {
    write_text(folder / "go", "");
    CHECK(worker->wait(10s) == 0);
    CHECK(node.run(first).at("state") == "succeeded");
    CHECK(node.run(second).at("state") == "queued");
  }
  SECTION("told again") {
    worker->signal(SIGTERM);
    CHECK(worker->wait(5s) == 143);
    CHECK(processes_with("BELFRY_RUN_ID", first).empty());
    const auto run = node.run(first);
    CHECK(run.at("state") == "queued");
    CHECK(run.at("losses") == 0);
    CHECK(run.at("attempts_used") == 0);
  }
  for (const auto& id : {first, second}) node.http().post("/v1/runs/" + id + ":cancel", json::object());
}

TEST_CASE("work: with a drain timeout the command is stopped when it is over, and the run goes back",
          "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("drains");
  const auto worker =
      start_worker(node.url(), for_capability(cap, {"--drain-timeout", "200ms"}), "sleep 300");
  const auto id = node.submit(needing(cap));
  node.wait_for_state(id, "running");
  worker->signal(SIGINT);
  CHECK(worker->wait(10s) == 0);
  CHECK(node.run(id).at("state") == "queued");
  node.http().post("/v1/runs/" + id + ":cancel", json::object());
}

TEST_CASE("work: HUP is like TERM, but not under nohup", "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("hung-up");
  const auto worker = start_worker(node.url(), for_capability(cap), "true");
  background other({"/usr/bin/nohup", belfry_binary(), "work", "--server", node.url(), "--cap", cap,
                    "--workspace", cap, "--", "/bin/true"});
  REQUIRE(eventually([&] { return has(worker->said(), "registered") && has(other.said(), "registered"); }));
  worker->signal(SIGHUP);
  other.signal(SIGHUP);
  CHECK(worker->wait(5s) == 0);
  node.wait_for_state(node.submit(needing(cap)), "succeeded");
  CHECK_FALSE(other.ended());
}

TEST_CASE("work: nothing is left of a worker that is killed", "[e2e][work]") {
  auto& node = shared_node();
  const auto cap = fresh_name("murdered");
  const auto worker =
      start_worker(node.url(), for_capability(cap, {"--lease", "1s"}), "setsid sleep 300 & sleep 300");
  const auto id = node.submit(needing(cap, {{"retry", {{"max_losses", 1}}}}));
  REQUIRE(eventually([&] { return processes_with("BELFRY_RUN_ID", id).size() >= 2; }));
  worker->signal(SIGKILL);
  CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", id).empty(); }, 5s));
  CHECK(node.wait_finished(id).at("state") == "lost");
}

TEST_CASE(
    "the worker in shell and curl does its work, reports failures, obeys a cancellation, and leaves at TERM",
    "[e2e][work][shell]") {
  if (run_program({"/bin/sh", "-c", "command -v jq curl"}).exit_code != 0) {
    std::puts("belfry-skip: curl and jq are not there");
    return;
  }
  auto& node = shared_node();
  const auto cap = fresh_name("shell");
  background worker({"examples/workers/worker.sh", "/bin/sh", "-c",
                     "read -r p; echo got $p; echo $BELFRY_ATTEMPT; case $p in '\"sleep\"') sleep 300;; "
                     "'\"fail\"') exit 4;; esac"},
                    {{"BELFRY_URL", node.url()}, {"CAPABILITIES", cap}, {"LEASE", "3"}});
  const auto once = json{{"max_attempts", 1}};
  const auto good = node.submit(in_no_workspace(cap, {{"payload", {{"a", 1}}}}));
  CHECK(node.wait_finished(good).at("state") == "succeeded");
  const auto bad = node.submit(in_no_workspace(cap, {{"payload", "fail"}, {"retry", once}}));
  const auto failed = node.wait_finished(bad);
  CHECK(failed.at("state") == "failed");
  CHECK(failed.at("attempts").at(0).at("exit_code") == 4);
  // Longer than its lease: it is renewed.
  const auto slow = node.submit(in_no_workspace(cap, {{"payload", "sleep"}}));
  node.wait_for_state(slow, "running");
  REQUIRE(eventually([&] { return !processes_with("BELFRY_RUN_ID", slow).empty(); }));
  const auto first = node.run(slow).at("lease").at("expires_at");
  REQUIRE(eventually([&] { return node.run(slow).at("lease").at("expires_at") != first; }));
  node.http().post("/v1/runs/" + slow + ":cancel", json::object());
  CHECK(is_terminal(node.wait_finished(slow).at("state").get<std::string>()));
  CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", slow).empty(); }));
  worker.signal(SIGTERM);
  CHECK(worker.wait(15s) == 0);
  CHECK(has(worker.said(), "left"));
}

TEST_CASE("work: mistakes are refused before anything is started", "[e2e][work]") {
  const cli belfry(shared_node());
  const auto refused = [&](std::vector<std::string> words, const std::string& part) {
    words.insert(words.begin(), "work");
    const auto end = belfry(words);
    INFO(end.err);
    CHECK(end.exit_code == 2);
    CHECK(has(end.err, part));
  };
  refused({"--slots", "2"}, "no command");
  refused({"--slots", "0", "--", "true"}, "--slots");
  refused({"--slots", "many", "--", "true"}, "--slots");
  refused({"--lease", "10ms", "--", "true"}, "1s to 1d");
  refused({"--lease", "soon", "--", "true"}, "--lease");
  refused({"--wait", "2m", "--", "true"}, "--wait");
  refused({"--at-least", "utmost", "--", "true"}, "urgent, high, normal, low");
  refused({"--success-codes", "256", "--", "true"}, "--success-codes");
  refused({"--env", "NO_SUCH_VARIABLE_HERE", "--", "true"}, "--env");
  refused({"--cwd", "/no/such/folder", "--", "true"}, "--cwd");
  refused({"--agent-type", " ", "--", "true"}, "--agent-type");
  refused({"--cap", std::string(200, 'x'), "--", "true"}, "--cap");
  refused({"--capability", "gpu", "--", "true"}, "--cap");
  refused({"--server", "ftp://x", "--", "true"}, "ftp://x");
}

TEST_CASE("work: a node that never answers is given up when patience is over", "[e2e][work]") {
  const auto end = cli("http://127.0.0.1:1")({"work", "--patience", "300ms", "--", "true"});
  CHECK(end.exit_code == 7);
  CHECK(has(end.err, "node-away"));
  CHECK(has(end.err, "did not answer for 300ms"));
}

}  // namespace belfry::test
