// A coordinator and two members as processes of their own: work goes to them, and survives them.
#include <signal.h>

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "tests/e2e/cli.hpp"
#include "tests/support/real_cluster.hpp"

namespace belfry::test {
namespace {

json on_node(const std::string& name) { return {{"capabilities", {"node:" + name}}}; }

// A run that says where it begins and ends, and takes its time between.
std::string diary_script(const std::string& diary, const std::string& length) {
  return "echo \"begin $BELFRY_RUN_ID $BELFRY_FENCING $$\" >> " + diary + "; sleep " + length +
         "; echo \"end $BELFRY_RUN_ID $BELFRY_FENCING $$\" >> " + diary;
}

std::size_t lines_with(const std::string& path, const std::string& begin) {
  std::istringstream in(read_text(path));
  std::size_t n = 0;
  for (std::string line; std::getline(in, line);) n += line.starts_with(begin) ? 1U : 0U;
  return n;
}

std::size_t successes_of(const std::vector<json>& events, const std::string& run) {
  std::size_t n = 0;
  for (const auto& e : events)
    if (e.value("run_id", json()) == run && e.at("kind") == "run_succeeded") ++n;
  return n;
}

std::string holder_of(const json& run) {
  const auto& lease = run.at("lease");
  return lease.is_null() ? std::string{} : lease.at("session_id").get<std::string>();
}

// The member whose executor has this session; empty: none.
std::string node_of(real_cluster& all, const std::string& session) {
  for (const auto& name : all.members()) {
    const auto node = all.node(name);
    for (const auto& s : node.at("sessions"))
      if (s == session) return name;
  }
  return {};
}

std::string label_script() { return "echo BELFRY_NODE=$BELFRY_NODE"; }

}  // namespace

TEST_CASE("cluster: work goes to the node that it asks for, and to every node", "[e2e][cluster]") {
  cluster_setup setup;
  setup.flags_of["c"] = {"--set", "cluster.labels=disk=ssd", "--set", "cluster.capabilities=gpu"};
  real_cluster all(setup);
  auto& a = all.coordinator();

  const auto seen = a.http().get_json("/v1/nodes");
  CHECK(seen.at("cluster") == "home");
  REQUIRE(seen.at("nodes").size() == 3);
  CHECK(seen.at("nodes").at(0).at("role") == "coordinator");
  for (const auto& n : seen.at("nodes")) CHECK(n.at("state") == "up");
  CHECK(all.node("c").at("labels") == json({"disk=ssd"}));

  std::string before;
  for (const auto& name : {"b", "c"}) {
    const auto id = a.submit_shell(label_script(), on_node(name));
    const auto end = a.wait_finished(id);
    CHECK(end.at("state") == "succeeded");
    CHECK(node_of(all, end.at("attempts").back().at("session_id")) == name);
    const auto mark = a.output(id);
    CHECK(mark.starts_with("BELFRY_NODE="));
    CHECK(mark != before);
    before = mark;
  }
  const auto fast = a.submit_shell("echo here", {{"capabilities", {"disk=ssd", "gpu"}}});
  CHECK(a.wait_finished(fast).at("state") == "succeeded");
  const auto nowhere = a.submit_shell("true", on_node("d"));
  CHECK(a.run(nowhere).at("state") == "queued");
}

TEST_CASE("cluster: nodes that were linked end when they are told to", "[e2e][cluster]") {
  real_cluster all;
  const cli belfry(all.coordinator());
  CHECK(belfry({"node", "ls"}).exit_code == 0);
  CHECK(all.member("b").terminate() == 0);
  CHECK(all.coordinator().terminate() == 0);
  CHECK(all.member("c").terminate() == 0);  // with nobody left to say good-bye to
}

TEST_CASE("cluster: the command line works through a member as through the coordinator", "[e2e][cluster]") {
  real_cluster all;
  const cli at_b("unix:" + all.member("b").unix_socket().socket);
  const auto table = at_b({"node", "ls"});
  CHECK(table.exit_code == 0);
  for (const auto* word : {"a", "b", "c", "coordinator", "member", "up"}) CHECK(has(table.out, word));
  CHECK(at_b({"node", "ls", "-o", "name"}).out == "a\nb\nc\n");
  CHECK(at_b.doc({"node", "show", "b"}).at("executors") == 2);
  CHECK(at_b({"node", "show", "nobody"}).exit_code == 5);

  const auto id = at_b.line({"submit", "--cap", "node:c", "--", "echo", "through-a-member"});
  const auto followed = at_b({"logs", "--follow", id});
  CHECK(followed.exit_code == 0);
  CHECK(has(followed.out, "through-a-member"));
  CHECK(has(at_b({"status"}).out, "member b of a"));
  CHECK(has(cli(all.coordinator())({"status"}).out, "coordinator a, 3 up"));
  CHECK(all.member("b").http().get_json("/v1/node").at("cluster").at("role") == "member");
}

TEST_CASE("cluster: a node is drained, and its work is done before it is told so", "[e2e][cluster]") {
  real_cluster all;
  auto& a = all.coordinator();
  const cli belfry(a);
  const auto running = a.submit_shell("sleep 1", on_node("b"));
  a.wait_for_state(running, "running");
  const auto drained = belfry({"node", "drain", "b", "--wait", "--reason", "new disk"});
  CHECK(drained.exit_code == 0);
  CHECK(has(drained.out, "drained"));
  CHECK(a.run(running).at("state") == "succeeded");
  const auto waits = a.submit_shell("true", on_node("b"));
  CHECK(belfry({"wait", waits, "--timeout", "500ms"}).exit_code == 8);

  // An operator's word outlives the node's process.
  all.member("b").terminate();
  all.member("b").start();
  CHECK(all.node("b").at("draining") == true);
  CHECK(a.run(waits).at("state") == "queued");
  CHECK(belfry({"node", "resume", "b"}).exit_code == 0);
  CHECK(a.wait_finished(waits).at("state") == "succeeded");
}

TEST_CASE("cluster: a node that was removed is let in no more, until somebody says so", "[e2e][cluster]") {
  real_cluster all;
  const cli belfry(all.coordinator());
  CHECK(belfry({"node", "remove", "b"}).exit_code != 0);  // it is up
  all.member("b").terminate();
  REQUIRE(all.wait_state("b", "left"));
  CHECK(belfry({"node", "remove", "b"}).exit_code == 0);
  CHECK_FALSE(has(belfry({"node", "ls", "-o", "name"}).out, "b\n"));
  CHECK(has(belfry({"node", "ls", "--removed", "-o", "name"}).out, "b\n"));
  all.member("b").launch();
  CHECK_FALSE(all.member("b").wait_ready(3s));
  all.member("b").terminate();
  CHECK(belfry({"node", "readmit", "b"}).exit_code == 0);
  all.member("b").start();
  CHECK(all.node("b").at("state") == "up");
}

TEST_CASE("cluster: a member that is killed is lost in time, its run is done elsewhere, its process is gone",
          "[e2e][cluster]") {
  real_cluster all;
  auto& a = all.coordinator();
  const auto diary = all.file("diary");
  std::map<std::string, std::string> marks;
  for (const auto& name : all.members()) {
    const auto who = a.submit_shell(label_script(), on_node(name));
    a.wait_finished(who);
    marks[name] = a.output(who).substr(std::string_view{"BELFRY_NODE="}.size());
  }
  const auto id = a.submit_shell(
      "echo \"begin $BELFRY_FENCING\" >> " + diary + "; [ $BELFRY_ATTEMPT = 1 ] && exec sleep 300; true",
      {{"preferred_capabilities", {"node:b"}}, {"retry", {{"max_attempts", 1}, {"max_losses", 5}}}});
  a.wait_for_state(id, "running");
  // Where it is, decides who dies.
  const auto session = holder_of(a.run(id));
  const auto victim = node_of(all, session);
  REQUIRE_FALSE(victim.empty());
  const auto from = std::chrono::steady_clock::now();
  const auto its_mark = marks.at(victim);
  all.member(victim).kill9();
  REQUIRE(all.wait_state(victim, "lost", 10s));
  CHECK(std::chrono::steady_clock::now() - from < 6s);
  CHECK(eventually([&] { return processes_with("BELFRY_NODE", its_mark).empty(); }, 5s));
  const auto end = a.wait_finished(id, 20s);
  CHECK(end.at("state") == "succeeded");
  CHECK(end.at("attempts").back().at("session_id") != session);
  CHECK(successes_of(a.events(), id) == 1);
  CHECK(has(cli(a)({"status"}).out, "1 lost (" + victim + ")"));
}

TEST_CASE("cluster: while the coordinator is away running work goes on, and is completed once",
          "[e2e][cluster]") {
  cluster_setup setup;
  setup.lease = "20s";
  real_cluster all(setup);
  auto& a = all.coordinator();
  const auto diary = all.file("diary");
  const auto id = a.submit_shell(diary_script(diary, "3"), on_node("b"));
  REQUIRE(eventually([&] { return lines_with(diary, "begin") == 1; }));
  a.kill9();

  http_client at_b(all.member("b").tcp());
  CHECK(eventually([&] { return at_b.get("/v1/runs").code() == "unavailable"; }));
  CHECK(at_b.get("/v1/node").status == 200);
  CHECK(eventually([&] { return lines_with(diary, "end") == 1; }));

  a.start();
  CHECK(a.wait_finished(id, 30s).at("state") == "succeeded");
  CHECK(lines_with(diary, "begin") == 1);
  CHECK(successes_of(a.events(), id) == 1);
  CHECK(eventually([&] { return at_b.get("/v1/runs").status == 200; }));
}

TEST_CASE("cluster: a member that sleeps beyond its lease changes nothing when it wakes", "[e2e][cluster]") {
  real_cluster all;
  auto& a = all.coordinator();
  const auto diary = all.file("diary");
  const auto id =
      a.submit_shell(diary_script(diary, "2"), {{"retry", {{"max_attempts", 1}, {"max_losses", 5}}}});
  REQUIRE(eventually([&] { return lines_with(diary, "begin") == 1; }));
  const auto session = holder_of(a.run(id));
  const auto sleeper = node_of(all, session);
  REQUIRE_FALSE(sleeper.empty());
  const auto pid = all.member(sleeper).pid();
  ::kill(pid, SIGSTOP);
  const auto end = a.wait_finished(id, 30s);
  ::kill(pid, SIGCONT);
  CHECK(end.at("state") == "succeeded");
  CHECK(end.at("attempts").back().at("session_id") != session);
  REQUIRE(all.wait_state(sleeper, "up"));
  const auto after = a.submit_shell("true", on_node(sleeper));
  CHECK(a.wait_finished(after).at("state") == "succeeded");
  CHECK(successes_of(a.events(), id) == 1);
  CHECK(a.run(id).at("state") == "succeeded");
}

TEST_CASE("cluster: a link that is cut costs time, not work", "[e2e][cluster]") {
  real_cluster all;
  auto& a = all.coordinator();
  all.link("b").cut();
  REQUIRE(all.wait_state("b", "lost"));
  CHECK(all.member("b").http().get("/v1/health").status == 200);
  all.link("b").mend();
  REQUIRE(all.wait_state("b", "up"));
  const auto id = a.submit_shell("true", on_node("b"));
  CHECK(a.wait_finished(id).at("state") == "succeeded");
}

TEST_CASE("cluster: nobody serves in a cluster without certificates, and no member has a store",
          "[e2e][cluster]") {
  const cli belfry("");
  scratch_folder folder;
  const auto refused = [&](std::vector<std::string> more, const std::string& says) {
    std::vector<std::string> words{"serve", "--data", folder.path(), "--listen", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    const auto end = belfry(words);
    INFO(end.err);
    CHECK(end.exit_code == 2);
    CHECK(has(end.err, says));
  };
  refused({"--join", "127.0.0.1:7421"}, "belfry cluster issue");
  refused({"--cluster-listen", "127.0.0.1:0"}, "belfry cluster init");
  refused({"--join", "127.0.0.1"}, "HOST:PORT");
  refused({"--join", "127.0.0.1:7421", "--cluster-certificates", folder.path(), "--store", "memory"},
          "a member");
  refused({"--join", "127.0.0.1:7421", "--cluster-listen", "127.0.0.1:0", "--cluster-certificates",
           folder.path()},
          "not both");
  refused({"--join", "127.0.0.1:7421", "--set", "cluster.labels=node:x"}, "node:");
  refused({"--set", "cluster.suspect_after=300ms"}, "suspect_after");
}

}  // namespace belfry::test
