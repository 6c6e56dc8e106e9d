// SPAWN MESSAGES: a worker is started because work waits that nobody takes.
#pragma once

#include <cstdint>
#include <string>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/spec.hpp"

namespace belfry::messages {

// From the escalation ladder to the spawner. The same run and episode again: the first answer again, also
// after a restart of the node.
struct spawn_worker {
  core::run_id run;
  std::uint64_t episode = 0;  // of the starvation of this run
  core::requirement needs;
  core::handler_kind handler = core::handler_kind::none;
};
// Failures: not_found (no agent type covers the capabilities: spawn_unresolvable in the journal),
// limit_exceeded (max of the type or of the workspace), unavailable (backing off after failures). All may be
// asked again in a later cycle.
struct worker_spawned {
  core::session_id session;
  std::string agent_type;
};

}  // namespace belfry::messages
