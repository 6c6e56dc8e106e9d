// PAUSE MESSAGES: what is paused, by whom, and what a drain still waits for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/pause/pause.hpp"
#include "core/pressure/learned_delay.hpp"
#include "core/session/session.hpp"

namespace belfry::messages {

// A drain when the entry has a deadline.
struct set_pause {
  core::pause_target on;
  core::pause_entry entry;
  std::string actor;
  // The limit of a provider: these too, all or none of them. An agent may report it for its own type, and for
  // others that stand here beside it. The entry probes, and its owner is the provider.
  bool limit = false;
  std::vector<core::pause_target> also = {};
};
struct lift_pause {
  core::pause_target on;
  std::string reason;
  std::string owner;  // empty: the operators, or the session that asks
  std::string actor;
};
// All of them, or those of one target.
struct look_at_pauses {
  std::optional<core::pause_target> on;
};

// A live lease: what a drain waits for.
struct remaining_run {
  core::run_id run;
  std::string name;
  core::job_id job;
  core::session_id holder;
  std::string holder_name;
  core::instant claimed_at = core::never;
  core::instant deadline_at = core::never;  // never: no time limit
  core::instant expires_at = core::never;   // of the lease
};
struct pauses_seen {
  bool known = true;                             // false: the state could not be read, and everything is held
  std::vector<core::pause> pauses;               // that stand or are planned, by target, reason and owner
  std::vector<remaining_run> running;            // of the target, or of the node; oldest first, at most 500
  std::size_t live = 0;                          // how many that are
  bool changed = false;                          // of a change: it was not like that before
  std::vector<core::learned_delay> delays = {};  // of the agent type, or of all
  core::instant now = core::never;               // when it was looked at: what begins later is planned
};

// From the spawner: whether sessions like these would get anything.
struct ask_pauses_of {
  std::vector<core::session> sessions;
};
struct session_pauses {
  std::vector<std::vector<core::ineligible>> reasons;  // of each, in the order of the sessions
};

}  // namespace belfry::messages
