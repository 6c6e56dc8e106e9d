// The node over HTTP: health, status, limits, statistics, metrics, pages.
#include <catch2/catch.hpp>

#include "core/errors/result.hpp"
#include "tests/api/open_door.hpp"

namespace belfry::test {

TEST_CASE("node: health and readiness as statuses", "[api][http][node]") {
  open_door d;
  CHECK(d.http().get("/v1/health").status == 200);
  CHECK(d.http().get_json("/v1/ready").at("ready") == true);
  d.node.refuse_next(core::errc::aborted);
  const auto ill = d.http().get("/v1/health");
  CHECK(ill.status == 503);
  CHECK(ill.parsed().at("status") == "unhealthy");
  d.node.refuse_next(core::errc::unavailable);
  CHECK(d.http().get("/v1/ready").status == 503);
}

TEST_CASE("node: degraded says why and stays 200", "[api][http][node]") {
  open_door d;
  d.node.status.health = "degraded";
  d.node.status.issues.push_back("executor_given_up: process-3 crashed 6 times in 30 s");
  const auto h = d.http().get("/v1/health");
  CHECK(h.status == 200);
  CHECK(h.parsed().at("issues").at(0).get<std::string>().starts_with("executor_given_up"));
}

TEST_CASE("node: status, with an alarm when the disk is low", "[api][http][node]") {
  api::server_options o;
  o.disk_alarm = ~std::uint64_t{0} >> 1U;
  o.data_folder = "/tmp";
  open_door d{o};
  const auto n = d.http().get_json("/v1/node");
  CHECK(n.at("version") == BELFRY_VERSION);
  CHECK(n.at("children").at(0).at("name") == "storage");
  CHECK(n.at("disk").at("low") == true);
  CHECK(n.at("health") == "degraded");
  CHECK(n.at("issues").at(0).get<std::string>().starts_with("disk_low"));
  CHECK(n.at("resident_bytes").get<std::int64_t>() > 0);
  CHECK(n.at("store").at("kind") == "memory");
  CHECK(n.at("http").at("connections") == 1);
}

TEST_CASE("node: queue and limits", "[api][http][node]") {
  open_door d;
  d.submit({{"priority", "high"}});
  const auto q = d.http().get_json("/v1/scheduler/status");
  CHECK(q.at("counts").at("ready") == 1);
  CHECK(q.at("ready_by_priority").at("high") == 1);
  const auto changed = d.http().send("PUT", "/v1/limits", R"({"global":7})");
  CHECK(changed.status == 200);
  CHECK(changed.parsed().at("limits").at("global") == 7);
  CHECK(changed.parsed().at("limits").at("per_lane") == q.at("limits").at("per_lane"));
  for (const auto* bad : {"{}", R"({"global":-1})", R"({"globl":1})", "[]"})
    CHECK(d.http().send("PUT", "/v1/limits", bad).status == 422);
}

TEST_CASE("node: a rebuild of the queue tells what it found", "[api][http][node]") {
  open_door d;
  for (int i = 0; i < 3; ++i) d.submit();
  const auto r = d.http().post_json("/v1/scheduler:rebuild", json::object());
  CHECK(r.at("open") == 3);
  CHECK(r.at("event") > 0);
  std::vector<std::string> was;
  for (const auto& each : r.at("differences")) was.push_back(each.at("was"));
  CHECK(was == std::vector<std::string>{"missing", "stale", "misplaced"});
  CHECK(r.at("differences").at(0).at("run_id").get<std::string>().starts_with("run_"));
  CHECK(d.node.last_actor().starts_with("http"));
  CHECK(d.http().send("POST", "/v1/scheduler:rebuild").status == 200);  // no body is fine
  CHECK(d.http().send("POST", "/v1/scheduler:rebuild", R"({"force":true})").code() == "unknown_field");
  CHECK(d.http().get("/v1/scheduler:rebuild").status == 405);
  d.node.refuse_next(core::errc::conflict);
  CHECK(d.http().post("/v1/scheduler:rebuild", json::object()).status == 409);
}

TEST_CASE("node: statistics have null where there is nothing to tell", "[api][http][node]") {
  open_door d;
  d.submit({{"tags", {"x"}}});
  const auto s = d.http().get_json("/v1/statistics?tag=x");
  CHECK(s.at("runs").at("by_state").at("queued") == 1);
  CHECK(s.at("runs").at("success_rate").is_null());
  CHECK(s.at("runs").at("wait").at("p95_ms").is_null());
  CHECK(s.at("totals").at("run_submitted") == 1);
  CHECK(s.at("since").is_string());
  CHECK(d.http().get("/v1/statistics?state=x").code() == "invalid");
  CHECK(d.http().get("/v1/statistics?limit=5").code() == "unknown_field");
}

TEST_CASE("node: metrics in text", "[api][http][node]") {
  open_door d;
  d.submit();
  const auto m = d.http().get("/metrics");
  CHECK(m.header("content-type").starts_with("text/plain; version=0.0.4"));
  CHECK(m.body.find("belfry_queue_depth{state=\"queued\"} 1\n") != std::string::npos);
  CHECK(m.body.find("belfry_http_requests_total{code=\"201\"} 1\n") != std::string::npos);
  CHECK(m.body.find("belfry_http_request_seconds_count{route=\"submit_run\"} 1\n") != std::string::npos);
  CHECK(m.body.find("belfry_build_info{version=\"" BELFRY_VERSION "\"} 1\n") != std::string::npos);
  CHECK(d.http().get("/v1/metrics").status == 200);
}

TEST_CASE("node: every problem has its page, and every refusal points to one", "[api][http][node]") {
  open_door d;
  for (const auto e : core::all_errcs()) {
    const std::string code{core::code_of(e)};
    const auto page = d.http().get("/problems/" + code);
    CHECK(page.status == 200);
    CHECK(page.body.find(std::string{core::help_of(e)}) != std::string::npos);
    CHECK(d.http().get("/problems/" + code, {{"Accept", "text/html,*/*"}}).header("content-type") ==
          "text/html; charset=utf-8");
  }
  CHECK(d.http().get("/problems").body.find("stale_lease") != std::string::npos);
  CHECK(d.http().get("/problems/none").status == 404);
  const auto lost = d.http().get("/v1/jobs/none");
  CHECK(lost.header("content-type") == "application/problem+json");
  const auto p = lost.parsed();
  CHECK(p.at("type") == "/problems/not_found");
  CHECK(p.at("status") == 404);
  CHECK(p.at("retryable") == false);
  CHECK(d.http().get(p.at("type").get<std::string>()).status == 200);
}

TEST_CASE("node: the root says where things are, ping answers", "[api][http][node]") {
  open_door d;
  CHECK(d.http().get("/").body.find("/v1/openapi.json") != std::string::npos);
  CHECK(d.http().get("/v1/ping").body == "{\"pong\":true}");
  CHECK(d.http().send("POST", "/v1/ping", "anything", {{"Content-Type", "text/plain"}}).status == 200);
}

}  // namespace belfry::test
