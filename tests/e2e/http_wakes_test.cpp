// Wakes of the real binary: long poll, stream, webhook, command, and the command line.
#include <catch2/catch.hpp>
#include <csignal>
#include <sstream>
#include <thread>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tests/e2e/cli.hpp"
#include "tests/support/hook_receiver.hpp"

namespace belfry::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::vector<std::string> kinds_of(real_node& node, const std::string& run) {
  std::vector<std::string> kinds;
  const auto page = node.http().get_json("/v1/runs/" + run + "/events");
  for (const auto& e : page.at("events")) kinds.push_back(e.at("kind"));
  return kinds;
}

bool ended_with(real_node& node, const std::string& run, const std::string& kind) {
  return eventually([&] {
    const auto kinds = kinds_of(node, run);
    return !kinds.empty() && kinds.back() == kind;
  });
}

// Verified by a second hand: the key as bytes, the parts joined anew, OpenSSL's EVP interface.
std::string signature_of(const received_hook& hook) {
  static const unsigned char key[] = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4,
                                      0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0};
  const auto signed_part =
      hook.header("webhook-id") + "." + hook.header("webhook-timestamp") + "." + hook.body;
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key, sizeof key, reinterpret_cast<const unsigned char*>(signed_part.data()),
       signed_part.size(), mac, &size);
  unsigned char text[64] = {};
  EVP_EncodeBlock(text, mac, static_cast<int>(size));
  return std::string("v1,") + reinterpret_cast<const char*>(text);
}

}  // namespace

TEST_CASE("wakes: a shell waits for a wake, acknowledges it and claims the run", "[e2e][wakes]") {
  real_node node{{.executors = 0}};
  const cli belfry{node};
  const auto session = belfry.line({"session", "register", "agent-1"});
  CHECK(belfry({"session", "wakes", session, "--wait", "100ms"}).exit_code == 8);
  const auto run = node.submit({{"name", "thumbs"}});
  const auto id = belfry.line({"session", "wake", session, "thumbs"});
  const auto told = belfry({"session", "wakes", session, "--wait", "30s", "--ack"});
  CHECK(told.exit_code == 0);
  CHECK(has(told.out, id));
  CHECK(has(told.out, run));
  CHECK(ended_with(node, run, "wake_acknowledged"));
  CHECK(kinds_of(node, run) == std::vector<std::string>{"run_submitted", "wake_sent", "wake_acknowledged"});
  CHECK(has(belfry.line({"session", "ack", session, id}), "heard before"));
  CHECK(belfry({"session", "wakes", session}).out.empty());
  CHECK(belfry.line({"claim", session, "-o", "name"}).size() > 3);
  CHECK(has(belfry({"metrics"}).out, "belfry_wakes_total{outcome=\"acknowledged\"} 1"));
  CHECK(belfry({"session", "wakes", "ses_00NF2XPW00000"}).exit_code == 5);
}

TEST_CASE("wakes: a claim is heard as an answer, and silence has failed after its time", "[e2e][wakes]") {
  real_node node{{.executors = 0, .flags = {"--set", "wake.acknowledge_within=1s"}}};
  outside_worker agent{node, {{"name", "agent"}, {"slots", 4}}};
  const auto taken = node.submit({{"name", "taken"}});
  node.http().post_json("/v1/sessions/" + agent.id() + ":wake", {{"run_id", taken}});
  agent.claim_one();
  CHECK(ended_with(node, taken, "wake_acknowledged"));
  const auto left = node.submit({{"name", "left"}, {"capabilities", {"by-hand"}}});
  node.http().post_json("/v1/sessions/" + agent.id() + ":wake", {{"run_id", left}});
  CHECK(ended_with(node, left, "wake_failed"));
}

TEST_CASE("wakes: a stream delivers within the moment", "[e2e][wakes]") {
  real_node node{{.executors = 0}};
  outside_worker agent{node, {{"name", "agent"}}};
  event_stream s{node.tcp(), "/v1/sessions/" + agent.id() + "/wakes"};
  for (int i = 0; i < 20; ++i) {
    const auto run = node.submit({{"name", "w"}});
    node.http().post_json("/v1/sessions/" + agent.id() + ":wake", {{"run_id", run}});
    const auto e = s.next();
    REQUIRE(e);
    CHECK(json::parse(e->data).at("run_id") == run);
  }
  node.http().send("DELETE", "/v1/sessions/" + agent.id());
  const auto end = s.next();
  REQUIRE(end);
  CHECK(end->event == "gone");
}

TEST_CASE("wakes: work wakes a session that sleeps, and nobody has to ask for it", "[e2e][wakes]") {
  real_node node{{.executors = 0}};
  const cli belfry{node};
  hook_receiver receiver;
  const scratch_folder folder;
  write_text(folder / "secret", std::string(secret) + "\n");
  const auto deaf = belfry.line({"session", "register", "elsewhere", "--workspace", "other"});
  const auto session = belfry.line({"session", "register", "agent", "--wake-url", receiver.url("/w"),
                                    "--wake-secret", "@" + (folder / "secret"), "--cap", "thumbs"});
  const auto run = node.submit({{"name", "thumbs"}, {"capabilities", {"thumbs"}}});
  const auto hook = receiver.wait_for(0);
  REQUIRE(hook);
  const auto body = json::parse(hook->body);
  CHECK(body.at("data").at("run_id") == run);
  CHECK(body.at("data").at("session_id") == session);
  CHECK(ended_with(node, run, "wake_acknowledged"));
  CHECK(node.http().get_json("/v1/sessions/" + deaf + "/wakes").at("wakes").empty());
  const auto sums = belfry.doc({"scheduler", "statistics"});
  CHECK(sums.at("wakes_succeeded") == 1);
}

TEST_CASE("wakes: a webhook is signed, and its answer decides", "[e2e][wakes]") {
  real_node node{{.executors = 0}};
  const cli belfry{node};
  hook_receiver receiver;
  const scratch_folder folder;
  write_text(folder / "secret", std::string(secret) + "\n");
  const auto session =
      belfry.line({"session", "register", "agent", "--wake-url", receiver.url("/w?token=abc"),
                   "--wake-secret", "@" + (folder / "secret")});
  CHECK(has(belfry({"session", "show", session}).out, "webhook"));
  // What the session may not take, nobody wakes it for but a person.
  const auto run = node.submit({{"name", "thumbs"}, {"capabilities", {"by-hand"}}});
  const auto id = belfry.line({"session", "wake", session, run});
  const auto hook = receiver.wait_for(0);
  REQUIRE(hook);
  CHECK(hook->target == "/w?token=abc");
  CHECK(hook->header("webhook-id") == id);
  CHECK(hook->header("webhook-signature") == signature_of(*hook));
  const auto body = json::parse(hook->body);
  CHECK(body.at("type") == "session.wake");
  CHECK(body.at("data").at("id") == id);
  CHECK(body.at("data").at("run_id") == run);
  CHECK(body.at("data").at("session_id") == session);
  CHECK(body.at("data").at("name") == "thumbs");
  CHECK(ended_with(node, run, "wake_acknowledged"));
  receiver.answer_with(410);
  const auto second = node.submit({{"name", "second"}, {"capabilities", {"by-hand"}}});
  belfry.line({"session", "wake", session, second});
  CHECK(ended_with(node, second, "wake_failed"));

  // After kill -9 the node still knows how to wake, and nothing of it has shown the secret.
  node.kill9();
  node.start();
  receiver.answer_with(200);
  const auto third = node.submit({{"name", "third"}, {"capabilities", {"by-hand"}}});
  cli{node}.line({"session", "wake", session, third});
  REQUIRE(receiver.wait_for(2));
  CHECK(ended_with(node, third, "wake_acknowledged"));
  CHECK_FALSE(has(node.said(), "MfKQ9r8"));
  CHECK_FALSE(has(node.http().get("/v1/sessions").body, "MfKQ9r8"));
  CHECK_FALSE(has(node.http().get("/v1/events").body, "MfKQ9r8"));
}

TEST_CASE("wakes: a command is refused unless the node allows it", "[e2e][wakes]") {
  real_node node{{.executors = 0}};
  const auto end = cli{node}({"session", "register", "agent", "--wake-arg", "/bin/true"});
  CHECK(end.exit_code == 4);
  CHECK(has(end.err, "wake.commands"));
}

TEST_CASE("wakes: a command gets the wake, and one that hangs leaves nothing behind", "[e2e][wakes]") {
  real_node node{{.flags = {"--set", "wake.commands=true"}}};
  const cli belfry{node};
  const scratch_folder folder;
  const auto script =
      "cat > " + (folder / "wake") + "; echo $BELFRY_SESSION $BELFRY_RUN_ID > " + (folder / "env");
  const auto session = belfry.line(
      {"session", "register", "agent", "--wake-arg", "/bin/sh", "--wake-arg", "-c", "--wake-arg", script});
  // What neither may take, nobody wakes them for but a person.
  const auto run = node.submit({{"name", "thumbs"}, {"capabilities", {"by-hand"}}});
  const auto id = belfry.line({"session", "wake", session, run});
  CHECK(ended_with(node, run, "wake_acknowledged"));
  CHECK(json::parse(read_text(folder / "wake")).at("id") == id);
  CHECK(first_line(read_text(folder / "env")) == session + " " + run);

  const auto slow = belfry.line({"session", "register", "slow", "--wake-timeout", "300ms", "--wake-arg",
                                 "/bin/sh", "--wake-arg", "-c", "--wake-arg",
                                 "echo $$ > " + (folder / "pid") + "; trap '' TERM; sleep 600 & sleep 601"});
  const auto second = node.submit({{"name", "second"}, {"capabilities", {"by-hand"}}});
  belfry.line({"session", "wake", slow, second});
  CHECK(ended_with(node, second, "wake_failed"));
  const auto pid = std::stol(read_text(folder / "pid"));
  REQUIRE(pid > 0);
  CHECK(eventually([&] { return ::kill(static_cast<pid_t>(-pid), 0) != 0; }));
}

// The recipe of the guide, word by word.
TEST_CASE("wakes: a command appends each wake to a file, one JSON line each", "[e2e][wakes]") {
  real_node node{{.flags = {"--set", "wake.commands=true"}}};
  const cli belfry{node};
  const scratch_folder folder;
  const std::string recipe = "printf '%s\\n' \"$(cat)\" >> \"$1\"";
  CHECK(has(read_text("docs/guides/be-woken.md"), R"(printf '%s\\n' \"$(cat)\" >> \"$1\")"));
  const auto session =
      belfry.line({"session", "register", "agent", "--wake-arg", "/bin/sh", "--wake-arg", "-c", "--wake-arg",
                   recipe, "--wake-arg", "wake", "--wake-arg", folder / "wakes.jsonl"});
  std::vector<std::string> sent;
  for (const auto* name : {"first", "second"}) {
    const auto run = node.submit({{"name", name}, {"capabilities", {"by-hand"}}});
    sent.push_back(belfry.line({"session", "wake", session, run}));
    CHECK(ended_with(node, run, "wake_acknowledged"));
  }
  std::istringstream lines{read_text(folder / "wakes.jsonl")};
  std::vector<std::string> read;
  for (std::string line; std::getline(lines, line);) read.push_back(json::parse(line).at("id"));
  CHECK(read == sent);
}

}  // namespace belfry::test
