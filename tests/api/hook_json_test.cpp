// The claim hook in JSON: the question as it leaves the node, and what may come back.
#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/json/hooks.hpp"

namespace belfry::api::json {
namespace {

using core::errc;
using core::hook_decision;
using nlohmann::json;

const std::string one = to_string(core::run_id{1}), two = to_string(core::run_id{2});

std::string why(std::string_view answer) {
  const auto v = read_hook_verdict(answer);
  REQUIRE_FALSE(v);
  return v.error().text;
}

}  // namespace

TEST_CASE("claim hook: the question tells session and runs, and neither payload nor token",
          "[api][json][hook]") {
  core::hook_question q;
  q.id = "clm_1_1";
  q.at = core::from_micros(1'795'255'200'000'000);
  q.who.id = core::session_id{7};
  q.who.name = "alice";
  q.who.agent_type = "claude";
  q.who.workspace = "acme";
  q.who.capabilities = {"code", "gpu"};
  q.who.metadata = R"({"secret":"s3"})";
  q.who.wake.secret = "whsec_s3";
  q.max = 2;
  core::hook_run r;
  r.id = core::run_id{1};
  r.name = "build \"it\"";
  r.job = core::job_id{5};
  r.job_name = "nightly";
  r.prio = core::priority::high;
  r.attempt = 3;
  r.workspace = "acme";
  r.handler = core::handler_kind::process;
  q.runs = {r};
  const auto text = hook_text(q);
  CHECK(text.find("s3") == std::string::npos);
  const auto j = json::parse(text);
  CHECK(j.at("type") == "claim.requested");
  CHECK(j.at("id") == "clm_1_1");
  const auto& d = j.at("data");
  CHECK(d.at("max") == 2);
  CHECK(d.at("session").at("id") == to_string(core::session_id{7}));
  CHECK(d.at("session").at("agent_type") == "claude");
  CHECK(d.at("session").at("workspace") == "acme");
  CHECK(d.at("session").at("capabilities") == json{"code", "gpu"});
  CHECK(d.at("session").at("node_owned") == false);
  const auto& run = d.at("runs").at(0);
  CHECK(run.at("id") == one);
  CHECK(run.at("name") == "build \"it\"");
  CHECK(run.at("job") == "nightly");
  CHECK(run.at("job_id") == to_string(core::job_id{5}));
  CHECK(run.at("priority") == "high");
  CHECK(run.at("attempt") == 3);
  CHECK(run.at("handler") == "process");
}

TEST_CASE("claim hook: three answers are understood", "[api][json][hook]") {
  CHECK(read_hook_verdict(R"({"decision":"allow"})")->decision == hook_decision::allow);
  CHECK(read_hook_verdict(" \n{\"decision\": \"allow\", \"reason\": null}\n")->decision ==
        hook_decision::allow);
  const auto no = read_hook_verdict(R"({"decision":"refuse","reason":"not on a\nSunday"})");
  CHECK(no->decision == hook_decision::refuse);
  CHECK(no->reason.find('\n') == std::string::npos);
  CHECK(no->reason.starts_with("not on a"));
  const auto some = read_hook_verdict(R"({"decision":"narrow","runs":[")" + two + R"("],"max":1})");
  CHECK(some->decision == hook_decision::narrow);
  CHECK(some->some);
  CHECK(some->runs == std::vector<core::run_id>{core::run_id{2}});
  CHECK(some->max == 1);
  const auto fewer = read_hook_verdict(R"({"decision":"narrow","max":3})");
  CHECK_FALSE(fewer->some);
  CHECK(fewer->max == 3);
  CHECK(read_hook_verdict(R"({"decision":"narrow","runs":[]})")->some);
  CHECK(read_hook_verdict(R"({"decision":"refuse","reason":")" + std::string(9000, 'x') + "\"}")
            ->reason.size() < 210);
}

TEST_CASE("claim hook: an answer that is none says what is wrong with it", "[api][json][hook]") {
  CHECK(why("").find("decision") != std::string::npos);
  CHECK(why("{}").find("allow, refuse or narrow") != std::string::npos);
  CHECK(why("allow").size() > 3);
  CHECK(why("null").size() > 3);
  CHECK(why("[]").size() > 3);
  CHECK(why(R"({"decision":"maybe"})").find("/decision") != std::string::npos);
  CHECK(why(R"({"decision":1})").find("/decision") != std::string::npos);
  CHECK(why(R"({"descision":"allow"})").find("decision") != std::string::npos);
  CHECK(why(R"({"decision":"allow","token":"x"})").find("/token") != std::string::npos);
  CHECK(why(R"({"decision":"allow","decision":"refuse"})").size() > 3);
  CHECK(why(R"({"decision":"narrow"})").find("/runs") != std::string::npos);
  CHECK(why(R"({"decision":"narrow","runs":["run_x"]})").find("/runs/0") != std::string::npos);
  CHECK(why(R"({"decision":"narrow","runs":"all"})").find("/runs") != std::string::npos);
  CHECK(why(R"({"decision":"narrow","max":0})").find("/max") != std::string::npos);
  CHECK(why(R"({"decision":"narrow","max":1.5})").find("/max") != std::string::npos);
  CHECK(why(R"({"decision":"allow","max":1})").find("says two things") != std::string::npos);
  CHECK(why(R"({"decision":"refuse","runs":[]})").find("says two things") != std::string::npos);
  CHECK(why("{\"decision\":\"allow\"} extra").size() > 3);
  CHECK(why("{\"decision\":\"\xFF\"}").size() > 3);
  CHECK(read_hook_verdict("{\"decision\":\"allow\",\"reason\":\"" + std::string(70'000, 'x') + "\"}")
            .refused_with(errc::too_large));
  std::string many = R"({"decision":"narrow","runs":[)";
  for (int i = 0; i < 101; ++i) many += (i > 0 ? ",\"" : "\"") + one + "\"";
  CHECK(why(many + "]}").find("at most 100") != std::string::npos);
  CHECK(why(std::string(500, '[')).size() < 600);
  CHECK(why(R"({"decision":")" + std::string(60'000, 'x') + "\"}").size() < 600);
}

TEST_CASE("claim hook: whatever comes is a verdict or a refusal, never more", "[api][json][hook]") {
  rc::check([](const std::string& anything) {
    const auto v = read_hook_verdict(anything);
    if (!v) RC_ASSERT(!v.error().text.empty());
  });
  // Answers that are nearly right: one byte of a good one is another.
  rc::check([] {
    std::string good = R"({"decision":"narrow","runs":[")" + one + R"("],"max":2,"reason":"why"})";
    const auto at = *rc::gen::inRange<std::size_t>(0, good.size());
    good[at] = static_cast<char>(*rc::gen::inRange(0, 256));
    const auto v = read_hook_verdict(good);
    if (!v) RC_ASSERT(v.error().text.size() < 600U);
    if (v && v->decision == hook_decision::narrow) RC_ASSERT(v->some || v->max > 0U);
  });
}

}  // namespace belfry::api::json
