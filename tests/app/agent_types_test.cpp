// Agent types in the configuration.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "app/options/agent_types.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

loaded read(const test::scratch_folder& folder, const std::string& text) {
  test::write_text(folder / "belfry.toml", text);
  return load_configuration(folder / "belfry.toml", {});
}

bool told_mistake(const loaded& l, const std::string& text) {
  return std::any_of(l.mistakes.begin(), l.mistakes.end(),
                     [&](const std::string& m) { return m.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("agent types: one table per kind, with every key", "[app][config][spawn]") {
  const test::scratch_folder folder;
  setenv("SPAWN_TEST_KEY", "very secret", 1);
  const auto l = read(folder,
                      "[agent_types.claude]\n"
                      "command = [\"belfry\", \"work\"]\n"
                      "capabilities = [\"Code \", \"code\", \"review\"]\n"
                      "resources = [\"openai\", \"anthropic \"]\n"
                      "workspace = \"team\"\nchannel = \"chat\"\ncwd = \"/srv\"\n"
                      "env = { MODEL = \"small\" }\npass_env = [\"SPAWN_TEST_KEY\", \"SPAWN_TEST_UNSET\"]\n"
                      "slots = 2\nmax = 5\nper_workspace = 4\nttl = \"1h\"\ndrain = \"30s\"\n"
                      "idle_ttl = \"5m\"\nstart_timeout = \"10s\"\ngrace = \"2s\"\nbackoff = \"2s\"\n"
                      "backoff_max = \"1m\"\n"
                      "wake = \"command\"\nwake_argv = [\"./wake.sh\", \"now\"]\nwake_cwd = \"/srv\"\n"
                      "wake_timeout = \"2s\"\n"
                      "[agent_types.hooked]\ncommand = [\"x\"]\nwake = \"webhook\"\n"
                      "wake_url = \"https://example.org/wake\"\nwake_secret_env = \"BELFRY_WEBHOOK_X\"\n"
                      "[agent_types.other]\ncommand = [\"x\"]\n");
  unsetenv("SPAWN_TEST_KEY");
  INFO((l.mistakes.empty() ? std::string{} : l.mistakes.front()));
  REQUIRE(l.mistakes.empty());
  REQUIRE(l.values.node.spawner.types.size() == 3);
  const auto& t = l.values.node.spawner.types.front();
  CHECK(t.name == "claude");
  CHECK(t.command == std::vector<std::string>{"belfry", "work"});
  CHECK(t.capabilities == std::vector<std::string>{"code", "review"});
  CHECK(t.resources == std::vector<std::string>{"anthropic", "openai"});
  CHECK(t.workspace == "team");
  CHECK(t.env == std::vector<std::pair<std::string, std::string>>{{"MODEL", "small"}});
  CHECK(t.passed == std::vector<std::pair<std::string, std::string>>{{"SPAWN_TEST_KEY", "very secret"}});
  CHECK(t.max == 5);
  CHECK(t.ttl == 1h);
  CHECK(t.idle_ttl == 5min);
  CHECK(l.values.node.spawner.types.back().ttl == core::agent_type{}.ttl);
  CHECK(l.values.node.spawner.types.back().wake == core::wake_sink{});
  CHECK(t.wake.via == core::wake_via::command);
  CHECK(t.wake.argv == std::vector<std::string>{"./wake.sh", "now"});
  CHECK(t.wake.cwd == "/srv");
  CHECK(t.wake.timeout == 2s);
  const auto& hooked = l.values.node.spawner.types.at(1).wake;
  CHECK(hooked.via == core::wake_via::webhook);
  CHECK(hooked.url == "https://example.org/wake");
  CHECK(hooked.secret == "env:BELFRY_WEBHOOK_X");

  // Told with their origin, of variables only the names.
  const auto told = told_of(l, l.values);
  std::string all;
  for (const auto& each : told.settings) {
    INFO(each.key << " = " << each.value);
    CHECK(test::json::accept(each.value));
    all += each.key + "=" + each.value + " (" + each.origin + ")\n";
  }
  CHECK(all.find("agent_types.claude.max=5 (file " + folder / "belfry.toml" + ":11)") != std::string::npos);
  CHECK(all.find("agent_types.claude.env=[\"MODEL\"]") != std::string::npos);
  CHECK(all.find("agent_types.other.max=3 (default)") != std::string::npos);
  CHECK(all.find("agent_types.claude.wake=\"command\" (file ") != std::string::npos);
  CHECK(all.find("agent_types.hooked.wake_secret_env=\"BELFRY_WEBHOOK_X\" (file ") != std::string::npos);
  CHECK(all.find("small") == std::string::npos);
  CHECK(all.find("very secret") == std::string::npos);
}

TEST_CASE("agent types: every mistake with its place, value and what is allowed", "[app][config][spawn]") {
  const test::scratch_folder folder;
  const auto l = read(folder,
                      "[agent_types.a]\ncomand = [\"x\"]\n"
                      "[agent_types.b]\ncommand = \"x\"\n"
                      "[agent_types.c]\ncommand = [\"x\"]\nmax = 101\nttl = \"soon\"\nenv = [\"A=1\"]\n"
                      "[agent_types.d]\nmax = 1\n"
                      "[agent_types.process]\ncommand = [\"x\"]\n"
                      "[agent_types.e]\ncommand = [\"x\"]\ncwd = \"here\"\nbackoff = \"10m\"\n"
                      "[agent_types.f]\ncommand = [\"x\"]\nwake = \"shout\"\n"
                      "[agent_types.g]\ncommand = [\"x\"]\nwake = \"command\"\n"
                      "[agent_types.h]\ncommand = [\"x\"]\nwake = \"webhook\"\nwake_url = \"ftp://x\"\n"
                      "wake_secret_env = \"HOME\"\nwake_timeout = \"1s\"\n"
                      "[agent_types.i]\ncommand = [\"x\"]\nwake_argv = [\"y\"]\nwake_cwd = \"/srv\"\n");
  const auto file = folder / "belfry.toml";
  CHECK(told_mistake(l, file + ":2:1: there is no key agent_types.a.comand; did you mean command?"));
  CHECK(told_mistake(l, ":4:11: agent_types.b.command: given \"x\", allowed: a list of texts"));
  CHECK(told_mistake(l, ":7:7: agent_types.c.max: given 101, allowed: 0 to 100"));
  CHECK(told_mistake(l, ":8:7: agent_types.c.ttl: given \"soon\", allowed: a time from 1s to 30d"));
  CHECK(told_mistake(l, ":9:7: agent_types.c.env: allowed: a table of texts"));
  CHECK(told_mistake(l, "agent_types.d.command: given \"\", allowed: the program and its arguments"));
  CHECK(told_mistake(l, "agent_types.process.name: given \"process\""));
  CHECK(told_mistake(l, "agent_types.e.cwd: given \"here\", allowed: an absolute path"));
  CHECK(told_mistake(l, "agent_types.e.backoff_max"));
  CHECK(told_mistake(l, "agent_types.f.wake: given \"shout\", allowed: poll, webhook, command or none"));
  CHECK(told_mistake(l, "agent_types.g.wake_argv: given \"0 words\", allowed: 1 to 64, the program first"));
  CHECK(told_mistake(l, "agent_types.h.wake_url: given \"ftp://x\""));
  CHECK(told_mistake(
      l, "agent_types.h.wake_secret_env: given \"\", allowed: the name of a variable of the node"));
  CHECK(told_mistake(l, "agent_types.i.wake_argv: given \"\", allowed: only with wake = \"command\""));
  CHECK(told_mistake(l, "agent_types.i.wake_cwd"));
  CHECK(told_mistake(read(folder, "[agent_types]\nclaude = 3\n"),
                     "agent_types.claude is an agent type: write [agent_types.claude]"));
  CHECK(told_mistake(read(folder, "[agent_type.x]\ncommand = [\"x\"]\n"), "did you mean agent_types?"));
}

TEST_CASE("agent types: the example in the example file works when the marks are taken away",
          "[app][config][spawn]") {
  const test::scratch_folder folder;
  std::string text;
  std::istringstream in(agent_types_example());
  for (std::string line; std::getline(in, line);)
    if (line.rfind("# ", 0) == 0 && line.rfind("# Workers", 0) != 0) text += line.substr(2) + "\n";
  const auto l = read(folder, text);
  INFO(text << (l.mistakes.empty() ? std::string{} : l.mistakes.front()));
  CHECK(l.mistakes.empty());
  REQUIRE(l.values.node.spawner.types.size() == 1);
  CHECK(l.values.node.spawner.types.front().name == "claude");
}

}  // namespace belfry::app
