// Wakes at the door: polls, streams, acknowledgements, and how a session says how it wants to be woken.
#include <catch2/catch.hpp>
#include <thread>

#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

using namespace std::chrono_literals;

std::string wake(open_door& d, const std::string& session, const std::string& run) {
  return d.http().post_json("/v1/sessions/" + session + ":wake", {{"run_id", run}}).at("id");
}

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

}  // namespace

TEST_CASE("wakes: a poll waits, is answered with the wake, and again until it is acknowledged",
          "[api][http][wakes]") {
  open_door d;
  const auto session = d.session();
  const auto run = d.submit({{"name", "thumbs"}, {"priority", "high"}});
  http_link waits{d.tcp()};
  REQUIRE(waits.send(request_text("GET", "/v1/sessions/" + session + "/wakes?wait=30s")));
  const auto patience = std::chrono::steady_clock::now() + 10s;
  while (d.node.questions() < 4 && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(2ms);
  REQUIRE(d.node.questions() >= 4);
  const auto id = wake(d, session, run);
  const auto reply = waits.reply();
  REQUIRE(reply);
  CHECK(reply->status == 200);
  const auto told = reply->parsed().at("wakes");
  REQUIRE(told.size() == 1);
  CHECK(told[0].at("id") == id);
  CHECK(told[0].at("run_id") == run);
  CHECK(told[0].at("session_id") == session);
  CHECK(told[0].at("name") == "thumbs");
  CHECK(told[0].at("priority") == "high");
  CHECK(told[0].at("starved") == false);
  CHECK(told[0].at("acknowledge_by") > told[0].at("sent_at"));

  const auto path = "/v1/sessions/" + session + "/wakes";
  CHECK(d.http().get_json(path).at("wakes").size() == 1);
  CHECK(d.http().get_json(path + "?after=" + id).at("wakes").empty());
  CHECK(d.http().get_json(path + "?after=" + id + "&wait=20ms").at("wakes").empty());
  const auto heard = d.http().post(path + "/" + id + ":ack");
  CHECK(heard.status == 200);
  CHECK(heard.parsed().at("run_id") == run);
  CHECK(heard.parsed().at("repeated") == false);
  CHECK(d.http().post(path + "/" + id + ":ack").parsed().at("repeated") == true);
  CHECK(d.http().get_json(path).at("wakes").empty());
}

TEST_CASE("wakes: acknowledged together, each in its own right", "[api][http][wakes]") {
  open_door d;
  const auto session = d.session();
  const auto path = "/v1/sessions/" + session + "/wakes";
  const auto first = wake(d, session, d.submit());
  const auto second = wake(d, session, d.submit());
  const auto all =
      d.http().post_json(path + ":ack", {{"wakes", {first, "wak_00NF2XPW00000", second, first}}});
  CHECK(all.at("succeeded") == 3);
  CHECK(all.at("failed") == 1);
  CHECK(all.at("items")[0].at("status") == "ok");
  CHECK(all.at("items")[1].at("code") == "not_found");
  CHECK(all.at("items")[1].at("id") == "wak_00NF2XPW00000");
  CHECK(all.at("items")[2].at("id") == second);
  CHECK(all.at("items")[3].at("repeated") == true);
  CHECK(d.http().post(path + ":ack", {{"wakes", json::array()}}).code() == "invalid");
  CHECK(d.http().post(path + ":ack", {{"wakes", {"run_1"}}}).parsed().at("errors")[0].at("pointer") ==
        "/wakes/0");
  CHECK(d.http().post(path + ":ack", {{"wakes", {first}}, {"wake", {first}}}).code() == "unknown_field");
  CHECK(d.http().post(path + "/nothing:ack").status == 404);
}

TEST_CASE("wakes: as a stream they come as they are sent, and go on behind the last one",
          "[api][http][wakes]") {
  api::server_options o;
  o.limits.keep_alive = 100ms;
  open_door d{o};
  const auto session = d.session();
  const auto path = "/v1/sessions/" + session + "/wakes";
  const header_list as_stream{{"Accept", "text/event-stream"}};
  const auto before = wake(d, session, d.submit());
  std::string last;
  {
    event_stream s{d.tcp(), path};
    const auto e = s.next();
    REQUIRE(e);
    CHECK(e->event == "wake");
    CHECK(e->id == before);
    for (int i = 0; i < 3; ++i) {
      const auto run = d.submit();
      last = wake(d, session, run);
      const auto next = s.next();
      REQUIRE(next);
      CHECK(next->id == last);
      CHECK(json::parse(next->data).at("run_id") == run);
    }
    CHECK_FALSE(s.next(400ms));
    CHECK(s.comments() >= 2);
  }
  event_stream again{d.tcp(), path, {{"Last-Event-ID", last}}};
  const auto fresh = wake(d, session, d.submit());
  CHECK(again.next()->id == fresh);
  CHECK(d.http().get("/v1/sessions/ses_00NF2XPW00000/wakes", as_stream).status == 404);
}

TEST_CASE("wakes: a poll that makes no sense is refused", "[api][http][wakes]") {
  open_door d;
  const auto path = "/v1/sessions/" + d.session() + "/wakes";
  for (const auto* bad : {"wait=61s", "wait=soon", "max=0", "max=1001", "after=run_1"}) {
    INFO(bad);
    const auto r = d.http().get(path + "?" + bad);
    CHECK(r.status == 422);
    CHECK(r.code() == "invalid");
  }
  CHECK(d.http().get(path + "?wiat=1s").code() == "unknown_field");
  CHECK(d.http().get("/v1/sessions/nobody/wakes").status == 404);
  CHECK(d.http().get("/v1/sessions/ses_00NF2XPW00000/wakes").status == 404);
  CHECK(d.http().post(path.substr(0, path.rfind('/')) + ":wake", {{"run_id", "nothing"}}).status == 404);
  CHECK(d.http().post(path.substr(0, path.rfind('/')) + ":wake", json::object()).code() == "invalid");
}

TEST_CASE("wakes: how a session is woken is shown without its secret", "[api][http][wakes]") {
  open_door d;
  const auto made = d.http().post_json("/v1/sessions", {{"name", "agent"},
                                                        {"wake",
                                                         {{"sink", "webhook"},
                                                          {"url", "https://example.org/w?token=abc"},
                                                          {"secret", secret},
                                                          {"timeout", "2s"}}}});
  const auto& wake_of = made.at("wake");
  CHECK(wake_of == json{{"sink", "webhook"}, {"url", "https://example.org/w?…"}, {"timeout_ms", 2000}});
  const auto list = d.http().get("/v1/sessions");
  CHECK(list.body.find("whsec_") == std::string::npos);
  CHECK(list.body.find("token=abc") == std::string::npos);
  const auto id = made.at("id").get<std::string>();
  CHECK(d.http().get_json("/v1/sessions/" + id).at("wake").at("sink") == "webhook");
  const auto back =
      d.http().post_json("/v1/sessions", {{"id", id}, {"name", "agent"}, {"wake", {{"sink", "none"}}}});
  CHECK(back.at("wake") == json{{"sink", "none"}});
  CHECK(d.http().post_json("/v1/sessions", {{"name", "usual"}}).at("wake") == json{{"sink", "poll"}});
}

TEST_CASE("wakes: mistakes of a sink are named, and no secret is repeated", "[api][http][wakes]") {
  open_door d;
  const auto refusal = [&](json sink) {
    return d.http().post("/v1/sessions", {{"name", "agent"}, {"wake", std::move(sink)}});
  };
  const auto pointer = [&](json sink) {
    const auto r = refusal(std::move(sink));
    CHECK(r.status / 100 == 4);
    return r.parsed().at("errors")[0].at("pointer").get<std::string>();
  };
  CHECK(pointer({{"sink", "webhok"}}) == "/wake/sink");
  CHECK(pointer({{"sinc", "poll"}}) == "/wake/sinc");
  CHECK(pointer({{"sink", "poll"}, {"url", "http://x/"}}) == "/wake/url");
  CHECK(pointer({{"sink", "webhook"}, {"url", "ftp://x/"}, {"secret", secret}}) == "/wake/url");
  CHECK(pointer({{"sink", "webhook"}, {"url", "http://x/"}}) == "/wake/secret");
  CHECK(pointer({{"sink", "command"}}) == "/wake/argv");
  CHECK(pointer({{"sink", "poll"}, {"timeout", "1h"}}) == "/wake/timeout");
  for (const json& bad : {json("whsec_c2VjcmV0"), json({{"k", "whsec_c2VjcmV0"}})}) {
    const auto r = refusal({{"sink", "webhook"}, {"url", "http://x/"}, {"secret", bad}});
    CHECK(r.status == 422);
    CHECK(r.body.find("c2VjcmV0") == std::string::npos);
    CHECK(r.parsed().at("errors")[0].at("pointer") == "/wake/secret");
  }
  const auto beside = refusal({{"sink", "poll"}, {"secret", secret}});
  CHECK(beside.body.find("MfKQ9r8") == std::string::npos);
}

TEST_CASE("wakes: the explanation of a run tells the last ones, and since when they are known",
          "[api][http][wakes]") {
  open_door d;
  const auto session = d.session();
  const auto run = d.submit({{"name", "thumbs"}});
  const auto none = d.http().get_json("/v1/runs/" + run + "/explain");
  CHECK(none.at("wakes").empty());
  CHECK(none.at("wakes_in_all") == 0);
  CHECK(none.at("wakes_known_since").is_string());
  const auto id = wake(d, session, run);
  const auto told = d.http().get_json("/v1/runs/" + run + "/explain");
  CHECK(told.at("wakes_in_all") == 1);
  REQUIRE(told.at("wakes").size() == 1);
  const auto& one = told.at("wakes").front();
  CHECK(one.at("id") == id);
  CHECK(one.at("session_id") == session);
  CHECK(one.at("outcome") == "waiting");
  CHECK(one.at("ended_at").is_null());
  CHECK(one.at("took_ms").is_null());
  CHECK(one.at("text").is_null());
}

}  // namespace belfry::test
