// Runs over HTTP: submitted, read, listed, told what to do, in bulk.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

// Fails the run for good through an outside session.
void fail(open_door& d, const std::string& session) {
  const auto c = d.claim(session);
  d.http().post_json("/v1/runs/" + c.at("run_id").get<std::string>() + ":fail",
                     open_door::proof(c, {{"class", "permanent"}, {"message", "no"}}));
}

}  // namespace

TEST_CASE("runs: submitted, found by id, beginning and name, and listed", "[api][http][runs]") {
  open_door d;
  const auto made = d.http().post(
      "/v1/runs",
      {{"name", "thumbs"},
       {"handler", {{"kind", "process"}, {"argv", {"sh", "-c", "echo hi"}}, {"env", {{"SECRET", "hush"}}}}},
       {"payload", {{"n", 1}}},
       {"tags", {"a"}},
       {"timeout", "90s"}});
  REQUIRE(made.status == 201);
  const auto id = made.parsed().at("id").get<std::string>();
  CHECK(made.header("location") == "/v1/runs/" + id);
  CHECK(made.parsed().at("state") == "queued");
  CHECK(made.parsed().at("created") == true);
  for (const auto& text : {id, id.substr(0, 15), std::string("thumbs")}) {
    const auto run = d.http().get_json("/v1/runs/" + text);
    CHECK(run.at("id") == id);
    CHECK(run.at("timeout_ms") == 90'000);
    CHECK(run.at("handler").at("env_names") == json{"SECRET"});
    CHECK(run.at("waiting_for").at(0).at("code") == "behind_others");
    CHECK(run.at("position") == 1);
    CHECK(run.at("traceparent").get<std::string>().size() == 55);
  }
  CHECK(d.http().get("/v1/runs/" + id).body.find("hush") == std::string::npos);
  CHECK(d.http().get_json("/v1/runs?tag=a").at("runs").size() == 1);
  CHECK(d.http().get_json("/v1/runs?state=succeeded,failed").at("runs").empty());
  CHECK(d.http().get("/v1/runs/nothing").status == 404);
  CHECK(d.http().get("/v1/runs/run_00000000").status == 404);
}

TEST_CASE("runs: numbers of a payload are the same on the way in and out", "[api][http][runs]") {
  open_door d;
  const std::string odd =
      R"({"a":1e400,"b":0.1,"c":12345678901234567890,"d":1.0,"e":-0,"f":[1E5,"\u00e4","ä"]})";
  const auto made = d.http().send("POST", "/v1/runs", R"({"name":"odd","payload": )" + odd + " }");
  REQUIRE(made.status == 201);
  const auto id = made.parsed().at("id").get<std::string>();
  CHECK(d.node.run(open_door::id_of(id)).spec->payload == odd);
  CHECK(d.http().get("/v1/runs/" + id).body.find("\"payload\":" + odd) != std::string::npos);
  const auto session = d.session();
  CHECK(d.http().post("/v1/claims", {{"session", session}}).body.find("\"payload\":" + odd) !=
        std::string::npos);
}

TEST_CASE("runs: the same key makes one run, other content is refused", "[api][http][runs]") {
  open_door d;
  const header_list key{{"Idempotency-Key", "k1"}};
  const auto first = d.http().post("/v1/runs", {{"name", "x"}}, key);
  const auto again = d.http().post("/v1/runs", {{"name", "x"}}, key);
  CHECK(first.header("idempotency-replayed").empty());
  CHECK(again.status == 201);
  CHECK(again.header("idempotency-replayed") == "true");
  CHECK(again.parsed().at("id") == first.parsed().at("id"));
  CHECK(d.http().post("/v1/runs", {{"name", "y"}}, key).code() == "idempotency_mismatch");
  CHECK(d.http().post("/v1/runs:batch", {{"runs", {{{"name", "x"}}}}}, key).code() == "idempotency_mismatch");
  CHECK(d.http().post("/v1/runs", {{"name", "x"}}, {{"Idempotency-Key", "has space"}}).code() == "invalid");
}

TEST_CASE("runs: a batch is stored, counted and cancelled", "[api][http][runs]") {
  open_door d;
  const auto made = d.http().post("/v1/runs:batch", {{"runs", {{{"name", "a"}}, {{"name", "b"}}}}});
  REQUIRE(made.status == 201);
  const auto id = made.parsed().at("batch_id").get<std::string>();
  CHECK(made.header("location") == "/v1/batches/" + id);
  CHECK(made.parsed().at("ids").size() == 2);
  CHECK(d.http().get_json("/v1/batches/" + id).at("by_state").at("queued") == 2);
  CHECK(d.http().get_json("/v1/runs?batch=" + id).at("runs").size() == 2);
  const auto cancelled = d.http().post_json("/v1/batches/" + id + ":cancel", json::object());
  CHECK(cancelled.at("matched") == 2);
  CHECK(cancelled.at("items").at(1).at("state") == "cancelled");
  CHECK(d.http().get_json("/v1/batches/" + id).at("complete") == true);
  CHECK(d.http().post_json("/v1/batches/" + id + ":cancel", json::object()).at("matched") == 0);
  CHECK(d.http().get("/v1/batches/bat_00NF2XPW00000").status == 404);
  CHECK(d.http().get("/v1/batches/x").status == 404);
}

TEST_CASE("runs: a dry run checks, tells and changes nothing", "[api][http][runs]") {
  open_door d;
  const auto plan =
      d.http().post("/v1/runs?dry_run=true", {{"name", "x"}, {"capabilities", {"gpu"}}, {"delay", "1h"}});
  CHECK(plan.status == 200);
  CHECK(plan.parsed().at("valid") == true);
  const auto one = plan.parsed().at("runs").at(0);
  CHECK(one.at("state") == "scheduled");
  CHECK(one.at("warnings").size() == 1);
  CHECK(one.at("run").at("capabilities") == json{"gpu"});
  CHECK(d.http()
            .post_json("/v1/runs?dry_run=true", {{"handler", {{"argv", {"true"}}}}})
            .at("runs")
            .at(0)
            .at("warnings")
            .empty());
  CHECK(d.http()
            .post("/v1/runs:batch?dry_run", {{"runs", {{{"name", "a"}}, {{"name", "b"}}}}})
            .parsed()
            .at("runs")
            .size() == 2);
  CHECK(d.http().post("/v1/runs?dry_run=true", {{"nmae", "x"}}).status == 422);
  CHECK(d.http().post("/v1/runs?dry_run=perhaps", {{"name", "x"}}).status == 422);
  CHECK(d.http().get_json("/v1/runs").at("runs").empty());
}

TEST_CASE("runs: an operator's words, each with its refusals", "[api][http][runs]") {
  open_door d;
  const auto id = d.submit({{"delay", "1h"}});
  const auto say = [&](const std::string& verb, const json& body = json::object()) {
    return d.http().post("/v1/runs/" + id + ":" + verb, body);
  };
  CHECK(d.http().get_json("/v1/runs/" + id).at("waiting_for").at(0).at("code") == "not_before");
  CHECK(say("priority", {{"priority", "urgent"}}).parsed().at("priority") == "urgent");
  CHECK(say("priority").code() == "invalid");
  CHECK(say("run-now").parsed().at("state") == "queued");
  CHECK(say("run-now", {{"x", 1}}).code() == "unknown_field");
  CHECK(say("discard").code() == "invalid_transition");
  CHECK(say("retry").code() == "invalid_transition");
  CHECK(say("cancel", {{"reason", "enough"}}).parsed().at("state") == "cancelled");
  CHECK(d.http().get_json("/v1/runs/" + id).at("reason").get<std::string>().find("enough") !=
        std::string::npos);
  const auto next = say("retry", {{"payload", 2}});
  CHECK(next.status == 201);
  CHECK(next.parsed().at("predecessor_id") == id);
  CHECK(next.header("location").ends_with(next.parsed().at("id").get<std::string>()));
  CHECK(say("retry").code() == "conflict");
  CHECK(d.http().post("/v1/runs/nothing:cancel").status == 404);
  CHECK(d.http().post("/v1/runs/" + id + ":explode").status == 405);
}

TEST_CASE("runs: names with odd characters are reached through escapes", "[api][http][runs]") {
  open_door d;
  const auto id = d.submit({{"name", "a/b c:d ü"}});
  CHECK(d.http().get_json("/v1/runs/a%2Fb%20c%3Ad%20%C3%BC").at("id") == id);
  CHECK(d.http().post("/v1/runs/a%2Fb%20c%3Ad%20%C3%BC:cancel").status == 200);
}

TEST_CASE("runs: dead letters are listed, redriven and dismissed in bulk", "[api][http][runs]") {
  open_door d;
  const auto session = d.session({{"slots", 100}});
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(d.submit());
    fail(d, session);
  }
  CHECK(d.http().get_json("/v1/dead-letters").at("runs").size() == 3);
  const auto plan = d.http().post_json("/v1/runs:retry", {{"filter", json::object()}, {"dry_run", true}});
  CHECK(plan.at("matched") == 3);
  CHECK(plan.at("items").at(0).at("status") == "planned");
  CHECK(d.http().get_json("/v1/dead-letters").at("runs").size() == 3);
  const auto again = d.http().post_json("/v1/runs:retry", {{"ids", {ids[0], "run_00NF2XPW00000"}}});
  CHECK(again.at("succeeded") == 1);
  CHECK(again.at("items").at(0).at("successor_id").is_string());
  CHECK(again.at("items").at(1).at("code") == "not_found");
  const auto gone = d.http().post_json("/v1/runs:discard", {{"filter", {{"q", "work"}}}});
  CHECK(gone.at("succeeded") == 2);
  CHECK(d.http().get_json("/v1/dead-letters").at("runs").empty());
}

TEST_CASE("runs: clearing the queue needs to be confirmed and leaves history", "[api][http][runs]") {
  open_door d;
  for (int i = 0; i < 5; ++i) d.submit();
  const auto no = d.http().post("/v1/runs:cancel", {{"filter", json::object()}});
  CHECK(no.status == 422);
  CHECK(no.code() == "confirmation_required");
  CHECK(
      d.http().post_json("/v1/runs:cancel", {{"filter", json::object()}, {"dry_run", true}}).at("matched") ==
      5);
  CHECK(d.http()
            .post_json("/v1/runs:cancel", {{"filter", json::object()}, {"confirm", true}})
            .at("succeeded") == 5);
  CHECK(d.http().get_json("/v1/runs?state=cancelled").at("runs").size() == 5);
  CHECK(d.http().post("/v1/runs:cancel", json::object()).status == 422);
  CHECK(d.http().post("/v1/runs:cancel", {{"filter", {{"job", "no-such-job"}}}}).status == 404);
  CHECK(d.http().post_json("/v1/runs:cancel", {{"ids", json::array()}}).at("matched") == 0);
}

TEST_CASE("runs: pages follow one another, and a cursor belongs to its list", "[api][http][runs]") {
  open_door d;
  std::vector<std::string> ids;
  for (int i = 0; i < 23; ++i) ids.push_back(d.submit({{"priority", i % 2 == 0 ? "low" : "high"}}));
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page =
        d.http().get_json("/v1/runs?limit=5&sort=oldest" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& r : page.at("runs")) seen.push_back(r.at("id"));
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  CHECK(seen == ids);
  const auto page = d.http().get_json("/v1/runs?limit=5&priority=low");
  const auto next = page.at("next_cursor").get<std::string>();
  CHECK(d.http().get("/v1/runs?limit=7&priority=low&cursor=" + next).status == 200);
  CHECK(d.http().get("/v1/runs?limit=5&priority=high&cursor=" + next).status == 422);
  for (const auto* bad :
       {"limit=0", "limit=501", "limit=x", "cursor=abc", "cursor=AAAAAAAAAAAAAAAA", "sort=best",
        "state=faild", "priority=7", "batch=x", "created_from=yesterday", "dead=perhaps", "job="}) {
    INFO(bad);
    CHECK(d.http().get("/v1/runs?" + std::string(bad)).code() == "invalid");
  }
  CHECK(d.http()
            .get("/v1/runs?created_from=2020-01-01T00:00:00%2B01:00&created_to=2100-01-01T00:00:00Z")
            .status == 200);
}

TEST_CASE("runs: logs come in pages", "[api][http][runs]") {
  open_door d;
  const auto id = d.submit();
  d.node.write_log(open_door::id_of(id), 1, {"a", "b\ttab", "c \xF0\x9F\x98\x80"});
  d.node.write_log(open_door::id_of(id), 2, {"d"});
  const auto all = d.http().get_json("/v1/runs/" + id + "/logs");
  REQUIRE(all.at("lines").size() == 4);
  CHECK(all.at("lines").at(1).at("text") == "b\ttab");
  CHECK(all.at("next_after").is_null());
  const auto first = d.http().get_json("/v1/runs/" + id + "/logs?limit=2");
  CHECK(first.at("next_after") == "1.2");
  CHECK(d.http().get_json("/v1/runs/" + id + "/logs?after=1.2").at("lines").size() == 2);
  CHECK(d.http().get_json("/v1/runs/" + id + "/logs?attempt=2").at("lines").size() == 1);
  CHECK(d.http().get_json("/v1/runs/" + id + "/logs?tail=1").at("lines").at(0).at("text") == "d");
  for (const auto* bad : {"after=x", "after=1", "limit=0", "tail=-1", "attempt=x"})
    CHECK(d.http().get("/v1/runs/" + id + "/logs?" + bad).code() == "invalid");
  CHECK(d.http().get("/v1/runs/nothing/logs").status == 404);
}

}  // namespace belfry::test
