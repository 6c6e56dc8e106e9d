// Operators over HTTP: force, recover, in bulk, explanations, the doctor.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {

TEST_CASE("force: a reason is required and named, what was seen before is checked",
          "[api][http][operators]") {
  open_door d;
  const auto session = d.session();
  const auto id = d.submit();
  const auto held = d.claim(session);
  for (const auto* verb : {"force-release", "force-fail", "recover"}) {
    const auto no = d.http().post("/v1/runs/" + id + ":" + verb, json::object());
    CHECK(no.status == 422);
    CHECK(no.parsed().at("errors").at(0).at("pointer") == "/reason");
  }
  const auto old = d.http().post("/v1/runs/" + id + ":force-release",
                                 {{"reason", "stuck"}, {"if_state", "running"}, {"if_fencing", 9}});
  CHECK(old.status == 412);
  CHECK(old.code() == "precondition_failed");
  CHECK(old.parsed().at("errors").at(0).at("pointer") == "/if_state");
  CHECK(old.parsed().at("errors").at(1).at("allowed") == "1");
  CHECK(
      d.http().post("/v1/runs/" + id + ":force-release", {{"reason", "x"}, {"if_state", "runing"}}).status ==
      422);
  CHECK(d.http().post("/v1/runs/" + id + ":force-release", {{"reason", "x"}, {"ifstate", "x"}}).code() ==
        "unknown_field");
  const auto done = d.http().post_json("/v1/runs/" + id + ":force-release",
                                       {{"reason", "stuck"}, {"if_state", "claimed"}, {"if_fencing", 1}});
  CHECK(done.at("state") == "queued");
  CHECK(done.at("reason") == "released by http: stuck");
  const auto late = d.http().post("/v1/runs/" + id + ":complete", open_door::proof(held));
  CHECK(late.status == 409);
  CHECK(late.code() == "stale_lease");
  CHECK(d.http().post_json("/v1/runs/" + id + ":force-fail", {{"reason", "enough"}}).at("state") == "failed");
  CHECK(d.http().post("/v1/runs/" + id + ":force-fail", {{"reason", "enough"}}).status == 409);
}

TEST_CASE("recover: answers with the successor", "[api][http][operators]") {
  open_door d;
  const auto id = d.submit();
  CHECK(d.http().post("/v1/runs/" + id + ":recover", {{"reason", "x"}}).status == 409);
  d.node.needs_attention(open_door::id_of(id));
  const auto made = d.http().post("/v1/runs/" + id + ":recover", {{"reason", "mended"}});
  REQUIRE(made.status == 201);
  CHECK(made.parsed().at("predecessor_id") == id);
  CHECK(made.header("location") == "/v1/runs/" + made.parsed().at("id").get<std::string>());
  CHECK(d.http().get_json("/v1/runs/" + id).at("state") == "cancelled");
}

TEST_CASE("bulk: force, recover and priority by filter, with a dry run that says what would be",
          "[api][http][operators]") {
  open_door d;
  const auto session = d.session({{"slots", 10}});
  const auto held = d.submit({{"name", "held-x"}});
  d.claim(session);
  const auto waiting = d.submit({{"name", "waiting-x"}});
  const auto plan = d.http().post_json(
      "/v1/runs:force-release", {{"filter", {{"session", session}}}, {"reason", "x"}, {"dry_run", true}});
  CHECK(plan.at("matched") == 1);
  CHECK(plan.at("items").at(0).at("id") == held);
  CHECK(plan.at("items").at(0).at("status") == "planned");
  CHECK(plan.at("items").at(0).at("state") == "queued");
  CHECK(d.http().get_json("/v1/runs/" + held).at("state") == "claimed");

  const auto mixed = d.http().post_json("/v1/runs:force-release",
                                        {{"ids", {held, waiting, "run_00NF2XPW00000"}}, {"reason", "x"}});
  CHECK(mixed.at("succeeded") == 1);
  CHECK(mixed.at("failed") == 2);
  CHECK(mixed.at("items").at(1).at("code") == "invalid_transition");
  CHECK(mixed.at("items").at(2).at("code") == "not_found");

  CHECK(d.http().post("/v1/runs:force-fail", {{"ids", {held}}}).status == 422);
  CHECK(d.http().post("/v1/runs:priority", {{"ids", {held}}}).status == 422);
  const auto raised =
      d.http().post_json("/v1/runs:priority", {{"filter", {{"q", "-x"}}}, {"priority", "urgent"}});
  CHECK(raised.at("succeeded") == 2);
  CHECK(d.http().get_json("/v1/runs/" + held).at("priority") == "urgent");
  CHECK(d.http().post("/v1/runs:force-fail", {{"filter", json::object()}, {"reason", "x"}}).code() ==
        "confirmation_required");

  d.node.needs_attention(open_door::id_of(waiting));
  const auto recovered =
      d.http().post_json("/v1/runs:recover", {{"filter", {{"q", "waiting"}}}, {"reason", "x"}});
  CHECK(recovered.at("succeeded") == 1);
  CHECK(recovered.at("items").at(0).at("state") == "queued");
  CHECK(recovered.at("items").at(0).at("successor_id") != waiting);
  const auto seen =
      d.http().post_json("/v1/runs:force-fail", {{"ids", {held}}, {"reason", "x"}, {"if_state", "running"}});
  CHECK(seen.at("items").at(0).at("code") == "precondition_failed");
}

TEST_CASE("rate limit: 429 says when the next one is allowed", "[api][http][operators]") {
  open_door d;
  const auto id = d.submit();
  d.node.refuse_next(core::errc::rate_limited, 1, 12'345);
  const auto no = d.http().get("/v1/runs/" + id);
  CHECK(no.status == 429);
  CHECK(no.header("retry-after") == "13");
  CHECK(no.parsed().at("retry_after_ms") == 12'345);
  CHECK(no.parsed().at("retryable") == true);
}

TEST_CASE("explain: reasons with what lifts them and the command, rule by rule", "[api][http][operators]") {
  open_door d;
  const auto session = d.session();
  const auto id = d.submit({{"name", "one"}});
  const auto queued = d.http().get_json("/v1/runs/one/explain");
  CHECK(queued.at("run_id") == id);
  CHECK(queued.at("state") == "queued");
  CHECK(queued.at("reasons").at(0).at("code") == "behind_others");
  CHECK(queued.at("reasons").at(0).at("command") == "belfry run priority urgent " + id);
  CHECK(queued.at("reasons").at(0).at("lift").is_string());
  CHECK(queued.at("waited_ms").is_number());
  CHECK(queued.at("position") == 1);
  CHECK(queued.at("next").is_null());

  d.claim(session);
  const auto held = d.http().get_json("/v1/runs/" + id + "/explain");
  CHECK(held.at("reasons").at(0).at("code") == "claimed");
  CHECK(held.at("reasons").at(0).at("command") == "belfry run force-release " + id + " --reason WHY");
  CHECK(held.at("session_id") == session);
  CHECK(held.at("next") == "the lease ends, unless it is renewed");
  CHECK(held.at("next_at").is_string());

  d.http().post_json("/v1/runs/" + id + ":force-fail", {{"reason", "x"}});
  const auto over = d.http().get_json("/v1/runs/" + id + "/explain");
  CHECK(over.at("open") == false);
  CHECK(over.at("reasons").empty());
  CHECK(over.at("then") == "belfry run retry " + id);
  CHECK(d.http().get("/v1/runs/nothing/explain").status == 404);

  const auto why = d.http().get_json("/v1/sessions/" + session + "/explain?run=" + id);
  CHECK(why.at("eligible") == false);
  CHECK(why.at("reasons").back().at("code") == "not_queued");
  CHECK(why.at("reasons").back().at("command") == "belfry run explain " + id);
}

TEST_CASE("doctor: findings with code, severity, evidence and command", "[api][http][operators]") {
  open_door d;
  const auto well = d.http().get_json("/v1/doctor");
  CHECK(well.at("health") == "healthy");
  CHECK(well.at("offline") == false);
  const auto id = d.submit();
  d.http().post_json("/v1/runs/" + id + ":force-fail", {{"reason", "x"}});
  const auto dead = d.http().get_json("/v1/doctor");
  bool found = false;
  for (const auto& f : dead.at("findings"))
    if (f.at("code") == "dead_letters") {
      found = true;
      CHECK(f.at("severity") == "info");
      CHECK(f.at("command") == "belfry run dead");
      CHECK(f.at("evidence").at(0).get<std::string>().starts_with(id));
    }
  CHECK(found);
  // A part that does not answer is a finding; the rest is judged all the same.
  d.node.refuse_next(core::errc::aborted, 1);
  const auto torn = d.http().get_json("/v1/doctor");
  CHECK(torn.at("health") == "degraded");
  CHECK(torn.at("findings").at(0).at("code") == "node_silent");
}

}  // namespace belfry::test
