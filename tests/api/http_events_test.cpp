// Emitting events over HTTP.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {

TEST_CASE(
    "events: one that is emitted is answered with its number, and stands in the journal with its fields",
    "[api][http][events]") {
  open_door d;
  const auto made = d.http().post("/v1/events", {{"name", "deploy.finished"}, {"fields", {{"env", "a b"}}}});
  CHECK(made.status == 201);
  const auto told = json::parse(made.body);
  CHECK(told.at("seq") > 0);
  CHECK(told.at("runs").empty());
  const auto page = d.http().get_json("/v1/events?kind=event_received");
  REQUIRE(page.at("events").size() == 1);
  const auto& e = page.at("events").at(0);
  CHECK(e.at("seq") == told.at("seq"));
  CHECK(e.at("text") == "deploy.finished env=\"a b\"");
  CHECK(e.at("name") == "deploy.finished");
  CHECK(e.at("fields") == json{{"env", "a b"}});
}

TEST_CASE("events: what is wrong with one is told field by field", "[api][http][events]") {
  open_door d;
  const auto refused = [&](const json& body) {
    const auto no = d.http().post("/v1/events", body);
    CHECK(no.status == 422);
    return json::parse(no.body).at("errors").at(0).at("pointer").get<std::string>();
  };
  CHECK(refused(json::object()) == "/name");
  CHECK(refused({{"name", "a b"}}) == "/name");
  CHECK(refused({{"name", "run_failed"}}) == "/name");
  CHECK(refused({{"name", "job.paused"}}) == "/name");
  CHECK(refused({{"name", "a"}, {"fields", {{"k", 1}}}}) == "/fields/k");
  CHECK(refused({{"name", "a"}, {"fields", {{"k", std::string(2000, 'x')}}}}) == "/fields/k");
  CHECK(refused({{"name", "a"}, {"fields", "k"}}) == "/fields");
  CHECK(refused({{"name", "a"}, {"filds", json::object()}}) == "/filds");
  json many = json::object();
  for (int i = 0; i < 33; ++i) many["k" + std::to_string(i)] = "v";
  CHECK(refused({{"name", "a"}, {"fields", many}}) == "/fields");
  CHECK(d.http().post("/v1/events", {{"name", "a"}, {"run", "nobody"}}).status == 404);
}

TEST_CASE("events: the jobs that wait for events are listed with what they gather", "[api][http][events]") {
  open_door d;
  const auto page = d.http().get_json("/v1/events/triggers");
  CHECK(page.at("next_cursor").is_null());
  REQUIRE(page.at("triggers").size() == 1);
  const auto& one = page.at("triggers").at(0);
  CHECK(one.at("job") == "deployer");
  CHECK(one.at("held") == 2);
  CHECK(one.at("fires_at").is_string());
  CHECK(one.at("description") == "when event deploy.finished arrives after 1m of quiet, in UTC");
  CHECK(d.http().get("/v1/events/triggers?limit=0").status == 422);
}

}  // namespace belfry::test
