// LOOPS: the threads of a worker. None waits for another: a claim may take a minute, a report may be refused
// for an hour, and the leases are renewed on time all the same.
#pragma once

#include "app/work/caller.hpp"

namespace belfry::app {

/// Registers, claims as long as there are free slots, starts a child per claim.
void claim_loop(work_parts parts);
/// Renews the leases; obeys what the answers command.
void beat_loop(work_parts parts);
/// Tells output and ends, until the node has answered.
void report_loop(work_parts parts);
/// Stops children whose time is over: timeout, a lease that cannot be renewed, the deadline of a drain.
/// Returns when the worker is done.
void watch_loop(work_parts parts);

}  // namespace belfry::app
