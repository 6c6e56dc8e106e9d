// The claim hook of the real binary: a script that allows, refuses, narrows, hangs and crashes, and an
// address.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include "tests/e2e/cli.hpp"
#include "tests/support/hook_receiver.hpp"

namespace belfry::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* hook_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// A script of a hook, and a node that asks it. What it does is changed while the node runs.
struct hooked_folder {
  scratch_folder folder;
  std::string script = folder / "may-claim";

  hooked_folder() { does(R"(echo '{"decision":"allow"}')"); }
  void does(const std::string& body) const {
    write_text(script + ".new", "#!/bin/sh\n" + body + "\n");
    REQUIRE(::chmod((script + ".new").c_str(), 0700) == 0);
    REQUIRE(std::rename((script + ".new").c_str(), script.c_str()) == 0);
  }
  // The node reads its configuration from here.
  std::string configured(const std::string& more = {}) const {
    const auto file = folder / "belfry.toml";
    write_text(file, "[claim_hook]\ncommand = [\"" + script + "\"]\nretry_after = \"200ms\"\n" + more);
    return file;
  }
};

node_setup asking(const std::string& file) {
  return {.executors = 0, .flags = {"--config", file, "--set", "limits.per_agent_type=0"}};
}

json claim(real_node& node, const std::string& session, const std::string& wait, int max = 1) {
  return node.http().post_json("/v1/claims", {{"session", session}, {"wait", wait}, {"max", max}});
}

json explained(real_node& node, const std::string& run) {
  return node.http().get_json("/v1/runs/" + run + "/explain");
}

std::string hook_verdicts(real_node& node) {
  return node.http().get_json("/v1/scheduler/status").at("claim_hook").dump();
}

}  // namespace

TEST_CASE("claim hook: a script decides who gets what", "[e2e][hook]") {
  hooked_folder hook;
  real_node node{asking(hook.configured())};
  const cli belfry{node};
  const auto session = belfry.line({"session", "register", "agent-1", "--agent-type", "claude"});
  const auto run = node.submit({{"name", "thumbs"}});

  // It is told whom and what it is about.
  hook.does("cat > '" + (hook.folder / "asked") +
            R"('; echo '{"decision":"refuse","reason":"quiet hours"}')");
  CHECK(claim(node, session, "0s").at("claims").empty());
  const auto asked = json::parse(read_text(hook.folder / "asked"));
  CHECK(asked.at("data").at("session").at("id") == session);
  CHECK(asked.at("data").at("session").at("agent_type") == "claude");
  CHECK(asked.at("data").at("runs").at(0).at("id") == run);
  CHECK(asked.at("data").at("runs").at(0).at("name") == "thumbs");
  CHECK(asked.dump().find("payload") == std::string::npos);
  CHECK(asked.dump().find("token") == std::string::npos);

  const auto why = explained(node, run);
  CHECK(why.at("reasons").at(0).at("code") == "hook_refused");
  CHECK(has(why.at("reasons").at(0).at("text"), "quiet hours"));
  CHECK(has(belfry({"run", "explain", run}).out, "hook refused: quiet hours"));
  const auto told = belfry({"session", "explain", session});
  CHECK(has(told.out, "quiet hours"));
  CHECK(has(told.out, run));
  CHECK(has(belfry({"session", "explain", session, run}).out, "hook_refused"));

  // A claim that waits is served when the hook thinks better of it.
  hook.does(R"(echo '{"decision":"allow"}')");
  const auto given = claim(node, session, "20s");
  REQUIRE(given.at("claims").size() == 1);
  CHECK(given.at("claims").at(0).at("run_id") == run);
  CHECK(given.at("claims").at(0).at("fencing") == 1);
  CHECK(has(belfry({"scheduler", "status"}).out, "claim hook"));
  CHECK(has(belfry({"metrics"}).out, "belfry_claim_hook_questions_total{outcome=\"allowed\"} 1"));
}

TEST_CASE("claim hook: a script narrows what is handed over", "[e2e][hook]") {
  hooked_folder hook;
  real_node node{asking(hook.configured())};
  outside_worker agent{node, {{"name", "agent"}, {"slots", 9}}};
  const auto first = node.submit({{"name", "first"}}), second = node.submit({{"name", "second"}});
  hook.does("echo '{\"decision\":\"narrow\",\"runs\":[\"" + second + "\"]}'");
  const auto given = claim(node, agent.id(), "0s", 2).at("claims");
  REQUIRE(given.size() == 1);
  CHECK(given.at(0).at("run_id") == second);
  CHECK(node.run(first).at("state") == "queued");
}

TEST_CASE("claim hook: one that hangs is killed, and nothing is handed over", "[e2e][hook]") {
  hooked_folder hook;
  real_node node{asking(hook.configured("timeout = \"150ms\"\n"))};
  const cli belfry{node};
  outside_worker agent{node, {{"name", "agent"}}};
  const auto run = node.submit({{"name", "r"}});
  hook.does("sleep 1000 & echo $! > '" + (hook.folder / "pid") + "'; wait");
  const auto none = claim(node, agent.id(), "0s");
  CHECK(none.at("claims").empty());
  CHECK(none.at("reasons").at(0).at("code") == "hook_failed");
  CHECK(node.run(run).at("state") == "queued");
  CHECK(explained(node, run).at("reasons").at(0).at("code") == "hook_failed");
  const auto ill = belfry({"doctor"});
  CHECK(has(ill.out, "claim_hook_failing"));
  CHECK(has(ill.out, "did not answer within 150ms"));
  CHECK(has(belfry({"events", "--kind", "claim_hook_failed"}).out, "did not answer"));
  const auto pid = std::atoi(read_text(hook.folder / "pid").c_str());
  REQUIRE(pid > 0);
  CHECK(eventually([&] { return !process_alive(pid); }));

  hook.does(R"(echo '{"decision":"allow"}')");
  CHECK(claim(node, agent.id(), "20s").at("claims").size() == 1);
  CHECK_FALSE(has(belfry({"doctor"}).out, "claim_hook_failing"));
  CHECK(has(belfry({"events", "--kind", "claim_hook_recovered"}).out, "answers again"));
}

TEST_CASE(
    "claim hook: one that crashes, lies or talks too much hands nothing over; open, it holds nothing back",
    "[e2e][hook]") {
  hooked_folder hook;
  const bool open = GENERATE(false, true);
  real_node node{asking(hook.configured(open ? "on_error = \"open\"\n" : ""))};
  outside_worker agent{node, {{"name", "agent"}, {"slots", 9}}};
  const std::vector<std::string> bad{"exit 3",
                                     "kill -9 $$",
                                     "echo yes",
                                     "true",
                                     "head -c 100000 /dev/zero | tr '\\0' x",
                                     "exec /no/such/program"};
  for (const auto& body : bad) {
    hook.does(body);
    INFO(body);
    const auto run = node.submit({{"name", "r"}});
    if (open) {
      CHECK(claim(node, agent.id(), "0s").at("claims").size() == 1);
      continue;
    }
    const cli belfry{node};
    const auto session =
        belfry.line({"session", "register", "one-more"});  // without the pause of the last one
    CHECK(claim(node, session, "0s").at("claims").empty());
    CHECK(node.run(run).at("state") == "queued");
  }
  const auto state = node.http().get_json("/v1/scheduler/status").at("claim_hook");
  CHECK(state.at("on_error") == (open ? "open" : "closed"));
  CHECK(state.at("failed") == bad.size());
  CHECK_FALSE(state.at("failing_since").is_null());
}

TEST_CASE("claim hook: an address is asked with a signed question", "[e2e][hook]") {
  hook_receiver receiver;
  scratch_folder folder;
  write_text(folder / "belfry.toml", "[claim_hook]\nurl = \"" + receiver.url("/claims?key=k3y") +
                                         "\"\nsecret_variable = \"HOOK_SECRET\"\nretry_after = \"100ms\"\n");
  real_node node{{.executors = 0,
                  .flags = {"--config", folder / "belfry.toml"},
                  .environment = {{"HOOK_SECRET", hook_secret}}}};
  outside_worker agent{node, {{"name", "agent"}}};
  receiver.answer_with(200, {}, R"({"decision":"allow"})");
  const auto run = node.submit({{"name", "r"}});
  REQUIRE(claim(node, agent.id(), "0s").at("claims").size() == 1);
  const auto asked = receiver.wait_for(0);
  REQUIRE(asked);
  CHECK(asked->target == "/claims?key=k3y");
  CHECK(asked->header("webhook-id").starts_with("clm_"));
  CHECK(asked->header("webhook-signature").starts_with("v1,"));
  CHECK(json::parse(asked->body).at("data").at("runs").at(0).at("id") == run);
  // Nothing of the secret is shown anywhere.
  const auto shown = node.http().get_json("/v1/config").dump() + node.said();
  CHECK(shown.find("MfKQ9r8") == std::string::npos);

  (void)node.submit({{"name", "second"}});
  outside_worker other{node, {{"name", "other"}}};
  receiver.answer_with(500);
  CHECK(claim(node, other.id(), "0s").at("claims").empty());
  CHECK(has(hook_verdicts(node), "status 500"));
  receiver.answer_nothing();
  outside_worker third{node, {{"name", "third"}}};
  CHECK(claim(node, third.id(), "0s").at("claims").empty());
  CHECK(has(hook_verdicts(node), "did not answer within 2s"));
}

TEST_CASE("claim hook: a node that is killed while it asks has given nothing away", "[e2e][hook]") {
  hooked_folder hook;
  real_node node{asking(hook.configured("timeout = \"20s\"\n"))};
  outside_worker agent{node, {{"name", "agent"}}};
  const auto run = node.submit({{"name", "r"}});
  hook.does("echo $$ > '" + (hook.folder / "pid") + "'; sleep 1000");
  background claimer({belfry_binary(), "claim", agent.id(), "--wait", "20s"}, {{"BELFRY_URL", node.url()}});
  REQUIRE(eventually([&] { return !read_text(hook.folder / "pid").empty(); }));
  node.kill9();
  hook.does(R"(echo '{"decision":"allow"}')");
  const auto pid = std::atoi(read_text(hook.folder / "pid").c_str());
  node.start();
  CHECK(eventually([&] { return !process_alive(pid); }));  // found by its mark
  CHECK(node.run(run).at("state") == "queued");
  const auto given = claim(node, agent.id(), "10s").at("claims");
  REQUIRE(given.size() == 1);
  CHECK(given.at(0).at("fencing") == 1);
}

TEST_CASE("claim hook: a mistake in its configuration is refused at the start, without a secret",
          "[e2e][hook]") {
  const auto refused = [](const std::string& text, const std::string& secret = hook_secret) {
    scratch_folder folder;
    write_text(folder / "belfry.toml", "[claim_hook]\n" + text);
    const auto end = run_program({belfry_binary(), "config", "check", folder / "belfry.toml"}, 20s,
                                 {{"HOOK_SECRET", secret}});
    CHECK(end.exit_code != 0);
    return end.err + end.out;
  };
  const std::string by_variable = "secret_variable = \"HOOK_SECRET\"\n";
  CHECK(has(refused("comand = [\"x\"]\n"), "did you mean command?"));
  CHECK(has(refused("command = [\"x\"]\nurl = \"http://localhost/\"\n"), "either command or url"));
  CHECK(has(refused("url = \"http://localhost/\"\n"), "signed"));
  CHECK(has(refused("url = \"ftp://localhost/\"\n" + by_variable), "http and https"));
  CHECK(has(refused("command = [\"x\"]\n" + by_variable), "only with url"));
  CHECK(has(refused("command = [\"x\"]\ntimeout = \"5ms\"\n"), "10ms to 30s"));
  CHECK(has(refused("command = [\"x\"]\non_error = \"ajar\"\n"), "closed or open"));
  CHECK(has(refused("command = [\"x\"]\nhandlers = [\"magic\"]\n"), "handlers"));
  CHECK(has(refused("url = \"http://localhost/\"\nsecret_variable = \"NO_SUCH_VARIABLE\"\n"),
            "NO_SUCH_VARIABLE"));
  CHECK(has(refused("url = \"http://localhost/\"\nsecret = \"x\"\n"), "claim_hook.secret"));
  const auto no = refused("url = \"http://localhost/\"\n" + by_variable, "hunter2");
  CHECK(has(no, "whsec_"));
  CHECK_FALSE(has(no, "hunter2"));
}

}  // namespace belfry::test
