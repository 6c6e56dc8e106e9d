// What an operator watches over: old dead letters, trials of new jobs, warnings, levels of lines, progress,
// lost tokens, and rows that another belfry wrote. Through the real binary.
#include <catch2/catch.hpp>
#include <sstream>

#include "core/ids/id.hpp"
#include "tests/e2e/cli.hpp"
#include "tests/support/real_worker.hpp"

namespace belfry::test {
namespace {

std::size_t count_events(real_node& node, const std::string& kind) {
  std::size_t n = 0;
  for (const auto& e : node.events())
    if (e.at("kind") == kind) ++n;
  return n;
}

std::string number_of_run(const std::string& id) {
  return std::to_string(core::parse_id<core::run_id>(id)->value);
}

}  // namespace

TEST_CASE("oversight: a run that cannot be read becomes a dead letter, all other work goes on",
          "[e2e][oversight]") {
  real_node node({.executors = 1});
  const auto bad = node.submit_shell("echo bad", {{"delay", "2s"}});
  const auto strange = node.submit_shell("echo strange", {{"delay", "1h"}});
  const auto good = node.submit_shell("echo good", {{"delay", "2s"}});
  node.kill9();
  const auto changed =
      run_program({"/usr/bin/env", "sqlite3", node.data() + "/belfry.db",
                   "update specs set body = x'01CE1005' where id = " + number_of_run(bad) +
                       "; update runs set handler = 7 where id = " + number_of_run(strange)});
  REQUIRE(changed.exit_code == 0);
  node.start();
  const auto run = node.wait_finished(bad);
  CHECK(run.at("state") == "failed");
  CHECK(run.at("dead_letter") == true);
  CHECK(has(run.at("reason"), "cannot be read"));
  CHECK(node.wait_finished(good).at("state") == "succeeded");
  CHECK(node.status().at("health") == "healthy");
  const cli belfry(node);
  CHECK(has(belfry({"ls"}).out, bad));
  CHECK(belfry({"retry", bad}).exit_code != 0);
  // When it comes due: nobody here could perform it.
  CHECK(belfry({"run-now", strange}).exit_code != 0);
  CHECK(node.run(strange).at("state") == "scheduled");
}

TEST_CASE("oversight: old dead letters are told of once, and status and metrics have them",
          "[e2e][oversight]") {
  real_node node({.flags = {"--set", "alarms.dead_letter_age=1s"}});
  const auto dead = node.submit_shell("exit 1", {{"retry", {{"max_attempts", 1}}}});
  node.wait_finished(dead);
  REQUIRE(eventually([&] { return count_events(node, "dead_letter_aged") == 1; }, 20s));
  const auto letters = node.status().at("dead_letters");
  CHECK(letters.at("count") == 1);
  CHECK(letters.at("oldest_age_ms").get<std::int64_t>() > 0);
  CHECK(has(node.http().get("/metrics").body, "belfry_dead_letters 1\n"));
  const cli belfry(node);
  CHECK(has(belfry({"status"}).out, "dead letters"));
  node.kill9();
  node.start();
  const auto later = node.submit_shell("exit 1", {{"retry", {{"max_attempts", 1}}}});
  node.wait_finished(later);
  REQUIRE(eventually([&] { return count_events(node, "dead_letter_aged") == 2; }, 20s));
  CHECK(cli(node)({"discard", dead, "--yes"}).exit_code == 0);
  CHECK(node.status().at("dead_letters").at("count") == 1);
}

TEST_CASE("oversight: a new job is tried before it is active", "[e2e][oversight][jobs]") {
  real_node node;
  const cli belfry(node);
  const auto made = belfry({"job", "create", "--trial", "--name", "fine", "--shell", "echo tried"});
  INFO(made.err);
  CHECK(made.exit_code == 0);
  CHECK(has(made.out, "its trial run_"));
  const auto fine = node.http().get_json("/v1/jobs/fine");
  CHECK(fine.at("state") == "active");
  CHECK(fine.at("triggered") == 1);

  const auto bad = belfry(
      {"job", "create", "--trial", "--name", "bad", "--retries", "5", "--shell", "echo why not; exit 3"});
  CHECK(bad.exit_code == 3);
  CHECK(has(bad.err, "why not"));
  CHECK(has(bad.err, "was not kept"));
  CHECK(node.http().get_json("/v1/jobs/bad").at("state") == "archived");

  // Over HTTP whoever asked decides.
  const auto kept = node.http().post_json(
      "/v1/jobs", {{"name", "kept"}, {"trial", true}, {"handler", {{"shell", "exit 3"}}}});
  CHECK(kept.at("state") == "paused");
  CHECK(kept.at("pauses")[0].at("reason") == "trial");
  const auto trial = node.wait_finished(kept.at("trial_run_id"));
  CHECK(trial.at("attempt") == 1);
  CHECK(trial.at("timeout_ms") == 30'000);
  const auto paused = node.http().get_json("/v1/jobs/kept");
  CHECK(paused.at("state") == "paused");
  CHECK(has(paused.at("pauses")[0].at("text"), "failed"));
  CHECK(node.http().post("/v1/jobs/kept:trigger", json::object()).status == 409);
  CHECK(node.http().post_json("/v1/jobs/kept:resume", {{"reason", "trial"}}).at("state") == "active");
  CHECK(count_events(node, "job_tried") == 3);
  CHECK(belfry({"job", "edit", "kept", "--timeout", "1m"}).exit_code == 0);
  CHECK(node.http().send("PATCH", "/v1/jobs/kept", R"({"trial":true})").status == 422);
}

TEST_CASE("oversight: the trial of a job goes on when the node is killed", "[e2e][oversight][jobs]") {
  real_node node;
  const auto made = node.http().post_json(
      "/v1/jobs", {{"name", "slow"}, {"trial", true}, {"handler", {{"shell", "sleep 1"}}}});
  node.kill9();
  node.start();
  CHECK(node.wait_finished(made.at("trial_run_id")).at("state") == "succeeded");
  CHECK(node.http().get_json("/v1/jobs/slow").at("state") == "active");
}

TEST_CASE("oversight: who asks for what nobody can do is warned, and served", "[e2e][oversight]") {
  real_node node;
  auto& http = node.http();
  const json wish{{"name", "w"}, {"handler", {{"kind", "none"}}}, {"capabilities", {"gpu"}}};
  const auto made = http.post_json("/v1/runs", wish);
  REQUIRE(made.at("warnings").size() == 1);
  CHECK(made.at("warnings")[0].at("code") == "no_capable_session");
  CHECK(made.at("warnings")[0].at("capabilities") == json::array({"gpu"}));
  CHECK(http.post_json("/v1/runs:batch", {{"runs", {wish, wish}}}).at("warnings").size() == 1);
  CHECK(http.post_json("/v1/runs", {{"handler", {{"shell", "true"}}}}).at("warnings").empty());
  const cli belfry(node);
  const auto told = belfry({"submit", "--outside", "--cap", "gpu", "--payload", "{}", "--name", "w"});
  INFO(told.err);
  CHECK(told.exit_code == 0);
  CHECK(has(told.err, "needs gpu"));
  outside_worker w{node, {{"name", "w"}, {"capabilities", {"gpu"}}}};
  CHECK(http.post_json("/v1/runs", wish).at("warnings").empty());
}

TEST_CASE("oversight: a worker that lost its tokens goes on with new ones, and its progress is shown",
          "[e2e][oversight][workers]") {
  real_node node;
  auto& http = node.http();
  const cli belfry(node);
  outside_worker w{node, {{"name", "w"}}};
  http.post_json("/v1/runs", {{"name", "w"}, {"handler", {{"kind", "none"}}}, {"payload", {{"n", 1}}}});
  const auto old = w.claim_one({{"start", true}});
  node.kill9();
  node.start();
  // The line of a shell worker: run, fencing number, token, payload.
  const auto anew = cli(node)({"session", "reissue", w.id()});
  INFO(anew.err);
  REQUIRE(anew.exit_code == 0);
  std::istringstream words{anew.out};
  std::string run, fencing, token, payload;
  words >> run >> fencing >> token >> payload;
  CHECK(run == old.at("run_id"));
  CHECK(fencing == "2");
  CHECK(payload == R"({"n":1})");
  const auto path = "/v1/runs/" + run;
  auto& again = node.http();
  const auto stale = again.post(path + ":heartbeat", {{"token", old.at("token")}, {"fencing", 1}});
  CHECK(stale.status == 409);
  CHECK(stale.code() == "stale_lease");
  const json proof{{"token", token}, {"fencing", 2}};
  auto progress = proof;
  progress.update({{"value", 0.5}, {"text", "half of it"}});
  CHECK(again.post(path + ":progress", progress).status == 200);
  const auto lease = again.get_json("/v1/sessions/" + w.id()).at("leases")[0];
  CHECK(lease.at("progress") == 0.5);
  CHECK(lease.at("progress_text") == "half of it");
  CHECK(lease.contains("ends_in_ms"));
  CHECK(has(cli(node)({"session", "show", w.id()}).out, "50 %"));

  auto lines = proof;
  lines["lines"] = {{{"text", "so far so good"}, {"level", "info"}},
                    {{"text", "oh no"}, {"level", "error"}},
                    {{"text", "plain"}}};
  CHECK(again.post(path + ":log", lines).status == 200);
  CHECK(has(cli(node)({"logs", run}).out, "plain"));
  CHECK(cli(node)({"logs", run, "--level", "warn"}).out == "error: oh no\n");
  CHECK(again.get(path + "/logs?level=loud").status == 422);
  lines["lines"] = {{{"text", "x"}, {"level", "loud"}}};
  CHECK(again.post(path + ":log", lines).status == 422);

  CHECK(again.post(path + ":complete", proof).status == 200);
  CHECK(again.post("/v1/sessions/" + w.id() + "/leases:reissue", {{"runs", {run}}}).status == 409);
  CHECK(cli(node)({"session", "reissue", w.id()}).exit_code == 8);
  CHECK(count_events(node, "lease_reissued") == 1);
}

TEST_CASE("oversight: a worker that holds several leases renews them in one request",
          "[e2e][oversight][work]") {
  real_node node({.executors = 0});
  const auto worker = start_worker(
      node.url(), {"--agent-type", "many", "--slots", "4", "--lease", "2s", "--heartbeat", "200ms"},
      "sleep 4");
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(node.submit(outside_run("many")));
  for (const auto& id : ids) CHECK(node.wait_finished(id).at("state") == "succeeded");
  CHECK(count_events(node, "lease_expired") == 0);
  const auto metrics = node.http().get("/metrics").body;
  CHECK(has(metrics, "route=\"heartbeat_runs\""));
  worker->signal(15);
  CHECK(worker->wait() == 0);
}

}  // namespace belfry::test
