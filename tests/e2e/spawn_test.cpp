// Workers that a real node starts by itself: real processes, every way in which one ends, and nothing left.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "tests/e2e/cli.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::test {
namespace {

using words = std::vector<std::string>;

std::string toml_list(const words& list) {
  std::string out;
  for (const auto& w : list) out += (out.empty() ? "" : ", ") + json(w).dump();
  return "[" + out + "]";
}

// A node with one agent type "hand" of this command.
class spawning {
 public:
  explicit spawning(const std::vector<std::string>& command, const std::string& more = "")
      : node_(setup(folder_, command, more)), belfry_(node_) {}

  real_node& node() { return node_; }
  const cli& belfry() const { return belfry_; }
  std::string file(const std::string& name) const { return folder_ / name; }

  std::string spawn() { return belfry_.line({"agent-type", "spawn", "hand"}); }
  json type() { return node_.http().get_json("/v1/agent-types/hand"); }
  json worker(const std::string& session) {
    const auto all = type();
    for (const auto& w : all.at("workers"))
      if (w.at("session_id") == session) return w;
    throw std::runtime_error("no worker " + session);
  }
  json wait_ended(const std::string& session) {
    eventually([&] { return worker(session).at("state") == "ended"; }, 20s);
    const auto w = worker(session);
    INFO(w.dump());
    CHECK(w.at("state") == "ended");
    CHECK(node_.http().get_json("/v1/sessions/" + session).at("state") == "gone");
    CHECK(processes_with("BELFRY_SESSION", session).empty());
    return w;
  }
  std::string work(json more = json::object()) {
    more["name"] = "w";
    more["handler"] = {{"kind", "none"}};
    more["capabilities"] = {"code"};
    return node_.submit(more);
  }

 private:
  static node_setup setup(const scratch_folder& folder, const std::vector<std::string>& command,
                          const std::string& more) {
    const auto config = folder / "belfry.toml";
    write_text(config, "[agent_types.hand]\ncommand = " + toml_list(command) +
                           "\ncapabilities = [\"code\"]\ncwd = " + json(folder.path()).dump() + "\n" + more);
    node_setup s;
    s.executors = 0;
    s.flags = {"--config", config};
    s.environment = {{"FOR_AGENTS", "a secret of agents"}};
    return s;
  }
  scratch_folder folder_;
  real_node node_;
  cli belfry_;
};

// `belfry work` as an agent that runs this for each claim.
std::vector<std::string> agent(const std::string& script, std::vector<std::string> flags = {}) {
  std::vector<std::string> argv{belfry_binary(), "work", "--wait", "5s"};
  argv.insert(argv.end(), flags.begin(), flags.end());
  argv.insert(argv.end(), {"--", "/bin/sh", "-c", script});
  return argv;
}

}  // namespace

TEST_CASE("spawn: a worker comes back as its session, does the work, and its token is nowhere to be seen",
          "[e2e][spawn]") {
  spawning s(words{"/bin/sh", "-c",
                   "env > worker-env; exec " + shell_quoted(belfry_binary()) +
                       " work --wait 5s -- /bin/sh -c 'env > handler-env'"},
             "pass_env = [\"FOR_AGENTS\"]\nenv = { MODEL = \"small\" }\n");
  // Nobody is there who could do it, but somebody can be started: no warning.
  CHECK(s.node()
            .http()
            .post_json(
                "/v1/runs",
                {{"name", "w"}, {"handler", {{"kind", "none"}}}, {"capabilities", {"code"}}, {"delay", "1h"}})
            .at("warnings")
            .empty());
  const auto run = s.work();
  const auto session = s.spawn();
  s.node().wait_for_state(run, "succeeded");
  CHECK(s.node().run(run).at("attempts").at(0).at("session_id") == session);
  CHECK(s.worker(session).at("state") == "ready");
  const auto env = "\n" + read_text(s.file("worker-env"));
  CHECK(has(env, "\nBELFRY_SESSION=" + session + "\n"));
  CHECK(has(env, "\nBELFRY_URL=" + s.node().url() + "\n"));
  CHECK(has(env, "\nBELFRY_AGENT_TYPE=hand\n"));
  CHECK(has(env, "\nFOR_AGENTS=a secret of agents\n"));
  CHECK(has(env, "\nMODEL=small\n"));
  const auto at = env.find("\nBELFRY_TOKEN=") + 14;
  const auto token = env.substr(at, env.find('\n', at) - at);
  REQUIRE(token.size() == 43);
  CHECK_FALSE(has(read_text(s.file("handler-env")), token));

  // Whoever speaks for it shows the token.
  auto& http = s.node().http();
  CHECK(http.post("/v1/sessions/" + session + ":heartbeat", json::object()).status == 401);
  CHECK(http.post("/v1/claims", {{"session", session}}).status == 401);
  CHECK(http.post("/v1/sessions", {{"name", "x"}, {"id", session}}).status == 401);
  CHECK(http.post("/v1/sessions/" + session + "/leases:reissue", json::object()).status == 401);
  CHECK(http.get("/v1/sessions/" + session + "/wakes").status == 401);
  CHECK(http.post("/v1/sessions/" + session + "/wakes:ack", {{"wakes", {"wak_00NF2XPW00000"}}}).status ==
        401);
  CHECK(http.post("/v1/sessions/" + session + "/wakes/wak_00NF2XPW00000:ack", json::object()).status == 401);
  const auto refused = s.belfry()({"session", "heartbeat", session});
  CHECK(refused.exit_code == 4);

  std::string everything = s.node().said();
  for (const auto* path : {"/v1/sessions?gone=true", "/v1/events?limit=500", "/v1/agent-types",
                           "/v1/agent-types/hand", "/v1/config", "/v1/export", "/metrics"})
    everything += http.get(path).body;
  for (const auto& part : std::filesystem::directory_iterator(s.node().data()))
    if (part.is_regular_file()) everything += read_text(part.path().string());
  CHECK_FALSE(has(everything, token));
  CHECK_FALSE(has(everything, "a secret of agents"));
  CHECK_FALSE(has(everything, "\"small\""));
  CHECK(has(everything, "worker_spawned"));

  // A session that is removed takes its worker along.
  CHECK(s.belfry()({"session", "remove", session}).exit_code == 0);
  CHECK(s.wait_ended(session).at("end") == "session_ended");
}

TEST_CASE("spawn: who dies at the start leaves its last lines, and its type backs off", "[e2e][spawn]") {
  spawning s(words{"/bin/sh", "-c", "echo no model; exit 7"}, "backoff = \"10m\"\nbackoff_max = \"10m\"\n");
  const auto session = s.spawn();
  const auto w = s.wait_ended(session);
  CHECK(w.at("end") == "died_at_start");
  CHECK(w.at("text") == "exit code 7; its last lines: no model");
  CHECK(s.type().at("backing_off_until").is_string());
  const auto no = s.belfry()({"agent-type", "spawn", "hand"});
  CHECK(no.exit_code == 7);
  CHECK(has(no.err, "backs off until"));
  CHECK(has(s.belfry()({"agent-type", "list"}).out, "backs off"));
  CHECK(has(s.belfry()({"agent-type", "show", "hand"}).out, "died_at_start"));
}

TEST_CASE("spawn: a program that is not there is said at once", "[e2e][spawn]") {
  spawning s(words{"no-such-agent"});
  const auto no = s.belfry()({"agent-type", "spawn", "hand"});
  CHECK(no.exit_code == 7);
  CHECK(has(no.err, "no-such-agent"));
  CHECK(s.type().at("workers").at(0).at("end") == "not_started");
}

TEST_CASE("spawn: who hangs and never says a word is killed with everything that it started",
          "[e2e][spawn]") {
  spawning s(words{"/bin/sh", "-c", "trap '' TERM; sleep 600 & setsid sleep 600 & while :; do sleep 1; done"},
             "start_timeout = \"500ms\"\ngrace = \"200ms\"\n");
  const auto session = s.spawn();
  REQUIRE(eventually([&] { return processes_with("BELFRY_SESSION", session).size() >= 3; }));
  const auto w = s.wait_ended(session);
  CHECK(w.at("end") == "never_registered");
  CHECK(has(w.at("text").get<std::string>(), "stopped with KILL"));
}

TEST_CASE("spawn: who registers with other capabilities than declared is refused and ended", "[e2e][spawn]") {
  spawning s(agent("true", {"--cap", "code,paint"}));
  const auto session = s.spawn();
  const auto w = s.wait_ended(session);
  CHECK(w.at("end") == "misfit");
  CHECK(has(w.at("text").get<std::string>(), "capabilities: code, paint, declared: code"));
}

TEST_CASE("spawn: who outlives its ttl gives back its run before it is stopped", "[e2e][spawn]") {
  spawning s(agent("trap '' TERM; sleep 600"), "ttl = \"2s\"\ndrain = \"200ms\"\ngrace = \"200ms\"\n");
  const auto run = s.work();
  const auto session = s.spawn();
  s.node().wait_for_state(run, "running");
  const auto w = s.wait_ended(session);
  CHECK(w.at("end") == "ttl");
  const auto now = s.node().run(run);
  CHECK(now.at("state") == "queued");
  CHECK(now.at("attempts").at(0).at("outcome") == "queued");
  CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", run).empty(); }));
}

TEST_CASE("spawn: after a kill of the node no worker is left, and what it held goes back", "[e2e][spawn]") {
  spawning s(agent("sleep 600"));
  const auto run = s.work();
  const auto busy = s.spawn();
  s.node().wait_for_state(run, "running");
  const auto idle = s.spawn();
  CHECK(eventually([&] { return s.worker(idle).at("state") == "ready"; }));
  s.node().kill9();
  s.node().start();
  for (const auto& session : {busy, idle}) CHECK(s.wait_ended(session).at("end") == "node_gone");
  CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", run).empty(); }));
  const auto now = s.node().run(run);
  CHECK(now.at("state") == "queued");
  CHECK(now.at("attempts").at(0).at("outcome") == "queued");
}

TEST_CASE("spawn: a worker that sleeps is woken by the command of its type, and explain tells it",
          "[e2e][spawn][wake]") {
  const scratch_folder where;
  // It says once that it lives, and sleeps. Its wake command, which the node runs, claims for nobody: it
  // only writes down what it was told.
  spawning s(words{"/bin/sh", "-c",
                   "curl -s -o answer -X POST -H \"Belfry-Session-Token: $BELFRY_TOKEN\" -d '{}' "
                   "-H 'Content-Type: application/json' "
                   "\"$BELFRY_URL/v1/sessions/$BELFRY_SESSION:heartbeat\"; exec sleep 600"},
             "wake = \"command\"\nwake_argv = [\"/bin/sh\", \"-c\", \"cat > woken.new && env > woken-env && "
             "mv woken.new woken\"]\nwake_cwd = " +
                 json(where.path()).dump() + "\n");
  const auto session = s.spawn();
  REQUIRE(eventually([&] { return s.worker(session).at("state") == "ready"; }));
  CHECK(s.type().at("wake").at("sink") == "command");
  CHECK(has(s.belfry()({"agent-type", "show", "hand"}).out, "command: /bin/sh -c"));
  const auto run = s.work();
  const auto file = where / "woken";
  REQUIRE(eventually([&] { return std::filesystem::exists(file); }));
  const auto wake = json::parse(read_text(file));
  CHECK(wake.at("run_id") == run);
  CHECK(wake.at("session_id") == session);
  CHECK(wake.at("name") == "w");
  CHECK(has(read_text(where / "woken-env"), "BELFRY_RUN_ID=" + run + "\n"));

  // Whoever asks why nobody takes the run is told of the wake.
  const auto explain = [&] { return s.node().http().get_json("/v1/runs/" + run + "/explain"); };
  REQUIRE(eventually([&] {
    const auto e = explain();
    return !e.at("wakes").empty() && e.at("wakes").front().at("outcome") == "acknowledged";
  }));
  const auto e = explain();
  CHECK(e.at("wakes_in_all") == 1);
  CHECK(e.at("wakes").front().at("id") == wake.at("id"));
  CHECK(e.at("wakes").front().at("session_id") == session);
  const auto page = s.belfry()({"run", "explain", run}).out;
  CHECK(has(page, "Woken for it since "));
  CHECK(has(page, session));
  CHECK(has(page, "acknowledged"));
  CHECK(s.belfry()({"session", "remove", session}).exit_code == 0);
  CHECK(s.wait_ended(session).at("end") == "session_ended");
}

TEST_CASE("spawn: nobody is started while the type is paused", "[e2e][spawn][pause]") {
  spawning s(agent("true"));
  CHECK(s.belfry()({"scheduler", "pause", "--agent-type", "hand"}).exit_code == 0);
  const auto no = s.belfry()({"agent-type", "spawn", "hand"});
  CHECK(no.exit_code != 0);
  CHECK(has(no.err, "is paused"));
  CHECK(has(s.belfry()({"agent-type", "list"}).out, "paused"));
  CHECK(s.type().at("workers").empty());
  CHECK(s.belfry()({"scheduler", "resume", "--agent-type", "hand"}).exit_code == 0);
  const auto session = s.spawn();
  CHECK(eventually([&] { return s.worker(session).at("state") == "ready"; }));
}

TEST_CASE("spawn: a node that is told to end takes its workers along", "[e2e][spawn]") {
  spawning s(agent("sleep 600"));
  const auto run = s.work();
  const auto busy = s.spawn();
  s.node().wait_for_state(run, "running");
  kill(s.node().pid(), SIGTERM);
  kill(s.node().pid(), SIGTERM);
  REQUIRE(eventually([&] { return s.node().ended().has_value(); }, 30s));
  CHECK(*s.node().ended() == 0);
  CHECK(processes_with("BELFRY_SESSION", busy).empty());
  CHECK(eventually([&] { return processes_with("BELFRY_RUN_ID", run).empty(); }));
  s.node().start();
  CHECK(s.wait_ended(busy).at("end") == "node_stopped");
  CHECK(s.node().run(run).at("state") == "queued");
}

}  // namespace belfry::test
