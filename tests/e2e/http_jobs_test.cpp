// Jobs, through the real node: stored, replaced, triggered, and their revisions frozen in the runs.
#include <catch2/catch.hpp>

#include "tests/support/shared_node.hpp"

namespace belfry::test {
namespace {

json shell_job(const std::string& name, const std::string& script, json more = json::object()) {
  more["name"] = name;
  more["handler"] = {{"kind", "process"}, {"shell", script}};
  return more;
}

http_reply trigger(real_node& node, const std::string& name, const json& body = json::object()) {
  return node.http().post("/v1/jobs/" + name + ":trigger", body);
}

}  // namespace

TEST_CASE("jobs: made, read, listed, patched, replaced and archived", "[e2e][http][jobs]") {
  auto& node = shared_node();
  auto& http = node.http();
  const auto name = fresh_name("report");
  const auto made =
      http.post("/v1/jobs", shell_job(name, "echo 1", {{"description", "first"}, {"tags", {"b", "a"}}}));
  REQUIRE(made.status == 201);
  const auto id = made.parsed().at("id").get<std::string>();
  CHECK(made.header("etag") == "\"1\"");
  CHECK(http.post("/v1/jobs", shell_job(name, "echo 1")).code() == "already_exists");
  CHECK(http.get_json("/v1/jobs/" + name).at("id") == id);
  CHECK(http.get_json("/v1/jobs/" + id).at("definition").at("tags") == json{"a", "b"});
  CHECK(http.get_json("/v1/jobs?q=" + name).at("jobs").size() == 1);

  const auto patched =
      http.send("PATCH", "/v1/jobs/" + name, R"({"description":"second"})", {{"If-Match", "\"1\""}});
  REQUIRE(patched.status == 200);
  CHECK(patched.parsed().at("revision") == 2);
  CHECK(patched.parsed().at("definition").at("handler").at("shell") == "echo 1");
  const auto late =
      http.send("PATCH", "/v1/jobs/" + name, R"({"description":"third"})", {{"If-Match", "\"1\""}});
  CHECK(late.status == 412);
  CHECK(late.code() == "precondition_failed");
  // The same again is no new revision.
  const auto same =
      http.send("PUT", "/v1/jobs/" + name, http.get_json("/v1/jobs/" + name).at("definition").dump());
  CHECK(same.parsed().at("result") == "unchanged");
  CHECK(same.parsed().at("revision") == 2);

  CHECK(http.send("DELETE", "/v1/jobs/" + name).status == 200);
  CHECK(http.get_json("/v1/jobs?q=" + name).at("jobs").empty());
  CHECK(trigger(node, id).status == 404);
  // The name is free again.
  CHECK(http.post("/v1/jobs", shell_job(name, "echo 2")).status == 201);
}

TEST_CASE("jobs: a trigger makes a run of the present revision, and older runs keep theirs",
          "[e2e][http][jobs]") {
  auto& node = shared_node();
  const auto name = fresh_name("frozen");
  node.http().post_json("/v1/jobs", shell_job(name, "echo one $BELFRY_JOB"));
  const auto first = trigger(node, name, {{"delay", "700ms"}}).parsed().at("id").get<std::string>();
  node.http().send("PUT", "/v1/jobs/" + name,
                   shell_job(name, "echo two", {{"overlap", "allow"}, {"max_concurrent", 2}}).dump());
  const auto second = trigger(node, name).parsed().at("id").get<std::string>();
  node.wait_finished(second);
  CHECK(node.output(second) == "two");
  const auto old = node.wait_finished(first);
  CHECK(node.output(first) == "one " + name);
  CHECK(old.at("job_revision") == 1);
  CHECK(old.at("manual") == true);
  CHECK(node.run(second).at("job_revision") == 2);
  CHECK(node.http().get_json("/v1/jobs/" + name + "/runs").at("runs").size() == 2);
}

TEST_CASE("jobs: a trigger that meets an open run follows the policy, and what is skipped is on record",
          "[e2e][http][jobs]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto go = folder / "go";
  const auto waits = "while ! [ -e " + go + " ]; do sleep 0.02; done";
  const auto name = fresh_name("skip");
  node.http().post_json("/v1/jobs", shell_job(name, waits));
  const auto first = trigger(node, name).parsed().at("id").get<std::string>();
  node.wait_for_state(first, "running");
  const auto skipped = trigger(node, name).parsed();
  CHECK(skipped.at("state") == "skipped");
  CHECK(node.run(skipped.at("id")).at("reason").get<std::string>().find(first) != std::string::npos);
  CHECK(node.http().get_json("/v1/jobs/" + name + "/runs?state=skipped").at("runs").size() == 1);
  // Forced, it goes past the policy.
  CHECK(trigger(node, name, {{"force", true}}).parsed().at("state") == "queued");

  const auto replace = fresh_name("replace");
  node.http().post_json("/v1/jobs", shell_job(replace, waits, {{"overlap", "replace"}}));
  const auto old = trigger(node, replace).parsed().at("id").get<std::string>();
  node.wait_for_state(old, "running");
  const auto fresh = trigger(node, replace).parsed().at("id").get<std::string>();
  CHECK(node.wait_finished(old).at("state") == "cancelled");
  write_text(go, "");
  CHECK(node.wait_finished(fresh).at("state") == "succeeded");
  CHECK(node.wait_finished(first).at("state") == "succeeded");
}

TEST_CASE("jobs: pauses are a set of reasons, and each is lifted by name", "[e2e][http][jobs]") {
  auto& node = shared_node();
  auto& http = node.http();
  const auto name = fresh_name("paused");
  http.post_json("/v1/jobs", shell_job(name, "true"));
  http.post_json("/v1/jobs/" + name + ":pause", json::object());
  http.post_json("/v1/jobs/" + name + ":pause", {{"reason", "audit"}, {"text", "until Monday"}});
  CHECK(http.get_json("/v1/jobs/" + name).at("pauses").size() == 2);
  const auto refused = trigger(node, name);
  CHECK(refused.status == 409);
  CHECK(refused.code() == "invalid_transition");
  CHECK(refused.body.find("until Monday") != std::string::npos);
  http.post_json("/v1/jobs/" + name + ":resume", json::object());
  CHECK(http.get_json("/v1/jobs/" + name).at("state") == "paused");
  http.post_json("/v1/jobs/" + name + ":resume", {{"reason", "audit"}});
  CHECK(http.get_json("/v1/jobs/" + name).at("state") == "active");
  CHECK(trigger(node, name).status == 201);
}

TEST_CASE("jobs: a copy has its own name and begins paused", "[e2e][http][jobs]") {
  auto& node = shared_node();
  const auto name = fresh_name("original");
  node.http().post_json("/v1/jobs", shell_job(name, "echo same"));
  const auto copy = node.http().post("/v1/jobs/" + name + ":duplicate", {{"name", name + "-copy"}});
  REQUIRE(copy.status == 201);
  CHECK(copy.parsed().at("state") == "paused");
  CHECK(copy.parsed().at("definition").at("handler").at("shell") == "echo same");
  CHECK(node.http().post("/v1/jobs/" + name + ":duplicate", {{"name", name}}).status == 409);
}

TEST_CASE("jobs: a trigger with a key makes one run", "[e2e][http][jobs]") {
  auto& node = shared_node();
  const auto name = fresh_name("keyed");
  node.http().post_json("/v1/jobs", shell_job(name, "true", {{"overlap", "allow"}}));
  const auto first =
      node.http().post("/v1/jobs/" + name + ":trigger", json::object(), {{"Idempotency-Key", name}});
  const auto again =
      node.http().post("/v1/jobs/" + name + ":trigger", json::object(), {{"Idempotency-Key", name}});
  CHECK(first.parsed().at("id") == again.parsed().at("id"));
  CHECK(again.header("idempotency-replayed") == "true");
  const auto many = node.http().post_json("/v1/jobs/" + name + ":trigger", {{"count", 3}});
  CHECK(many.at("succeeded") == 3);
  CHECK(node.http().get_json("/v1/jobs/" + name + "/runs").at("runs").size() == 4);
}

}  // namespace belfry::test
