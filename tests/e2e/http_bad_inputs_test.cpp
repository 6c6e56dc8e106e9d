// Whatever is sent to it, the node answers what is documented, goes on serving, and keeps nothing of it.
#include <catch2/catch.hpp>
#include <set>

#include "tests/e2e/bad_inputs.hpp"
#include "tests/support/shared_node.hpp"

namespace belfry::test {
namespace {

class bad_input_trial {
 public:
  explicit bad_input_trial(real_node& node) : node_(node), good_(node.tcp()) {}

  void judge(const bad_input& bad) {
    INFO(bad.name);
    http_link link{node_.tcp()};
    (void)link.send(bad.bytes);  // it may be cut off before the end; the answer is what counts
    const auto r = link.reply(10s);
    REQUIRE(r);
    INFO(r->body.substr(0, 1500));
    CHECK(r->status == bad.status);
    CHECK(r->header("content-type") == "application/problem+json");
    const auto problem = r->parsed();
    CHECK(problem.at("status") == r->status);
    if (!bad.code.empty()) CHECK(problem.at("code") == bad.code);
    CHECK(problem.at("type") == "/problems/" + problem.at("code").get<std::string>());
    CHECK_FALSE(problem.at("title").get<std::string>().empty());
    CHECK_FALSE(problem.at("detail").get<std::string>().empty());
    CHECK(r->body.size() < 64 * 1024);
    if (!bad.hint.empty()) CHECK(r->body.find(bad.hint) != std::string::npos);
    if (r->status == 405) CHECK_FALSE(r->header("allow").empty());
    if (r->status == 422 && problem.at("code") == "invalid") CHECK_FALSE(problem.at("errors").empty());
    still_well();
    ++count_;
  }

  // The node is alive and takes work, over a connection that was there before.
  void still_well() {
    REQUIRE(good_.get("/v1/health").status == 200);
    const auto r = good_.post("/v1/runs", {{"name", "good"}, {"workspace", "bad-inputs"}});
    REQUIRE(r.status == 201);
    ++good_count_;
  }

  void judge_all(const std::vector<bad_input>& all) {
    for (const auto& bad : all) judge(bad);
  }

  std::size_t count() const { return count_; }
  std::size_t good_count() const { return good_count_; }

 private:
  real_node& node_;
  http_client good_;
  std::size_t count_ = 0, good_count_ = 0;
};

}  // namespace

TEST_CASE("bad inputs: each gets its documented answer, and the node goes on", "[e2e][http][bad]") {
  real_node node{{.executors = 2}};
  bad_input_trial trial{node};
  trial.still_well();
  const auto before = node.resident_bytes();
  trial.judge_all(broken_json());
  trial.judge_all(wrong_values());
  trial.judge_all(other_operations());
  trial.judge_all(addresses());
  trial.judge_all(broken_http());
  CHECK(trial.count() >= 150);
  // Nothing of it was taken, everything good was.
  CHECK(node.http().get_json("/v1/runs?q=bad").at("runs").empty());
  CHECK(node.http().get_json("/v1/jobs").at("jobs").empty());
  std::size_t good = 0;
  std::string cursor;
  do {
    const auto page =
        node.http().get_json("/v1/runs?limit=500&q=good" + (cursor.empty() ? "" : "&cursor=" + cursor));
    good += page.at("runs").size();
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  CHECK(good == trial.good_count());
  const auto after = node.resident_bytes();
  INFO("resident before " << before << ", after " << after);
  CHECK(after < before + (96U << 20));
  CHECK(node.terminate() == 0);
}

TEST_CASE("bad inputs: a large payload is kept byte by byte, and the largest that is allowed is taken",
          "[e2e][http][bad]") {
  auto& node = shared_node();
  const std::string payload = "\"" + repeated("x", 64 * 1024 - 2) + "\"";
  const auto r = node.http().send("POST", "/v1/runs",
                                  R"({"name":"large","workspace":"nobody","payload":)" + payload + "}");
  REQUIRE(r.status == 201);
  const std::string odd = R"({"big":123456789012345678901234567890,"tiny":1e-400,"deep":)" +
                          repeated("[", 61) + repeated("]", 61) + R"(,"ü":"\u0000"})";
  const auto kept =
      node.http().send("POST", "/v1/runs", R"({"name":"odd","workspace":"nobody","payload":)" + odd + "}");
  REQUIRE(kept.status == 201);
  CHECK(node.http().get("/v1/runs/" + kept.parsed().at("id").get<std::string>()).body.find(odd) !=
        std::string::npos);
}

TEST_CASE("bad inputs: slow clients are cut off with an answer, and nobody waits for them",
          "[e2e][http][bad]") {
  real_node node{{.executors = 2,
                  .flags = {"--set", "http.header_timeout=700ms", "--set", "http.body_timeout=900ms", "--set",
                            "http.idle_timeout=1s"}}};
  bad_input_trial trial{node};
  std::vector<http_link> drip, idle, silent, done;
  for (int i = 0; i < 40; ++i) {
    drip.emplace_back(node.tcp());
    REQUIRE(drip.back().send("GET /v1/health HTTP/1.1\r\nHost: local"));
    idle.emplace_back(node.tcp());
    REQUIRE(idle.back().send(submission_head + "Content-Length: 100\r\n\r\n{\"name\":"));
    silent.emplace_back(node.tcp());
    done.emplace_back(node.tcp());
    REQUIRE(done.back().send(request_text("GET", "/v1/ready")));
    REQUIRE(done.back().reply());
  }
  trial.still_well();
  // A byte now and then is no way to stay for ever.
  const auto from = std::chrono::steady_clock::now();
  eventually([&] {
    for (auto& l : drip) (void)l.send("h");
    return std::chrono::steady_clock::now() - from > 600ms;
  });
  const auto cut_off = [&](http_link& l) {
    const auto r = l.reply(10s);
    REQUIRE(r);
    CHECK(r->status == 408);
    CHECK(r->code() == "timed_out");
    CHECK(l.closed_within(5s));
  };
  for (auto& l : drip) cut_off(l);
  for (auto& l : idle) cut_off(l);
  for (auto& l : silent) CHECK(l.closed_within(5s));
  for (auto& l : done) CHECK(l.closed_within(5s));  // kept alive, but not for ever
  trial.still_well();
  CHECK(eventually([&] { return node.status().at("http").at("connections").get<int>() <= 2; }));
}

TEST_CASE("bad inputs: garbage behind a good request does not spoil the good one", "[e2e][http][bad]") {
  auto& node = shared_node();
  http_link link{node.tcp()};
  const auto good = request_text("GET", "/v1/ready");
  REQUIRE(link.send(good + good + "GARBAGE\r\n\r\n" + good));
  for (int i = 0; i < 2; ++i) {
    const auto r = link.reply();
    REQUIRE(r);
    CHECK(r->status == 200);
  }
  const auto bad = link.reply();
  REQUIRE(bad);
  CHECK(bad->status == 400);
  CHECK(bad->header("connection") == "close");
  CHECK(link.closed_within(5s));  // nothing behind it can be trusted
}

TEST_CASE("bad inputs: a hundred requests in one write are answered in order", "[e2e][http][bad]") {
  auto& node = shared_node();
  http_link link{node.tcp()};
  std::string all;
  for (int i = 0; i < 100; ++i) {
    if (i % 3 == 0)
      all += request_text("POST", "/v1/runs", json{{"name", "pipelined"}, {"workspace", "nobody"}}.dump(),
                          {{"X-Request-Id", "r" + std::to_string(i)}});
    else
      all += request_text("GET", i % 3 == 1 ? "/v1/health" : "/v1/no-such-thing", {},
                          {{"X-Request-Id", "r" + std::to_string(i)}});
  }
  REQUIRE(link.send(all));
  for (int i = 0; i < 100; ++i) {
    const auto r = link.reply();
    REQUIRE(r);
    CHECK(r->header("x-request-id") == "r" + std::to_string(i));
    CHECK(r->status == (i % 3 == 0 ? 201 : i % 3 == 1 ? 200 : 404));
  }
}

TEST_CASE("bad inputs: clients that leave in the middle cost nothing", "[e2e][http][bad]") {
  real_node node{{.executors = 2}};
  bad_input_trial trial{node};
  const auto whole = request_text("POST", "/v1/runs", R"({"name":"left","workspace":"bad-inputs"})");
  std::size_t whole_sent = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    http_link link{node.tcp()};
    const auto cut = i % 10 == 9 ? whole.size() : (i * 7) % whole.size();
    if (link.send(std::string_view{whole}.substr(0, cut)) && cut == whole.size()) ++whole_sent;
    if (i % 2 == 0) link.shut_sending();
  }
  trial.still_well();
  // Half a request made nothing; a whole one did, whether or not somebody waited for the answer.
  CHECK(eventually(
      [&] { return node.http().get_json("/v1/runs?limit=500&q=left").at("runs").size() == whole_sent; }));
  CHECK(eventually([&] { return node.status().at("http").at("connections").get<int>() <= 3; }));
}

TEST_CASE("bad inputs: a run is not lost to a claimer that has gone", "[e2e][http][bad]") {
  auto& node = shared_node();
  const auto space = fresh_name("gone");
  outside_worker there{node, {{"name", "there"}, {"workspace", space}}};
  outside_worker away{node, {{"name", "away"}, {"workspace", space}}};
  const auto waiting = [&] {
    return node.http().get_json("/v1/scheduler/status").at("waiting_claims").get<int>();
  };
  const auto before = waiting();
  {
    http_link link{node.tcp()};
    REQUIRE(link.send(request_text("POST", "/v1/claims",
                                   json{{"session", away.id()}, {"wait", "30s"}, {"lease", "24h"}}.dump())));
    REQUIRE(eventually([&] { return waiting() > before; }));
  }
  // The connection is closed; the run must come to the one who is there, long before the lease is over.
  const auto id = node.submit({{"name", "wanted"}, {"workspace", space}});
  CHECK(there.claim_one({{"wait", "10s"}}).at("run_id") == id);
}

TEST_CASE("bad inputs: one connection too many is told so", "[e2e][http][bad]") {
  real_node node{{.flags = {"--set", "http.max_connections=20"}}};
  std::vector<http_link> open;
  for (int i = 0; i < 19; ++i) {
    open.emplace_back(node.tcp());
    if (!open.back().send(request_text("GET", "/v1/ready"))) continue;
    (void)open.back().reply();
  }
  http_link more{node.tcp()};
  http_link one_too_many{node.tcp()};
  REQUIRE(one_too_many.send(request_text("GET", "/v1/ready")));
  const auto r = one_too_many.reply();
  REQUIRE(r);
  CHECK(r->status == 503);
  CHECK(r->code() == "overloaded");
  CHECK_FALSE(r->header("retry-after").empty());
  open.clear();
  CHECK(eventually([&] {
    http_client again{node.tcp()};
    return again.get("/v1/ready").status == 200;
  }));
}

}  // namespace belfry::test
