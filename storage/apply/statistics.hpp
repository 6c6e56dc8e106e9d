// STATISTICS from samples: the same arithmetic for every store. Quantiles are by nearest rank.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/run/filter.hpp"
#include "core/run/run.hpp"

namespace belfry::storage {

inline constexpr std::size_t finished_considered = 10'000;

// One finished run, its last attempt included where there was one.
struct finished_sample {
  core::run_state state = core::run_state::succeeded;
  core::instant created = core::never, eligible = core::never, ended = core::never;  // of the run
  core::instant claimed = core::never, started = core::never, over = core::never;    // of its last attempt
  core::run_id id = {};
  core::failure_class klass = core::failure_class::none;
  std::string reason = {};  // of one that ended badly
};

inline constexpr std::size_t patterns_told = 10;
// A reason without what differs from run to run: words with digits in them, but for short numbers.
std::string pattern_of(const std::string& reason);

// Fills in considered, wait, execution, total and the success rate (succeeded of succeeded, failed, timed out
// and lost).
void summarise(const std::vector<finished_sample>& samples, core::run_statistics& into);

}  // namespace belfry::storage
