// The node on the command line: serve and its mistakes, signals, status, events, workers, and that no token
// shows.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <map>
#include <sstream>
#include <thread>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

// Joined also when a REQUIRE ends the test.
class joined_thread {
 public:
  explicit joined_thread(std::function<void()> body) : thread_(std::move(body)) {}
  ~joined_thread() { thread_.join(); }
  joined_thread(const joined_thread&) = delete;
  joined_thread& operator=(const joined_thread&) = delete;

 private:
  std::thread thread_;
};

class at_the_end {
 public:
  explicit at_the_end(std::function<void()> deed) : deed_(std::move(deed)) {}
  ~at_the_end() { deed_(); }
  at_the_end(const at_the_end&) = delete;
  at_the_end& operator=(const at_the_end&) = delete;

 private:
  std::function<void()> deed_;
};

}  // namespace

TEST_CASE("cli: serve tells every mistake of its configuration and ends with 2", "[e2e][cli][serve]") {
  const scratch_folder folder;
  const cli belfry("");
  write_text(folder / "bad.toml", "[store]\ndurabilty = \"full\"\n[executor]\nprocesses = 9999\n");
  const auto end =
      belfry({"serve", "--data", folder / "d", "--config", folder / "bad.toml", "--drain-timeout", "soon"});
  CHECK(end.exit_code == 2);
  CHECK(has(end.err, "the configuration has 3 mistakes"));
  CHECK(has(end.err, "bad.toml:2:1: there is no key store.durabilty; did you mean durability?"));
  CHECK(has(end.err, "bad.toml:4:13: executor.processes: given 9999, allowed: 0 to 256"));
  CHECK(has(end.err, "--drain-timeout: given \"soon\""));
  CHECK(belfry({"config", "check", folder / "bad.toml"}).exit_code == 2);
  write_text(folder / "good.toml", "[executor]\nprocesses = 3\n");
  CHECK(belfry({"config", "check", folder / "good.toml"}).exit_code == 0);
  CHECK(has(belfry({"serve", "--data", folder / "d", "--listen", "0.0.0.0:0"}).err, "allow"));
  CHECK(belfry({"serve", "--data", "/proc/no/such"}).exit_code == 7);
  CHECK(belfry({"serve", "--data", folder / "d", "--listen", "192.0.2.1:7420", "--allow-remote"}).exit_code ==
        7);
}

TEST_CASE("cli: config show tells each value with its origin", "[e2e][cli][config]") {
  const scratch_folder folder;
  write_text(folder / "c.toml", "[executor]\nprocesses = 3\n");
  cli belfry("");
  belfry.variables = {{"BELFRY_RETENTION__KEEP", "2d"}};
  const auto doc = belfry.doc({"config", "show", "--config", folder / "c.toml", "--set", "queue.quantum=4"});
  CHECK(doc.at("file") == folder / "c.toml");
  std::map<std::string, json> by_key;
  for (const auto& s : doc.at("settings")) by_key[s.at("key")] = s;
  CHECK(by_key.at("executor.processes").at("value") == 3);
  CHECK(has(by_key.at("executor.processes").at("origin"), "c.toml:2"));
  CHECK(by_key.at("retention.keep").at("value") == "2d");
  CHECK(by_key.at("retention.keep").at("origin") == "environment BELFRY_RETENTION__KEEP");
  CHECK(by_key.at("queue.quantum").at("origin") == "flag --set queue.quantum");
  CHECK(by_key.at("http.listen").at("value") == json::array({"127.0.0.1:7420"}));
  CHECK(by_key.at("http.listen").at("origin") == "default");
  const auto changed = belfry({"config", "show", "--config", folder / "c.toml", "--changed", "-o", "name"});
  CHECK(changed.out == "executor.processes\nretention.keep\n");
  CHECK(belfry({"config", "show", "--example"}).out == read_text("examples/belfry.toml"));
}

TEST_CASE("cli: config show asks a node what it runs with, and a change of limits shows",
          "[e2e][cli][config]") {
  const scratch_folder folder;
  write_text(folder / "c.toml", "[queue]\nquantum = 4\n[limits]\nper_lane = 6\n");
  real_node node{{.executors = 1,
                  .flags = {"--config", folder / "c.toml", "--set", "retention.keep=3d"},
                  .environment = {{"BELFRY_LIMITS__GLOBAL", "50"}}}};
  cli belfry(node);
  const auto settings = [&](const std::vector<std::string>& words) {
    std::map<std::string, std::pair<json, std::string>> all;
    const auto told = belfry.doc(words);
    for (const auto& s : told.at("settings")) all[s.at("key")] = {s.at("value"), s.at("origin")};
    return all;
  };
  auto all = settings({"config", "show", "--node"});
  CHECK(all.at("queue.quantum").first == 4);
  CHECK(has(all.at("queue.quantum").second, "c.toml:2"));
  CHECK(all.at("retention.keep") == std::pair<json, std::string>{"3d", "flag --set retention.keep"});
  CHECK(all.at("limits.global") == std::pair<json, std::string>{50, "environment BELFRY_LIMITS__GLOBAL"});
  CHECK(all.at("node.data").first == node.data());
  CHECK(all.at("http.socket").first == node.data() + "/belfry.sock");
  CHECK(all.at("store.durability") == std::pair<json, std::string>{"full", "default"});
  CHECK(all == settings({"config", "show", "--server", node.url()}));
  CHECK(belfry.doc({"config", "show", "--node"}) == node.http().get_json("/v1/config"));
  CHECK(belfry.doc({"config", "show", "--node"}).at("file") == folder / "c.toml");
  belfry.doc({"limits", "set", "--per-lane", "2"});
  all = settings({"config", "show", "--node", "--changed"});
  CHECK(all.at("limits.per_lane").first == 2);
  CHECK(has(all.at("limits.per_lane").second, "live"));
  CHECK(all.count("store.durability") == 0);
  CHECK(has(belfry({"config", "show", "--node"}).out, "live"));
  CHECK(belfry({"config", "show", "--node", "--set", "queue.quantum=1"}).exit_code == 2);
  CHECK(cli("")({"config", "show", "--server", "unix:/no/such.sock"}).exit_code == 7);
  CHECK(node.http().get("/v1/config?secrets=true").code() == "unknown_field");
}

TEST_CASE("cli: a second node on the same folder is told who has it", "[e2e][cli][serve]") {
  real_node node{{.executors = 0}};
  const auto end = cli("")({"serve", "--data", node.data(), "--listen", "127.0.0.1:0"});
  CHECK(end.exit_code == 7);
  CHECK(has(end.err, "process " + std::to_string(node.pid())));
  CHECK(has(end.err, "store_held"));
  CHECK(node.status().at("health") == "healthy");
  // Another folder on the same port.
  const scratch_folder other;
  const auto port =
      cli("")({"serve", "--data", other.path(), "--listen", "127.0.0.1:" + std::to_string(node.tcp().port)});
  CHECK(port.exit_code == 7);
  CHECK(has(port.err, std::to_string(node.tcp().port)));
}

TEST_CASE("cli: a node without an address is asked through its socket, also by a relative path",
          "[e2e][cli][serve]") {
  real_node node{{.executors = 1, .listen = "none"}};
  CHECK(node.status().at("health") == "healthy");
  const auto end = cli("").shell("cd " + shell_quoted(node.data()) +
                                 " && belfry --server unix:belfry.sock submit --follow -- echo heard");
  INFO(end.err);
  CHECK(end.exit_code == 0);
  CHECK(has(end.out, "heard"));
}

TEST_CASE("cli: TERM lets running work end, and the node ends with 0", "[e2e][cli][serve]") {
  const scratch_folder folder;
  real_node node{{.executors = 2, .flags = {"--drain-timeout", "20s"}}};
  const cli belfry(node);
  const auto id = belfry.line({"submit", "--shell",
                               "touch " + (folder / "began") + "; while ! [ -e " + (folder / "go") +
                                   " ]; do sleep 0.02; done; echo drained"});
  REQUIRE(eventually([&] { return ::access((folder / "began").c_str(), F_OK) == 0; }));
  const joined_thread later([&] {
    eventually([&] { return has(node.said(), "node-stopping"); });
    write_text(folder / "go", "");
  });
  CHECK(node.terminate() == 0);
  node.start();
  CHECK(node.run(id).at("state") == "succeeded");
  CHECK(node.run(id).at("attempts").size() == 1);
}

TEST_CASE("cli: a second signal ends the node now; its runs are given back and not counted as failed",
          "[e2e][cli][serve]") {
  const scratch_folder folder;
  real_node node{{.executors = 2, .flags = {"--drain-timeout", "10m"}}};
  const cli belfry(node);
  const auto id = belfry.line(
      {"submit", "--shell", "touch " + (folder / "began") + "; test $BELFRY_ATTEMPT = 2 || sleep 600"});
  REQUIRE(eventually([&] { return ::access((folder / "began").c_str(), F_OK) == 0; }));
  ::kill(node.pid(), SIGTERM);
  REQUIRE(eventually([&] { return has(node.said(), "node-stopping"); }));
  ::kill(node.pid(), SIGINT);
  REQUIRE(eventually([&] { return node.ended().has_value(); }, 30s));
  CHECK(*node.ended() == 0);
  CHECK(processes_with("BELFRY_RUN_ID", id).empty());
  node.start();
  const auto run = node.wait_finished(id);
  CHECK(run.at("state") == "succeeded");
  CHECK(run.at("attempts_used") == 0);
  CHECK(run.at("losses") == 0);
}

TEST_CASE("cli: systemd is told READY and STOPPING", "[e2e][cli][serve]") {
  const scratch_folder folder;
  const auto path = folder / "notify";
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  std::string heard;
  const auto listen = [&] {
    char buffer[256];
    for (auto n = ::recv(fd, buffer, sizeof buffer, 0); n > 0; n = ::recv(fd, buffer, sizeof buffer, 0))
      heard += std::string(buffer, static_cast<std::size_t>(n)) + "\n";
    return heard;
  };
  real_node node{{.executors = 0, .environment = {{"NOTIFY_SOCKET", path}}}};
  CHECK(eventually([&] { return has(listen(), "READY=1"); }));
  CHECK(node.terminate() == 0);
  CHECK(has(listen(), "STOPPING=1"));
  ::close(fd);
}

TEST_CASE("cli: a node in memory says that it forgets", "[e2e][cli][serve]") {
  real_node node{{.executors = 1, .flags = {"--store", "memory"}}};
  const cli belfry(node);
  CHECK(belfry({"submit", "-f", "-w", "--", "echo", "in memory"}).out == "in memory\n");
  CHECK(has(belfry({"status"}).out, "memory"));
  CHECK(node.terminate() == 0);
}

TEST_CASE("cli: status, stats, health and limits tell how the node is", "[e2e][cli]") {
  real_node node{{.executors = 2}};
  const cli belfry(node);
  CHECK(belfry({"submit", "-w", "--", "true"}).exit_code == 0);
  const auto status = belfry.doc({"status"});
  CHECK(status.at("node").at("health") == "healthy");
  CHECK(status.at("node").at("store").at("runs_by_state").at("succeeded") == 1);
  CHECK(status.at("queue").at("ready") == true);
  const auto page = belfry({"status"}).out;
  for (const auto* word : {"health", "1 succeeded", "claimable now", "store", "disk"}) CHECK(has(page, word));
  CHECK(belfry({"health"}).out == "healthy\n");
  CHECK(belfry({"health", "--ready"}).out == "ready\n");
  CHECK(has(belfry({"metrics"}).out, "belfry_runs_submitted_total"));
  CHECK(has(belfry({"stats"}).out, "100 %"));
  CHECK(belfry.doc({"limits", "set", "--per-lane", "7"}).at("per_lane") == 7);
  CHECK(belfry.doc({"limits", "show"}).at("per_lane") == 7);
  CHECK(belfry({"limits", "set"}).exit_code == 2);
  CHECK(belfry({"limits", "set", "--global", "-3"}).exit_code == 2);
  CHECK(has(belfry({"scheduler", "status"}).out, "per lane 7"));
  CHECK(belfry.doc({"version"}).at("version").get<std::string>().size() >= 5);
  CHECK(has(belfry({"problem", "stale_lease"}).out, "lease"));
  CHECK(belfry({"problem", "no_such_code"}).exit_code == 5);
  CHECK(belfry.doc({"openapi"}).at("openapi").get<std::string>().rfind("3.", 0) == 0);
  CHECK(json::parse(belfry({"api", "GET", "/v1/limits-that-are-not"}).out).at("code") == "not_found");
  CHECK(belfry({"api", "get", "/v1/limits-that-are-not"}).exit_code == 5);
}

TEST_CASE("cli: the queue is rebuilt under load, and no run is lost or done twice", "[e2e][cli]") {
  real_node node{{.executors = 3}};
  const cli belfry(node);
  json runs = json::array();
  for (int i = 0; i < 120; ++i)
    runs.push_back({{"name", "quick"}, {"lane", ""}, {"handler", {{"argv", {"true"}}}}});
  const auto made = node.http().post_json("/v1/runs:batch", {{"runs", runs}});
  belfry.line({"submit", "--name", "tomorrow", "--delay", "24h", "--", "true"});
  CHECK(belfry.doc({"limits", "set", "--per-batch", "0"}).at("per_batch") == 0);
  std::size_t rebuilds = 0;
  REQUIRE(eventually(
      [&] {
        const auto found = belfry.doc({"scheduler", "rebuild"});
        ++rebuilds;
        CHECK(found.at("differences") == json::array());
        CHECK(found.at("delayed") == 1);
        return found.at("open") == 1;
      },
      60s));
  for (const auto& id : made.at("ids")) CHECK(node.run(id).at("attempts").size() == 1);
  CHECK(has(belfry({"scheduler", "rebuild"}).out, "nothing"));
  CHECK(belfry.line({"scheduler", "rebuild", "-o", "name"}) == "0");
  const auto told = belfry({"events", "--kind", "queue_rebuilt", "-o", "jsonl"}).out;
  CHECK(static_cast<std::size_t>(std::count(told.begin(), told.end(), '\n')) == rebuilds + 2);
  CHECK(has(told, "missing=0 stale=0 misplaced=0"));
  CHECK(belfry({"scheduler", "rebuild", "now"}).exit_code == 2);
}

TEST_CASE("cli: runs are found and cancelled by who holds them, and found by when they ended", "[e2e][cli]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  const auto ids = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"-o", "name"});
    return belfry(words).out;
  };
  const auto held = belfry.line({"submit", "--outside", "--name", "held", "-o", "name"});
  const auto free = belfry.line({"submit", "--outside", "--name", "free", "-o", "name"});
  const auto session = belfry.line({"session", "register", "w", "-o", "name"});
  REQUIRE(belfry({"claim", session}).exit_code == 0);
  CHECK(ids({"ls", "--session", session}) == held + "\n");
  CHECK(belfry({"cancel", "--session", session, "--yes"}).exit_code == 0);
  CHECK(node.run(held).at("cancel_requested") == true);
  CHECK(node.run(free).at("state") == "queued");
  CHECK(belfry({"cancel", free}).exit_code == 0);
  CHECK(ids({"ls", "--ended-since", "1h"}) == free + "\n");
  CHECK(ids({"ls", "--ended-until", "1h"}).empty());
  CHECK(belfry({"ls", "--ended-since", "soon"}).exit_code == 2);
  CHECK(belfry({"ls", "--session", "nobody"}).exit_code == 2);
}

TEST_CASE("cli: events are followed over a restart of the node, without a gap and without a repeat",
          "[e2e][cli][events]") {
  real_node node{{.executors = 1}};
  const auto port = node.tcp().port;
  const scratch_folder folder;
  const cli belfry("unix:" + node.data() + "/belfry.sock");
  const joined_thread follower([&] {
    belfry.shell("belfry events -f --after 0 -o jsonl > " + folder.path() + "/events & echo $! > " +
                     folder.path() + "/pid; wait",
                 60s);
  });
  const at_the_end stop_following([&] {
    if (const auto pid = read_text(folder / "pid"); !pid.empty())
      ::kill(static_cast<pid_t>(std::stol(pid)), SIGTERM);
  });
  REQUIRE(eventually([&] { return has(read_text(folder / "events"), "node_started"); }));
  const auto first = belfry.line({"submit", "--", "true"});
  REQUIRE(eventually([&] { return has(read_text(folder / "events"), "run_succeeded"); }));
  node.kill9();
  node.start();
  const auto second = belfry.line({"submit", "--name", "after", "--", "true"});
  const bool seen = eventually(
      [&] {
        const auto text = read_text(folder / "events");
        return has(text, second) && has(text.substr(text.find(second)), "run_succeeded");
      },
      30s);
  REQUIRE(seen);
  std::int64_t last = 0;
  std::istringstream in(read_text(folder / "events"));
  for (std::string line; std::getline(in, line);) {
    const auto seq = json::parse(line).at("seq").get<std::int64_t>();
    CHECK(seq == last + 1);
    last = seq;
  }
  CHECK(port > 0);
  const auto of_run = belfry.doc({"events", "--run", first});
  CHECK(of_run.at("events").size() >= 3);
  CHECK(of_run.at("events").at(0).at("kind") == "run_submitted");
  CHECK(belfry.doc({"events", "--kind", "run_succeeded"}).at("events").size() == 2);
  CHECK(belfry.doc({"events", "-n", "2"}).at("events").at(1).at("seq").get<std::int64_t>() >= last);
  CHECK(belfry.doc({"events", "--after", "1", "-n", "2"}).at("events").at(0).at("seq") == 2);
}

TEST_CASE("cli: a worker in shell claims, beats, completes; a stale one is refused", "[e2e][cli][leases]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  const auto session = belfry.line({"session", "register", "shell-worker", "--cap", "gpu", "--slots", "2"});
  CHECK(has(belfry({"session", "list"}).out, "shell-worker"));
  CHECK(belfry({"claim", session}).exit_code == 8);
  const auto id =
      belfry.line({"submit", "--outside", "--cap", "gpu", "--payload", R"({"n":1})", "--name", "outside"});
  const auto claimed = belfry.doc({"claim", session, "--start", "--wait", "5s"});
  REQUIRE(claimed.at("claims").size() == 1);
  const auto& c = claimed.at("claims").at(0);
  CHECK(c.at("run_id") == id);
  CHECK(c.at("payload").at("n") == 1);
  const std::string token = c.at("token"), fencing = std::to_string(c.at("fencing").get<int>());
  const std::vector<std::string> proof{"--token", token, "--fencing", fencing};
  const auto with = [&](std::vector<std::string> words, const std::vector<std::string>& more = {}) {
    words.insert(words.end(), proof.begin(), proof.end());
    words.insert(words.end(), more.begin(), more.end());
    return belfry(words);
  };
  CHECK(has(with({"run", "heartbeat", id}).out, "lease until"));
  CHECK(with({"run", "progress", id}, {"--value", "0.5", "--text", "half way"}).exit_code == 0);
  CHECK(has(belfry({"ls"}).out, "50 % half way"));
  CHECK(belfry({"run", "complete", id}).exit_code == 2);
  CHECK(belfry({"run", "complete", id, "--token", "wrong", "--fencing", fencing}).exit_code == 6);
  CHECK(with({"run", "complete", id}, {"--result", R"({"answer":42})"}).exit_code == 0);
  CHECK(with({"run", "complete", id}, {"--result", R"({"answer":42})"}).exit_code == 0);
  CHECK(with({"run", "fail", id}).exit_code == 6);
  CHECK(belfry.doc({"show", id}).at("result").at("answer") == 42);
  // The token is in the answer to the claim and nowhere else.
  for (const auto& words : std::vector<std::vector<std::string>>{{"show", id, "-o", "json"},
                                                                 {"show", id},
                                                                 {"ls", "-o", "json"},
                                                                 {"events", "-o", "jsonl"},
                                                                 {"logs", id},
                                                                 {"session", "show", session},
                                                                 {"status", "-o", "json"},
                                                                 {"metrics"},
                                                                 {"export"}})
    CHECK_FALSE(has(belfry(words).out, token));
  const auto bad = belfry({"run", "heartbeat", id, "--token", token, "--fencing", "999", "--debug"});
  CHECK_FALSE(has(bad.err, token));
  CHECK_FALSE(has(node.said(), token));
  CHECK(belfry({"session", "remove", session}).exit_code == 0);
  CHECK(has(belfry({"session", "show", session}).out, "gone"));
}

}  // namespace belfry::test
