// SPAWN MESSAGES: a worker is started because work waits that nobody takes, or by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/spec.hpp"
#include "core/spawn/agent_type.hpp"
#include "core/spawn/worker.hpp"

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
// limit_exceeded (max of the type or of the workspace), unavailable (backing off after failures), paused (all
// types that will do; what is not known counts as paused). All may be asked again in a later cycle.
struct worker_spawned {
  core::session_id session;
  std::string agent_type;
};

// By hand: a worker of this type, in this workspace. Failures as above; not_found: there is no such type;
// invalid: the type serves another workspace.
struct spawn_by_hand {
  std::string agent_type;
  std::string workspace;
  std::string actor;
};

// The types that are configured; with a name: that one (not_found).
struct ask_agent_types {
  std::string name;
};
struct agent_type_status {
  core::agent_type type;
  std::vector<core::spawned_worker> workers;  // that live, newest first
  std::uint32_t failures = 0;                 // in a row
  core::instant not_before = core::never;     // backing off until then
  std::string last_failure;
  std::vector<core::ineligible> held = {};  // pauses that keep any of it from being started
};
struct agent_types_told {
  std::vector<agent_type_status> types;  // by name
};

// To the spawner: where workers find the node. Until it knows that it starts nobody.
struct address_told {
  std::string url;
};
// To the spawner, at boot: settle what a former process has left behind, then serve.
struct start_spawning {};
// To the spawner: no new workers; those that are there may end what they hold up to the deadline, then they
// are stopped. Answered when nobody is left. Again: the deadline can only come nearer.
struct drain_workers {
  core::span patience{0};
};
struct workers_drained {
  std::uint32_t stopped = 0;
};

// From the session registry to the spawner, of a session that the node started the worker of.
enum class session_word : std::uint8_t {
  lives = 1,   // it has spoken; told once
  gone = 2,    // it was removed, or has been silent for too long
  misfit = 3,  // it tried to register as something else than was declared
};
struct session_news {
  core::session_id id;
  session_word what = session_word::lives;
  std::string text;
};

}  // namespace belfry::messages
