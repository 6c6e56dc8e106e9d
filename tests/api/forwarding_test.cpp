// A member passes on what it cannot answer itself, and nothing gets better or worse for it on the way.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <thread>

#include "tests/api/two_doors.hpp"

namespace belfry::test {
namespace {

using namespace std::chrono_literals;

template <class F>
bool in_time(F f, std::chrono::milliseconds patience = 10s) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!f()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

constexpr std::string_view small_answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

api::server_options with_token() {
  api::server_options o;
  core::access_token t;
  t.name = "ci";
  t.may = core::role::operate;
  t.hash = platform::sha256("secret-of-ci");
  o.access.tokens.push_back(t);
  return o;
}

}  // namespace

TEST_CASE("forwarding: what a member is asked is answered as by its coordinator", "[api][http][forwarding]") {
  two_doors d;
  const auto id = d.http().post_json("/v1/runs", {{"name", "through-b"}}).at("id").get<std::string>();
  CHECK(d.a.http().get_json("/v1/runs/" + id).at("name") == "through-b");
  const auto made = d.http().post("/v1/runs", {{"name", "second"}}, {{"X-Request-Id", "asked-by-me"}});
  CHECK(made.status == 201);
  CHECK(made.header("x-request-id") == "asked-by-me");
  CHECK(made.header("location").starts_with("/v1/runs/"));
  const auto direct = d.a.http().get("/v1/runs/" + id);
  const auto passed = d.http().get("/v1/runs/" + id);
  CHECK(passed.status == 200);
  // But for the ladder, which the fake port reckons from now.
  const auto without_ladder = [](const std::string& body) {
    auto run = json::parse(body);
    run.erase("ladder");
    return run;
  };
  CHECK(without_ladder(passed.body) == without_ladder(direct.body));
  CHECK(passed.header("content-type") == direct.header("content-type"));
  CHECK(passed.header("etag") == direct.header("etag"));

  for (const auto* wrong : {"/v1/runs/nothing", "/v1/nowhere", "/v1/runs?limt=3", "/v1/runs/%zz"}) {
    const auto here = d.a.http().get(wrong);
    const auto there = d.http().get(wrong);
    CHECK(there.status == here.status);
    CHECK(there.code() == here.code());
  }
  CHECK(d.http().post("/v1/runs", {{"nmae", "x"}}).code() == "unknown_field");
  CHECK(d.http().send("PUT", "/v1/runs", "{}").status == 405);
  const auto options = d.http().send("OPTIONS", "/v1/runs");
  CHECK(options.status == 204);
}

TEST_CASE("forwarding: a HEAD has the length and no body", "[api][http][forwarding]") {
  two_doors d;
  const auto id = d.http().post_json("/v1/runs", {{"name", "x"}}).at("id").get<std::string>();
  http_link link{d.tcp()};
  for (int i = 0; i < 2; ++i) {
    REQUIRE(link.send(request_text("HEAD", "/v1/runs/" + id)));
    const auto r = link.reply(10s, true);
    REQUIRE(r);
    CHECK(r->status == 200);
    CHECK(r->header("content-length") == d.a.http().get("/v1/runs/" + id).header("content-length"));
  }
}

TEST_CASE("forwarding: a body goes through up to the limit of the member, and no further",
          "[api][http][forwarding]") {
  api::server_options small;
  small.limits.body = 64 * 1024;
  two_doors d{{}, small};
  const std::string text(40'000, 'x');
  const auto id = d.http().post_json("/v1/runs", {{"name", "big"}, {"payload", text}}).at("id");
  CHECK(d.a.http().get_json("/v1/runs/" + id.get<std::string>()).at("payload") == text);
  CHECK(d.http().get_json("/v1/runs/" + id.get<std::string>()).at("payload") == text);
  const auto refused = d.http().post("/v1/runs", {{"name", "big"}, {"payload", std::string(80'000, 'x')}});
  CHECK(refused.status == 413);
  CHECK(refused.code() == "too_large");
}

TEST_CASE("forwarding: pipelined requests are answered in their order, through several connections",
          "[api][http][forwarding]") {
  two_doors d;
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i)
    ids.push_back(d.http().post_json("/v1/runs", {{"name", "r" + std::to_string(i)}}).at("id"));
  http_link link{d.tcp()};
  std::string all;
  for (const auto& id : ids) all += request_text("GET", "/v1/runs/" + id);
  REQUIRE(link.send(all));
  for (const auto& id : ids) {
    const auto r = link.reply();
    REQUIRE(r);
    CHECK(r->parsed().at("id") == id);
  }
}

TEST_CASE("forwarding: events come through as they happen, and a client that goes ends the stream upstream",
          "[api][http][forwarding]") {
  two_doors d;
  {
    event_stream s{d.tcp(), "/v1/events"};
    REQUIRE(in_time([&] { return d.streams_at_a() == 1; }));
    std::int64_t last = 0;
    for (int i = 0; i < 20; ++i) {
      const auto began = std::chrono::steady_clock::now();
      d.a.node.note_events(1);
      const auto e = s.next(5s);
      REQUIRE(e);
      CHECK(e->number() > last);
      last = e->number();
      CHECK(std::chrono::steady_clock::now() - began < 2s);
    }
  }
  CHECK(in_time([&] { return d.streams_at_a() == 0; }));
}

TEST_CASE("forwarding: a client that stops reading holds up its own stream, and no memory",
          "[api][http][forwarding]") {
  two_doors d;
  d.way.by_hand = true;
  http_link reader{d.tcp(), 4096};
  REQUIRE(reader.send(request_text("GET", "/v1/export")));
  const auto end = d.way.next_end();
  const int fd = end.get();
  char head[4096];
  REQUIRE(in_time([&] { return ::recv(fd, head, sizeof head, 0) > 0; }));
  const std::string_view begin =
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  REQUIRE(::send(fd, begin.data(), begin.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(begin.size()));
  const std::string chunk = "4000\r\n" + std::string(0x4000, 'x') + "\r\n";
  std::size_t taken = 0;
  std::size_t at = 0;
  auto quiet_since = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - quiet_since < 300ms && taken < (256U << 20)) {
    const auto n = ::send(fd, chunk.data() + at, chunk.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      taken += static_cast<std::size_t>(n);
      at = (at + static_cast<std::size_t>(n)) % chunk.size();
      quiet_since = std::chrono::steady_clock::now();
    } else {
      std::this_thread::sleep_for(2ms);
    }
  }
  CHECK(taken < (32U << 20));
}

TEST_CASE("forwarding: without its coordinator a member says since when, and answers for itself",
          "[api][http][forwarding]") {
  two_doors d;
  d.way.down = true;
  d.way.say(false, "planted: refused");
  const auto r = d.http().get("/v1/runs");
  CHECK(r.status == 503);
  CHECK(r.code() == "unavailable");
  CHECK_FALSE(r.header("retry-after").empty());
  CHECK(r.parsed().at("detail").get<std::string>().find("since 20") != std::string::npos);
  CHECK(r.parsed().at("command") == "belfry node ls");
  CHECK(d.http().post("/v1/runs", {{"name", "x"}}).status == 503);

  const auto node = d.http().get_json("/v1/node");
  CHECK(node.at("cluster").at("role") == "member");
  CHECK(node.at("cluster").at("joined") == false);
  CHECK(node.at("cluster").at("trouble") == "planted: refused");
  CHECK(node.at("health") == "degraded");
  CHECK(d.http().get("/v1/health").status == 200);
  CHECK(d.http().get("/v1/ready").status == 503);
  CHECK(d.http().get("/metrics").body.find("belfry_") != std::string::npos);
  CHECK(d.http().get("/v1/openapi.json").status == 200);
  CHECK(d.http().get("/v1/config").status == 200);
  CHECK(d.http().get("/problems/invalid").status == 200);

  d.way.down = false;
  d.way.say(true, "");
  CHECK(d.http().get("/v1/runs").status == 200);
  CHECK(d.http().get("/v1/ready").status == 200);
}

TEST_CASE("forwarding: an answer that breaks off is never a short good one", "[api][http][forwarding]") {
  two_doors d;
  d.way.by_hand = true;
  SECTION("a long one is cut off before its end") {
    http_link link{d.tcp()};
    REQUIRE(link.send(request_text("GET", "/v1/export")));
    far_end end{d.way.next_end()};
    REQUIRE_FALSE(end.request().empty());
    end.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n" +
            std::string(300'000, 'x'));
    end.close();
    CHECK_FALSE(link.reply(5s));
  }
  SECTION("one in chunks is cut off before its last chunk") {
    http_link link{d.tcp()};
    REQUIRE(link.send(request_text("GET", "/v1/export")));
    far_end end{d.way.next_end()};
    REQUIRE_FALSE(end.request().empty());
    end.say(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5\r\n[1,2,\r\n");
    end.close();
    CHECK_FALSE(link.reply(5s));
  }
  SECTION("a small one that was asked for is an error, not a part") {
    std::thread coordinator{[&] {
      far_end end{d.way.next_end()};
      (void)end.request();
      end.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"a\":");
    }};
    const auto r = d.http().get("/v1/runs");
    coordinator.join();
    CHECK(r.status == 503);
    CHECK(r.code() == "unavailable");
  }
  SECTION("what was to be done may have been done") {
    std::thread coordinator{[&] {
      far_end end{d.way.next_end()};
      (void)end.request();
    }};
    const auto r = d.http().post("/v1/runs", {{"name", "x"}});
    coordinator.join();
    CHECK(r.status == 503);
    CHECK(r.code() == "aborted");
    CHECK(r.parsed().at("detail").get<std::string>().find("not known") != std::string::npos);
    CHECK(d.way.connects == 1);
  }
  SECTION("an answer without length and chunks could end anywhere, so it is none") {
    std::thread coordinator{[&] {
      far_end end{d.way.next_end()};
      (void)end.request();
      end.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}");
    }};
    CHECK(d.http().get("/v1/runs").status == 503);
    coordinator.join();
  }
  SECTION("what is no HTTP is no answer") {
    std::thread coordinator{[&] {
      far_end end{d.way.next_end()};
      (void)end.request();
      end.say("SSH-2.0-OpenSSH\r\n\r\n");
    }};
    CHECK(d.http().get("/v1/runs").status == 503);
    coordinator.join();
  }
}

TEST_CASE("forwarding: a kept connection that closes under a request costs a GET nothing, a POST its answer",
          "[api][http][forwarding]") {
  two_doors d;
  d.way.by_hand = true;
  std::thread coordinator{[&] {
    far_end first{d.way.next_end()};
    (void)first.request();
    first.say(small_answer);
    (void)first.request();  // the second request is read, and never answered
    first.close();
    far_end second{d.way.next_end()};
    (void)second.request();
    second.say(small_answer);
    (void)second.request(2);  // a POST, read and not answered
  }};
  CHECK(d.http().get("/v1/runs").status == 200);
  CHECK(d.http().get("/v1/runs").status == 200);
  const auto r = d.http().post("/v1/runs", json::object());
  CHECK(r.code() == "aborted");
  coordinator.join();
  CHECK(d.way.connects == 2);
}

TEST_CASE("forwarding: nobody but a member says where a client came from", "[api][http][forwarding]") {
  two_doors d;
  const header_list claim{{"Belfry-Forwarded", "node=b; from=unix"}};
  CHECK(d.a.http().get("/v1/runs", claim).status == 400);
  CHECK(http_client{d.a.unix_socket()}.get("/v1/runs", claim).status == 400);
  CHECK(d.http().get("/v1/runs", claim).status == 400);
  CHECK(http_client{d.unix_socket()}.get("/v1/runs", {{"belfry-FORWARDED", "x"}}).status == 400);
  CHECK(d.way.connects == 0);

  // What a member could try, or a client of it that found a way to put a line into its head.
  const auto asked = [&](const std::string& header) {
    auto [near, far] = local_pair();
    d.a.server->adopt(std::move(far), "b");
    far_end link{std::move(near)};
    link.say("GET /v1/ping HTTP/1.1\r\nHost: x\r\n" + header + "\r\n");
    return link.request().substr(9, 3);
  };
  CHECK(asked("Belfry-Forwarded: node=b; from=unix\r\n") == "200");
  CHECK(asked("Belfry-Forwarded: node=b; from=remote\r\n") == "200");
  for (const auto* bad :
       {"", "Belfry-Forwarded: \r\n", "Belfry-Forwarded: node=c; from=unix\r\n",
        "Belfry-Forwarded: node=b; from=root\r\n", "Belfry-Forwarded: node=b; from=unix; more=1\r\n",
        "Belfry-Forwarded: node=b\r\n", "Belfry-Forwarded: from=unix; node=b\r\n",
        "Belfry-Forwarded: node=b; from=unix\r\nBelfry-Forwarded: node=b; from=unix\r\n"}) {
    INFO(bad);
    CHECK(asked(bad) == "400");
  }
}

TEST_CASE("forwarding: of a client's head only what is known goes on", "[api][http][forwarding]") {
  two_doors d;
  d.way.by_hand = true;
  std::string request;
  std::thread coordinator{[&] {
    far_end end{d.way.next_end()};
    request = end.request(2);
    end.say(small_answer);
  }};
  const auto r = d.http().send("POST", "/v1/runs?dry_run=true", "{}",
                               {{"Content-Type", "application/json"},
                                {"X-Belfry-Actor", "me"},
                                {"Idempotency-Key", "k1"},
                                {"Connection", "keep-alive, X-Secret"},
                                {"X-Secret", "hop"},
                                {"X-Forwarded-For", "10.0.0.1"},
                                {"TE", "trailers"},
                                {"Upgrade", "h2c"}});
  coordinator.join();
  CHECK(r.status == 200);
  CHECK(request.starts_with("POST /v1/runs?dry_run=true HTTP/1.1\r\n"));
  CHECK(request.find("Belfry-Forwarded: node=b; from=loopback\r\n") != std::string::npos);
  CHECK(request.find("X-Belfry-Actor: me\r\n") != std::string::npos);
  CHECK(request.find("Idempotency-Key: k1\r\n") != std::string::npos);
  CHECK(request.find("Content-Length: 2\r\n") != std::string::npos);
  for (const auto* gone : {"X-Secret", "hop", "X-Forwarded-For", "TE:", "Upgrade", "Connection"})
    CHECK(request.find(gone) == std::string::npos);
}

TEST_CASE("forwarding: a page of another origin is refused by the member", "[api][http][forwarding]") {
  two_doors d;
  CHECK(d.http().get("/v1/runs", {{"Host", "evil.example"}}).status == 403);
  CHECK(d.http().get("/v1/runs", {{"Origin", "http://evil.example"}}).status == 403);
  CHECK(d.way.connects == 0);
}

TEST_CASE("forwarding: rights are those of the client's own way in", "[api][http][forwarding]") {
  two_doors d{with_token()};
  http_client by_socket{d.unix_socket()};
  CHECK(by_socket.post("/v1/runs", {{"name", "x"}}).status == 201);
  CHECK(d.http().get("/v1/runs").status == 401);
  CHECK(d.http().post("/v1/runs", {{"name", "x"}}).status == 401);
  CHECK(d.http().post("/v1/runs", {{"name", "x"}}, {{"Authorization", "Bearer secret-of-ci"}}).status == 201);
  CHECK(d.http().get("/v1/runs", {{"Authorization", "Bearer secret-of-c1"}}).status == 401);
  // Connections are shared by clients of both kinds; rights are not.
  CHECK(by_socket.get("/v1/runs").status == 200);
  CHECK(d.http().get("/v1/runs").status == 401);
}

TEST_CASE("forwarding: connections are kept and used again", "[api][http][forwarding]") {
  two_doors d;
  for (int i = 0; i < 50; ++i) CHECK(d.http().get("/v1/runs").status == 200);
  CHECK(d.way.connects == 1);
}

TEST_CASE("forwarding: two hundred clients at a time are all answered", "[api][http][forwarding]") {
  for (const std::size_t connections : {256U, 8U}) {
    api::forwarding_limits few;
    few.connections = connections;
    two_doors d{{}, {}, few};
    std::atomic<int> good{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 200; ++i)
      clients.emplace_back([&, i] {
        try {
          http_client c{d.tcp()};
          const auto id = c.post_json("/v1/runs", {{"name", "p" + std::to_string(i)}}).at("id");
          if (c.get_json("/v1/runs/" + id.get<std::string>()).at("name") == "p" + std::to_string(i)) ++good;
        } catch (const std::exception&) {  // counted as not good
        }
      });
    for (auto& c : clients) c.join();
    CHECK(good == 200);
    if (connections == 8) CHECK(d.way.connects <= 16);
  }
}

TEST_CASE("forwarding: more than may wait for a connection is refused at once", "[api][http][forwarding]") {
  api::forwarding_limits few;
  few.connections = 1;
  few.waiting = 1;
  two_doors d{{}, {}, few};
  d.way.by_hand = true;
  http_link first{d.tcp()}, second{d.tcp()};
  REQUIRE(first.send(request_text("GET", "/v1/runs")));
  far_end end{d.way.next_end()};
  REQUIRE_FALSE(end.request().empty());
  REQUIRE(second.send(request_text("GET", "/v1/runs")));
  CHECK(in_time([&] { return d.http().get("/v1/runs").code() == "overloaded"; }));
  end.say(small_answer);
  REQUIRE_FALSE(end.request().empty());  // the second one, over the same connection
  end.say(small_answer);
  CHECK(first.reply()->status == 200);
  CHECK(second.reply()->status == 200);
}

TEST_CASE("forwarding: a client that goes while it waits ends its request upstream",
          "[api][http][forwarding]") {
  two_doors d;
  d.way.by_hand = true;
  SECTION("one that closes") {
    http_link client{d.tcp()};
    REQUIRE(client.send(request_text("POST", "/v1/claims", "{}")));
    far_end end{d.way.next_end()};
    REQUIRE_FALSE(end.request(2).empty());
    client.close();
    CHECK(end.closed());
  }
  SECTION("one that has said all still reads what comes soon") {
    http_link client{d.tcp()};
    REQUIRE(client.send(request_text("GET", "/v1/runs")));
    far_end end{d.way.next_end()};
    REQUIRE_FALSE(end.request().empty());
    client.shut_sending();
    end.say(small_answer);
    const auto r = client.reply(5s);
    REQUIRE(r);
    CHECK(r->status == 200);
  }
}

TEST_CASE("forwarding: a coordinator that says nothing is given up", "[api][http][forwarding]") {
  api::forwarding_limits soon;
  soon.answer_time = 300ms;
  soon.silence = 300ms;
  two_doors d{{}, {}, soon};
  d.way.by_hand = true;
  SECTION("before the answer") {
    http_link client{d.tcp()};
    REQUIRE(client.send(request_text("GET", "/v1/runs")));
    far_end end{d.way.next_end()};
    REQUIRE_FALSE(end.request().empty());
    const auto r = client.reply(10s);
    REQUIRE(r);
    CHECK(r->status == 503);
    CHECK(end.closed());
  }
  SECTION("in the middle of a stream") {
    http_link client{d.tcp()};
    REQUIRE(client.send(request_text("GET", "/v1/events", {}, {{"Accept", "text/event-stream"}})));
    far_end end{d.way.next_end()};
    REQUIRE_FALSE(end.request().empty());
    end.say(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\n:\n\n\r\n");
    REQUIRE(client.reply_head(10s));
    CHECK(client.closed_within(10s));
    CHECK(end.closed());
  }
}

TEST_CASE("forwarding: a member that stops leaves no half answer behind", "[api][http][forwarding]") {
  two_doors d;
  d.way.by_hand = true;
  http_link client{d.tcp()};
  REQUIRE(client.send(request_text("GET", "/v1/export")));
  far_end end{d.way.next_end()};
  REQUIRE_FALSE(end.request().empty());
  end.say(
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\n{}\r\n");
  REQUIRE(client.reply_head(10s));
  d.member->stop(50ms);
  // The end of the body is not told: the connection just ends.
  CHECK(end.closed());
}

TEST_CASE("forwarding: what the way costs", "[api][http][forwarding]") {
  two_doors d;
  const auto median = [](http_client& c) {
    std::vector<double> took;
    for (int i = 0; i < 400; ++i) {
      const auto began = std::chrono::steady_clock::now();
      if (c.get("/v1/runs?limit=1").status != 200) throw std::runtime_error("no answer");
      took.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count());
    }
    std::nth_element(took.begin(), took.begin() + 200, took.end());
    return took[200];
  };
  const auto direct = median(d.a.http());
  const auto passed = median(d.http());
  std::printf("forwarding: median %.0f us direct, %.0f us through a member\n", direct, passed);
  CHECK(passed < direct + 20'000);
}

}  // namespace belfry::test
