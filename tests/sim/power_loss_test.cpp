// The whole node on the SQLite store on a disk that forgets what was not synced. Every life of it ends with
// the power: between two steps of the node, or in the middle of a write. BELFRY_POWER_SEED=n replays one seed
// and writes its trace to stderr, BELFRY_LONG=1 takes ten times as many.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "tests/support/sim_crash_disk.hpp"
#include "tests/support/sim_world.hpp"

namespace {

using namespace belfry;
using namespace belfry::tests;

struct harvest {
  std::size_t seeds = 0, failed = 0, steps = 0, crashes = 0, promises = 0, commits = 0, checked = 0, runs = 0;
  std::uint64_t writes = 0, syncs = 0;
  std::map<std::string, std::size_t> rules;
  std::string reports;
  std::size_t broke(const std::string& rule) const {
    const auto it = rules.find(rule);
    return it == rules.end() ? 0 : it->second;
  }
};

sim_options short_lives(std::uint64_t seed) {
  auto o = usual_options(seed);
  o.steps = 100'000;
  o.most_lives = 9;
  o.crash = 0.004;
  o.restart = 0.0004;
  o.guest = 0.08;
  o.commit_fails = 0;
  o.compare_every = 400;
  o.to_the_end = seed % 25 == 0;
  return o;
}

template <class Prepare>
harvest pull_the_plug(std::uint64_t first, std::size_t seeds, const crash_disk_options& how,
                      Prepare prepare) {
  harvest h;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    auto options = short_lives(seed);
    prepare(options);
    crash_sim_disk disk{seed, how};
    const auto out = sim_world{options, disk}.run();
    ++h.seeds;
    h.steps += out.steps, h.crashes += disk.vfs().crashes(), h.promises += out.promises,
        h.commits += out.commits, h.runs += out.runs;
    h.checked += disk.checked(), h.writes += disk.vfs().writes(), h.syncs += disk.vfs().syncs();
    if (!out.broken) continue;
    ++h.failed;
    if (++h.rules[out.broken->rule] == 1)
      h.reports += out.report + "replay: BELFRY_POWER_SEED=" + std::to_string(seed) +
                   " ./build/release/test_sim \"power loss: nothing*\"\n";
  }
  for (const auto& [rule, n] : h.rules) h.reports += rule + ": " + std::to_string(n) + " seeds\n";
  return h;
}

void print(const char* what, const harvest& h) {
  std::cout << what << ": " << h.failed << " of " << h.seeds << " seeds failed; " << h.crashes << " crashes, "
            << h.steps << " steps, " << h.commits << " commits, " << h.writes << " writes, " << h.syncs
            << " syncs, " << h.runs << " runs, " << h.promises << " promises, " << h.checked
            << " integrity checks\n";
}

}  // namespace

TEST_CASE("power loss: nothing that was acknowledged is lost, and no store is damaged", "[sim][power]") {
  if (const char* text = std::getenv("BELFRY_POWER_SEED"); text != nullptr && *text != 0) {
    const auto seed = std::strtoull(text, nullptr, 10);
    auto options = short_lives(seed);
    options.trace = &std::cerr;
    crash_sim_disk disk{seed, {}};
    const auto out = sim_world{options, disk}.run();
    INFO(out.report);
    CHECK_FALSE(out.broken);
    return;
  }
  const auto h =
      pull_the_plug(1, std::getenv("BELFRY_LONG") != nullptr ? 2500 : 250, {}, [](sim_options&) {});
  print("power loss", h);
  INFO(h.failed << " of " << h.seeds << " seeds failed\n" << h.reports);
  CHECK(h.failed == 0);
  CHECK(h.crashes >= 2000);
}

TEST_CASE("power loss: the same seed means the same", "[sim][power]") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    crash_sim_disk one{seed, {}}, other{seed, {}};
    const auto once = sim_world{short_lives(seed), one}.run();
    const auto again = sim_world{short_lives(seed), other}.run();
    CHECK(once.trace_hash == again.trace_hash);
    CHECK(once.digest == again.digest);
    CHECK(one.vfs().writes() == other.vfs().writes());
  }
}

TEST_CASE("power loss: an answer before the commit is noticed", "[sim][power][planted]") {
  const auto h = pull_the_plug(
      1, 25, {}, [](sim_options& o) { o.answer_before_commit = true, o.strict_answers = false; });
  print("planted answer_before_commit", h);
  CHECK(h.failed >= 6);
  CHECK(h.broke("acknowledged") >= 3);
}

TEST_CASE("power loss: durability normal loses commits, and that is noticed", "[sim][power][planted]") {
  crash_disk_options how;
  how.sync = storage::durability::normal;
  const auto h = pull_the_plug(1, 25, how, [](sim_options&) {});
  print("planted durability normal", h);
  CHECK(h.failed >= 20);
  CHECK(h.broke("lost") >= 15);
  CHECK(h.broke("damage") == 0);
}
