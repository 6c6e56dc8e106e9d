// Fleets of every kind, and work of every kind: whoever is not taken needs attention within the time that the
// configuration says, and nobody who is taken gets there. BELFRY_WAITING_SEED=n replays one seed,
// BELFRY_LONG=1 takes ten times as many.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

#include "tests/sim/waiting_town.hpp"

using namespace belfry::tests;

TEST_CASE("waiting: whoever is not taken needs attention in time, whoever is taken does not",
          "[sim][waiting]") {
  const char* one = std::getenv("BELFRY_WAITING_SEED");
  const std::uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t seeds = one != nullptr ? 1 : std::getenv("BELFRY_LONG") != nullptr ? 10'000 : 1000;
  waiting_figures all;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const auto out = live_in_waiting_town(seed);
    if (out.broken)
      FAIL_CHECK("seed " << seed << ": " << *out.broken << "\nreplay: BELFRY_WAITING_SEED=" << seed
                         << " build/release/test_sim \"[waiting]\"");
    all.runs += out.seen.runs;
    all.given_up += out.seen.given_up;
    all.taken += out.seen.taken;
    all.workers += out.seen.workers;
    all.crashes += out.seen.crashes;
    all.jumps += out.seen.jumps;
    all.pauses += out.seen.pauses;
    all.wakes += out.seen.wakes;
    all.heard += out.seen.heard;
  }
  if (one != nullptr) return;
  // A town where nothing happens proves nothing.
  WARN("runs " << all.runs << ", given up " << all.given_up << ", taken " << all.taken << ", workers "
               << all.workers << ", crashes " << all.crashes << ", clock jumps " << all.jumps << ", pauses "
               << all.pauses << ", webhooks and commands " << all.wakes << ", wakes heard " << all.heard);
  CHECK(all.given_up > seeds);
  CHECK(all.taken > seeds);
  CHECK(all.workers > seeds / 2);
  CHECK(all.crashes > seeds * 2);
  CHECK(all.jumps > seeds / 2);
  CHECK(all.pauses > seeds);
  CHECK(all.wakes > seeds);
  CHECK(all.heard > seeds / 2);
}

TEST_CASE("waiting: the town notices a ladder that does not count, forgets a hold, or starts two workers",
          "[sim][waiting]") {
  for (const auto fault :
       {waiting_fault::count_stands, waiting_fault::hold_forgotten, waiting_fault::worker_forgotten}) {
    std::uint64_t found = 0;
    for (std::uint64_t seed = 1; seed <= 300 && found == 0; ++seed)
      if (live_in_waiting_town(seed, fault).broken) found = seed;
    INFO("fault " << static_cast<int>(fault) << " was found by seed " << found);
    CHECK(found > 0);
  }
}
