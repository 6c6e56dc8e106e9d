// The cycles, the backlog and the ladder over HTTP.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {

TEST_CASE("cycles: one is run on demand and says what it found", "[api][http][cycles]") {
  open_door d;
  const auto id = d.submit();
  const auto r = d.http().post_json("/v1/scheduler:cycle", json::object());
  CHECK(r.at("pending") == 1);
  CHECK(r.at("no_match") == 1);
  CHECK(r.at("no_capable_session").at("count") == 1);
  CHECK(r.at("no_capable_session").at("runs").at(0) == id);
  for (const auto* counter : {"recovered_leases", "all_busy", "all_cooldown", "wrong_scope", "fanned_out",
                              "spawns_requested", "spawns_refused", "needs_attention"})
    CHECK(r.at(counter).at("count") == 0);
  CHECK(r.at("error").is_null());
  CHECK(d.http().send("POST", "/v1/scheduler:cycle", R"({"force":true})").code() == "unknown_field");
}

TEST_CASE("cycles: the sums are shown, and reset by whom the journal names", "[api][http][cycles]") {
  open_door d;
  CHECK(d.http().get_json("/v1/scheduler/statistics").at("cycles") == 3);
  const auto zero = d.http().post_json("/v1/scheduler/statistics:reset", json::object());
  CHECK(zero.at("cycles") == 0);
  CHECK(zero.at("last_error").is_null());
  CHECK(d.node.last_actor().starts_with("http"));
  CHECK(d.http().get("/v1/scheduler/statistics?job=x").code() == "unknown_field");
}

TEST_CASE("cycles: the backlog has place, age, reason and rung of each queued run", "[api][http][cycles]") {
  open_door d;
  const auto first = d.submit({{"name", "first"}, {"workspace", "shop"}});
  d.submit({{"name", "second"}});
  const auto all = d.http().get_json("/v1/scheduler/backlog");
  REQUIRE(all.at("backlog").size() == 2);
  const auto& one = all.at("backlog").at(0);
  CHECK(one.at("run_id") == first);
  CHECK(one.at("position") == 1);
  CHECK(one.at("age_ms") >= 0);
  CHECK(one.at("waiting_for").at(0).at("code") == "behind_others");
  CHECK(one.at("ladder").at("rung") == "fan_out");
  CHECK(one.at("ladder").at("next_rung") == "spawn");
  CHECK(all.at("ladder").at("longest_wait_ms") == 270'000);
  CHECK(d.http().get_json("/v1/scheduler/backlog?workspace=shop").at("backlog").size() == 1);
  const auto page = d.http().get_json("/v1/scheduler/backlog?limit=1");
  CHECK(page.at("backlog").size() == 1);
  const auto next = page.at("next_cursor").get<std::string>();
  CHECK(d.http().get_json("/v1/scheduler/backlog?limit=1&cursor=" + next).at("backlog").at(0).at("name") ==
        "second");
  CHECK(d.http().get("/v1/scheduler/backlog?state=running").code() == "unknown_field");
}

TEST_CASE("cycles: the status of the queue has the ladder, a run its rung", "[api][http][cycles]") {
  open_door d;
  const auto id = d.submit();
  const auto ladder = d.http().get_json("/v1/scheduler/status").at("ladder");
  CHECK(ladder.at("on") == true);
  CHECK(ladder.at("thresholds").at("needs_attention") == 10);
  CHECK(ladder.at("starved_by_rung").at("fan_out") == 0);
  const auto run = d.http().get_json("/v1/runs/" + id);
  CHECK(run.at("ladder").at("count") == 3);
  CHECK(run.at("ladder").at("next_rung_at").is_string());
}

}  // namespace belfry::test
