// HTTP itself: order, limits, slow and broken clients. Whatever comes, the server answers or closes, and goes
// on.
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <random>
#include <thread>

#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

using namespace std::chrono_literals;

std::string repeated(std::string_view s, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += s;
  return out;
}

template <class F>
bool eventually(F f, std::chrono::milliseconds patience = 10s) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!f()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

bool refuses_connections(open_door& d) {
  try {
    const http_link link{d.tcp()};
    return false;
  } catch (const no_answer&) {
    return true;
  }
}

std::size_t connections(open_door& d) {
  return d.http().get_json("/v1/node").at("http").at("connections").get<std::size_t>();
}

const std::string head = "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

// The status and code of the answer to raw bytes, and whether the connection ends behind it.
struct outcome {
  int status;
  std::string code;
};
bool operator==(const outcome& a, const outcome& b) { return a.status == b.status && a.code == b.code; }
std::ostream& operator<<(std::ostream& o, const outcome& x) { return o << x.status << ' ' << x.code; }

outcome told(open_door& d, std::string_view bytes) {
  http_link link{d.tcp()};
  (void)link.send(bytes);
  const auto r = link.reply(10s);
  if (!r) return {0, ""};
  return {r->status, r->code()};
}

}  // namespace

TEST_CASE("http: requests in one write are answered in order, also when later answers are ready first",
          "[api][http]") {
  open_door d;
  const auto id = d.submit();
  d.node.hold();
  http_link link{d.tcp()};
  std::string all;
  for (int i = 0; i < 100; ++i)
    all += request_text("GET", i % 2 == 0 ? "/v1/ping" : "/v1/runs/" + id, {},
                        {{"X-Request-Id", "r" + std::to_string(i)}});
  REQUIRE(link.send(all));
  const auto first = link.reply();
  REQUIRE(first);
  CHECK(first->header("x-request-id") == "r0");
  CHECK_FALSE(link.reply(100ms));  // the second waits for the node, and all others behind it
  d.node.release();
  for (int i = 1; i < 100; ++i) {
    const auto r = link.reply();
    REQUIRE(r);
    CHECK(r->header("x-request-id") == "r" + std::to_string(i));
    CHECK(r->status == 200);
  }
}

TEST_CASE("http: no more than the allowed number of requests of a connection is under way", "[api][http]") {
  api::server_options o;
  o.limits.pipelined = 4;
  open_door d{o};
  const auto id = d.submit();
  const auto before = d.node.questions();
  d.node.hold();
  http_link link{d.tcp()};
  std::string all;
  for (int i = 0; i < 20; ++i) all += request_text("GET", "/v1/runs/" + id + "/logs");
  REQUIRE(link.send(all));
  REQUIRE(eventually([&] { return d.node.questions() == before + 4; }));
  for (int i = 0; i < 20; ++i) REQUIRE(d.http().get("/v1/ping").status == 200);  // the server had its turn
  CHECK(d.node.questions() == before + 4);
  d.node.release();
  for (int i = 0; i < 20; ++i) REQUIRE(link.reply());
}

TEST_CASE("http: what is broken is refused, and the next connection served", "[api][http]") {
  open_door d;
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  const std::vector<std::pair<std::string, outcome>> cases{
      {"GET /v1/ping HTTP/1.1\r\n\r\n", {400, "malformed"}},
      {"GET /v1/ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400, "malformed"}},
      {"GET /v1/ping HTTP/3.7\r\nHost: localhost\r\n\r\n", {400, "malformed"}},
      {"GET /v1/ping\r\n\r\n", {400, "malformed"}},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, "malformed"}},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + repeated("\xAB", 200),
       {400, "malformed"}},
      {"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n", {400, "malformed"}},
      {"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nX Y: 1\r\n\r\n", {400, "malformed"}},
      {head + "Content-Length: -5\r\n\r\nx", {400, "malformed"}},
      {head + "Content-Length: 99999999999999999999999\r\n\r\nx", {400, "malformed"}},
      {head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", {400, "malformed"}},
      {head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, "malformed"}},
      {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n", {400, "malformed"}},
      {head + "Transfer-Encoding: chunked\r\n\r\n2\r\nxxxx\r\n0\r\n\r\n", {400, "malformed"}},
      {head + "Expect: wonders\r\nContent-Length: 2\r\n\r\n{}", {400, "malformed"}},
      {head + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", {415, "unsupported_media"}},
      {head + "Content-Length: 18446744073709551614\r\n\r\nx", {413, "too_large"}},
      {head + "Content-Length: 10485760\r\n\r\n" + repeated("x", 10U << 20), {413, "too_large"}},
      {head + "Transfer-Encoding: chunked\r\n\r\n" +
           repeated("10000\r\n" + repeated("x", 65536) + "\r\n", 160) + "0\r\n\r\n",
       {413, "too_large"}},
      {"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n", {431, "too_large"}},
      {"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nX: " + repeated("x", 9 * 1024) + "\r\n\r\n",
       {431, "too_large"}},
      {"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n" + repeated("X: y\r\n", 20'000), {431, "too_large"}},
      {"GET /" + repeated("a", 10 * 1024) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", {431, "too_large"}},
      {"GET /" + repeated("a", 200'000), {431, "too_large"}},
      {"GET /v1/runs?q=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, "malformed"}},
      {"GET /v1/runs?q=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, "malformed"}},
      {"BREW /v1/runs HTTP/1.1\r\nHost: localhost\r\n\r\n", {405, "method_not_allowed"}},
      {"GET nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, "malformed"}},
  };
  for (const auto& [bytes, expected] : cases) {
    INFO(bytes.substr(0, 200));
    CHECK(told(d, bytes) == expected);
    CHECK(d.http().get("/v1/ping").status == 200);
  }
}

TEST_CASE("http: random bytes never end the server", "[api][http]") {
  api::server_options o;
  o.limits.header_time = 300ms;
  open_door d{o};
  std::mt19937 dice{20261121};
  const std::string good = request_text("POST", "/v1/runs", R"({"name":"x"})");
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good;
    const auto edits = 1 + dice() % 8;
    for (unsigned i = 0; i < edits; ++i) {
      const auto at = dice() % bytes.size();
      if (dice() % 3 == 0)
        bytes.erase(at, dice() % 9);
      else if (dice() % 2 == 0)
        bytes.insert(at, 1, static_cast<char>(dice() % 256));
      else
        bytes[at] = static_cast<char>(dice() % 256);
      if (bytes.empty()) bytes = "x";
    }
    http_link link{d.tcp()};
    (void)link.send(bytes);
    if (round % 2 == 0) link.shut_sending();
    if (round % 10 == 0) (void)link.reply(50ms);
  }
  CHECK(d.http().get("/v1/ping").status == 200);
  CHECK(eventually([&] { return connections(d) == 1; }));
}

TEST_CASE("http: slow clients are cut off, with an answer when they had begun", "[api][http]") {
  api::server_options o;
  o.limits.header_time = 250ms;
  o.limits.body_time = 300ms;
  o.limits.idle_time = 350ms;
  open_door d{o};
  http_link drip{d.tcp()};
  http_link body{d.tcp()};
  http_link silent{d.tcp()};
  http_link kept{d.tcp()};
  REQUIRE(drip.send("GET /v1/ping HT"));
  REQUIRE(body.send(head + "Content-Length: 100\r\n\r\n{\"na"));
  REQUIRE(kept.send(request_text("GET", "/v1/ping")));
  REQUIRE(kept.reply());
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(20ms);
    (void)drip.send("x");  // a byte now and then does not help
  }
  for (auto* l : {&drip, &body}) {
    const auto r = l->reply(5s);
    REQUIRE(r);
    CHECK(r->status == 408);
    CHECK(r->code() == "timed_out");
    CHECK(l->closed_within(3s));
  }
  CHECK(silent.closed_within(3s));
  CHECK(kept.closed_within(3s));
  CHECK(d.http().get("/v1/ping").status == 200);
}

TEST_CASE("http: a request that the node thinks about is not idle", "[api][http]") {
  api::server_options o;
  o.limits.header_time = 200ms;
  o.limits.idle_time = 200ms;
  open_door d{o};
  const auto id = d.submit();
  d.node.hold();
  http_link link{d.tcp()};
  REQUIRE(link.send(request_text("GET", "/v1/runs/" + id)));
  for (int i = 0; i < 3; ++i) {
    http_link idle{d.tcp()};
    REQUIRE(idle.closed_within(3s));
  }
  d.node.release();
  const auto r = link.reply();
  REQUIRE(r);
  CHECK(r->status == 200);
}

TEST_CASE(
    "http: Expect: 100-continue is answered before the body comes, and a body too large is not asked for",
    "[api][http]") {
  open_door d;
  http_link link{d.tcp()};
  const std::string body = R"({"name":"big"})";
  REQUIRE(link.send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n"));
  CHECK(link.piece(3s) == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(link.send(body));
  const auto r = link.reply();
  REQUIRE(r);
  CHECK(r->status == 201);
  http_link big{d.tcp()};
  REQUIRE(big.send(head + "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"));
  const auto no = big.reply();
  REQUIRE(no);
  CHECK(no->status == 413);
}

TEST_CASE("http: chunked bodies, HTTP/1.0, HEAD and OPTIONS", "[api][http]") {
  open_door d;
  http_link link{d.tcp()};
  REQUIRE(
      link.send(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"nam\r\n9\r\ne\":\"ten\"}\r\n0\r\n\r\n"));
  const auto made = link.reply();
  REQUIRE(made);
  CHECK(made->status == 201);
  CHECK(made->parsed().at("name") == "ten");
  REQUIRE(link.send(request_text("HEAD", "/v1/ping")));
  const auto h = link.reply(5s, true);
  REQUIRE(h);
  CHECK(h->header("content-length") == "13");
  REQUIRE(link.send(request_text("OPTIONS", "/v1/runs")));
  const auto options = link.reply();
  REQUIRE(options);
  CHECK(options->status == 204);
  CHECK(options->header("allow").find("POST") != std::string::npos);

  http_link old{d.tcp()};
  REQUIRE(old.send("GET /v1/ping HTTP/1.0\r\n\r\n"));
  const auto r = old.reply();
  REQUIRE(r);
  CHECK(r->status == 200);
  CHECK(old.closed_within(3s));
  http_link absolute{d.tcp()};
  REQUIRE(
      absolute.send("GET http://localhost/v1/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  CHECK(absolute.reply()->status == 200);
  CHECK(absolute.closed_within(3s));
}

TEST_CASE("http: one connection too many is told so", "[api][http]") {
  api::server_options o;
  o.limits.connections = 3;
  open_door d{o};
  std::vector<http_link> open;
  for (int i = 0; i < 3; ++i) {
    open.emplace_back(d.tcp());
    REQUIRE(open.back().send(request_text("GET", "/v1/ping")));
    REQUIRE(open.back().reply()->status == 200);
  }
  http_link more{d.tcp()};
  REQUIRE(more.send(request_text("GET", "/v1/ping")));
  const auto r = more.reply();
  REQUIRE(r);
  CHECK(r->status == 503);
  CHECK(r->code() == "overloaded");
  CHECK_FALSE(r->header("retry-after").empty());
  open.clear();
  CHECK(eventually([&] {
    http_client again{d.tcp()};
    return again.get("/v1/ping").status == 200;
  }));
}

TEST_CASE("http: requests under way are bounded", "[api][http]") {
  api::server_options o;
  o.limits.requests = 2;
  open_door d{o};
  const auto id = d.submit();
  d.node.hold();
  http_link a{d.tcp()};
  REQUIRE(a.send(request_text("GET", "/v1/runs/" + id) + request_text("GET", "/v1/runs/" + id)));
  REQUIRE(eventually([&] { return d.http().get("/v1/ping").status == 503; }));
  d.node.release();
  REQUIRE(a.reply());
  REQUIRE(a.reply());
  CHECK(eventually([&] { return d.http().get("/v1/ping").status == 200; }));
}

TEST_CASE("http: a node that is overloaded, gone or silent is told as such", "[api][http]") {
  open_door d;
  d.node.refuse_next(core::errc::overloaded);
  const auto busy = d.http().get("/v1/runs/x");
  CHECK(busy.status == 503);
  CHECK(busy.header("retry-after") == "1");
  CHECK(busy.parsed().at("retryable") == true);
  d.node.refuse_next(core::errc::unavailable);
  CHECK(d.http().get("/v1/runs/x").header("retry-after") == "5");
  d.node.drop_next();
  const auto dropped = d.http().get("/v1/runs/x");
  CHECK(dropped.status == 503);
  CHECK(dropped.code() == "aborted");
  CHECK(d.http().get("/v1/ping").status == 200);
}

TEST_CASE("http: a client that leaves while the node thinks costs nothing", "[api][http]") {
  open_door d;
  const auto id = d.submit();
  const auto before = d.node.questions();
  d.node.hold();
  {
    http_link link{d.tcp()};
    REQUIRE(link.send(request_text("GET", "/v1/runs/" + id)));
    REQUIRE(eventually([&] { return d.node.questions() == before + 1; }));
  }
  d.node.release();
  CHECK(d.http().get("/v1/ping").status == 200);
  CHECK(eventually([&] { return connections(d) == 1; }));
}

TEST_CASE("http: runs that were claimed for a client that has gone are given back", "[api][http]") {
  open_door d;
  const auto session = d.session();
  {
    http_link link{d.tcp()};
    REQUIRE(
        link.send(request_text("POST", "/v1/claims", json{{"session", session}, {"wait", "30s"}}.dump())));
    REQUIRE(eventually([&] { return d.node.waiting_claims() == 1; }));
  }
  std::this_thread::sleep_for(100ms);
  const auto id = d.submit();
  CHECK(eventually([&] {
    const auto run = d.http().get_json("/v1/runs/" + id);
    return run.at("state") == "queued" && run.at("attempts").size() == 1;
  }));
}

TEST_CASE("http: pages of other origins and other names are kept out", "[api][http]") {
  api::server_options o;
  o.allowed_hosts = {"box.example"};
  open_door d{o};
  const auto with = [&](const header_list& h) { return d.http().get("/v1/ping", h).status; };
  CHECK(with({{"Host", "localhost:80"}}) == 200);
  CHECK(with({{"Host", "127.0.0.1"}}) == 200);
  CHECK(with({{"Host", "127.3.4.5:7420"}}) == 200);
  CHECK(with({{"Host", "[::1]:7420"}}) == 200);
  CHECK(with({{"Host", "BOX.example"}}) == 200);
  CHECK(with({{"Host", "evil.example"}}) == 403);
  CHECK(with({{"Host", "127.0.0.1.evil.example"}}) == 403);
  CHECK(with({{"Host", ""}}) == 403);
  CHECK(with({{"Origin", "http://localhost:3000"}}) == 200);
  CHECK(with({{"Origin", "https://evil.example"}}) == 403);
  CHECK(with({{"Origin", "null"}}) == 403);
  http_client local{d.unix_socket()};
  CHECK(local.get("/v1/ping", {{"Host", "anything"}}).status == 200);
}

TEST_CASE("http: request ids and actors", "[api][http]") {
  open_door d;
  const auto own = d.http().get("/v1/runs/x", {{"X-Request-Id", "abc-1"}});
  CHECK(own.header("x-request-id") == "abc-1");
  CHECK(own.parsed().at("instance") == "abc-1");
  CHECK(d.http().get("/v1/ping", {{"X-Request-Id", "has space"}}).header("x-request-id").starts_with("req_"));
  d.http().post_json("/v1/runs", {{"name", "x"}}, {{"X-Belfry-Actor", "cli:alice"}});
  CHECK(d.node.last_actor() == "cli:alice");
  d.submit();
  CHECK(d.node.last_actor() == "http");
  CHECK(d.http().post("/v1/runs", {{"name", "x"}}, {{"X-Belfry-Actor", "a b"}}).code() == "invalid");
}

TEST_CASE("http: content types, unknown parameters, unknown paths", "[api][http]") {
  open_door d;
  const auto typed = [&](const std::string& type) {
    return d.http().send("POST", "/v1/runs", "{}", {{"Content-Type", type}}).status;
  };
  CHECK(typed("application/json; charset=utf-8") == 201);
  CHECK(typed("text/plain") == 415);
  CHECK(typed("application/x-www-form-urlencoded") == 415);
  const auto unknown = d.http().get("/v1/runs?stat=failed");
  CHECK(unknown.status == 422);
  CHECK(unknown.code() == "unknown_field");
  CHECK(unknown.body.find("did you mean state") != std::string::npos);
  CHECK(d.http().get("/v1/runs?q=a&q=b").code() == "invalid");
  CHECK(d.http().get("/v1/ping?x").code() == "unknown_field");
  const auto lost = d.http().get("/v1/rnus");
  CHECK(lost.status == 404);
  CHECK(lost.body.find("/v1/runs") != std::string::npos);
  CHECK(d.http().send("DELETE", "/v1/runs").header("allow").find("GET") != std::string::npos);
  CHECK(d.http().get("/v1/runs/x:cancel").status == 405);
}

TEST_CASE("http: other addresses than loopback need to be asked for, and a socket in use is left alone",
          "[api][http]") {
  open_door d;
  const auto meter = platform::make_meter();
  const auto start = [&](api::server_options o) {
    return api::server::start(d.node, *meter, d.clock(), std::move(o));
  };
  api::server_options o;
  o.listen = {"0.0.0.0:0"};
  const auto open = start(o);
  REQUIRE_FALSE(open);
  CHECK(open.error().text.find("authentication") != std::string::npos);
  o.allow_remote = true;
  CHECK(start(o));
  o = {};
  o.listen.clear();
  o.unix_socket = d.unix_socket().socket;
  const auto taken = start(o);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == core::errc::unavailable);
  o.listen = {"127.0.0.1:" + std::to_string(d.tcp().port)};
  o.unix_socket.clear();
  CHECK_FALSE(start(o));
  for (const auto* bad : {"127.0.0.1", "127.0.0.1:x", ":80", "127.0.0.1:70000", "::1:80", ""}) {
    o.listen = {bad};
    INFO(bad);
    const auto no = start(o);
    REQUIRE_FALSE(no);
    CHECK(no.error().code == core::errc::invalid);
  }
  struct stat info {};
  REQUIRE(::stat(d.unix_socket().socket.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  d.server->stop(core::span{0});
  CHECK_FALSE(std::filesystem::exists(d.unix_socket().socket));
}

TEST_CASE("http: stopping lets what is under way end", "[api][http]") {
  open_door d;
  const auto id = d.submit();
  const auto before = d.node.questions();
  d.node.hold();
  http_link link{d.tcp()};
  REQUIRE(link.send(request_text("GET", "/v1/runs/" + id)));
  REQUIRE(eventually([&] { return d.node.questions() == before + 1; }));
  std::thread stopper{[&] { d.server->stop(5s); }};
  CHECK(eventually([&] { return refuses_connections(d); }));
  d.node.release();
  const auto r = link.reply();
  stopper.join();
  REQUIRE(r);
  CHECK(r->status == 200);
  CHECK_THROWS_AS(http_link{d.tcp()}, no_answer);
}

TEST_CASE("http: several threads serve many clients", "[api][http]") {
  api::server_options o;
  o.threads = 3;
  open_door d{o};
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int c = 0; c < 8; ++c)
    clients.emplace_back([&] {
      http_client http{d.tcp()};
      for (int i = 0; i < 100; ++i) good += http.post("/v1/runs", {{"name", "x"}}).status == 201 ? 1 : 0;
    });
  for (auto& c : clients) c.join();
  CHECK(good == 800);
}

}  // namespace belfry::test
