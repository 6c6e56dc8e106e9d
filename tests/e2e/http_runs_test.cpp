// Runs, through the real node: exactly once, in order, within limits, and what becomes of those that ended
// badly.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/shared_node.hpp"

namespace belfry::test {
namespace {

// A time on which texts can be compared: all of them are UTC with the same number of digits up to the
// fraction.
struct interval {
  std::string from, to;
};

interval lived(real_node& node, const std::string& id) {
  const auto run = node.wait_finished(id);
  const auto& a = run.at("attempts").back();
  // Fractions have three or six digits; the shorter one is filled up.
  const auto even = [](const json& time) {
    auto text = time.get<std::string>();
    text.pop_back();
    text.resize(26, '0');
    return text;
  };
  return {even(a.at("started_at")), even(a.at("ended_at"))};
}

std::size_t most_at_a_time(const std::vector<interval>& all) {
  std::size_t most = 0;
  for (const auto& a : all) {
    std::size_t n = 0;
    for (const auto& b : all) n += b.from <= a.from && a.from < b.to ? 1U : 0U;
    most = std::max(most, n);
  }
  return most;
}

// The same id with its last digits changed: as new as the node's own, and nobody has it.
std::string neighbour_of(const std::string& id, char digit) {
  auto other = id;
  other.back() = other.back() == digit ? (digit == '0' ? '1' : '0') : digit;
  return other;
}

}  // namespace

TEST_CASE("runs: one executor takes them by priority, and the longest waiting first within one",
          "[e2e][http][runs]") {
  real_node node{{.executors = 1}};
  const scratch_folder folder;
  const auto go = folder / "go";
  const auto first = node.submit_shell("while ! [ -e " + go + " ]; do sleep 0.02; done");
  node.wait_for_state(first, "running");
  std::vector<std::string> wanted(8);
  const std::vector<std::pair<std::string, std::size_t>> order{{"low", 6},    {"normal", 4}, {"urgent", 0},
                                                               {"high", 2},   {"low", 7},    {"normal", 5},
                                                               {"urgent", 1}, {"high", 3}};
  for (const auto& [priority, place] : order)
    wanted[place] = node.submit_shell("true", {{"priority", priority}});
  const auto queued = node.run(wanted[7]);
  CHECK(queued.at("state") == "queued");
  CHECK(queued.at("waiting_for").size() >= 1);
  // A change of priority counts at once.
  node.http().post_json("/v1/runs/" + wanted[7] + ":priority", {{"priority", "high"}});
  std::rotate(wanted.begin() + 3, wanted.end() - 1,
              wanted.end());  // among the high ones it waits longer than the second
  write_text(go, "");
  for (const auto& id : wanted) CHECK(node.wait_finished(id).at("state") == "succeeded");
  std::vector<std::string> claimed;
  for (const auto& e : node.events())
    if (e.at("kind") == "run_claimed" && e.at("run_id") != first) claimed.push_back(e.at("run_id"));
  CHECK(claimed == wanted);
}

TEST_CASE("runs: the limit of a lane holds, and another lane goes past it", "[e2e][http][runs]") {
  real_node node{{.executors = 4, .flags = {"--set", "limits.per_lane=1"}}};
  std::vector<std::string> narrow;
  for (int i = 0; i < 3; ++i) narrow.push_back(node.submit_shell("sleep 0.25", {{"lane", "narrow"}}));
  const auto other = node.submit_shell("sleep 0.1", {{"lane", "other"}});
  const auto waits = node.run(narrow[2]);
  if (waits.at("state") == "queued") CHECK(waits.dump().find("lane") != std::string::npos);
  std::vector<interval> times;
  for (const auto& id : narrow) times.push_back(lived(node, id));
  CHECK(most_at_a_time(times) == 1);
  CHECK(lived(node, other).from < times[1].from);
}

TEST_CASE("runs: a concurrency key lets so many run at a time as it says", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto key = fresh_name("key");
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i)
    ids.push_back(node.submit_shell("sleep 0.25", {{"concurrency_key", key}, {"concurrency_limit", 2}}));
  std::vector<interval> times;
  for (const auto& id : ids) times.push_back(lived(node, id));
  CHECK(most_at_a_time(times) == 2);
}

TEST_CASE("runs: live limits are changed at once, and kept", "[e2e][http][runs]") {
  real_node node{{.executors = 4}};
  CHECK(node.http().send("PUT", "/v1/limits", R"({"global":1})").status == 200);
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(node.submit_shell("sleep 0.1"));
  std::vector<interval> times;
  for (const auto& id : ids) times.push_back(lived(node, id));
  CHECK(most_at_a_time(times) == 1);
  CHECK(node.terminate() == 0);
  node.start();
  CHECK(node.http().get_json("/v1/scheduler/status").at("limits").at("global") == 1);
}

TEST_CASE("runs: the same key and content is answered with the same run, other content is refused",
          "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto key = fresh_name("once");
  const json wish = {{"name", key}, {"payload", {{"a", 1}}}};
  const auto first = node.http().post("/v1/runs", wish, {{"Idempotency-Key", key}});
  REQUIRE(first.status == 201);
  CHECK(first.header("idempotency-replayed").empty());
  const auto again = node.http().post("/v1/runs", wish, {{"Idempotency-Key", key}});
  CHECK(again.status == 201);
  CHECK(again.header("idempotency-replayed") == "true");
  CHECK(again.parsed().at("id") == first.parsed().at("id"));
  CHECK(again.parsed().at("created") == false);
  auto other = wish;
  other["payload"] = 2;
  const auto mismatch = node.http().post("/v1/runs", other, {{"Idempotency-Key", key}});
  CHECK(mismatch.status == 422);
  CHECK(mismatch.code() == "idempotency_mismatch");
  CHECK(node.http().get_json("/v1/runs?q=" + key).at("runs").size() == 1);
  // For a batch likewise.
  const json many = {{"runs", {{{"name", key + "-m"}}, {{"name", key + "-m"}}}}};
  const auto batch = node.http().post("/v1/runs:batch", many, {{"Idempotency-Key", key + "-b"}});
  const auto batch_again = node.http().post("/v1/runs:batch", many, {{"Idempotency-Key", key + "-b"}});
  REQUIRE(batch.status == 201);
  CHECK(batch_again.parsed().at("ids") == batch.parsed().at("ids"));
  CHECK(batch_again.header("idempotency-replayed") == "true");
  CHECK(node.http().get_json("/v1/runs?q=" + key + "-m").at("runs").size() == 2);
}

TEST_CASE("runs: a hundred clients with one key make one run", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto key = fresh_name("race");
  const auto text = request_text("POST", "/v1/runs", json{{"name", key}}.dump(), {{"Idempotency-Key", key}});
  std::vector<http_link> links;
  for (int i = 0; i < 100; ++i) links.emplace_back(node.tcp());
  for (auto& l : links) REQUIRE(l.send(text));
  std::set<std::string> ids;
  for (auto& l : links) {
    const auto r = l.reply();
    REQUIRE(r);
    if (r->status == 409) {
      CHECK(r->code() == "idempotency_in_progress");
      continue;
    }
    REQUIRE(r->status == 201);
    ids.insert(r->parsed().at("id").get<std::string>());
  }
  CHECK(ids.size() == 1);
  CHECK(node.http().get_json("/v1/runs?q=" + key).at("runs").size() == 1);
}

TEST_CASE("runs: an id given by the caller makes a submission repeatable", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto made = node.submit({{"name", "model"}});
  const auto id = neighbour_of(made, '7');
  const json wish = {{"id", id}, {"name", "mine"}, {"payload", 1}};
  const auto first = node.http().post("/v1/runs", wish);
  REQUIRE(first.status == 201);
  CHECK(first.parsed().at("id") == id);
  CHECK(first.parsed().at("created") == true);
  const auto again = node.http().post("/v1/runs", wish);
  CHECK(again.status == 201);
  CHECK(again.parsed().at("created") == false);
  auto other = wish;
  other["payload"] = 2;
  const auto conflict = node.http().post("/v1/runs", other);
  CHECK(conflict.status == 409);
  CHECK(conflict.code() == "conflict");
  const auto future = node.http().post("/v1/runs", {{"id", "run_7ZZZZZZZZZZZZ"}, {"name", "x"}});
  CHECK(future.status == 422);
  // Ids of the node go on growing behind it.
  CHECK(node.submit({{"name", "next"}}) > made);
}

TEST_CASE("runs: a batch is all or nothing, counted, and cancelled as a whole", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto name = fresh_name("batch");
  json many = {{"runs", json::array()}};
  for (int i = 0; i < 20; ++i) many["runs"].push_back({{"name", name}, {"payload", i}});
  auto broken = many;
  broken["runs"][13]["nmae"] = "x";
  const auto refused = node.http().post("/v1/runs:batch", broken);
  CHECK(refused.status == 422);
  CHECK(refused.parsed().at("errors").at(0).at("pointer") == "/runs/13/nmae");
  CHECK(node.http().get_json("/v1/runs?q=" + name).at("runs").empty());

  const auto batch = node.http().post_json("/v1/runs:batch", many);
  const auto id = batch.at("batch_id").get<std::string>();
  CHECK(batch.at("ids").size() == 20);
  CHECK(node.http().get_json("/v1/batches/" + id).at("by_state").at("queued") == 20);
  CHECK(node.http().get_json("/v1/runs?limit=500&batch=" + id).at("runs").size() == 20);
  const auto cancelled = node.http().post_json("/v1/batches/" + id + ":cancel", {{"reason", "enough"}});
  CHECK(cancelled.at("matched") == 20);
  const auto summary = node.http().get_json("/v1/batches/" + id);
  CHECK(summary.at("by_state").at("cancelled") == 20);
  CHECK(summary.at("complete") == true);
}

TEST_CASE("runs: losses have a budget of their own", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto space = fresh_name("space");
  outside_worker worker{node, {{"name", "forgetful"}, {"workspace", space}}};
  const auto id = node.submit(
      {{"name", "lossy"}, {"workspace", space}, {"retry", {{"max_attempts", 1}, {"max_losses", 2}}}});
  const auto first = worker.claim_one({{"lease", "1s"}});
  CHECK(first.at("fencing") == 1);
  const auto second =
      worker.claim_one({{"lease", "1s"}});  // comes back when the sweeper has taken it from us
  CHECK(second.at("run_id") == id);
  CHECK(second.at("fencing") == 2);
  CHECK(second.at("attempt") == 2);
  const auto stale = worker.say(first, "complete");
  CHECK(stale.status == 409);
  CHECK(stale.code() == "stale_lease");
  const auto run = node.wait_for_state(id, "lost");
  CHECK(run.at("losses") == 2);
  CHECK(run.at("attempts_used") == 0);
  REQUIRE(run.at("attempts").size() == 2);
  for (const auto& a : run.at("attempts")) {
    CHECK(a.at("outcome") == "lost");
    CHECK(a.at("failure_class") == "lost");
  }
  CHECK(run.at("late_writes").size() == 1);
  CHECK(worker.claim({{"wait", "0"}}).empty());
}

TEST_CASE("runs: an outside worker begins, beats, reports and ends", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto space = fresh_name("space");
  outside_worker worker{node, {{"name", "worker"}, {"workspace", space}, {"slots", 2}}};
  const auto id =
      node.submit({{"name", "outside"}, {"workspace", space}, {"payload", {{"n", 12345678901234567890ULL}}}});
  const auto claimed = worker.claim_one({{"lease", "5s"}});
  CHECK(claimed.at("payload").at("n") == 12345678901234567890ULL);
  CHECK(node.run(id).at("state") == "claimed");
  CHECK(worker.say(claimed, "start").status == 200);
  CHECK(node.run(id).at("state") == "running");
  const auto before = node.run(id).at("lease").at("expires_at").get<std::string>();
  CHECK(worker.say(claimed, "heartbeat", {{"lease", "1m"}}).status == 200);
  CHECK(node.run(id).at("lease").at("expires_at").get<std::string>() > before);
  CHECK(worker.say(claimed, "progress", {{"value", 0.25}, {"text", "a quarter"}}).status == 200);
  CHECK(node.run(id).at("progress") == 0.25);
  node.http().post_json("/v1/runs/" + id + ":cancel", json::object());
  CHECK(worker.say(claimed, "heartbeat").parsed().at("commands") == json{"cancel"});
  const json result = {{"result", {{"made", 3}}}};
  const auto done = worker.say(claimed, "complete", result);
  CHECK(done.status == 200);
  CHECK(done.parsed().at("state") == "succeeded");
  // The same again: the same answer. Another one: a conflict that changes nothing.
  const auto again = worker.say(claimed, "complete", result);
  CHECK(again.status == 200);
  CHECK(again.parsed().at("replayed") == true);
  const auto other = worker.say(claimed, "complete", {{"result", 4}});
  CHECK(other.status == 409);
  CHECK(other.code() == "conflict");
  CHECK(node.run(id).at("result") == json{{"made", 3}});
}

TEST_CASE("runs: an outside worker that does not keep to the timeout loses the run", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto space = fresh_name("space");
  outside_worker worker{node, {{"name", "slow"}, {"workspace", space}}};
  const auto id = node.submit({{"name", "late"},
                               {"workspace", space},
                               {"timeout", "300ms"},
                               {"grace", "100ms"},
                               {"retry", {{"max_attempts", 1}}}});
  const auto claimed = worker.claim_one({{"lease", "10m"}});
  CHECK(worker.say(claimed, "start").parsed().at("deadline").is_string());
  const auto run = node.wait_for_state(id, "timed_out");
  CHECK(run.at("attempts").at(0).at("outcome") == "timed_out");
  CHECK(run.at("attempts_used") == 1);
  const auto late = worker.say(claimed, "complete");
  CHECK(late.status == 409);
  CHECK(node.run(id).at("state") == "timed_out");
}

TEST_CASE("runs: one that is handed back after somebody cancelled it is not given out again",
          "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto space = fresh_name("space");
  outside_worker worker{node, {{"name", "worker"}, {"workspace", space}}};
  const auto id = node.submit({{"name", "unwanted"}, {"workspace", space}});
  const auto claimed = worker.claim_one();
  CHECK(node.http().post_json("/v1/runs/" + id + ":cancel", json::object()).at("cancel_requested") == true);
  CHECK(worker.say(claimed, "release").parsed().at("state") == "cancelled");
  CHECK(worker.claim({{"wait", "0"}}).empty());
}

TEST_CASE("runs: release and park use up no budget", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto space = fresh_name("space");
  outside_worker worker{node, {{"name", "worker"}, {"workspace", space}}};
  const auto id =
      node.submit({{"name", "handed back"}, {"workspace", space}, {"retry", {{"max_attempts", 1}}}});
  CHECK(worker.say(worker.claim_one(), "release", {{"message", "not now"}}).parsed().at("state") == "queued");
  CHECK(worker.say(worker.claim_one(), "park", {{"for", "200ms"}}).parsed().at("state") == "parked");
  const auto third = worker.claim_one();
  CHECK(third.at("fencing") == 3);
  CHECK(worker.say(third, "fail", {{"class", "permanent"}, {"message", "no"}}).parsed().at("state") ==
        "failed");
  const auto run = node.run(id);
  CHECK(run.at("attempts_used") == 1);
  CHECK(run.at("attempts").at(0).at("outcome") == "queued");
  CHECK(run.at("attempts").at(1).at("outcome") == "parked");
}

TEST_CASE("runs: of many claimers each run has one winner", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto space = fresh_name("space");
  json many = {{"runs", json::array()}};
  for (int i = 0; i < 60; ++i) many["runs"].push_back({{"name", "prize"}, {"workspace", space}});
  std::vector<std::unique_ptr<outside_worker>> workers;
  for (int i = 0; i < 10; ++i)
    workers.push_back(std::make_unique<outside_worker>(
        node, json{{"name", "racer"}, {"workspace", space}, {"slots", 100}}));
  std::vector<http_link> links;
  for (const auto& w : workers) {
    links.emplace_back(node.tcp());
    REQUIRE(links.back().send(
        request_text("POST", "/v1/claims", json{{"session", w->id()}, {"max", 20}, {"wait", "1s"}}.dump())));
  }
  node.http().post_json("/v1/runs:batch", many);
  std::multiset<std::string> won;
  std::set<std::string> tokens;
  const auto take = [&](const json& claims) {
    for (const auto& c : claims) {
      won.insert(c.at("run_id").get<std::string>());
      tokens.insert(c.at("token").get<std::string>());
      CHECK(c.at("fencing") == 1);
    }
  };
  for (auto& l : links) {
    const auto r = l.reply();
    REQUIRE(r);
    REQUIRE(r->status == 200);
    take(r->parsed().at("claims"));
  }
  for (const auto& w : workers) take(json(w->claim({{"max", 100}, {"wait", "0"}})));
  CHECK(won.size() == 60);
  CHECK(std::set<std::string>(won.begin(), won.end()).size() == 60);
  CHECK(tokens.size() == 60);
}

TEST_CASE("runs: bulk completions are answered one by one", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto space = fresh_name("space");
  outside_worker worker{node, {{"name", "bulk"}, {"workspace", space}, {"slots", 10}}};
  for (int i = 0; i < 3; ++i) node.submit({{"name", "item"}, {"workspace", space}});
  std::vector<json> claims;
  eventually([&] {
    for (auto& c : worker.claim({{"max", 3}, {"wait", "1s"}})) claims.push_back(c);
    return claims.size() == 3;
  });
  REQUIRE(claims.size() == 3);
  const auto item = [](const json& c, const std::string& outcome) {
    return json{{"run_id", c.at("run_id")},
                {"token", c.at("token")},
                {"fencing", c.at("fencing")},
                {"outcome", outcome}};
  };
  auto wrong = item(claims[1], "succeeded");
  wrong["token"] = "x";
  const auto answer = node.http().post_json(
      "/v1/completions",
      {{"items", {item(claims[0], "succeeded"), wrong, item(claims[2], "failed"), {{"run_id", 7}}}}});
  const auto& items = answer.at("items");
  REQUIRE(items.size() == 4);
  CHECK(items[0].at("status") == "ok");
  CHECK(items[1].at("code") == "stale_lease");
  CHECK(items[2].at("status") == "ok");
  CHECK(items[3].at("code") == "invalid");
  CHECK(node.run(claims[1].at("run_id")).at("state") == "claimed");
}

TEST_CASE("runs: a dead letter is listed, redriven once in a chain with an end, or discarded",
          "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto name = fresh_name("dead");
  auto id = node.submit_shell("exit 1", {{"name", name}, {"retry", {{"max_attempts", 1}}}});
  node.wait_for_state(id, "failed");
  const auto dead = [&] { return node.http().get_json("/v1/dead-letters?q=" + name).at("runs"); };
  REQUIRE(dead().size() == 1);
  CHECK(dead().at(0).at("id") == id);

  const auto first = id;
  for (int i = 1; i <= 10; ++i) {
    const auto next = node.http().post_json("/v1/runs/" + id + ":retry", json::object());
    CHECK(next.at("predecessor_id") == id);
    id = next.at("id").get<std::string>();
    node.wait_for_state(id, "failed");
  }
  const auto too_long = node.http().post("/v1/runs/" + id + ":retry");
  CHECK(too_long.status == 422);
  CHECK(too_long.code() == "limit_exceeded");
  const auto twice = node.http().post("/v1/runs/" + first + ":retry");
  CHECK(twice.status == 409);
  CHECK(twice.code() == "conflict");
  CHECK(node.run(first).at("dead_letter") == false);
  REQUIRE(dead().size() == 1);
  CHECK(dead().at(0).at("id") == id);
  CHECK(node.http().post_json("/v1/runs/" + id + ":discard", {{"reason", "known"}}).at("discarded") == true);
  CHECK(dead().empty());
  CHECK(node.run(id).at("state") == "failed");
}

TEST_CASE("runs: who waits is told when it starts, and what that rests on", "[e2e][http][runs]") {
  real_node node{{.executors = 1}};
  const auto lane = [](int i) { return json{{"lane", "slow"}, {"name", "n" + std::to_string(i)}}; };
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) ids.push_back(node.submit_shell("sleep 0.1", lane(i)));
  const auto first = node.run(ids.back());
  if (first.at("state") == "queued" && first.at("eta_ms").is_null())
    CHECK(first.at("eta_basis").get<std::string>().rfind("unknown: ", 0) == 0);
  node.wait_finished(ids[7]);
  const auto later = node.run(ids.back());
  REQUIRE(later.at("state") == "queued");
  REQUIRE(later.at("eta_ms").is_number());
  CHECK(later.at("eta_ms") > 500);
  CHECK(later.at("eta_ms") < 20'000);
  CHECK(later.at("eta_basis").get<std::string>().find("starts of this lane and priority took") !=
        std::string::npos);
}

TEST_CASE("runs: a redrive that is repeated with its key gives the same successor", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto failed = [&] {
    const auto id = node.submit_shell("exit 1", {{"retry", {{"max_attempts", 1}}}});
    node.wait_for_state(id, "failed");
    return id;
  };
  const auto id = failed();
  const auto key = fresh_name("key");
  const auto say = [&](const std::string& path, const json& body) {
    return node.http().post(path, body, {{"Idempotency-Key", key}});
  };
  const auto first = say("/v1/runs/" + id + ":retry", json::object());
  const auto again = say("/v1/runs/" + id + ":retry", json::object());
  CHECK(first.status == 201);
  CHECK(first.header("idempotency-replayed").empty());
  CHECK(again.status == 201);
  CHECK(again.header("idempotency-replayed") == "true");
  CHECK(again.parsed().at("id") == first.parsed().at("id"));
  CHECK(say("/v1/runs/" + id + ":retry", {{"payload", 1}}).code() == "idempotency_mismatch");

  const json both = {{"ids", {failed(), failed()}}};
  const auto many = say("/v1/runs:retry", both).parsed();
  const auto many_again = say("/v1/runs:retry", both);
  CHECK(many.at("succeeded") == 2);
  CHECK(many_again.header("idempotency-replayed") == "true");
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(many_again.parsed().at("items").at(i).at("successor_id") ==
          many.at("items").at(i).at("successor_id"));
}

TEST_CASE("sessions: a registration that is repeated with its key is the same session",
          "[e2e][http][sessions]") {
  auto& node = shared_node();
  const auto key = fresh_name("key");
  const auto say = [&] {
    return node.http().post("/v1/sessions", {{"name", key}, {"agent_type", "x"}}, {{"Idempotency-Key", key}});
  };
  const auto first = say().parsed().at("id");
  const auto again = say();
  CHECK(again.header("idempotency-replayed") == "true");
  CHECK(again.parsed().at("id") == first);
}

TEST_CASE("runs: a redrive may bring another payload", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("grep -q good", {{"payload", "bad"}, {"retry", {{"max_attempts", 1}}}});
  node.wait_for_state(id, "failed");
  const auto next =
      node.http().post_json("/v1/runs/" + id + ":retry", {{"payload", "good"}}).at("id").get<std::string>();
  CHECK(node.wait_finished(next).at("state") == "succeeded");
  CHECK(node.run(id).at("successor_id") == next);
}

TEST_CASE("runs: a delayed run waits, says until when, and can be let go at once", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("true", {{"delay", "1h"}});
  const auto run = node.run(id);
  CHECK(run.at("state") == "scheduled");
  CHECK(run.at("waiting_for").at(0).at("code") == "not_before");
  node.http().post_json("/v1/runs/" + id + ":run-now", json::object());
  CHECK(node.wait_finished(id).at("state") == "succeeded");
  const auto soon = node.submit_shell("true", {{"delay", "300ms"}});
  CHECK(node.run(soon).at("attempts").empty());
  CHECK(node.wait_finished(soon).at("state") == "succeeded");
}

TEST_CASE("runs: pages follow one another without a gap, however much comes meanwhile", "[e2e][http][runs]") {
  auto& node = shared_node();
  const auto name = fresh_name("page");
  json many = {{"runs", json::array()}};
  for (int i = 0; i < 120; ++i)
    many["runs"].push_back({{"name", name}, {"workspace", name}, {"tags", {i % 2 == 0 ? "even" : "odd"}}});
  const auto ids = node.http().post_json("/v1/runs:batch", many).at("ids").get<std::vector<std::string>>();
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page =
        node.http().get_json("/v1/runs?limit=7&q=" + name + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& r : page.at("runs")) seen.push_back(r.at("id"));
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
    node.submit({{"name", name}, {"workspace", name}});  // newer than all of them: not on later pages
  } while (!cursor.empty());
  CHECK(seen == std::vector<std::string>(ids.rbegin(), ids.rend()));
  CHECK(node.http().get_json("/v1/runs?limit=500&tag=even&q=" + name).at("runs").size() == 60);
  CHECK(node.http().get_json("/v1/runs?limit=500&state=pending&q=" + name).at("runs").size() > 120);
}

TEST_CASE("runs: retention removes what is old and leaves what it must", "[e2e][http][runs]") {
  real_node node{{.executors = 2,
                  .flags = {"--set", "retention.keep=1s", "--set", "retention.every=1s", "--set",
                            "retention.keep_dead=1h"}}};
  const json job = {
      {"name", "kept"}, {"handler", {{"kind", "process"}, {"shell", "true"}}}, {"overlap", "allow"}};
  node.http().post_json("/v1/jobs", job);
  const auto trigger = [&] {
    const auto id =
        node.http().post_json("/v1/jobs/kept:trigger", json::object()).at("id").get<std::string>();
    node.wait_finished(id);
    return id;
  };
  const auto plain = node.submit_shell("true");
  const auto dead = node.submit_shell("exit 1", {{"retry", {{"max_attempts", 1}}}});
  const auto waiting = node.submit_shell("true", {{"delay", "1h"}});
  node.wait_finished(plain);
  node.wait_finished(dead);
  const auto older = trigger();
  const auto latest = trigger();
  const auto gone = [&](const std::string& id) { return node.http().get("/v1/runs/" + id).status == 404; };
  CHECK(eventually([&] { return gone(plain) && gone(older); }, 20s));
  CHECK_FALSE(gone(latest));   // the latest result of its job
  CHECK_FALSE(gone(dead));     // a dead letter that nobody has looked at
  CHECK_FALSE(gone(waiting));  // not finished
}

}  // namespace belfry::test
