// Jobs over HTTP, their export and import.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

json job(const std::string& name, json more = json::object()) {
  more["name"] = name;
  more["handler"] = {{"argv", {"true"}}};
  return more;
}

}  // namespace

TEST_CASE("jobs: created once, read, listed, archived", "[api][http][jobs]") {
  open_door d;
  const auto made = d.http().post("/v1/jobs", job("nightly", {{"tags", {"b", "a"}}, {"start_paused", true}}));
  REQUIRE(made.status == 201);
  CHECK(made.header("etag") == "\"1\"");
  CHECK(made.parsed().at("state") == "paused");
  CHECK(made.parsed().at("definition").at("tags") == json{"a", "b"});
  CHECK(d.http().post("/v1/jobs", job("nightly")).code() == "already_exists");
  CHECK(d.http().post("/v1/jobs", job("has space")).code() == "invalid");
  CHECK(d.http().post("/v1/jobs", {{"handler", {{"argv", {"true"}}}}}).code() == "invalid");
  CHECK(d.http().get_json("/v1/jobs/nightly").at("id") == made.parsed().at("id"));
  d.http().post_json("/v1/jobs", job("other"));
  CHECK(d.http().get_json("/v1/jobs").at("jobs").size() == 2);
  CHECK(d.http().get_json("/v1/jobs?q=night").at("jobs").size() == 1);
  const auto page = d.http().get_json("/v1/jobs?limit=1");
  CHECK(d.http()
            .get_json("/v1/jobs?limit=1&cursor=" + page.at("next_cursor").get<std::string>())
            .at("jobs")
            .at(0)
            .at("name") == "other");
  CHECK(d.http().send("DELETE", "/v1/jobs/nightly", {}, {{"If-Match", "\"9\""}}).status == 412);
  CHECK(d.http().send("DELETE", "/v1/jobs/nightly").parsed().at("state") == "archived");
  CHECK(d.http().get("/v1/jobs/nightly").status == 404);
  CHECK(d.http().get_json("/v1/jobs?archived=true").at("jobs").size() == 2);
}

TEST_CASE("jobs: PUT creates, leaves alone or replaces, and If-Match guards it", "[api][http][jobs]") {
  open_door d;
  const auto put = [&](const json& body, const header_list& h = {}, const std::string& query = "") {
    return d.http().send("PUT", "/v1/jobs/backup" + query, body.dump(), h);
  };
  const json one = {{"handler", {{"argv", {"true"}}}}};
  CHECK(put(one, {}, "?dry_run=true").parsed().at("result") == "created");
  CHECK(d.http().get("/v1/jobs/backup").status == 404);
  const auto created = put(one);
  CHECK(created.status == 201);
  CHECK(created.parsed().at("result") == "created");
  CHECK(put(one).parsed().at("result") == "unchanged");
  json two = one;
  two["timeout"] = "5m";
  CHECK(put(two, {}, "?dry_run=true").parsed().at("result") == "replaced");
  const auto replaced = put(two, {{"If-Match", "\"1\""}});
  CHECK(replaced.status == 200);
  CHECK(replaced.parsed().at("revision") == 2);
  CHECK(replaced.header("etag") == "\"2\"");
  CHECK(put(one, {{"If-Match", "\"1\""}}).status == 412);
  CHECK(put(one, {{"If-Match", "x"}}).code() == "invalid");
  CHECK(put(one, {{"If-Match", "*"}}).status == 200);
  CHECK(put({{"name", "other"}, {"handler", {{"argv", {"true"}}}}}).code() == "invalid");
  CHECK(d.http().send("PUT", "/v1/jobs/absent", one.dump(), {{"If-Match", "\"1\""}}).status == 412);
  CHECK(d.http().send("PUT", "/v1/jobs/job_00NF2XPW00000", one.dump()).status == 404);
  // By id the name may change.
  const auto id = created.parsed().at("id").get<std::string>();
  CHECK(d.http().send("PUT", "/v1/jobs/" + id, job("renamed").dump()).parsed().at("name") == "renamed");
  // What is read can be put back.
  CHECK(d.http()
            .send("PUT", "/v1/jobs/renamed", d.http().get_json("/v1/jobs/renamed").at("definition").dump())
            .parsed()
            .at("result") == "unchanged");
}

TEST_CASE("jobs: PATCH, pause, resume, duplicate", "[api][http][jobs]") {
  open_door d;
  d.http().post_json("/v1/jobs", job("a", {{"tags", {"t"}}}));
  const auto patched = d.http().send("PATCH", "/v1/jobs/a", R"({"description":"new"})",
                                     {{"Content-Type", "application/merge-patch+json"}});
  CHECK(patched.parsed().at("description") == "new");
  CHECK(patched.parsed().at("definition").at("tags") == json{"t"});
  CHECK(d.http().send("PATCH", "/v1/jobs/a", R"({"description":"new"})").parsed().at("result") ==
        "unchanged");
  CHECK(d.http().send("PATCH", "/v1/jobs/a", R"({"descriptoin":"x"})").code() == "unknown_field");
  d.http().post_json("/v1/jobs/a:pause", json::object());
  CHECK(d.http()
            .post_json("/v1/jobs/a:pause", {{"reason", "audit"}, {"text", "until Monday"}})
            .at("pauses")
            .size() == 2);
  CHECK(d.http().post("/v1/jobs/a:trigger").code() == "invalid_transition");
  CHECK(d.http().post_json("/v1/jobs/a:resume", json::object()).at("state") == "paused");
  CHECK(d.http().post_json("/v1/jobs/a:resume", {{"reason", "audit"}}).at("state") == "active");
  const auto copy = d.http().post("/v1/jobs/a:duplicate", {{"name", "b"}});
  CHECK(copy.status == 201);
  CHECK(copy.parsed().at("state") == "paused");
  CHECK(d.http().post("/v1/jobs/a:duplicate", {{"name", "b"}}).status == 409);
  CHECK(d.http().post("/v1/jobs/a:duplicate", {{"name", "no good"}}).code() == "invalid");
  CHECK(d.http().post("/v1/jobs/a:duplicate", json::object()).code() == "invalid");
  CHECK(d.http().post("/v1/jobs/nothing:pause").status == 404);
}

TEST_CASE("jobs: triggered once, many times, with a key", "[api][http][jobs]") {
  open_door d;
  d.http().post_json("/v1/jobs", job("t"));
  const auto one = d.http().post("/v1/jobs/t:trigger", {{"payload", {{"x", 1.50}}}, {"delay", "1h"}},
                                 {{"Idempotency-Key", "k"}});
  CHECK(one.status == 201);
  CHECK(one.parsed().at("state") == "scheduled");
  CHECK(d.http()
            .post("/v1/jobs/t:trigger", {{"payload", {{"x", 1.50}}}, {"delay", "1h"}},
                  {{"Idempotency-Key", "k"}})
            .header("idempotency-replayed") == "true");
  const auto many = d.http().post_json("/v1/jobs/t:trigger", {{"count", 100}});
  CHECK(many.at("succeeded") == 100);
  CHECK(many.at("items").size() == 100);
  CHECK(d.http().get_json("/v1/jobs/t/runs?limit=500").at("runs").size() == 101);
  CHECK(d.http().get_json("/v1/jobs/t/runs?state=scheduled").at("runs").size() == 1);
  CHECK(d.http().get_json("/v1/runs?job=t&limit=500").at("runs").size() == 101);
  CHECK(d.http().get("/v1/jobs/nothing/runs").status == 404);
  for (const auto* bad : {R"({"count":0})", R"({"count":1001})", R"({"delay":"soon"})", R"({"payloda":1})"})
    CHECK(d.http().send("POST", "/v1/jobs/t:trigger", bad).status == 422);
}

TEST_CASE("jobs: an export can be imported, again and again", "[api][http][jobs]") {
  open_door from;
  for (int i = 0; i < 250; ++i)
    from.http().post_json("/v1/jobs",
                          job("job-" + std::to_string(i),
                              {{"payload", {{"i", i}}}, {"timeout", "90s"}, {"start_paused", i % 5 == 0}}));
  const auto lines = from.http().get("/v1/export");
  REQUIRE(lines.status == 200);
  CHECK(lines.header("content-type") == "application/x-ndjson");
  open_door to;
  const auto import = [&](const std::string& body, const std::string& query = "") {
    return to.http().send("POST", "/v1/import" + query, body, {{"Content-Type", "application/x-ndjson"}});
  };
  CHECK(import(lines.body, "?dry_run=true").parsed().at("created") == 250);
  CHECK(to.http().get_json("/v1/jobs").at("jobs").empty());
  CHECK(import(lines.body).parsed().at("created") == 250);
  const auto again = import(lines.body).parsed();
  CHECK(again.at("unchanged") == 250);
  CHECK(again.at("items").at(3).at("line") == 4);
  CHECK(to.http().get_json("/v1/jobs/job-5").at("state") == "paused");
  CHECK(to.http().get("/v1/export").body == lines.body);
  // Changed there since: kept, and taken over only when it is asked for.
  to.http().send("PATCH", "/v1/jobs/job-7", R"({"description":"by hand"})");
  const auto kept = import(lines.body).parsed();
  CHECK(kept.at("kept") == 1);
  CHECK(kept.at("items").at(7).at("result") == "kept");
  CHECK(kept.at("items").at(7).at("note").get<std::string>().find("--replace") != std::string::npos);
  CHECK(import(lines.body, "?replace=true").parsed().at("replaced") == 1);
  // What a newer belfry wrote is refused whole.
  const auto newer =
      import(R"({"kind":"job","format":3,"definition":{"name":"x","handler":{"kind":"none"}}})");
  CHECK(newer.status == 422);
  CHECK(newer.parsed().at("errors").at(0).at("pointer") == "/1/format");
  // One bad line refuses all, with its number.
  const auto bad = import(lines.body.substr(0, lines.body.find('\n') + 1) + "{\"kind\":\"job\"}\n{\n");
  CHECK(bad.status == 422);
  CHECK(bad.parsed().at("errors").at(0).at("pointer") == "/2/definition");
  CHECK(bad.parsed().at("errors").at(1).at("pointer") == "/3");
  CHECK(import("").parsed().at("items").empty());
  CHECK(to.http().send("POST", "/v1/import", "x", {{"Content-Type", "text/csv"}}).status == 415);
}

TEST_CASE("jobs: an import may be larger than other bodies", "[api][http][jobs]") {
  open_door d;
  std::string lines;
  for (int i = 0; lines.size() < (2U << 20); ++i)
    lines += json{{"definition", job("job-" + std::to_string(i), {{"payload", std::string(50'000, 'x')}})}}
                 .dump() +
             "\n";
  CHECK(d.http()
            .send("POST", "/v1/import", lines, {{"Content-Type", "application/x-ndjson"}})
            .parsed()
            .at("failed") == 0);
  CHECK(d.http().send("POST", "/v1/jobs", lines).status == 413);
}

TEST_CASE("jobs: an old name in a query is taken, and the answer says the one to use", "[api][http]") {
  open_door d;
  CHECK(d.http().get("/v1/runs?state=pending,failed&priority=critical").header("belfry-deprecated") ==
        "state=pending: use queued, priority=critical: use urgent");
  CHECK(d.http().get("/v1/runs?state=queued&priority=urgent").header("belfry-deprecated").empty());
}

}  // namespace belfry::test
