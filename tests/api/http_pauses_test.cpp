// Pauses and drains over HTTP.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {

TEST_CASE("pauses: set, listed, lifted by reason and owner", "[api][http][pause]") {
  open_door d;
  auto& http = d.http();
  CHECK(http.get_json("/v1/scheduler/pauses").at("pauses").empty());
  const auto made =
      http.post_json("/v1/scheduler:pause",
                     {{"text", "disk"}, {"reason", "maintenance"}, {"owner", "deploy-bot"}, {"for", "1h"}});
  CHECK(made.at("changed") == true);
  CHECK(made.at("paused") == true);
  const auto& p = made.at("pauses").at(0);
  CHECK(p.at("scope") == "scheduler");
  CHECK(p.at("reason") == "maintenance");
  CHECK(p.at("owner") == "deploy-bot");
  CHECK(p.at("text") == "disk");
  CHECK(p.at("until").is_string());
  CHECK(p.at("command") == "belfry scheduler resume --reason maintenance --owner deploy-bot");
  http.post_json("/v1/scheduler:pause", {{"workspace", "blue"}});
  CHECK(http.get_json("/v1/scheduler/pauses").at("pauses").size() == 2);
  CHECK(http.get_json("/v1/scheduler/pauses?workspace=blue").at("pauses").size() == 1);
  CHECK(http.get_json("/v1/scheduler/pauses?workspace=red").at("paused") == false);
  CHECK(http.post_json("/v1/scheduler:resume", {{"reason", "maintenance"}}).at("changed") == false);
  CHECK(http.post_json("/v1/scheduler:resume", {{"reason", "maintenance"}, {"owner", "deploy-bot"}})
            .at("changed") == true);
  CHECK(http.post_json("/v1/scheduler:resume", {{"workspace", "blue"}}).at("paused") == false);
}

TEST_CASE("pauses: a job is named by name or id, and its pauses are those of the job", "[api][http][pause]") {
  open_door d;
  auto& http = d.http();
  const auto id = http.post_json("/v1/jobs", {{"name", "nightly"}, {"handler", {{"argv", {"true"}}}}})
                      .at("id")
                      .get<std::string>();
  const auto made = http.post_json("/v1/scheduler:pause", {{"job", "nightly"}});
  CHECK(made.at("pauses").at(0).at("job_id") == id);
  CHECK(http.get_json("/v1/scheduler/pauses?job=" + id).at("pauses").size() == 1);
  CHECK(http.post("/v1/scheduler:pause", {{"job", "nothing"}}).status == 404);
}

TEST_CASE("pauses: a drain answers at once with what still runs", "[api][http][pause]") {
  open_door d;
  auto& http = d.http();
  const auto idle = http.post_json("/v1/scheduler:drain", {{"timeout", "0s"}, {"resume_after", "1h"}});
  CHECK(idle.at("drained") == true);
  CHECK(idle.at("pauses").at(0).at("reason") == "drain");
  CHECK(idle.at("pauses").at(0).at("deadline").is_string());
  CHECK(idle.at("pauses").at(0).at("until").is_string());
}

TEST_CASE("pauses: every mistake is named", "[api][http][pause]") {
  open_door d;
  auto& http = d.http();
  for (const auto* bad :
       {R"({"workspace":"a","job":"b"})", R"({"reason":""})", R"({"reason":"Disk full"})", R"({"for":"0s"})",
        R"({"for":"1h","until":"2030-01-01T00:00:00Z"})", R"({"until":"2001-01-01T00:00:00Z"})",
        R"({"owner":"a b"})", R"({"agent_type":""})", R"({"why":"x"})", R"({"timeout":"5s"})"}) {
    INFO(bad);
    CHECK(http.send("POST", "/v1/scheduler:pause", bad).status == 422);
  }
  CHECK(http.send("POST", "/v1/scheduler:resume", R"({"text":"x"})").status == 422);
  CHECK(http.send("POST", "/v1/scheduler:drain", R"({"timeout":"25h"})").status == 422);
  CHECK(http.send("POST", "/v1/scheduler:drain", R"({"reason":"manual"})").status == 422);
  CHECK(http.get("/v1/scheduler/pauses?workspace=a&job=b").status == 422);
  CHECK(http.get("/v1/scheduler/pauses?nothing=1").status == 422);
}

}  // namespace belfry::test
