// docs/cli.md holds, word by word, the --help of every command.
#include <catch2/catch.hpp>
#include <set>

#include "app/commands/all.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::app {
namespace {

template <class F>
void walk(const command& c, F f) {
  f(c);
  for (const auto& each : c.subs())
    if (!each->is_hidden()) walk(*each, f);
}

}  // namespace

TEST_CASE("docs: cli.md has the help of every command, word by word", "[app][docs]") {
  context ctx;
  command root("belfry", "belfry: a durable scheduler");
  declare_everything(root, ctx);
  const auto page = test::read_text("docs/cli.md");
  REQUIRE_FALSE(page.empty());
  std::size_t commands = 0;
  walk(root, [&](const command& c) {
    ++commands;
    INFO(c.path());
    if (c.long_form().empty())
      CHECK(page.find("```text\n" + help_text(c, root, 100) + "```\n") != std::string::npos);
    else
      CHECK(page.find("| `" + c.path() + "` | `" + c.long_form() + "` |") != std::string::npos);
  });
  CHECK(commands > 70);
}

TEST_CASE(
    "commands: each one that does something has an example, a sentence, and arguments in an order that can "
    "be read",
    "[app][docs]") {
  context ctx;
  command root("belfry", "belfry: a durable scheduler");
  declare_everything(root, ctx);
  walk(root, [&](const command& c) {
    INFO(c.path());
    CHECK_FALSE(c.says().empty());
    CHECK(c.says().back() != '.');
    CHECK((static_cast<bool>(c.body()) || !c.subs().empty()));
    if (c.body()) CHECK_FALSE(c.examples().empty());
    for (const auto& example : c.examples()) CHECK(example.line.find("belfry") != std::string::npos);
    std::set<std::string> names;
    for (const auto& option : c.options())
      for (const auto& name : option.names) CHECK(names.insert(name).second);
    for (const auto& option : root.options())
      for (const auto& name : option.names)
        if (&c != &root) CHECK(names.count(name) == 0);
  });
}

}  // namespace belfry::app
