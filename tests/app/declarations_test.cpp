#include <catch2/catch.hpp>

#include "app/apply/declarations.hpp"
#include "app/apply/plan.hpp"
#include "app/client/json_view.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::app {
namespace {

bool says(const declarations& d, const std::string& text) {
  for (const auto& m : d.mistakes)
    if (m.find(text) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("declarations: flat and nested, TOML and JSON say the same", "[app][apply]") {
  const test::scratch_folder folder;
  test::write_text(folder / "flat.toml",
                   "[[job]]\nname = \"backup\"\nargv = [\"./run\", \"now\"]\ncwd = \"sub\"\nenv = { A = "
                   "\"1\" }\nretries = 2\ntimeout = \"1h\"\n");
  test::write_text(
      folder / "nested.toml",
      "[[job]]\nname = \"backup\"\ntimeout = \"60m\"\n[job.retry]\nmax_attempts = 3\n[job.handler]\nargv = "
      "[\"./run\", \"now\"]\ncwd = \"sub\"\n[job.handler.env]\nA = \"1\"\n");
  test::write_text(
      folder / "same.json",
      R"({"job":[{"name":"backup","timeout":"1h","retry":{"retries":2},"handler":{"argv":["./run","now"],"cwd":"sub","env":{"A":"1"}}}]})");
  const auto flat = read_declarations(folder / "flat.toml");
  for (const auto* name : {"nested.toml", "same.json"}) {
    const auto other = read_declarations(folder / name);
    REQUIRE(other.mistakes == std::vector<std::string>{});
    REQUIRE(other.jobs.size() == 1);
    CHECK(other.jobs.front().definition == flat.jobs.front().definition);
  }
  REQUIRE(flat.jobs.size() == 1);
  const auto body = json_text::parse(flat.jobs.front().body);
  CHECK((*body)["handler"]["cwd"].text() == folder.path() + "/sub");
  CHECK((*body)["source"].text() == "file");
}

TEST_CASE("declarations: one job alone is enough for job create", "[app][apply]") {
  const test::scratch_folder folder;
  test::write_text(folder / "one.toml", "name = \"solo\"\nshell = \"true\"\n");
  CHECK(read_declarations(folder / "one.toml", true).jobs.size() == 1);
  CHECK(says(read_declarations(folder / "one.toml"), "there is no key name here"));
}

TEST_CASE("declarations: all mistakes of all files at once, each with file, line and column",
          "[app][apply]") {
  const test::scratch_folder folder;
  test::write_text(folder / "a.toml",
                   "[[job]]\n"              // 1
                   "name = \"one\"\n"       // 2
                   "argv = [\"x\"]\n"       // 3
                   "timout = \"5s\"\n"      // 4
                   "priority = \"asap\"\n"  // 5
                   "retries = -1\n"         // 6
                   "\n"                     // 7
                   "[[job]]\n"              // 8
                   "name = \"two\"\n"       // 9
                   "argv = [\"y\"]\n"       // 10
                   "[job.handler]\n"        // 11
                   "argv = [\"z\"]\n"       // 12
                   "\n"                     // 13
                   "[[run]]\n"              // 14
                   "shell = \"true\"\n"     // 15
                   "times = 0\n"            // 16
                   "[[jobs]]\n"             // 17
                   "name = \"three\"\n");   // 18
  test::write_text(folder / "b.json",
                   "{\n \"job\": [\n  {\"name\": \"one\",\n   \"handler\": {\"argv\": [3]}}\n ]\n}\n");
  test::write_text(folder / "c.toml", "[[job]\n");
  test::write_text(folder / "d.toml",
                   "[[job]]\nname = \"ok\"\nargv = [\"x\"]\n[[job]]\nname = \"ok\"\nargv = [\"x\"]\n");
  test::write_text(folder / "ignored.txt", "nothing");
  const auto d = read_declarations(folder.path());
  const auto a = folder / "a.toml";
  CHECK(says(d, a + ":4:1: job one: /timout"));
  CHECK(says(d, "timeout"));
  CHECK(says(d, a + ":5:1: job one: /priority"));
  CHECK(says(d, a + ":6:1: job one: /retry/retries"));
  CHECK(says(d, a + ":10:1: argv is given twice"));
  CHECK(says(d, a + ":16:1: run : times: allowed: 1 to 1000"));
  CHECK(says(d, a + ":17:"));
  CHECK(says(d, "did you mean [[job]]?"));
  CHECK(says(d, folder / "b.json:4:25: job one: /handler/argv/0"));
  CHECK(says(d, folder / "c.toml:1:"));
  CHECK(says(d, "job ok is declared twice; the first time at " + (folder / "d.toml:")));
  CHECK_THROWS_WITH(refuse_mistakes(d, folder.path()), Catch::Contains("nothing was changed"));
}

TEST_CASE("plan: differences name the fields that a person would look for", "[app][apply]") {
  const auto changes = differences(
      R"({"name":"a","handler":{"kind":"process","argv":["x"]},"timeout":"5s","retry":{"base":"1s"},"payload":{"a":1}})",
      R"({"name":"a","handler":{"kind":"process","argv":["x","y"]},"retry":{"base":"1s","max_attempts":2},"payload":{"a":2}})");
  REQUIRE(changes.size() == 4);
  CHECK(changes[0].path == "handler.argv");
  CHECK(changes[0].before == "[\"x\"]");
  CHECK(changes[0].after == "[\"x\",\"y\"]");
  CHECK(changes[1].path == "payload");
  CHECK(changes[2].path == "retry.max_attempts");
  CHECK(changes[2].before.empty());
  CHECK(changes[3].path == "timeout");
  CHECK(changes[3].after.empty());
  CHECK(differences("{\"a\":{}}", "{ \"a\" : {} }").empty());
}

TEST_CASE("examples: jobs.toml and checksums.jsonl are without a mistake", "[app][apply][docs]") {
  const auto d = read_declarations("examples/jobs.toml");
  CHECK(d.mistakes == std::vector<std::string>{});
  CHECK(d.jobs.size() == 5);
}

}  // namespace belfry::app
