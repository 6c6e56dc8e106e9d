// Backpressure and limits of providers over HTTP.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {

TEST_CASE("backpressure: each answer to a submission carries the signal while it lasts",
          "[api][http][pressure]") {
  {
    open_door d;
    CHECK(d.http().post("/v1/runs", {{"name", "a"}, {"payload", 1}}).header("Belfry-Backpressure").empty());
  }
  open_door d;
  d.node.pressed.rule = {10, 0, core::pressure_mode::alert, core::priority::normal};
  d.node.pressed.queued = 12;
  d.node.pressed.since = core::from_micros(1'795'255'200'000'000);
  d.node.pressed.wait = std::chrono::seconds{90};
  const auto one = d.http().post("/v1/runs", {{"name", "a"}, {"payload", 1}});
  CHECK(one.status == 201);
  CHECK(one.header("Belfry-Backpressure") == "alert; queued=12; wait_ms=90000");
  const auto warning = json::parse(one.body).at("warnings").at(0);
  CHECK(warning.at("code") == "backpressure");
  CHECK(warning.at("text").get<std::string>().find("12 runs are queued") == 0);
  const auto batch = d.http().post("/v1/runs:batch", {{"runs", {{{"name", "a"}, {"payload", 1}}}}});
  CHECK(batch.header("Belfry-Backpressure") == "alert; queued=12; wait_ms=90000");
}

TEST_CASE("backpressure: a refusal says 503, when to come again, and the command that helps",
          "[api][http][pressure]") {
  open_door d;
  d.node.refuse_next(core::errc::overloaded, 1, 42'000);
  const auto no = d.http().post("/v1/runs", {{"name", "a"}, {"payload", 1}});
  CHECK(no.status == 503);
  CHECK(no.header("Retry-After") == "42");
}

TEST_CASE("backpressure: the state of the queue shows it", "[api][http][pressure]") {
  open_door d;
  const auto p = d.http().get_json("/v1/scheduler/status").at("backpressure");
  CHECK(p.at("on") == false);
  CHECK(p.at("wait_ms").is_null());
}

TEST_CASE("throttles: a limit of one type becomes a pause that the provider owns", "[api][http][throttle]") {
  open_door d;
  const auto made = d.http().post_json("/v1/throttles", {{"agent_type", "claude"},
                                                         {"resource", "anthropic"},
                                                         {"kind", "quota"},
                                                         {"retry_after", "10m"},
                                                         {"reason", "429"}});
  CHECK(made.at("changed") == true);
  CHECK(made.at("agent_types") == json{"claude"});
  CHECK(made.at("owner") == "anthropic");
  const auto& p = made.at("pauses").at(0);
  CHECK(p.at("reason") == "quota");
  CHECK(p.at("probes") == true);
  CHECK(p.at("probe_run_id").is_null());
  CHECK(p.at("command") == "belfry scheduler resume --agent-type claude --reason quota --owner anthropic");
  const auto alone = d.http().post_json("/v1/throttles", {{"agent_type", "codex"}, {"retry_after", "1s"}});
  CHECK(alone.at("owner") == "codex");
  CHECK(alone.at("kind") == "throttle");
}

TEST_CASE("throttles: a provider holds every type that names it, and nobody else", "[api][http][throttle]") {
  open_door d;
  for (const auto* name : {"claude", "codex", "opus"}) {
    core::agent_type t;
    t.name = name;
    t.command = {"true"};
    t.resources = {t.name == "codex" ? "openai" : "anthropic"};
    d.node.agent_types.push_back(t);
  }
  const auto made = d.http().post_json("/v1/throttles", {{"resource", "anthropic"}, {"retry_after", "10m"}});
  CHECK(made.at("agent_types") == json{"claude", "opus"});
  CHECK(made.at("pauses").size() == 2);
  const auto no = d.http().post("/v1/throttles", {{"resource", "google"}, {"retry_after", "10m"}});
  CHECK(no.status == 422);
  CHECK(no.body.find("anthropic") != std::string::npos);
  const auto shown = d.http().get_json("/v1/agent-types/claude");
  CHECK(shown.at("resources") == json{"anthropic"});
  CHECK(shown.at("delay_ms") == 0);
  CHECK(shown.at("pauses").at(0).at("owner") == "anthropic");
}

TEST_CASE("throttles: every mistake is named", "[api][http][throttle]") {
  open_door d;
  for (const auto* bad :
       {R"({})", R"({"agent_type":"a"})", R"({"retry_after":"1m"})",
        R"({"agent_type":"a","retry_after":"1m","until":"2030-01-01T00:00:00Z"})",
        R"({"agent_type":"a","retry_after":"0s"})", R"({"agent_type":"a","retry_after":"32d"})",
        R"({"agent_type":"a","until":"2001-01-01T00:00:00Z"})", R"({"agent_type":"","retry_after":"1m"})",
        R"({"agent_type":"a","retry_after":"1m","kind":"manual"})",
        R"({"agent_type":"a","retry_after":"1m","color":"red"})"}) {
    INFO(bad);
    CHECK(d.http().post("/v1/throttles", json::parse(bad)).status == 422);
  }
}

TEST_CASE("throttles: an end of an attempt that carries a limit needs the class of limits",
          "[api][http][throttle]") {
  open_door d;
  const auto session = d.session();
  d.submit({{"name", "one"}});
  d.submit({{"name", "two"}});
  const auto held = d.claim(session);
  const auto no = d.http().post("/v1/runs/" + held.at("run_id").get<std::string>() + ":fail",
                                d.proof(held, {{"limit", "quota"}}));
  CHECK(no.status == 422);
  CHECK(d.http()
            .post("/v1/runs/" + held.at("run_id").get<std::string>() + ":fail",
                  d.proof(held, {{"limit", "quota"}, {"class", "rate_limited"}, {"retry_after", "1m"}}))
            .status == 200);
  const auto other = d.claim(session);
  CHECK(other.at("token").is_string());
  CHECK(d.http()
            .post("/v1/runs/" + other.at("run_id").get<std::string>() + ":park",
                  d.proof(other, {{"limit", "throttle"}, {"for", "1m"}, {"resource", "anthropic"}}))
            .status == 200);
}

}  // namespace belfry::test
