// Sessions and leases over HTTP: what an outside worker does.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {

TEST_CASE("sessions: registered, listed, back again, removed", "[api][http][leases]") {
  open_door d;
  const auto made = d.http().post(
      "/v1/sessions",
      {{"name", "worker-1"}, {"agent_type", "python"}, {"capabilities", {"GPU"}}, {"slots", 4}});
  REQUIRE(made.status == 201);
  const auto id = made.parsed().at("id").get<std::string>();
  CHECK(made.parsed().at("capabilities") == json{"gpu"});
  CHECK(d.http().get_json("/v1/sessions").at("sessions").size() == 2);  // the node's own one too
  CHECK(d.http().get_json("/v1/sessions/" + id).at("name") == "worker-1");
  CHECK(d.http().post("/v1/sessions", {{"id", id}, {"name", "worker-1"}}).status == 200);
  CHECK(d.http().post("/v1/sessions", {{"name", "x"}, {"slots", 0}}).code() == "invalid");
  CHECK(d.http().post("/v1/sessions", json::object()).code() == "invalid");
  CHECK(d.http().send("DELETE", "/v1/sessions/" + id).parsed().at("state") == "gone");
  CHECK(d.http().get_json("/v1/sessions").at("sessions").size() == 1);
  CHECK(d.http().get_json("/v1/sessions?gone=true").at("sessions").size() == 2);
  CHECK(d.http().get("/v1/sessions/7").status == 404);
  CHECK(d.http().send("DELETE", "/v1/sessions/ses_00NF2XPW00000").status == 404);
}

TEST_CASE("leases: claimed, begun, kept alive, completed once", "[api][http][leases]") {
  open_door d;
  const auto session = d.session();
  const auto id = d.submit({{"payload", {{"n", 1}}}, {"metadata", {{"m", 2}}}});
  const auto c = d.claim(session);
  CHECK(c.at("run_id") == id);
  CHECK(c.at("attempt") == 1);
  CHECK(c.at("payload") == json{{"n", 1}});
  const auto say = [&](const std::string& verb, const json& more = json::object()) {
    return d.http().post("/v1/runs/" + id + ":" + verb, open_door::proof(c, more));
  };
  CHECK(say("start").status == 200);
  CHECK(d.http().get_json("/v1/runs/" + id).at("lease").at("session_id") == session);
  CHECK(say("heartbeat", {{"lease", "1h"}}).parsed().at("commands").empty());
  CHECK(say("progress", {{"value", 0.5}, {"text", "half"}}).status == 200);
  CHECK(d.http().get_json("/v1/runs/" + id).at("progress") == 0.5);
  d.http().post_json("/v1/runs/" + id + ":cancel", json::object());
  CHECK(say("heartbeat").parsed().at("commands") == json{"cancel"});
  CHECK(say("complete", {{"result", {{"r", 1.50}}}}).parsed().at("state") == "succeeded");
  CHECK(say("complete", {{"result", {{"r", 1.50}}}}).parsed().at("replayed") == true);
  CHECK(say("complete", {{"result", 2}}).code() == "conflict");
  CHECK(d.http().get_json("/v1/runs/" + id).at("result") == json{{"r", 1.5}});
  CHECK(d.http().get_json("/v1/runs/" + id).at("attempts").at(0).at("session_name") == "worker");
  auto old = c;
  old["fencing"] = 99;
  CHECK(d.http().post("/v1/runs/" + id + ":start", open_door::proof(old)).code() == "stale_lease");
  CHECK(say("progress", {{"value", 2}}).code() == "invalid");
  CHECK(d.http().post("/v1/runs/x:start", open_door::proof(c)).status == 404);
}

TEST_CASE("leases: reissued to whoever holds them, with new tokens that count", "[api][http][leases]") {
  open_door d;
  const auto session = d.session();
  const auto id = d.submit({{"payload", {{"n", 1}}}});
  const auto old = d.claim(session);
  const auto path = "/v1/sessions/" + session + "/leases:reissue";
  const auto anew = d.http().post(path, {{"runs", {id}}, {"lease", "1h"}});
  REQUIRE(anew.status == 200);
  REQUIRE(anew.parsed().at("claims").size() == 1);
  const auto c = anew.parsed().at("claims").at(0);
  CHECK(c.at("fencing") == old.at("fencing").get<int>() + 1);
  CHECK(c.at("payload") == json{{"n", 1}});
  CHECK(d.http().post("/v1/runs/" + id + ":start", open_door::proof(old)).code() == "stale_lease");
  CHECK(d.http().post("/v1/runs/" + id + ":complete", open_door::proof(c)).status == 200);
  CHECK(d.http().post(path, json::object()).parsed().at("claims").empty());
  CHECK(d.http().post(path, {{"runs", {id}}}).code() == "invalid_transition");
  CHECK(d.http().post(path, {{"runs", json::array()}}).code() == "invalid");
  CHECK(d.http().post(path, {{"run", id}}).code() == "unknown_field");
  CHECK(d.http().post("/v1/sessions/ses_00NF2XPW00000/leases:reissue", json::object()).status == 404);
}

TEST_CASE("leases: failed, released, parked", "[api][http][leases]") {
  open_door d;
  const auto session = d.session();
  const auto id = d.submit({{"retry", {{"base", "1h"}}}});
  const auto say = [&](const json& c, const std::string& verb, const json& more) {
    return d.http().post_json("/v1/runs/" + id + ":" + verb, open_door::proof(c, more));
  };
  CHECK(say(d.claim(session), "release", {{"message", "not now"}}).at("state") == "queued");
  CHECK(say(d.claim(session), "park", {{"for", "10m"}}).at("state") == "parked");
  d.http().post_json("/v1/runs/" + id + ":run-now", json::object());
  const auto failed =
      say(d.claim(session), "fail", {{"class", "rate_limited"}, {"message", "429"}, {"retry_after", "2h"}});
  CHECK(failed.at("state") == "retrying");
  CHECK(failed.at("due_at").is_string());
  d.http().post_json("/v1/runs/" + id + ":run-now", json::object());
  CHECK(say(d.claim(session), "fail", {{"class", "permanent"}}).at("state") == "failed");
  CHECK(d.http().get_json("/v1/runs/" + id).at("attempts").size() == 4);
}

TEST_CASE("leases: a claim waits, and takes only what it wants", "[api][http][leases]") {
  open_door d;
  const auto session = d.session();
  CHECK(d.http().post_json("/v1/claims", {{"session", session}}).at("claims").empty());
  http_link waiting{d.tcp()};
  REQUIRE(waiting.send(request_text("POST", "/v1/claims",
                                    json{{"session", session}, {"wait", "10s"}, {"start", true}}.dump())));
  const auto id = d.submit();
  const auto r = waiting.reply();
  REQUIRE(r);
  CHECK(r->parsed().at("claims").at(0).at("run_id") == id);
  CHECK(r->parsed().at("claims").at(0).at("state") == "running");
  d.submit({{"priority", "low"}});
  CHECK(d.http().post_json("/v1/claims", {{"session", session}, {"at_least", "high"}}).at("claims").empty());
  CHECK(d.http().post("/v1/claims", {{"session", "ses_00NF2XPW00000"}}).status == 404);
  CHECK(d.http().post("/v1/claims", json::object()).code() == "invalid");
}

TEST_CASE("leases: bulk completions are answered one by one", "[api][http][leases]") {
  open_door d;
  const auto session = d.session({{"slots", 10}});
  for (int i = 0; i < 3; ++i) d.submit();
  const auto claims = d.http().post_json("/v1/claims", {{"session", session}, {"max", 3}}).at("claims");
  REQUIRE(claims.size() == 3);
  const auto item = [](const json& c, const std::string& outcome) {
    return open_door::proof(c, {{"run_id", c.at("run_id")}, {"outcome", outcome}});
  };
  auto wrong = item(claims[1], "succeeded");
  wrong["token"] = "other";
  const auto a = d.http().post_json(
      "/v1/completions",
      {{"items", {item(claims[0], "succeeded"), 7, wrong, item(claims[2], "failed"), {{"run_id", "x"}}}}});
  CHECK(a.at("succeeded") == 2);
  CHECK(a.at("items").at(0).at("status") == "ok");
  CHECK(a.at("items").at(1).at("code") == "invalid");
  CHECK(a.at("items").at(2).at("code") == "stale_lease");
  CHECK(a.at("items").at(3).at("state") == "retrying");
  CHECK(a.at("items").at(4).at("errors").at(0).at("pointer") == "/items/4/run_id");
  CHECK(d.http().post("/v1/completions", {{"items", json::array()}}).status == 422);
}

TEST_CASE("leases: tokens are in the answer to the claim and nowhere else", "[api][http][leases]") {
  open_door d;
  const auto session = d.session();
  const auto id = d.submit();
  const auto c = d.claim(session);
  const auto token = c.at("token").get<std::string>();
  REQUIRE(token.starts_with("token-"));
  d.http().post("/v1/runs/" + id + ":heartbeat", open_door::proof(c));
  auto old = c;
  old["fencing"] = 77;
  std::string all = d.http().post("/v1/runs/" + id + ":complete", open_door::proof(old)).body;
  for (const auto* path : {"/v1/runs", "/v1/events", "/v1/sessions", "/v1/node", "/v1/scheduler/status",
                           "/metrics", "/v1/statistics", "/v1/export"})
    all += d.http().get(path).body;
  all += d.http().get("/v1/runs/" + id).body;
  all += d.http()
             .send("POST", "/v1/runs/" + id + ":complete",
                   "{\"token\":\"" + token + "\",\"fencing\":\"x\",\"nope\":\"" + token + "\"}")
             .body;
  all += d.http().send("POST", "/v1/runs/" + id + ":complete", "{\"token\":\"" + token + "\" 7}").body;
  CHECK(all.find(token) == std::string::npos);
}

}  // namespace belfry::test
