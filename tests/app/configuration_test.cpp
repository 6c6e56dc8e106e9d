#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/cli/refusal.hpp"
#include "app/options/load.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::app {
namespace {

// The environment of the test is the one of the whole suite: what a test sets is taken back.
class variable {
 public:
  variable(std::string name, const std::string& value) : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~variable() { unsetenv(name_.c_str()); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  std::string name_;
};

std::string shown(const loaded& l, const std::string& key) { return find_setting(key)->show(l.values); }

bool says(const loaded& l, const std::string& text) {
  for (const auto& m : l.mistakes)
    if (m.find(text) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("configuration: flag before environment before file before default, each with its origin",
          "[app][config]") {
  const test::scratch_folder folder;
  const auto file = folder / "belfry.toml";
  test::write_text(
      file, "[executor]\nprocesses = 3\nlease = \"1m\"\n[retention]\nkeep = \"7d\"\n[queue]\nquantum = 2\n");
  const variable a("BELFRY_EXECUTOR__LEASE", "2m");
  const variable b("BELFRY_RETENTION__KEEP", "3d");
  const auto l = load_configuration(file, {{"--set retention.keep", "retention.keep", "1d"}});
  REQUIRE(l.mistakes.empty());
  CHECK(shown(l, "executor.processes") == "3");
  CHECK(l.origin.at("executor.processes") == "file " + file + ":2");
  CHECK(shown(l, "executor.lease") == "\"2m\"");
  CHECK(l.origin.at("executor.lease") == "environment BELFRY_EXECUTOR__LEASE");
  CHECK(shown(l, "retention.keep") == "\"1d\"");
  CHECK(l.origin.at("retention.keep") == "flag --set retention.keep");
  CHECK(l.origin.at("queue.quantum") == "file " + file + ":7");
  CHECK(l.origin.at("store.kind") == "default");
  CHECK(l.values.node.executor.processes == 3);
}

TEST_CASE("configuration: no setting holds a secret, for all of them are shown", "[app][config]") {
  for (const auto& each : all_settings())
    for (const auto* word : {"secret", "token", "password", "private", "credential"}) {
      INFO(each.key << " has to name a file or a variable instead");
      // Access tokens are declared by their hashes, and what is allowed without one is a role.
      const bool reference = each.key.ends_with("_file") || each.key.ends_with("_variable") ||
                             each.key == "access.tokens" || each.key == "access.without_token";
      CHECK((each.key.find(word) == std::string::npos || reference));
    }
}

TEST_CASE("configuration: whatever bytes a value has, it is told as JSON", "[app][config]") {
  const auto l = load_configuration("/dev/null", {{"--data", "node.data", "/tmp/a\x01\"\\\xff\n\x7f"},
                                                  {"--set", "http.listen", "[::1]:1"}});
  REQUIRE(l.mistakes.empty());
  const auto told = told_of(l, l.values);
  CHECK(told.file == "/dev/null");
  for (const auto& each : told.settings) {
    INFO(each.key << " = " << each.value);
    CHECK(test::json::accept(each.value));
    if (each.key == "http.listen") CHECK(test::json::parse(each.value) == test::json{"[::1]:1"});
    if (each.key == "node.data") CHECK(test::json::parse(each.value) == "/tmp/a\x01\"\\?\n\x7f");
  }
}

TEST_CASE("configuration: numbers of backpressure and delays that contradict each other are refused",
          "[app][config][pressure]") {
  const test::scratch_folder folder;
  const auto file = folder / "belfry.toml";
  test::write_text(file,
                   "[backpressure]\nat = 10\nuntil = 11\nmode = \"shed\"\nshed_below = \"low\"\n"
                   "[provider]\nleast_delay = \"2s\"\nmost_delay = \"1s\"\n");
  const auto l = load_configuration(file, {});
  CHECK(says(l, "backpressure.until"));
  CHECK(says(l, "backpressure.shed_below"));
  CHECK(says(l, "provider.most_delay"));
  test::write_text(file, "[backpressure]\nat = 10\nuntil = 3\nmode = \"reject\"\n");
  const auto good = load_configuration(file, {});
  REQUIRE(good.mistakes.empty());
  CHECK(good.values.node.backpressure.until == 3);
  CHECK(good.values.node.backpressure.mode == core::pressure_mode::reject);
}

TEST_CASE("configuration: every mistake is told together, with its place and the nearest name",
          "[app][config]") {
  const test::scratch_folder folder;
  const auto file = folder / "belfry.toml";
  test::write_text(file,
                   "[stor]\nkind = \"sqlite\"\n"
                   "[store]\ndurabilty = \"full\"\ncache = \"5KiB\"\nkind = \"postgres\"\n"
                   "[executor]\nprocesses = -1\nlease = 5\nnone = \"yes\"\nmax_process_share = 3.5\n"
                   "[http]\nlisten = \"127.0.0.1:1\"\nmax_body = 1\n"
                   "[node]\ndrain_timeout = \"2 hours\"\n"
                   "[retention]\nkeep_per_job = 0\n");
  const variable bad("BELFRY_QUEUE__QUANTM", "2");
  const variable worse("BELFRY_LOG__LEVEL", "loud");
  const auto l = load_configuration(file, {{"--executors", "executor.processes", "many"}});
  CHECK(says(l, file + ":1:2: there is no area [stor]; did you mean store?"));
  CHECK(says(l, file + ":4:1: there is no key store.durabilty; did you mean durability?"));
  CHECK(says(l, ":5:9: store.cache: given \"5KiB\", allowed: a size from 64KiB to 4GiB"));
  CHECK(says(l, ":6:8: store.kind: given \"postgres\", allowed: sqlite or memory"));
  CHECK(says(l, ":8:13: executor.processes: given -1, allowed: 0 to 256"));
  CHECK(says(l, ":9:9: executor.lease: given 5, allowed: a time from 3s to 1h"));
  CHECK(says(l, ":10:8: executor.none: given \"yes\", allowed: true or false"));
  CHECK(says(l, ":11:21: executor.max_process_share"));
  CHECK(says(l, "http.listen: given \"127.0.0.1:1\", allowed: a list"));
  CHECK(says(l, "http.max_body"));
  CHECK(says(l, "node.drain_timeout: given \"2 hours\""));
  CHECK(says(l, "retention.keep_per_job: given 0, allowed: 1 to 1000000"));
  CHECK(says(
      l, "environment BELFRY_QUEUE__QUANTM: there is no such setting; did you mean BELFRY_QUEUE__QUANTUM?"));
  CHECK(says(l, "environment BELFRY_LOG__LEVEL: given \"loud\", allowed: debug, info, warning or error"));
  CHECK(says(l, "--executors: given \"many\", allowed: 0 to 256"));
  CHECK(l.mistakes.size() == 15);
  CHECK_THROWS_AS(refuse_mistakes(l), refusal);
}

TEST_CASE("configuration: a file that is no TOML says where reading stopped", "[app][config]") {
  const test::scratch_folder folder;
  test::write_text(folder / "a.toml", "[store]\nkind = \n");
  const auto l = check_configuration_file(folder / "a.toml");
  REQUIRE(l.mistakes.size() == 1);
  CHECK(l.mistakes.front().find(folder / "a.toml:2:") == 0);
  CHECK(says(check_configuration_file(folder / "none.toml"), "cannot be read"));
  test::write_text(folder / "b.toml", "store = 3\n");
  CHECK(says(check_configuration_file(folder / "b.toml"), "store is an area: write [store]"));
  test::write_text(folder / "empty.toml", "");
  CHECK(check_configuration_file(folder / "empty.toml").mistakes.empty());
}

TEST_CASE("configuration: what is wrong only together is told too", "[app][config]") {
  const auto open = load_configuration("/dev/null", {{"--listen", "http.listen", "0.0.0.0:7420"}});
  REQUIRE(open.mistakes.size() == 1);
  CHECK(open.mistakes.front().find("flag --listen") == 0);
  CHECK(load_configuration("/dev/null", {{"--listen", "http.listen", "0.0.0.0:7420"},
                                         {"--allow-remote", "http.allow_remote", "true"}})
            .mistakes.empty());
  CHECK(says(load_configuration("/dev/null", {{"--set", "executor.cwd", "here"}}), "an absolute path"));
  CHECK(says(
      load_configuration("/dev/null", {{"--listen", "http.listen", ""}, {"--socket", "http.socket", "none"}}),
      "neither an address nor a socket"));
  CHECK(load_configuration("/dev/null", {{"--listen", "http.listen", ""}}).mistakes.empty());  // its socket
  CHECK(says(load_configuration("/dev/null", {{"--set x", "retention.kep", "1d"}}),
             "did you mean retention.keep?"));
}

TEST_CASE("configuration: a node is alone, a coordinator or a member, and has certificates for the others",
          "[app][config][cluster]") {
  const test::scratch_folder folder;
  const auto file = folder / "belfry.toml";
  const auto loaded_from = [&](const std::string& text) {
    test::write_text(file, text);
    return load_configuration(file, {});
  };
  const auto head = loaded_from("[cluster]\nlisten = \"[::1]:7421\"\ncertificates = \"here\"\n");
  REQUIRE(head.mistakes.empty());
  CHECK(head.values.cluster.listen == "[::1]:7421");
  const auto member = loaded_from(
      "[cluster]\njoin = [\"a:1\", \"192.0.2.1:65535\"]\ncertificates = \"here\"\n"
      "labels = [\"disk=ssd\"]\nbeat = \"100ms\"\nsuspect_after = \"1s\"\nlost_after = \"3s\"\n");
  REQUIRE(member.mistakes.empty());
  CHECK(member.values.cluster.join == std::vector<std::string>{"a:1", "192.0.2.1:65535"});
  CHECK(member.values.node.cluster.membership.lost_after == std::chrono::seconds{3});

  CHECK(says(loaded_from("[cluster]\nlisten = \":0\"\njoin = [\"a:1\"]\ncertificates = \"here\"\n"),
             "a coordinator (cluster.listen) or a member (cluster.join), not both"));
  CHECK(says(loaded_from("[cluster]\njoin = [\"a:1\"]\n"), "nobody is let in without certificates"));
  CHECK(says(loaded_from("[cluster]\njoin = [\"a:1\"]\ncertificates = \"here\"\n[store]\n" +
                         std::string("durability = \"normal\"\n")),
             "is for nodes with a store"));
  for (const auto* bad : {"a", "a:", ":1", "a:0", "a:65536", "a:1x", "a b:1", "::1:7421", "http://a:1"})
    CHECK(says(loaded_from("[cluster]\ncertificates = \"here\"\njoin = [\"" + std::string(bad) + "\"]\n"),
               "given \"" + std::string(bad) + "\", allowed: HOST:PORT of a coordinator"));
  for (const auto* bad : {"", "two words", "node:a", "belfry:x"})
    CHECK(says(loaded_from("[cluster]\nlabels = [\"" + std::string(bad) + "\"]\n"), "cluster.labels"));
  CHECK(says(loaded_from("[cluster]\nbeat = \"5s\"\nsuspect_after = \"2s\"\n"),
             "cluster.suspect_after: a beat"));
  CHECK(says(loaded_from("[cluster]\nsuspect_after = \"20s\"\n"), "cluster.lost_after"));
}

TEST_CASE("configuration: each setting takes back what it shows", "[app][config]") {
  const test::scratch_folder folder;
  test::write_text(folder / "all.toml", example_file());
  const auto l = check_configuration_file(folder / "all.toml");
  REQUIRE(l.mistakes.empty());
  const configuration usual;
  for (const auto& each : all_settings()) {
    INFO(each.key);
    CHECK(each.show(l.values) == each.show(usual));
    CHECK(l.origin.at(each.key).rfind("file ", 0) == 0);
    CHECK(each.says.back() == '.');
    CHECK_FALSE(area_sentence(area_of(each.key)).empty());
  }
}

TEST_CASE("configuration: examples/belfry.toml and docs/configuration.md are what the program says",
          "[app][config][docs]") {
  CHECK(test::read_text("examples/belfry.toml") == example_file());
  const auto page = test::read_text("docs/configuration.md");
  const std::string mark = "<!-- made by: belfry config show --reference -->\n";
  const auto at = page.find(mark);
  REQUIRE(at != std::string::npos);
  CHECK(page.substr(at + mark.size()) == reference_in_markdown());
}

}  // namespace belfry::app
