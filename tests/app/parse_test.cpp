#include <catch2/catch.hpp>

#include "app/cli/command.hpp"

namespace belfry::app {
namespace {

// A small tree with everything that a command may have.
struct small_tree {
  command root{"tool", "A tool"};
  std::string output = "table";
  std::vector<std::string> tags, things, rest;
  std::optional<std::string> name;
  std::optional<std::int64_t> count;
  bool loud = false;

  small_tree() {
    root.one_of("--output,-o", output, {"table", "json"}, "format");
    auto& make = root.sub("make", "Make things");
    make.option("--tag", tags, "TAG", "repeatable");
    make.option("--name", name, "NAME", "what it is called");
    make.option("--count,-n", count, "N", "how many");
    make.flag("--loud", loud, "louder");
    make.rest("COMMAND…", rest, "what to run");
    make.example("tool make -- x", "An example.");
    make.action([] { return 0; });
    auto& thing = root.sub("thing", "Look at things");
    auto& show = thing.sub("show", "Show things");
    show.argument("THING", things, "which", true);
    show.action([] { return 0; });
    root.sub("short", "Short").short_for("tool thing show").action([] { return 0; });
  }
};

}  // namespace

TEST_CASE("command line: options, lists, numbers and the rest after -- reach their variables",
          "[app][parse]") {
  small_tree t;
  const auto p = parse_command_line(t.root, {"make", "--tag", "a", "--tag=b", "--name", "", "-n", "7",
                                             "--loud", "-o", "json", "--", "sh", "--tag", "-x", "--"});
  REQUIRE(p.mistake.empty());
  CHECK(p.chosen->path() == "tool make");
  CHECK(t.tags == std::vector<std::string>{"a", "b"});
  CHECK(t.name == std::optional<std::string>(""));
  CHECK(t.count == std::optional<std::int64_t>(7));
  CHECK(t.loud);
  CHECK(t.output == "json");
  CHECK(t.rest == std::vector<std::string>{"sh", "--tag", "-x", "--"});
}

TEST_CASE("command line: what is not given stays as it was", "[app][parse]") {
  small_tree t;
  REQUIRE(parse_command_line(t.root, {"make"}).mistake.empty());
  CHECK_FALSE(t.name);
  CHECK_FALSE(t.count);
  CHECK(t.output == "table");
}

TEST_CASE("command line: a value that is the name of a command is still a value", "[app][parse]") {
  small_tree t;
  REQUIRE(parse_command_line(t.root, {"thing", "show", "make", "thing", "-o", "json"}).mistake.empty());
  CHECK(t.things == std::vector<std::string>{"make", "thing"});
  REQUIRE(parse_command_line(t.root, {"-o", "json", "thing", "show", "--", "--odd"}).mistake.empty());
  CHECK(t.things == std::vector<std::string>{"--odd"});
}

TEST_CASE("command line: a command may have an argument beside commands of its own", "[app][parse]") {
  command root{"tool", "A tool"};
  std::string file, other;
  auto& take = root.sub("take", "Take things");
  take.argument("FILE", file, "which", true);
  take.action([] { return 0; });
  auto& from = take.sub("from", "Take them from there");
  from.argument("PLACE", other, "where", false);
  from.action([] { return 0; });
  CHECK(parse_command_line(root, {"take", "x.txt"}).chosen->path() == "tool take");
  CHECK(file == "x.txt");
  CHECK(parse_command_line(root, {"take", "from", "y"}).chosen->path() == "tool take from");
  CHECK(other == "y");
  CHECK(parse_command_line(root, {"take", "x", "from"}).mistake.find("from") != std::string::npos);
  CHECK_FALSE(parse_command_line(root, {"take"}).mistake.empty());
  CHECK(help_text(take, root, 80).find("Usage: tool take [OPTION]… FILE\n       tool take COMMAND") !=
        std::string::npos);
}

TEST_CASE("command line: mistakes name the nearest word and the command that helps", "[app][parse]") {
  small_tree t;
  struct row {
    std::vector<std::string> words;
    std::string says, hint;
  };
  const auto mistake = GENERATE(values<row>({
      {{"maek"}, "did you mean 'make'?", "tool --help"},
      {{"thing", "shwo"}, "did you mean 'show'?", "tool thing --help"},
      {{"make", "--nmae", "x"}, "did you mean --name?", "tool make --help"},
      {{"make", "--count", "many"}, "--count", "tool make --help"},
      {{"make", "--name"}, "--name", "tool make --help"},
      {{"make", "--name", "a", "--name", "b"}, "--name", "tool make --help"},
      {{"make", "echo", "hi"}, "put -- before the command", "tool make -- COMMAND…"},
      {{"thing", "show"}, "THING", "tool thing show --help"},
      {{"-o", "yaml", "make"}, "yaml", "tool make --help"},
  }));
  const auto p = parse_command_line(t.root, mistake.words);
  CHECK(p.mistake.find(mistake.says) != std::string::npos);
  INFO(p.mistake);
  CHECK(p.hint == mistake.hint);
}

TEST_CASE("help: usage with the rest, examples at the end, the root's options everywhere", "[app][parse]") {
  small_tree t;
  const auto text = help_text(*t.root.find("make"), t.root, 80);
  CHECK(text.find("Usage: tool make [OPTION]… -- COMMAND…") != std::string::npos);
  CHECK(text.find("--output, -o table|json") != std::string::npos);
  CHECK(text.find("  tool make -- x\n      An example.\n") + 35 > text.size() - 5);
  CHECK(help_text(*t.root.find("short"), t.root, 80).find("Short for: tool thing show") != std::string::npos);
  const auto p = parse_command_line(t.root, {"help", "thing", "show"});
  CHECK(p.help);
  CHECK(p.chosen->path() == "tool thing show");
  CHECK(parse_command_line(t.root, {"thing", "show", "-h"}).help);
  CHECK(parse_command_line(t.root, {"thing"}).help);
}

}  // namespace belfry::app
