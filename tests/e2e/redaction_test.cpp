// Tokens and secrets stand in no log, list, event, error or stored file. Everything that a node with a
// talkative log, its workers and the command line leave is searched for the tokens that were really given.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/e2e/cli.hpp"
#include "tests/support/real_worker.hpp"
#include "tests/support/secrets.hpp"

namespace belfry::test {
namespace {

// What somebody said, and who.
struct heard {
  std::string who, text;
};

class listener {
 public:
  void hear(const std::string& who, const std::string& text) { all_.push_back({who, text}); }
  void hear(const std::string& who, const http_reply& r) {
    std::string head;
    for (const auto& [name, value] : r.headers) head += name + ": " + value + "\n";
    hear(who, head + r.body);
  }
  void hear(const std::string& who, const program_end& end) { hear(who, end.out + end.err); }
  void expect_without(const std::string& secret) const {
    for (const auto& [who, text] : all_)
      if (has(text, secret)) FAIL_CHECK("a secret stands in " << who);
  }
  std::size_t bytes() const {
    std::size_t n = 0;
    for (const auto& each : all_) n += each.text.size();
    return n;
  }
  const std::vector<heard>& all() const { return all_; }

 private:
  std::vector<heard> all_;
};

// Says everything that a token can be said with, rightly and wrongly.
void misuse(real_node& node, listener& ear, const json& claim) {
  auto& http = node.http();
  const auto run = "/v1/runs/" + claim.at("run_id").get<std::string>();
  const json proof = {{"token", claim.at("token")}, {"fencing", claim.at("fencing")}};
  const auto with = [&](json more) {
    auto body = proof;
    body.update(more);
    return body;
  };
  ear.hear("a heartbeat", http.post(run + ":heartbeat", with({{"lease", "1s"}})));
  ear.hear("a bad lease", http.post(run + ":heartbeat", with({{"lease", "soon"}})));
  ear.hear("a bad fencing number", http.post(run + ":progress", with({{"fencing", 99}, {"value", 0.5}})));
  ear.hear("an unknown member", http.post(run + ":complete", with({{"tokens", claim.at("token")}})));
  ear.hear("a token of the wrong kind",
           http.post(run + ":complete", {{"token", {claim.at("token")}}, {"fencing", 1}}));
  ear.hear("malformed JSON", http.send("POST", run + ":complete", proof.dump() + "}"));
  http.get("/v1/runs/" +
           claim.at("token").get<std::string>());  // told back to whoever said it; not to the log
  ear.hear("a bulk completion",
           http.post("/v1/completions",
                     {{"items", {with({{"run_id", "run_0000000000001"}, {"outcome", "done"}})}}}));
  ear.hear("another run", http.post("/v1/runs/run_0000000000001:complete", proof));
  const cli belfry(node);
  const auto id = claim.at("run_id").get<std::string>();
  const auto token = claim.at("token").get<std::string>();
  ear.hear("the command line with --debug",
           belfry({"--debug", "run", "progress", id, "--token", token, "--fencing", "1", "--value", "0.1"}));
  ear.hear("a refused command", belfry({"run", "complete", id, "--token", token, "--fencing", "77"}));
  ear.hear("a refused command in JSON",
           belfry({"-o", "json", "run", "park", id, "--token", token, "--fencing", "77", "--for", "1s"}));
  ear.hear("a missing flag", belfry({"run", "fail", id, "--token", token}));
}

void look_everywhere(real_node& node, listener& ear) {
  for (const auto* path :
       {"/v1/runs?limit=500", "/v1/sessions?gone=true", "/v1/events?limit=500", "/v1/export", "/v1/node",
        "/metrics", "/v1/openapi.json", "/v1/limits", "/v1/statistics", "/v1/scheduler/status", "/v1/jobs"})
    ear.hear(path, node.http().get(path));
  const auto page = node.http().get_json("/v1/runs?limit=500");
  for (const auto& r : page.at("runs")) {
    const auto path = "/v1/runs/" + r.at("id").get<std::string>();
    for (const auto* what : {"", "/logs", "/events"}) ear.hear(path + what, node.http().get(path + what));
  }
  const cli belfry(node);
  ear.hear("config show", belfry({"config", "show", "-o", "json"}));
  ear.hear("session list", belfry({"session", "list", "--gone", "-o", "json"}));
  ear.hear("export", belfry({"export"}));
  ear.hear("events", belfry({"events", "-o", "jsonl"}));
  ear.hear("the log of the node", node.said());
  for (const auto& file : std::filesystem::recursive_directory_iterator(node.data()))
    if (file.is_regular_file()) ear.hear(file.path().filename().string(), read_text(file.path().string()));
}

}  // namespace

TEST_CASE("redaction: tokens and secrets stand nowhere but in the answer to the claim", "[e2e][redaction]") {
  node_setup setup;
  setup.executors = 1;
  setup.flags = {"--log-level", "debug", "--log-format", "json"};
  setup.environment = {{"SECRET_OF_THE_NODE", "must-not-leak-7f3a"}};
  real_node node(setup);
  listener ear;
  std::vector<std::string> tokens;

  // Live, finished, lost and late leases.
  outside_worker hand(node, {{"name", "hand"}, {"agent_type", "test"}, {"slots", 10}});
  for (int i = 0; i < 4; ++i) node.submit(outside_run("by-hand-" + std::to_string(i)));
  const auto claims = hand.claim({{"max", 4}, {"lease", "30s"}, {"start", true}});
  REQUIRE(claims.size() == 4);
  for (const auto& c : claims) tokens.push_back(c.at("token"));
  for (const auto& c : claims) misuse(node, ear, c);
  ear.hear("a completion", hand.say(claims[0], "complete", {{"result", {{"ok", true}}}}));
  ear.hear("the same again", hand.say(claims[0], "complete", {{"result", {{"ok", true}}}}));
  ear.hear("another end", hand.say(claims[0], "fail"));
  ear.hear("a heartbeat for a moment", hand.say(claims[1], "heartbeat", {{"lease", "1s"}}));
  REQUIRE(eventually([&] { return node.run(claims[1].at("run_id")).at("losses") > 0; }));
  ear.hear("a late end", hand.say(claims[1], "complete", {{"result", {{"late", true}}}}));
  ear.hear("a failure", hand.say(claims[2], "fail", {{"message", "no luck"}}));

  // `belfry work` with everything that it can say, over a death of its node.
  {
    background worker({belfry_binary(), "--debug", "work", "--server", "unix:" + node.data() + "/belfry.sock",
                       "--cap", "w", "--lease", "2s", "--env", "API_KEY", "--", "/bin/sh", "-c",
                       "env | grep -c API_KEY; echo $BELFRY_FENCING; sleep 0.2"},
                      {{"API_KEY", "worker-secret-19c2"}});
    const auto first = node.submit(outside_run("worked", {{"capabilities", {"w"}}}));
    node.wait_for_state(first, "succeeded");
    const auto second = node.submit(outside_run("worked", {{"capabilities", {"w"}}}));
    node.wait_for_state(second, "running");
    node.kill9();
    node.start();
    node.wait_for_state(second, "succeeded");
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);
    ear.hear("the worker", worker.said());
    CHECK(has(worker.said(), "POST /v1/claims"));  // it did talk
  }
  // The node's own executor has leases too.
  node.wait_finished(node.submit_shell("env; echo $SECRET_OF_THE_NODE"));
  look_everywhere(node, ear);
  for (const auto& t : tokens) ear.expect_without(t);
  ear.expect_without("must-not-leak-7f3a");
  ear.expect_without("worker-secret-19c2");
  // The tokens of the worker are known to nobody here, but they have a shape. The description of the API has
  // words of any shape, the store is not text.
  for (const auto& [who, text] : ear.all()) {
    const auto words = token_like_words(text);
    if (!words.empty() && who.rfind("belfry.db", 0) != 0)
      FAIL_CHECK("a word that looks like a token in " << who << ": " << words.front());
  }
  CHECK(ear.bytes() > 50'000);
}

TEST_CASE("redaction: the search finds a token", "[e2e][redaction]") {
  const std::string token = "u7Kq2mXw9_ZtR4vB1nL-c8JdHs6Yp0AeFgTiOkNxQbM";
  REQUIRE(token.size() == 43);
  CHECK(token_like_words("{\"token\":\"" + token + "\"}") == std::vector{token});
  CHECK(token_like_words("x" + token + " run_0CN145QAE0000 " + std::string(43, 'a')).empty());
}

}  // namespace belfry::test
