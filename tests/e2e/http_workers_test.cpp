// The worker protocol, through the real node: what docs/protocol.md says, as a worker and an operator meet
// it.
#include <catch2/catch.hpp>
#include <thread>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

std::vector<std::string> codes(const json& list) {
  std::vector<std::string> all;
  for (const auto& each : list) all.push_back(each.at("code"));
  return all;
}

bool asks(const json& answer, const std::string& word) {
  for (const auto& c : answer.at("commands"))
    if (c == word) return true;
  return false;
}

json payload_run(const std::string& name, const json& more = json::object()) {
  json body{{"name", name}, {"handler", {{"kind", "none"}}}, {"payload", {{"n", 1}}}};
  body.update(more);
  return body;
}

}  // namespace

TEST_CASE("workers: the next attempt is told of the checkpoint and of what went wrong",
          "[e2e][http][workers]") {
  auto& node = shared_node();
  const auto space = fresh_name("past");
  outside_worker w{node, {{"name", "w"}, {"workspace", space}, {"metadata", {{"host", "a"}}}}};
  auto& http = node.http();
  const std::string id =
      http.post_json("/v1/runs", payload_run(space, {{"workspace", space}, {"retry", {{"base", "0s"}}}}))
          .at("id");
  const auto first = w.claim_one({{"start", true}});
  CHECK(first.at("checkpoint").is_null());
  CHECK(first.at("previous").empty());
  CHECK(w.say(first, "checkpoint", {{"checkpoint", {{"page", 7}}}}).status == 200);
  const auto logged =
      w.say(first, "log", {{"lines", {{{"text", "one\ntwo"}}, {{"text", "bad"}, {"stream", "stderr"}}}}});
  CHECK(logged.parsed().at("next") == 4);
  CHECK(w.say(first, "log", {{"first", 2}, {"lines", {{{"text", "two"}}, {{"text", "bad"}}}}})
            .parsed()
            .at("next") == 4);
  CHECK(w.say(first, "log", {{"first", 9}, {"lines", {{{"text", "gap"}}}}}).status == 422);
  CHECK(w.say(first, "fail", {{"message", "no disk"}}).status == 200);
  const auto second = w.claim_one({{"wait", "10s"}, {"start", true}});
  CHECK(second.at("run_id") == id);
  CHECK(second.at("checkpoint").at("value").at("page") == 7);
  CHECK(second.at("checkpoint").at("attempt") == 1);
  REQUIRE(second.at("previous").size() == 1);
  CHECK(second.at("previous")[0].at("outcome") == "failed");
  CHECK(second.at("previous")[0].at("message") == "no disk");
  const auto run = http.get_json("/v1/runs/" + id);
  CHECK(run.at("checkpoint").at("value").at("page") == 7);
  std::string text;
  const auto log = http.get_json("/v1/runs/" + id + "/logs?attempt=1");
  for (const auto& line : log.at("lines"))
    text += line.at("stream").get<std::string>() + ":" + line.at("text").get<std::string>() + " ";
  CHECK(text == "stdout:one stdout:two stderr:bad ");
  CHECK(w.say(second, "complete").status == 200);
  CHECK(http.get_json("/v1/sessions/" + w.id()).at("metadata").at("host") == "a");
}

TEST_CASE("workers: a drained session is told with every answer, and gets work again when resumed",
          "[e2e][http][workers]") {
  auto& node = shared_node();
  auto& http = node.http();
  const auto space = fresh_name("drained");
  outside_worker w{node, {{"name", "w"}, {"workspace", space}, {"slots", 2}}};
  const auto submit = [&] { http.post_json("/v1/runs", payload_run(space, {{"workspace", space}})); };
  submit();
  const auto held = w.claim_one();
  const auto waiting = [&] { return http.get_json("/v1/scheduler/status").at("waiting_claims").get<int>(); };
  const auto before = waiting();
  std::string told;
  std::thread waits{[&] {
    http_client own{node.tcp()};
    told = own.post("/v1/claims", {{"session", w.id()}, {"wait", "30s"}}).body;
  }};
  CHECK(eventually([&] { return waiting() > before; }));
  CHECK(http.post_json("/v1/sessions/" + w.id() + ":drain", {{"reason", "deploy"}}).at("state") ==
        "draining");
  waits.join();
  const auto answer = json::parse(told);
  CHECK(answer.at("claims").empty());
  CHECK(asks(answer, "drain"));
  CHECK(codes(answer.at("reasons")) == std::vector<std::string>{"session_draining"});
  submit();
  CHECK(w.claim({{"wait", "0s"}}).empty());
  CHECK(asks(w.say(held, "heartbeat").parsed(), "drain"));
  const auto beat = http.post_json("/v1/sessions/" + w.id() + ":heartbeat", json::object());
  CHECK(asks(beat, "drain"));
  CHECK(beat.at("slots_used") == 1);
  CHECK(beat.at("leases")[0].at("run_id") == held.at("run_id"));
  CHECK(beat.dump().find("token") == std::string::npos);
  CHECK(w.say(held, "complete").status == 200);
  CHECK(http.post_json("/v1/sessions/" + w.id() + ":resume", json::object()).at("state") == "active");
  CHECK(w.claim({{"wait", "0s"}}).size() == 1);
}

TEST_CASE("workers: a session that comes back with its id has its leases still", "[e2e][http][workers]") {
  auto& node = shared_node();
  auto& http = node.http();
  const auto space = fresh_name("back");
  const json facts{{"name", "w"}, {"workspace", space}};
  outside_worker w{node, facts};
  http.post_json("/v1/runs", payload_run(space, {{"workspace", space}}));
  const auto held = w.claim_one({{"start", true}});
  auto again = facts;
  again["id"] = w.id();
  const auto back = http.post("/v1/sessions", again);
  CHECK(back.status == 200);
  const auto session = back.parsed();
  CHECK(session.at("id") == w.id());
  REQUIRE(session.at("leases").size() == 1);
  CHECK(session.at("leases")[0].at("fencing") == held.at("fencing"));
  CHECK(w.say(held, "heartbeat").status == 200);
  CHECK(w.say(held, "complete").status == 200);
}

TEST_CASE("workers: explain says every rule that keeps a session from a run, on both sides",
          "[e2e][http][workers]") {
  auto& node = shared_node();
  auto& http = node.http();
  const auto name = fresh_name("explained");
  outside_worker w{node,
                   {{"name", "w"}, {"workspace", name}, {"channel", "other"}, {"agent_type", "python"}}};
  const std::string id = http.post_json("/v1/runs", payload_run(name, {{"workspace", name},
                                                                       {"channel", name},
                                                                       {"capabilities", {"gpu"}},
                                                                       {"agent_types", {"rust"}}}))
                             .at("id");
  const auto why = http.get_json("/v1/sessions/" + w.id() + "/explain?run=" + id);
  CHECK_FALSE(why.at("eligible").get<bool>());
  CHECK(codes(why.at("reasons")) ==
        std::vector<std::string>{"channel_mismatch", "agent_type_not_allowed", "missing_capability"});
  CHECK(http.get_json("/v1/sessions/" + w.id() + "/explain").at("eligible").get<bool>());
  const auto run = http.get_json("/v1/runs/" + id);
  CHECK(codes(run.at("waiting_for")).back() == "no_capable_session");
  bool found = false;
  for (const auto& s : run.at("sessions"))
    if (s.at("id") == w.id()) found = codes(s.at("reasons")) == codes(why.at("reasons"));
  CHECK(found);
  CHECK(http.get("/v1/sessions/ses_0000000000001/explain").status == 404);
  http.post_json("/v1/runs/" + id + ":cancel", json::object());
}

TEST_CASE("workers: many heartbeats and many completions, and one malformed item fails alone",
          "[e2e][http][workers]") {
  auto& node = shared_node();
  auto& http = node.http();
  const auto space = fresh_name("bulk");
  outside_worker w{node, {{"name", "w"}, {"workspace", space}, {"slots", 1000}, {"agent_type", space}}};
  json runs = json::array();
  for (int i = 0; i < 50; ++i) runs.push_back(payload_run(space, {{"workspace", space}}));
  http.post_json("/v1/runs:batch", {{"runs", runs}});
  const auto claims = w.claim({{"max", 1000}, {"wait", "5s"}});
  REQUIRE(claims.size() == 50);
  json beats = json::array();
  json ends = json::array();
  for (const auto& c : claims) {
    beats.push_back({{"run_id", c.at("run_id")}, {"token", c.at("token")}, {"fencing", c.at("fencing")}});
    ends.push_back(beats.back());
    ends.back()["outcome"] = "succeeded";
  }
  beats[7].erase("token");
  beats[8] = "nonsense";
  const auto lived = http.post_json("/v1/heartbeats", {{"items", beats}, {"lease", "1m"}});
  CHECK(lived.at("succeeded") == 48);
  CHECK(lived.at("items")[7].at("code") == "invalid");
  CHECK(lived.at("items")[8].at("status") == "error");
  CHECK(lived.at("items")[9].at("run_id") == claims[9].at("run_id"));
  ends[3]["outcome"] = "perhaps";
  const auto done = http.post_json("/v1/completions", {{"items", ends}});
  CHECK(done.at("succeeded") == 49);
  CHECK(done.at("items")[3].at("status") == "error");
  CHECK(http.get_json("/v1/runs/" + claims[3].at("run_id").get<std::string>()).at("state") == "claimed");
  CHECK(w.say(claims[3], "complete").status == 200);
}

TEST_CASE("workers: a result that came after the lease is kept, shown, and adopted from the command line",
          "[e2e][cli][workers]") {
  auto& node = shared_node();
  const cli belfry(node);
  auto& http = node.http();
  const auto space = fresh_name("late");
  outside_worker w{node, {{"name", "w"}, {"workspace", space}}};
  const std::string id =
      http.post_json("/v1/runs", payload_run(space, {{"workspace", space}, {"retry", {{"max_losses", 1}}}}))
          .at("id");
  const auto held = w.claim_one({{"lease", "1s"}, {"start", true}});
  node.wait_for_state(id, "lost");
  const auto refused = w.say(held, "complete", {{"result", {{"pages", 9}}}});
  CHECK(refused.status == 409);
  CHECK(refused.code() == "stale_lease");
  const auto page = belfry({"run", "show", id});
  CHECK(has(page.out, "late result of attempt 1"));
  CHECK(has(page.out, "belfry run adopt " + id));
  CHECK_FALSE(has(page.out, held.at("token").get<std::string>()));
  const auto made = belfry.doc({"run", "adopt", id, "--reason", "checked by hand"});
  CHECK(made.at("state") == "succeeded");
  const auto successor = http.get_json("/v1/runs/" + made.at("id").get<std::string>());
  CHECK(successor.at("result").at("pages") == 9);
  CHECK(successor.at("predecessor_id") == id);
  CHECK(belfry({"run", "adopt", id}).exit_code == 6);
  CHECK(belfry({"run", "adopt", made.at("id").get<std::string>()}).exit_code == 5);
}

TEST_CASE("workers: a worker in shell has a word for everything", "[e2e][cli][workers]") {
  const cli belfry(shared_node());
  const auto space = fresh_name("shell");
  const auto session = belfry.line({"session", "register", "sh", "--workspace", space, "--cap", "gpu"});
  const auto id = belfry.line({"submit", "--name", space, "--workspace", space, "--cap", "gpu", "--prefer",
                               "tpu", "--owner", session, "--payload", "{\"n\":1}"});
  const auto why = belfry({"session", "explain", session, id});
  CHECK(has(why.out, " may take " + id));
  const auto script =
      "set -e; read -r run fencing token payload < <(belfry claim " + session +
      " --wait 10s --start); "
      "say() { verb=$1; shift; belfry run $verb $run --token $token --fencing $fencing \"$@\"; }; "
      "say progress --value 0.5 --text half; say checkpoint --checkpoint '{\"page\":3}'; "
      "printf 'x\\ny\\n' | say log -- -; say log --stream stderr -- careful; say heartbeat; "
      "belfry session heartbeat " +
      session +
      "; "
      "say park --until 2100-01-01T00:00:00Z --resource gpu-quota";
  const auto end = belfry.shell(script);
  INFO(end.out + end.err);
  CHECK(end.exit_code == 0);
  const auto run = belfry.doc({"run", "show", id});
  CHECK(run.at("state") == "parked");
  CHECK(run.at("reason") == "resource gpu-quota");
  CHECK(run.at("checkpoint").at("value").at("page") == 3);
  CHECK(belfry({"logs", id}).out == "x\ny\n");
  CHECK(has(belfry({"session", "drain", session, "--reason", "enough"}).out, "draining"));
  CHECK(has(belfry({"session", "explain", session}).out, "session_draining"));
  CHECK(belfry.line({"session", "heartbeat", session}) == "drain");
  CHECK(has(belfry({"session", "show", session}).out, "0 of 1 in use"));
  CHECK(belfry({"session", "resume", session}).exit_code == 0);
  CHECK(belfry({"cancel", id}).exit_code == 0);
}

}  // namespace belfry::test
