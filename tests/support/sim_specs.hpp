// SIM SPECS: random work, within what the world's workers and executors can do, so that everything can be
// finished.
#pragma once

#include <memory>
#include <string>

#include "core/job/job.hpp"
#include "core/queue/board.hpp"
#include "core/run/spec.hpp"
#include "tests/support/fake_processes.hpp"
#include "tests/support/sim_dice.hpp"

namespace belfry::tests {

core::run_spec a_spec(dice& luck, const std::string& name, bool outside_work);
core::job_definition a_job(dice& luck, const std::string& name);
core::limit_options some_limits(dice& luck);
/// What a child process does. `tame`: it ends by itself and well enough.
child_plan a_plan(dice& luck, const platform::process_order& order, bool tame);

}  // namespace belfry::tests
