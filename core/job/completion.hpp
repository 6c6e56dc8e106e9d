// COMPLETION: when a job is over. Nothing of it is planned any more, and its last run has had its final
// outcome, all retries spent (docs/decisions/0065). The row of the job says the first, the rows of its runs
// the second; its schedule need not be read for either.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/job/job.hpp"

namespace belfry::core {

// It is active, has a schedule, and neither a time nor an event will start it again.
bool nothing_planned(const job& j);

enum class job_end : std::uint8_t {
  goes_on = 0,  // or it was over before, or is held: a paused job is judged when it is resumed
  waits = 1,    // for the end of runs that are open
  complete = 2,
};
// `open_runs`: those of the job that have not ended, by hand or not.
job_end decide_end(const job& j, std::size_t open_runs);

}  // namespace belfry::core
