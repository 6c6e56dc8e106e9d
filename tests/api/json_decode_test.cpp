// Bodies become values, or a refusal that lists every mistake.
#include <catch2/catch.hpp>

#include "api/json/controls.hpp"
#include "api/json/filters.hpp"
#include "api/json/jobs.hpp"
#include "api/json/leases.hpp"
#include "api/json/sessions.hpp"
#include "api/json/submissions.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::api::json {
namespace {

using namespace std::chrono_literals;
constexpr core::instant now = core::from_micros(1'795'255'200'000'000);

core::run_spec spec_of(std::string_view body) {
  auto d = read_submission(body, now);
  if (!d) FAIL(d.error().text);
  return *d->spec;
}

std::vector<std::string> pointers(const core::failure& f) {
  std::vector<std::string> all;
  for (const auto& p : f.problems) all.push_back(p.pointer);
  return all;
}

core::failure refusal(std::string_view body) {
  const auto d = read_submission(body, now);
  REQUIRE_FALSE(d);
  return d.error();
}

}  // namespace

TEST_CASE("submission: everything that can be said is understood", "[api][json]") {
  const auto d = read_submission(R"({
    "id":"run_00NF2XPW00000","name":" thumbs ","handler":{"kind":"process","argv":["sh","-c","echo hi"],"cwd":"/srv","env":{"A":"1","B":""},"stdin":"in",
      "limits":{"cpu":"10s","memory":"64MiB","files":64},"success_codes":[0,3],"retryable_codes":[75]},
    "payload":{"n":1e400},"priority":"critical","workspace":"w","lane":"l","channel":"c","capabilities":["GPU","gpu "," a"],"preferred_capabilities":["Fast"],
    "agent_types":["python"],"owner":{"kind":"agent_type","agent_type":"go"},"delay":"3s","timeout":"PT1M","grace":"2s",
    "retry":{"retries":3,"max_losses":2,"backoff":"linear","base":"250ms","multiplier":3,"cap":"1h","jitter":0},
    "concurrency_key":"k","concurrency_limit":2,"tags":["b","a","b"],"metadata":{"x":[1, 2]},"on_end":{"shell":"notify"},
    "traceparent":"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"})",
                                 now);
  REQUIRE(d);
  const auto& s = *d->spec;
  CHECK(s.name == "thumbs");
  CHECK(s.process.argv == std::vector<std::string>{"sh", "-c", "echo hi"});
  CHECK(s.process.cwd == "/srv");
  CHECK(s.process.env.size() == 2);
  CHECK(s.process.cpu_limit == 10s);
  CHECK(s.process.memory_limit == 64U << 20U);
  CHECK(s.process.file_limit == 64);
  CHECK(s.process.success_codes == std::vector<std::uint8_t>{0, 3});
  CHECK(s.payload == R"({"n":1e400})");
  CHECK(s.prio == core::priority::urgent);
  CHECK(s.needs.capabilities == std::vector<std::string>{"a", "gpu"});
  CHECK(s.needs.agent_types == std::vector<std::string>{"go", "python"});
  CHECK(s.timeout == 60s);
  CHECK(s.retry.max_attempts == 4);
  CHECK(s.retry.kind == core::backoff_kind::linear);
  CHECK(s.retry.base == 250ms);
  CHECK(s.tags == std::vector<std::string>{"a", "b"});
  CHECK(s.metadata == R"({"x":[1,2]})");
  CHECK(s.hook.shell == "notify");
  CHECK(d->due_at == now + 3s);
  CHECK(d->id.value != 0);
}

TEST_CASE("submission: what is not given has its default", "[api][json]") {
  const auto s = spec_of(R"({"handler":{"argv":["/usr/bin/env","true"]}})");
  CHECK(s.name == "env");
  CHECK(s.handler == core::handler_kind::process);
  CHECK(s.timeout == 30min);
  CHECK(s.retry == core::retry_policy{});
  CHECK(spec_of(R"({"handler":{"shell":"  /opt/x/backup --all; true"}})").name == "backup");
  CHECK(spec_of(R"({"payload":1})").handler == core::handler_kind::none);
  CHECK(spec_of(R"({"payload":1})").name == "run");
  CHECK(spec_of(R"({"name":"x","timeout":0})").timeout == 0s);
  CHECK(spec_of(R"({"name":"x","timeout":"0s"})").timeout == 0s);
  CHECK(spec_of(R"({"name":"x","not_before":"2020-01-01T00:00:00Z"})").name == "x");
}

TEST_CASE("submission: all mistakes are told at once, each with its place", "[api][json]") {
  const auto f = refusal(
      R"({"nmae":"x","priority":"hgih","timeout":5,"handler":{"argv":["a",7],"limits":{"cpu":"x"}},"retry":{"jitter":2,"max_attempts":1,"retries":1}})");
  CHECK(f.code == core::errc::invalid);
  CHECK(pointers(f) == std::vector<std::string>{"/nmae", "/priority", "/timeout", "/handler/argv/1",
                                                "/handler/limits/cpu", "/retry/jitter", "/retry/retries"});
  CHECK(f.problems[0].detail.find("did you mean name") != std::string::npos);
  CHECK(f.problems[1].detail.find("did you mean high") != std::string::npos);
  CHECK(f.problems[1].allowed == "urgent, high, normal or low");
  CHECK(f.problems[3].value == "7");
  CHECK(refusal(R"({"nmae":"x"})").code == core::errc::unknown_field);
  CHECK(refusal(R"({"handler":{"kind":"http"}})").code == core::errc::unknown_handler);
  CHECK(refusal("[]").problems.front().pointer.empty());
}

TEST_CASE("submission: core's checks speak in the words of the API", "[api][json]") {
  CHECK(pointers(refusal(R"({"handler":{"argv":["a"],"limits":{"cpu":"1500ms"}}})")) ==
        std::vector<std::string>{"/handler/limits/cpu"});
  CHECK(pointers(refusal(R"({"preferred_capabilities":[""]})")) ==
        std::vector<std::string>{"/preferred_capabilities/0"});
  CHECK(pointers(refusal(R"({"on_end":{"argv":["a"],"cwd":"b"}})")) ==
        std::vector<std::string>{"/on_end/cwd"});
  CHECK(pointers(refusal(R"({"name":"x\u0000"})")) == std::vector<std::string>{"/name"});
}

TEST_CASE("submission: an owner rule is whole or refused", "[api][json]") {
  CHECK(spec_of(R"({"owner":{"kind":"person"}})").needs.person_only);
  CHECK(spec_of(R"({"owner":{"kind":"session","session":"ses_00NF2XPW00000"}})").needs.exact_session.value !=
        0);
  CHECK(spec_of(R"({"owner":{"kind":"any"}})").needs == core::requirement{});
  for (const auto* bad :
       {R"({"owner":{"kind":"agent_type"}})", R"({"owner":{"kind":"agent_type","agent_type":""}})",
        R"({"owner":{"kind":"session"}})", R"({"owner":{"kind":"any","agent_type":"x"}})",
        R"({"owner":{"kind":"somebody"}})", R"({"owner":{"session":"ses_00NF2XPW00000"}})"}) {
    INFO(bad);
    CHECK(pointers(refusal(bad)).front().starts_with("/owner"));
  }
}

TEST_CASE("submission: secrets in variables are not repeated", "[api][json]") {
  const auto f = refusal(R"({"handler":{"argv":["a"],"env":{"PASSWORD":12345678}}})");
  CHECK(f.problems.front().pointer == "/handler/env/PASSWORD");
  CHECK(f.problems.front().value.empty());
}

TEST_CASE("submission: numbers of a payload stay what they are", "[api][json]") {
  for (const auto* payload :
       {"1e400", "-1E-400", "0.1", "12345678901234567890", "1.0", "[0.10,1e5]", "\"\\u00e4\""}) {
    INFO(payload);
    CHECK(spec_of(std::string(R"({"payload": )") + payload + " }").payload == payload);
  }
}

TEST_CASE("batch: one mistake refuses all, and limits are named", "[api][json]") {
  CHECK(read_batch(R"({"runs":[{"name":"a"},{"name":"b"}]})", now)->size() == 2);
  const auto wrong = read_batch(R"({"runs":[{"name":"a"},{"nmae":"b"}]})", now);
  REQUIRE_FALSE(wrong);
  CHECK(pointers(wrong.error()) == std::vector<std::string>{"/runs/1/nmae"});
  for (const auto* bad : {R"({"runs":[]})", R"({"runs":{}})", R"({})", R"({"run":[]})", "[]"})
    CHECK_FALSE(read_batch(bad, now));
  std::string many = R"({"runs":[{})";
  for (int i = 0; i < 1000; ++i) many += ",{}";
  const auto f = read_batch(many + "]}", now);
  REQUIRE_FALSE(f);
  CHECK(f.error().code == core::errc::too_large);
}

TEST_CASE("job: what is written can be read again without loss", "[api][json]") {
  const auto d = read_job(
      R"({"name":"nightly","description":"d","handler":{"shell":"x","env":{"A\"b":"\u0001 ü"},"limits":{"cpu":"2s","memory":5,"files":9},"success_codes":[1],"retryable_codes":[2]},
    "payload":[1.50,"x"],"priority":"low","workspace":"w","lane":"l","channel":"c","capabilities":["a"],"preferred_capabilities":["p"],"agent_types":["t"],
    "owner":{"kind":"person"},"timeout":"1h0.5s","grace":"1500ms","retry":{"max_attempts":2,"max_losses":1,"backoff":"fixed","base":"7us","multiplier":1.1,"cap":"3d","jitter":0.25},
    "concurrency_key":"k","concurrency_limit":3,"tags":["x"],"metadata":{"a":1e400},"on_end":{"argv":["n"],"cwd":"/"},"condition":{"shell":"test -e x","timeout":"7s"},"overlap":"allow","max_concurrent":5,"source":"file",
    "traceparent":"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"})",
      {});
  REQUIRE(d);
  writer w;
  write_definition(w, d->definition);
  const auto again = read_job(w.str(), {});
  if (!again) FAIL(again.error().text << " in " << w.str());
  CHECK(again->definition == d->definition);
  const auto plain = read_job(R"({"handler":{"argv":["true"]}})", "small");
  REQUIRE(plain);
  writer v;
  write_definition(v, plain->definition);
  CHECK(read_job(v.str(), {})->definition == plain->definition);
}

TEST_CASE("job: the path and the body have to agree on the name", "[api][json]") {
  CHECK(read_job(R"({"payload":1})", "a")->definition.name == "a");
  CHECK(read_job(R"({"name":"a"})", "a")->definition.name == "a");
  CHECK_FALSE(read_job(R"({"name":"b"})", "a"));
  CHECK_FALSE(read_job(R"({"payload":1})", {}));
  CHECK_FALSE(read_job(R"({"name":"has space"})", {}));
}

TEST_CASE("job: a patch changes what it names and nothing else", "[api][json]") {
  const auto before =
      read_job(
          R"({"name":"a","handler":{"argv":["x"]},"tags":["t"],"owner":{"kind":"agent_type","agent_type":"go"},"retry":{"max_attempts":7,"base":"9s"}})",
          {})
          ->definition;
  const auto after =
      read_job_patch(R"({"description":"new","retry":{"base":"1s"},"agent_types":["c"]})", before);
  REQUIRE(after);
  CHECK(after->description == "new");
  CHECK(after->spec.retry.max_attempts == 7);
  CHECK(after->spec.retry.base == 1s);
  CHECK(after->spec.needs.agent_types == std::vector<std::string>{"c"});
  CHECK(after->spec.tags == before.spec.tags);
  CHECK(after->spec.process == before.spec.process);
  CHECK_FALSE(read_job_patch(R"({"start_paused":true})", before));
  CHECK_FALSE(read_job_patch(R"({"name":"b"})", before));
  CHECK_FALSE(read_job_patch(R"({"priorty":"low"})", before));
}

TEST_CASE("leases: a proof is needed, and never repeated", "[api][json]") {
  const auto beat = read_heartbeat(R"({"token":"secret-secret","fencing":7,"lease":"90s"})");
  REQUIRE(beat);
  CHECK(beat->proof.fencing == 7);
  CHECK(beat->proof.hash == platform::sha256("secret-secret"));
  CHECK(beat->lease == 90s);
  const auto missing = read_heartbeat("{}");
  REQUIRE_FALSE(missing);
  CHECK(pointers(missing.error()) == std::vector<std::string>{"/token", "/fencing"});
  for (const auto* bad :
       {R"({"token":["secret-secret"],"fencing":7})", R"({"tokn":"secret-secret","fencing":7})",
        R"({"token":"secret-secret","fencing":-1})",
        R"({"token":"secret-secret","fencing":7,"lease":"1d1s"})",
        R"({"token":"secret-secret" "fencing":7})"}) {
    INFO(bad);
    const auto r = read_heartbeat(bad);
    REQUIRE_FALSE(r);
    CHECK(r.error().text.find("secret") == std::string::npos);
    for (const auto& p : r.error().problems)
      CHECK((p.value + p.detail + p.allowed).find("secret") == std::string::npos);
  }
}

TEST_CASE("leases: each end has its own members", "[api][json]") {
  using enum core::settle_kind;
  CHECK(read_settle(R"({"token":"t","fencing":1,"result":{"a":1}})", succeeded)->result == R"({"a":1})");
  CHECK(read_settle(R"({"token":"t","fencing":1})", failed)->klass == core::failure_class::error);
  CHECK(read_settle(R"({"token":"t","fencing":1,"class":"rate_limited","retry_after":"1m"})", failed)
            ->retry_after == core::span{60s});
  CHECK(read_settle(R"({"token":"t","fencing":1,"for":"1m"})", parked)->retry_after == core::span{60s});
  CHECK_FALSE(read_settle(R"({"token":"t","fencing":1})", parked));
  CHECK_FALSE(read_settle(R"({"token":"t","fencing":1,"class":"error"})", succeeded));
  CHECK_FALSE(read_settle(R"({"token":"t","fencing":1,"result":1})", released));
  CHECK_FALSE(read_settle(R"({"token":"t","fencing":1,"class":"lost"})", failed));
  CHECK_FALSE(
      read_settle(R"({"token":"t","fencing":1,"result":")" + std::string(70'000, 'x') + "\"}", succeeded));
}

TEST_CASE("completions: a bad item fails alone", "[api][json]") {
  const auto all = read_completions(
      R"({"items":[{"run_id":"run_00NF2XPW00000","token":"t","fencing":1,"outcome":"succeeded","result":[1]},{"run_id":7},
    {"run_id":"run_00NF2XPW00000","token":"t","fencing":1,"outcome":"parked"},5]})");
  REQUIRE(all);
  REQUIRE(all->size() == 4);
  CHECK((*all)[0]);
  CHECK(pointers((*all)[1].error()) == std::vector<std::string>{"/items/1/run_id", "/items/1/token",
                                                                "/items/1/fencing", "/items/1/outcome"});
  CHECK(pointers((*all)[2].error()) == std::vector<std::string>{"/items/2/for"});
  CHECK_FALSE((*all)[3]);
  CHECK_FALSE(read_completions("{}"));
  CHECK_FALSE(read_completions(R"({"items":[]})"));
}

TEST_CASE("claims and sessions: ranges are kept", "[api][json]") {
  const auto c = read_claim(
      R"({"session":"ses_00NF2XPW00000","max":10,"wait":"30s","lease":"5m","at_least":"high","start":true})");
  REQUIRE(c);
  CHECK(c->max == 10);
  CHECK(c->at_least == core::priority::high);
  for (const auto* bad :
       {"{}", R"({"session":"x"})", R"({"session":"ses_00NF2XPW00000","max":0})",
        R"({"session":"ses_00NF2XPW00000","max":1001})", R"({"session":"ses_00NF2XPW00000","wait":"61s"})",
        R"({"session":"ses_00NF2XPW00000","lease":"0s"})"})
    CHECK_FALSE(read_claim(bad));
  const auto s = read_session(R"({"name":" w ","capabilities":["B","a","b"],"slots":4})");
  REQUIRE(s);
  CHECK(s->name == "w");
  CHECK(s->capabilities == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(read_session("{}"));
  CHECK_FALSE(read_session(R"({"name":"w","slots":0})"));
}

TEST_CASE("filters: a body and a query speak the same words", "[api][json]") {
  const auto b = read_bulk(
      R"({"filter":{"state":["failed","pending"],"tag":"x","tag_any":["y","z"],"job":"nightly","priority":"low","created_from":"2026-01-01T00:00:00Z","dead":true}})",
      bulk_verb::cancel);
  REQUIRE(b);
  filter_draft q;
  problems found;
  for (const auto& [name, text] :
       std::vector<std::pair<std::string, std::string>>{{"state", "failed,pending"},
                                                        {"tag", "x"},
                                                        {"tag_any", "y"},
                                                        {"tag_any", "z"},
                                                        {"job", "nightly"},
                                                        {"priority", "low"},
                                                        {"created_from", "2026-01-01T01:00:00 01:00"},
                                                        {"dead", "true"}})
    CHECK(read_filter_text(name, text, q, found));
  CHECK(found.empty());
  CHECK(q.filter == b->filter.filter);
  CHECK(q.job == "nightly");
  CHECK_FALSE(read_filter_text("stat", "x", q, found));
  CHECK(read_filter_text("state", "faild", q, found));
  CHECK(found.refusal().problems.front().pointer == "?state");
  for (const auto* bad : {"{}", R"({"ids":[],"filter":{}})", R"({"ids":["x"]})", R"({"filter":{"stat":"x"}})",
                          R"({"ids":["run_00NF2XPW00000","run_00NF2XPW00000"]})",
                          R"({"ids":["run_00NF2XPW00000"],"payload":1})"})
    CHECK_FALSE(read_bulk(bad, bulk_verb::cancel));
}

TEST_CASE("controls: small bodies", "[api][json]") {
  CHECK(*read_reason_body("") == "");
  CHECK(*read_reason_body(R"({"reason":"why"})") == "why");
  CHECK_FALSE(read_reason_body(R"({"reason":")" + std::string(501, 'x') + "\"}"));
  CHECK(*read_priority_body(R"({"priority":"medium"})") == core::priority::normal);
  CHECK_FALSE(read_priority_body("{}"));
  CHECK_FALSE(*read_payload_body("{}"));
  CHECK(**read_payload_body(R"({"payload":null})") == "null");
  CHECK(read_nothing("{}").ok());
  CHECK_FALSE(read_nothing(R"({"x":1})").ok());
  CHECK(read_limits_body(R"({"global":0,"per_lane":5})")->per_lane == 5U);
  CHECK_FALSE(read_limits_body("{}"));
  CHECK_FALSE(read_limits_body(R"({"global":-1})"));
}

}  // namespace belfry::api::json
