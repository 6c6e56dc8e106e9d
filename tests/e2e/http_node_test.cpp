// The node itself: executors that crash, a second node, a store that is too new, the end, the unix socket,
// and the one secret that it keeps: claim tokens.
#include <sqlite3.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <set>

#include "tests/support/shared_node.hpp"

namespace belfry::test {
namespace {

bool has_event(real_node& node, const std::string& kind) {
  for (const auto& e : node.events())
    if (e.at("kind") == kind) return true;
  return false;
}

std::vector<std::string> serve_command(const std::string& data, std::vector<std::string> more = {}) {
  std::vector<std::string> argv{belfry_binary(), "serve",       "--data",   data,
                                "--listen",      "127.0.0.1:0", "--config", "/dev/null"};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

}  // namespace

TEST_CASE("node: an executor that crashes is started again, its run is tried again, others do not notice",
          "[e2e][http][node]") {
  real_node node{{.executors = 3, .environment = {{"BELFRY_TEST_CRASH_EXECUTOR", "boom:1"}}}};
  const scratch_folder folder;
  const auto go = folder / "go";
  std::vector<std::string> steady;
  for (int i = 0; i < 2; ++i) {
    steady.push_back(
        node.submit_shell("while ! [ -e " + go + " ]; do sleep 0.02; done", {{"name", "steady"}}));
    node.wait_for_state(steady.back(), "running");
  }
  const auto id = node.submit_shell("echo fine", {{"name", "boom"}});
  const auto run = node.wait_for_state(id, "succeeded");
  REQUIRE(run.at("attempts").size() == 2);
  CHECK(run.at("attempts").at(0).at("outcome") == "lost");
  CHECK(run.at("attempts").at(0).at("failure_class") == "lost");
  CHECK(run.at("attempts").at(1).at("outcome") == "succeeded");
  CHECK(run.at("losses") == 1);
  CHECK(run.at("attempts_used") == 0);
  write_text(go, "");
  for (const auto& s : steady) {
    const auto other = node.wait_finished(s);
    CHECK(other.at("state") == "succeeded");
    CHECK(other.at("attempts").size() == 1);
  }
  CHECK(eventually([&] { return has_event(node, "executor_restarted"); }));
  const auto children = node.status().at("children");
  int restarted = 0;
  for (const auto& c : children) restarted += c.at("restarts").get<int>();
  CHECK(restarted == 1);
  // All three work again.
  std::vector<std::string> after;
  for (int i = 0; i < 3; ++i) after.push_back(node.submit_shell("sleep 0.3; true"));
  CHECK(eventually([&] { return node.status().at("processes") == 3; }));
  for (const auto& a : after) CHECK(node.wait_finished(a).at("state") == "succeeded");
  CHECK(node.http().get("/v1/health").status == 200);
}

TEST_CASE("node: an executor that keeps crashing is given up, and the node says so", "[e2e][http][node]") {
  real_node node{{.executors = 2,
                  .flags = {"--set", "executor.restarts=1", "--set", "executor.restart_window=1m"},
                  .environment = {{"BELFRY_TEST_CRASH_EXECUTOR", "boom"}}}};
  // Three crashes over two executors of which each may crash once: one of them is given up, and only one.
  const auto id = node.submit_shell("true", {{"name", "boom"}, {"retry", {{"max_losses", 3}}}});
  const auto run = node.wait_for_state(id, "lost");
  CHECK(run.at("losses") == 3);
  CHECK(run.at("attempts").size() == 3);
  REQUIRE(eventually([&] { return has_event(node, "executor_given_up"); }));
  const auto health = node.http().get("/v1/health");
  CHECK(health.status == 200);
  CHECK(health.parsed().at("status") == "degraded");
  CHECK(health.body.find("executor_given_up") != std::string::npos);
  CHECK(node.status().at("health") == "degraded");
  CHECK(node.said().find("executor-given-up") != std::string::npos);
  const auto other = node.submit_shell("true", {{"name", "fine"}});
  CHECK(node.wait_finished(other).at("state") == "succeeded");
  // The last one too: nobody works any more, and that is no health. Doors stay open.
  node.submit_shell("true", {{"name", "boom"}, {"retry", {{"max_losses", 3}}}});
  CHECK(eventually([&] { return node.http().get("/v1/health").status == 503; }, 20s));
  CHECK(node.http().get("/v1/health").parsed().at("status") == "unhealthy");
  outside_worker worker{node, {{"name", "helper"}, {"workspace", "w"}}};
  node.submit({{"name", "for outside"}, {"workspace", "w"}});
  CHECK(worker.say(worker.claim_one(), "complete").status == 200);
}

TEST_CASE("node: a second one on the same data is told who has it", "[e2e][http][node]") {
  auto& node = shared_node();
  const auto second = run_program(serve_command(node.data()));
  CHECK(second.exit_code == 7);
  CHECK(second.err.find(std::to_string(node.pid())) != std::string::npos);
  CHECK(second.err.find(node.data()) != std::string::npos);
  CHECK(node.http().get("/v1/health").status == 200);
  // It has not touched the socket of the first one either.
  http_client local{node.unix_socket()};
  CHECK(local.get("/v1/ready").status == 200);
}

TEST_CASE("node: a store of a newer belfry is refused and left as it is", "[e2e][http][node]") {
  real_node node;
  const auto id = node.submit_shell("true");
  node.wait_finished(id);
  REQUIRE(node.terminate() == 0);
  const auto path = node.data() + "/belfry.db";
  const auto set_version = [&](const std::string& sql) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
  };
  set_version("insert into schema_version values (999, 'future', 0)");
  const auto before = read_text(path);
  const auto end = run_program(serve_command(node.data()));
  CHECK(end.exit_code == 2);
  CHECK(end.err.find("999") != std::string::npos);
  CHECK(read_text(path) == before);
  set_version("delete from schema_version where version = 999");
  node.start();
  CHECK(node.run(id).at("state") == "succeeded");
}

TEST_CASE("node: told to end, it lets running work end", "[e2e][http][node]") {
  real_node node;
  const scratch_folder folder;
  const auto id = node.submit_shell("touch " + (folder / "began") + "; sleep 0.6; echo done");
  REQUIRE(eventually([&] { return std::filesystem::exists(folder / "began"); }));
  const auto waiting = node.submit_shell("true", {{"delay", "1h"}});
  CHECK(node.terminate() == 0);
  CHECK(node.said().find("node-stopped") != std::string::npos);
  node.start();
  const auto run = node.run(id);
  CHECK(run.at("state") == "succeeded");
  CHECK(run.at("attempts").size() == 1);
  CHECK(node.output(id) == "done");
  CHECK(node.run(waiting).at("state") == "scheduled");
}

TEST_CASE("node: work that takes longer than the patience is handed back and done by the next life",
          "[e2e][http][node]") {
  real_node node{{.flags = {"--drain-timeout", "200ms"}}};
  const scratch_folder folder;
  const auto id = node.submit_shell("touch " + (folder / "began") + "; test $BELFRY_ATTEMPT = 2 || sleep 60",
                                    {{"retry", {{"max_attempts", 1}}}});
  REQUIRE(eventually([&] { return std::filesystem::exists(folder / "began"); }));
  CHECK(node.terminate() == 0);
  CHECK(processes_with("BELFRY_RUN_ID", id).empty());
  node.start();
  const auto run = node.wait_for_state(id, "succeeded");
  CHECK(run.at("attempts").size() == 2);
  CHECK(run.at("losses") == 0);
  CHECK(run.at("attempts_used") == 0);
}

TEST_CASE("node: killed, its running work is lost, tried again, and nothing of it is left",
          "[e2e][http][node]") {
  real_node node;
  const scratch_folder folder;
  const auto pids = folder / "pids";
  const auto id = node.submit_shell(
      "test $BELFRY_ATTEMPT = 2 && exit 0; setsid sleep 300 & sleep 300 & echo 1 > " + pids + "; wait");
  REQUIRE(eventually([&] { return std::filesystem::exists(pids); }));
  std::vector<process_seen> family;
  REQUIRE(eventually([&] {  // one that is about to become another program has no environment
    family = processes_with("BELFRY_RUN_ID", id);
    return family.size() == 3;
  }));
  node.kill9();
  node.start();
  for (const auto& p : family) CHECK_FALSE(still_there(p));
  const auto run = node.wait_for_state(id, "succeeded");
  REQUIRE(run.at("attempts").size() == 2);
  CHECK(run.at("attempts").at(0).at("failure_class") == "lost");
  CHECK(run.at("losses") == 1);
}

TEST_CASE("node: what waits goes on waiting after a kill, until the same time and for the same reason",
          "[e2e][http][node]") {
  real_node node;
  auto& http = node.http();
  const auto retrying =
      node.submit_shell("exit 1", {{"retry", {{"base", "1h"}, {"jitter", 0.3}, {"max_attempts", 2}}}});
  const auto due = node.wait_for_state(retrying, "retrying").at("due_at");
  const auto scheduled = node.submit_shell("true", {{"delay", "1h"}});
  const auto not_before = node.run(scheduled).at("due_at");
  http.post_json("/v1/jobs", {{"name", "paused"}, {"handler", {{"kind", "process"}, {"shell", "true"}}}});
  http.post_json("/v1/jobs/paused:pause", {{"text", "until Monday"}});
  const json once = {{"name", "once"}, {"workspace", "nobody"}};
  const auto keyed = http.post("/v1/runs", once, {{"Idempotency-Key", "k"}}).parsed().at("id");
  node.kill9();
  node.start();
  CHECK(node.run(retrying).at("state") == "retrying");
  CHECK(node.run(retrying).at("due_at") == due);
  CHECK(node.run(retrying).at("losses") == 0);
  CHECK(node.run(scheduled).at("state") == "scheduled");
  CHECK(node.run(scheduled).at("due_at") == not_before);
  CHECK(node.http().get_json("/v1/jobs/paused").at("pauses").at(0).at("text") == "until Monday");
  const auto again = node.http().post("/v1/runs", once, {{"Idempotency-Key", "k"}});
  CHECK(again.header("idempotency-replayed") == "true");
  CHECK(again.parsed().at("id") == keyed);
  // And the timers were made anew: a delay that ends is noticed.
  const auto soon = node.submit_shell("true", {{"delay", "400ms"}});
  node.kill9();
  node.start();
  CHECK(node.wait_finished(soon).at("state") == "succeeded");
}

TEST_CASE("node: told to end twice, it does not wait", "[e2e][http][node]") {
  real_node node{{.flags = {"--drain-timeout", "1m"}}};
  const auto id = node.submit_shell("sleep 60");
  node.wait_for_state(id, "running");
  REQUIRE(eventually([&] { return !processes_with("BELFRY_RUN_ID", id).empty(); }));
  ::kill(node.pid(), SIGTERM);
  REQUIRE(eventually([&] { return node.said().find("node-stopping") != std::string::npos; }));
  const auto from = std::chrono::steady_clock::now();
  CHECK(node.terminate() == 0);
  CHECK(std::chrono::steady_clock::now() - from < 15s);
  CHECK(processes_with("BELFRY_RUN_ID", id).empty());
}

TEST_CASE("node: without room on the disk it takes no new work and says so", "[e2e][http][node]") {
  real_node node{{.flags = {"--set", "store.reserve=1024GiB"}}, false};
  node.launch();
  (void)node.wait_ready(10s);
  const auto refused = node.http().post("/v1/runs", {{"name", "x"}});
  CHECK(refused.status == 503);
  CHECK(refused.code() == "storage_full");
  CHECK_FALSE(refused.header("retry-after").empty());
  CHECK(node.http().get_json("/v1/runs").at("runs").empty());
}

TEST_CASE("node: an outside session keeps its lease over a restart", "[e2e][http][node]") {
  real_node node;
  json claimed;
  std::string id;
  {
    outside_worker worker{node, {{"name", "patient"}, {"workspace", "w"}}};
    id = node.submit({{"name", "long"}, {"workspace", "w"}});
    claimed = worker.claim_one({{"lease", "1m"}});
  }
  node.kill9();
  node.start();
  CHECK(node.run(id).at("state") == "claimed");
  const json proof = {{"token", claimed.at("token")}, {"fencing", claimed.at("fencing")}};
  CHECK(node.http().post_json("/v1/runs/" + id + ":complete", proof).at("state") == "succeeded");
}

TEST_CASE("node: the unix socket is for its user alone, works, and is renewed after a crash",
          "[e2e][http][node]") {
  real_node node;
  const auto path = node.unix_socket().socket;
  const auto mode = [&] {
    struct stat s {};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    CHECK(S_ISSOCK(s.st_mode));
    return s.st_mode & 0777U;
  };
  CHECK(mode() == 0600);
  {
    http_client local{node.unix_socket()};
    const auto id = local.post_json("/v1/runs", {{"name", "by socket"}}).at("id").get<std::string>();
    CHECK(local.get_json("/v1/runs/" + id).at("name") == "by socket");
  }
  node.kill9();
  node.start();
  CHECK(mode() == 0600);
  http_client local{node.unix_socket()};
  CHECK(local.get("/v1/ready").status == 200);
  CHECK(node.terminate() == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("node: it listens on loopback only, unless it is told that this is meant", "[e2e][http][node]") {
  const scratch_folder folder;
  auto argv = serve_command(folder / "data");
  argv[5] = "0.0.0.0:0";
  const auto refused = run_program(argv);
  CHECK(refused.exit_code == 2);
  CHECK((refused.err.find("allow-remote") != std::string::npos ||
         refused.err.find("allow_remote") != std::string::npos));
  const auto unknown = run_program(serve_command(folder / "data", {"--set", "retention.kep=1s"}));
  CHECK(unknown.exit_code == 2);
  CHECK(unknown.err.find("retention.keep") != std::string::npos);
}

TEST_CASE("node: no claim token ever appears in a list, an event, a log or on stderr", "[e2e][http][node]") {
  real_node node{{.flags = {"--log-level", "debug", "--set", "limits.per_lane=0"}}};
  outside_worker worker{node, {{"name", "secretive"}, {"workspace", "w"}, {"slots", 10}}};
  std::vector<std::string> ids, tokens;
  for (int i = 0; i < 4; ++i)
    ids.push_back(node.submit({{"name", "secret"}, {"workspace", "w"}, {"retry", {{"base", "1h"}}}}));
  std::vector<json> claims;
  REQUIRE(eventually([&] {
    for (auto& c : worker.claim({{"max", 4}, {"wait", "1s"}, {"lease", "30s"}})) claims.push_back(c);
    return claims.size() == 4;
  }));
  std::string seen;
  for (const auto& c : claims) tokens.push_back(c.at("token"));
  seen += worker.say(claims[0], "heartbeat").body + worker.say(claims[0], "complete", {{"result", 1}}).body;
  seen += worker.say(claims[1], "fail", {{"message", "no"}}).body;
  seen += worker.say(claims[2], "release").body;
  seen += worker.say(claims[0], "complete", {{"result", 2}}).body;  // a conflict
  auto stale = claims[3];
  stale["fencing"] = 99;
  seen += worker.say(stale, "heartbeat").body;
  seen += worker.say(claims[3], "heartbeat", {{"lease", "bad"}, {"tokn", tokens[3]}})
              .body;  // under a mistyped name
  seen +=
      node.http()
          .post("/v1/completions",
                {{"items", {{{"run_id", ids[3]}, {"token", tokens[3]}, {"fencing", "x"}, {"outcome", "y"}}}}})
          .body;
  for (const auto& target : {"/v1/runs?limit=500", "/v1/sessions?gone=true", "/v1/events?limit=500",
                             "/v1/node", "/v1/scheduler/status", "/v1/statistics", "/metrics"})
    seen += node.http().get(target).body;
  for (const auto& id : ids)
    seen += node.http().get("/v1/runs/" + id).body + node.http().get("/v1/runs/" + id + "/logs").body;
  CHECK(node.terminate() == 0);
  seen += node.said();
  std::string files;
  for (const auto& f : std::filesystem::recursive_directory_iterator(node.data()))
    if (f.is_regular_file()) files += read_text(f.path().string());
  for (const auto& t : tokens) {
    CHECK(t.size() >= 40);
    CHECK(seen.find(t) == std::string::npos);
    CHECK(files.find(t) == std::string::npos);  // the store has only the hash
  }
}

TEST_CASE("node: metrics, the API document and the help of every problem are there", "[e2e][http][node]") {
  auto& node = shared_node();
  const auto metrics = node.http().get("/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.header("content-type").starts_with("text/plain"));
  for (const auto* name : {"belfry_runs_submitted_total", "belfry_queue_depth", "belfry_http_request_seconds",
                           "belfry_store_commit_seconds"}) {
    INFO(name);
    CHECK(metrics.body.find(name) != std::string::npos);
  }
  const auto document = node.http().get_json("/v1/openapi.json");
  CHECK(document.at("paths").contains("/v1/runs"));
  const auto problem = node.http().get("/v1/no-such-thing");
  CHECK(problem.header("content-type") == "application/problem+json");
  const auto help = node.http().get(problem.parsed().at("type").get<std::string>());
  CHECK(help.status == 200);
}

}  // namespace belfry::test
