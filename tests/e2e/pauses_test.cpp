// Pause and drain as people use them: command line and HTTP against a real node, also one that is killed.
#include <catch2/catch.hpp>

#include <thread>

#include "core/time/text.hpp"
#include "tests/e2e/cli.hpp"

namespace belfry::test {

TEST_CASE("pause: nothing starts while the scheduler is paused, and the run says who paused it",
          "[e2e][cli][pause]") {
  real_node node;
  const cli belfry(node);
  CHECK(has(belfry({"scheduler", "pauses"}).out, "nothing is paused"));
  CHECK(has(belfry({"scheduler", "pause", "--text", "disk is being replaced"}).out, "paused"));
  CHECK(has(belfry({"scheduler", "pause", "--text", "disk is being replaced"}).out, "like that before"));
  const auto id = belfry.line({"submit", "-o", "name", "--", "true"});
  CHECK(has(belfry({"scheduler", "status"}).out, "disk is being replaced"));
  CHECK(has(belfry({"status"}).out, "belfry scheduler resume"));
  const auto shown = belfry.doc({"show", id});
  CHECK(shown.at("state") == "queued");
  CHECK(shown.at("waiting_for").at(0).at("code") == "scheduler_paused");
  CHECK(has(shown.at("waiting_for").at(0).at("text").get<std::string>(), "belfry scheduler resume"));
  CHECK(has(node.http().get("/metrics").body, "belfry_paused{scope=\"scheduler\"} 1"));
  // Another reason is none of ours.
  CHECK(
      has(belfry({"scheduler", "pause", "--reason", "maintenance", "--owner", "deploy-bot"}).out, "paused"));
  CHECK(has(belfry({"scheduler", "resume"}).out, "other pauses still hold it"));
  CHECK(belfry.doc({"scheduler", "resume", "--reason", "maintenance"}).at("changed") == false);
  CHECK(belfry.doc({"show", id}).at("state") == "queued");
  CHECK(has(belfry({"scheduler", "resume", "--reason", "maintenance", "--owner", "deploy-bot"}).out,
            "resumed"));
  CHECK(node.wait_finished(id).at("state") == "succeeded");
  CHECK(belfry({"scheduler", "pause", "--reason", "Disk full"}).exit_code == 2);
  CHECK(belfry({"scheduler", "pause", "--job", "nothing"}).exit_code == 5);
}

TEST_CASE("pause: the pause of a job holds its queued run; force goes through", "[e2e][cli][pause]") {
  real_node node;
  const cli belfry(node);
  belfry.line({"job", "create", "--name", "nightly", "--shell", "true", "--overlap", "queue_all"});
  CHECK(has(belfry({"scheduler", "pause", "--agent-type", "process"}).out, "paused"));
  belfry.line({"job", "trigger", "nightly"});
  belfry.line({"job", "pause", "nightly"});
  CHECK(belfry({"scheduler", "resume", "--agent-type", "process"}).exit_code == 0);
  const auto forced = node.http().post_json("/v1/jobs/nightly:trigger", {{"force", true}}).at("id");
  CHECK(node.wait_finished(forced.get<std::string>()).at("state") == "succeeded");
  const auto queued = belfry.doc({"ls", "--state", "queued"}).at("runs");
  REQUIRE(queued.size() == 1);
  const auto id = queued.at(0).at("id").get<std::string>();
  CHECK(belfry.doc({"show", id}).at("waiting_for").at(0).at("code") == "job_paused");
  const auto line = belfry.doc({"scheduler", "backlog"}).at("backlog");
  REQUIRE(line.size() == 1);
  CHECK(line.at(0).at("eta_basis") == "it is paused");
  CHECK(has(belfry({"scheduler", "resume", "--job", "nightly"}).out, "resumed"));
  CHECK(node.wait_finished(id).at("state") == "succeeded");
}

TEST_CASE("pause: it lifts itself, also when the node was killed meanwhile", "[e2e][cli][pause]") {
  real_node node;
  const cli belfry(node);
  CHECK(belfry({"scheduler", "pause", "--for", "2s"}).exit_code == 0);
  CHECK(belfry({"scheduler", "pause", "--workspace", "blue", "--for", "1h"}).exit_code == 0);
  const auto id = belfry.line({"submit", "-o", "name", "--", "true"});
  node.kill9();
  node.start();
  const cli again(node);
  CHECK(node.wait_finished(id).at("state") == "succeeded");
  const auto left = again.doc({"scheduler", "pauses"});
  REQUIRE(left.at("pauses").size() == 1);
  CHECK(left.at("pauses").at(0).at("workspace") == "blue");
}

TEST_CASE(
    "pause: a window that is planned begins and ends by itself, also when the node was killed meanwhile",
    "[e2e][cli][pause]") {
  real_node node;
  const cli belfry(node);
  const auto at = [](std::chrono::milliseconds ahead) {
    return belfry::core::to_rfc3339(
        belfry::core::from_micros(std::chrono::duration_cast<std::chrono::microseconds>(
                                      (std::chrono::system_clock::now() + ahead).time_since_epoch())
                                      .count()));
  };
  const auto planned =
      belfry({"scheduler", "pause", "--reason", "maintenance", "--from", at(1500ms), "--for", "2s"});
  CHECK(planned.exit_code == 0);
  CHECK(has(planned.out, "planned; until then everything goes on"));
  CHECK(belfry({"submit", "--wait", "--", "true"}).exit_code == 0);
  node.kill9();
  node.start();
  const cli again(node);
  CHECK(eventually([&] { return again.doc({"scheduler", "pauses"}).at("paused") == true; }));
  const auto id = again.line({"submit", "-o", "name", "--", "true"});
  CHECK(again.doc({"run", "explain", id}).at("reasons").at(0).at("code") == "scheduler_paused");
  CHECK(node.wait_finished(id).at("state") == "succeeded");
  CHECK(again({"scheduler", "drain", "--from", at(1h), "--resume-at", at(2h)}).exit_code == 0);
  CHECK(again.doc({"scheduler", "pauses"}).at("paused") == false);
  CHECK(again({"scheduler", "resume", "--reason", "drain"}).exit_code == 0);
  CHECK(again.doc({"scheduler", "pauses"}).at("pauses").empty());
  const auto past = again({"scheduler", "pause", "--from", at(-1h)});
  CHECK(past.exit_code == 2);
  CHECK(has(past.err, "a time to come"));
}

TEST_CASE("drain: exit codes say whether something still runs; a killed node goes on with it",
          "[e2e][cli][pause][drain]") {
  node_setup setup;
  setup.executors = 0;
  real_node node{setup};
  const cli belfry(node);
  const auto session =
      node.http().post_json("/v1/sessions", {{"name", "robot"}, {"slots", 2}}).at("id").get<std::string>();
  node.http().post_json("/v1/runs", {{"name", "held"}, {"payload", 1}});
  node.http().post_json("/v1/runs", {{"name", "next"}, {"payload", 1}});
  const auto claim =
      node.http().post_json("/v1/claims", {{"session", session}, {"max", 1}}).at("claims").at(0);
  const auto pending = belfry({"scheduler", "drain", "--timeout", "0"});
  CHECK(pending.exit_code == 8);
  CHECK(has(pending.out, "still under way"));
  CHECK(has(pending.out, "robot"));
  CHECK(has(pending.out, claim.at("run_id").get<std::string>()));
  node.kill9();
  node.start();
  const cli again(node);
  CHECK(node.http().post_json("/v1/claims", {{"session", session}}).at("claims").empty());
  const auto report = node.http().get_json("/v1/scheduler/pauses");
  CHECK(report.at("draining") == true);
  CHECK(report.at("live") == 1);
  // Somebody waits for it while it ends.
  program_end drained;
  std::thread waits([&] { drained = again({"scheduler", "drain", "--timeout", "20s"}); });
  node.http().post_json("/v1/runs/" + claim.at("run_id").get<std::string>() + ":complete",
                        {{"token", claim.at("token")}, {"fencing", claim.at("fencing")}});
  waits.join();
  CHECK(drained.exit_code == 0);
  CHECK(has(drained.out, "drained"));
  CHECK(has(again.line({"events", "--kind", "drained", "-o", "jsonl"}), "drained"));
  CHECK(has(again({"scheduler", "resume", "--reason", "drain"}).out, "resumed"));
  CHECK(node.http().post_json("/v1/claims", {{"session", session}}).at("claims").size() == 1);
}

}  // namespace belfry::test
