// A coordinator and three members from a seed. BELFRY_CLUSTER_SEEDS=n says how many seeds, BELFRY_LONG=1
// means 20,000, BELFRY_CLUSTER_SEED=n replays one and writes its trace to stderr.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "tests/support/sim_cluster.hpp"

namespace {

using namespace belfry;
using namespace belfry::tests;

std::uint64_t cluster_number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == 0 ? otherwise : std::strtoull(text, nullptr, 10);
}

void add(cluster_outcome& sum, const cluster_outcome& out) {
  sum.steps += out.steps, sum.crashes += out.crashes, sum.member_crashes += out.member_crashes;
  sum.freezes += out.freezes, sum.cuts += out.cuts, sum.severed += out.severed, sum.jumps += out.jumps;
  sum.guarded += out.guarded, sum.runs += out.runs, sum.attempts += out.attempts, sum.lost += out.lost;
  sum.children += out.children, sum.at_members += out.at_members, sum.promises += out.promises;
  sum.agreements += out.agreements, sum.virtual_time += out.virtual_time;
  sum.network.dials += out.network.dials, sum.network.links += out.network.links;
  sum.network.sent += out.network.sent, sum.network.lost += out.network.lost;
  sum.network.refused += out.network.refused;
}

}  // namespace

TEST_CASE("cluster: every invariant holds in every cluster", "[sim][cluster]") {
  if (const auto seed = cluster_number_in("BELFRY_CLUSTER_SEED", 0); seed != 0) {
    auto options = usual_cluster(seed);
    options.trace = &std::cerr;
    const auto out = sim_cluster{options}.run();
    INFO(out.report);
    CHECK_FALSE(out.broken);
    return;
  }
  const auto seeds =
      cluster_number_in("BELFRY_CLUSTER_SEEDS", std::getenv("BELFRY_LONG") != nullptr ? 20'000 : 500);
  cluster_outcome sum;
  std::size_t failed = 0;
  std::string reports;
  std::map<std::string, std::size_t> rules;  // broken, and in how many seeds
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto out = sim_cluster{usual_cluster(seed)}.run();
    add(sum, out);
    if (!out.broken) continue;
    ++failed;
    // One report per rule: the others will look alike.
    if (++rules[out.broken->rule] == 1)
      reports += out.report + "\n";
    else if (rules[out.broken->rule] <= 5)
      reports +=
          "also seed " + std::to_string(seed) + ": [" + out.broken->rule + "] " + out.broken->text + "\n";
  }
  std::cout << "cluster: " << seeds << " seeds, " << sum.steps << " steps, "
            << std::chrono::duration_cast<std::chrono::minutes>(sum.virtual_time).count() << " minutes; "
            << sum.crashes << " crashes of the coordinator, " << sum.member_crashes << " of members, "
            << sum.freezes << " freezes, " << sum.cuts << " cuts, " << sum.severed << " links severed, "
            << sum.jumps << " clock jumps, " << sum.guarded << " times the guard; " << sum.network.dials
            << " dials, " << sum.network.links << " links, " << sum.network.sent << " envelopes, "
            << sum.network.lost << " lost, " << sum.network.refused << " refused; " << sum.runs << " runs, "
            << sum.attempts << " attempts, " << sum.lost << " lost, " << sum.children << " children, "
            << sum.at_members << " runs handed to members, " << sum.promises << " promises, "
            << sum.agreements << " looks at who holds what\n";
  for (const auto& [rule, n] : rules) reports += rule + ": " + std::to_string(n) + " seeds\n";
  INFO(failed << " of " << seeds << " seeds failed\n" << reports);
  CHECK(failed == 0);
  // A cluster where nothing happens proves nothing.
  CHECK(sum.at_members > 2 * seeds);
  CHECK(sum.member_crashes > seeds / 2);
  CHECK(sum.lost > seeds / 2);
  CHECK(sum.guarded > seeds / 100);
}

TEST_CASE("cluster: a seed means the same every time", "[sim][cluster]") {
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto once = sim_cluster{usual_cluster(seed)}.run();
    const auto again = sim_cluster{usual_cluster(seed)}.run();
    INFO("seed " << seed);
    CHECK(once.trace_hash == again.trace_hash);
    CHECK(once.digest == again.digest);
    CHECK(once.steps == again.steps);
    traces.insert(once.trace_hash);
  }
  CHECK(traces.size() == 4);
}

TEST_CASE("cluster: what is planted is found", "[sim][cluster][planted]") {
  struct plant {
    cluster_fault fault;
    const char* name;
    const char* rule;
    std::uint64_t within;  // seeds
  };
  const plant all[] = {{cluster_fault::deaf_to_stops, "deaf_to_stops", "fence", 600},
                       {cluster_fault::gives_away_lost, "gives_away_lost", "fence", 3000},  // one in 500
                       {cluster_fault::forgets_held, "forgets_held", "fence", 600},
                       {cluster_fault::other_words, "other_words", "wire", 40},
                       {cluster_fault::drain_unheard, "drain_unheard", "drain", 40}};
  for (const auto& [fault, name, rule, within] : all) {
    std::uint64_t found = 0;
    std::set<std::string> others;
    for (std::uint64_t seed = 1; seed <= within && found == 0; ++seed) {
      auto options = usual_cluster(seed);
      options.fault = fault;
      const auto out = sim_cluster{options}.run();
      if (!out.broken) continue;
      if (out.broken->rule == rule)
        found = seed;
      else
        others.insert(out.broken->rule);
    }
    std::string besides;
    for (const auto& r : others) besides += " " + r;
    std::cout << "planted " << name << ": found by seed " << found
              << (others.empty() ? "" : "; other rules before that:" + besides) << "\n";
    INFO(name);
    CHECK(found != 0);
  }
}
