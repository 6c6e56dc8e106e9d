// Work that nobody takes, on the command line, with a ladder that is climbed in seconds.
#include <catch2/catch.hpp>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

node_setup short_ladder() {
  node_setup setup;
  setup.flags = {"--set", "ladder.minimum_age=300ms", "--set", "wake.interval=200ms"};
  return setup;
}

}  // namespace

TEST_CASE("cli: a run that nobody may take climbs the ladder and asks for a person", "[e2e][cli][ladder]") {
  real_node node{short_ladder()};
  const cli belfry(node);
  const auto id = belfry.line({"submit", "--outside", "--cap", "gpu", "--name", "rare", "-o", "name"});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  bool rung_seen = false, explained = false;
  std::string state;
  while (std::chrono::steady_clock::now() < deadline && state != "needs_attention") {
    const auto run = belfry.doc({"show", id});
    state = run.at("state");
    rung_seen = rung_seen || run.at("ladder").is_object();
    if (run.at("ladder").is_object() && !explained) {
      const auto why = belfry({"run", "explain", id}).out;
      explained = has(why, "nobody takes it") && has(why, "rung ");
    }
    if (state == "queued" && !rung_seen) CHECK(belfry.doc({"scheduler", "backlog"}).size() >= 1);
  }
  CHECK(state == "needs_attention");
  CHECK(rung_seen);
  CHECK(explained);
  CHECK(has(belfry({"doctor"}).out, "needs_attention"));
  const auto events = belfry({"events", "--run", id, "-o", "jsonl"}).out;
  CHECK(has(events, "\"run_starved\""));
  CHECK(has(events, "\"needs_attention\""));
  CHECK(events.find("\"run_starved\"") == events.rfind("\"run_starved\""));
  CHECK(has(belfry({"scheduler", "status"}).out, "starved after"));
}

TEST_CASE("cli: one cycle, its sums, and the line", "[e2e][cli][ladder]") {
  real_node node;
  const cli belfry(node);
  const auto id = belfry.line({"submit", "--outside", "--cap", "gpu", "-o", "name"});
  const auto cycle = belfry.doc({"scheduler", "cycle"});
  CHECK(cycle.at("no_capable_session").at("runs").at(0) == id);
  CHECK(has(belfry({"scheduler", "cycle"}).out, "no capable session"));
  CHECK(belfry.doc({"scheduler", "statistics"}).at("asked_for") >= 2);
  CHECK(has(belfry({"scheduler", "backlog"}).out, id));
  // The same word as explain has for it.
  const auto reason = [&] {
    const auto line = belfry.doc({"scheduler", "backlog"}).at("backlog").at(0);
    const auto word = line.at("waiting_for").at(0).at("code").get<std::string>();
    CHECK(word == belfry.doc({"run", "explain", id}).at("reasons").at(0).at("code"));
    return word;
  };
  CHECK(reason() == "no_capable_session");
  const std::string able = belfry.doc({"session", "register", "w", "--cap", "gpu"}).at("id");
  CHECK(reason() == "no_session");
  belfry.line({"submit", "--outside", "--cap", "gpu", "--priority", "urgent", "-o", "name"});
  CHECK(belfry({"claim", able}).exit_code == 0);
  CHECK(reason() == "all_busy");
  CHECK(belfry.line({"scheduler", "backlog", "-o", "name"}) == id);
  CHECK(belfry.doc({"scheduler", "statistics", "--reset", "--yes"}).at("wakes_attempted") == 0);
  const auto refused = cli("")({"serve", "--data", "/nowhere", "--set", "ladder.event=3"});
  CHECK(refused.exit_code == 2);
  CHECK(has(refused.err, "ladder.event"));
  CHECK(has(refused.err, "4 or more"));
}

}  // namespace belfry::test
