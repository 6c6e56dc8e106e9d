// Backpressure and limits of providers as people use them: against a real node, also one that is killed.
#include <catch2/catch.hpp>

#include <thread>

#include "tests/e2e/cli.hpp"

namespace belfry::test {

namespace {

node_setup pressing_at_three(const std::string& mode) {
  node_setup setup;
  setup.executors = 0;
  setup.environment = {{"BELFRY_BACKPRESSURE__AT", "3"}, {"BELFRY_BACKPRESSURE__MODE", mode}};
  return setup;
}

json some_work(const std::string& priority = "normal") {
  return {{"name", "work"}, {"payload", 1}, {"priority", priority}};
}

json claim_as(real_node& node, const std::string& session, int most = 1) {
  return node.http().post_json("/v1/claims", {{"session", session}, {"max", most}}).at("claims");
}

void complete(real_node& node, const json& held) {
  node.http().post_json("/v1/runs/" + held.at("run_id").get<std::string>() + ":complete",
                        {{"token", held.at("token")}, {"fencing", held.at("fencing")}});
}

}  // namespace

TEST_CASE("backpressure: a full queue refuses, says when to come again, and a killed node goes on with it",
          "[e2e][cli][pressure]") {
  real_node node{pressing_at_three("reject")};
  const cli belfry(node);
  for (int i = 0; i < 3; ++i) CHECK(node.http().post("/v1/runs", some_work()).status == 201);
  const auto no = node.http().post("/v1/runs", some_work());
  CHECK(no.status == 503);
  CHECK(std::stoi(no.header("Retry-After")) >= 1);
  CHECK(has(no.body, "backpressure.at 3"));
  CHECK(has(no.body, "belfry scheduler status"));
  node.kill9();
  node.start();
  const cli again(node);
  CHECK(node.http().post("/v1/runs", some_work()).status == 503);
  CHECK(has(again({"status"}).out, "submissions are refused"));
  CHECK(has(again({"doctor"}).out, "backpressure"));
  CHECK(has(node.http().get("/metrics").body, "belfry_backpressure 1"));
  CHECK(again.doc({"scheduler", "status"}).at("backpressure").at("on") == true);
  const auto session =
      node.http().post_json("/v1/sessions", {{"name", "robot"}, {"slots", 9}}).at("id").get<std::string>();
  CHECK(claim_as(node, session, 2).size() == 2);
  CHECK(node.http().post("/v1/runs", some_work()).status == 201);
  CHECK(again.doc({"scheduler", "status"}).at("backpressure").at("on") == false);
  const auto told = again({"events", "-o", "jsonl"}).out;
  CHECK(has(told, "backpressure_started"));
  CHECK(told.find("backpressure_started") == told.rfind("backpressure_started"));
  CHECK(has(told, "backpressure_ended"));
}

TEST_CASE("backpressure: alert tells whoever submits, shed refuses the low classes", "[e2e][cli][pressure]") {
  {
    real_node node{pressing_at_three("alert")};
    const cli belfry(node);
    for (int i = 0; i < 3; ++i) node.http().post_json("/v1/runs", some_work());
    CHECK(has(node.http().post("/v1/runs", some_work()).header("Belfry-Backpressure"), "alert; queued=4"));
    CHECK(has(belfry({"submit", "--", "true"}).err, "runs are queued"));
  }
  real_node node{pressing_at_three("shed")};
  for (int i = 0; i < 3; ++i) node.http().post_json("/v1/runs", some_work());
  CHECK(node.http().post("/v1/runs", some_work("low")).status == 503);
  CHECK(node.http().post("/v1/runs:batch", {{"runs", {some_work("high"), some_work("low")}}}).status == 503);
  CHECK(node.http().post("/v1/runs", some_work("normal")).status == 201);
}

TEST_CASE("throttle: a reported limit holds the type over a crash, then one probe goes first",
          "[e2e][cli][throttle]") {
  node_setup setup;
  setup.executors = 0;
  real_node node{setup};
  const cli belfry(node);
  const auto session = node.http()
                           .post_json("/v1/sessions", {{"name", "a"}, {"agent_type", "claude"}, {"slots", 9}})
                           .at("id")
                           .get<std::string>();
  for (int i = 0; i < 4; ++i) node.http().post_json("/v1/runs", some_work());
  // The worker says it with the end of its attempt.
  const auto held = claim_as(node, session).at(0);
  node.http().post_json("/v1/runs/" + held.at("run_id").get<std::string>() + ":park",
                        {{"token", held.at("token")},
                         {"fencing", held.at("fencing")},
                         {"for", "1h"},
                         {"resource", "anthropic"},
                         {"limit", "quota"},
                         {"message", "used up"}});
  CHECK(claim_as(node, session).empty());
  CHECK(has(belfry({"scheduler", "pauses"}).out, "one run tries first"));
  CHECK(has(belfry({"doctor"}).out, "provider_limited"));
  CHECK(belfry({"scheduler", "resume", "--agent-type", "claude", "--reason", "quota", "--owner", "anthropic"})
            .exit_code == 0);
  // An operator says it for everybody.
  CHECK(has(belfry({"scheduler", "throttle", "--agent-type", "claude", "--for", "2s", "--text", "429"}).out,
            "held"));
  CHECK(belfry({"scheduler", "throttle", "--for", "2s"}).exit_code == 2);
  CHECK(claim_as(node, session).empty());
  node.kill9();
  node.start();
  const auto until = std::chrono::steady_clock::now() + 20s;
  json probe = json::array();
  while (probe.empty() && std::chrono::steady_clock::now() < until) {
    probe =
        node.http().post_json("/v1/claims", {{"session", session}, {"max", 9}, {"wait", "5s"}}).at("claims");
  }
  REQUIRE(probe.size() == 1);
  CHECK(claim_as(node, session, 9).empty());
  const cli again(node);
  CHECK(has(again({"scheduler", "pauses"}).out, "tries whether it is over"));
  complete(node, probe.at(0));
  CHECK(claim_as(node, session, 9).size() == 2);
  CHECK(has(again({"scheduler", "pauses"}).out, "nothing is paused"));
  CHECK(again.doc({"scheduler", "pauses"}).at("delays").at(0).at("agent_type") == "claude");
}

}  // namespace belfry::test
