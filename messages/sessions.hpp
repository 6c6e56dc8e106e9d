// SESSION MESSAGES.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/session/liveness.hpp"
#include "core/session/session.hpp"
#include "core/spawn/worker.hpp"
#include "messages/runs.hpp"

namespace belfry::messages {

struct register_session {
  core::session who;  // id 0: new; else it comes back
  std::string actor;
  std::optional<once_key> once;
  std::optional<core::token_hash> shown = {};  // SHA-256 of the session token that came with it
  // Of a new session: the worker that is about to be started for it, in the same commit.
  std::optional<core::spawned_worker> worker = {};
};
struct session_answer {
  core::session who;
  bool replayed = false;  // an earlier request with this key had registered it
};
struct end_session {
  core::session_id id;
  std::string reason;
  bool crashed = false;
  std::string actor;
};
// A sign of life of an outside session, and what it says of itself.
struct heartbeat_session {
  core::session_id id;
  std::optional<bool> paused, prompting;
  std::string actor;
  std::optional<core::token_hash> shown = {};
};
// An operator's word: no new runs for it, or runs again.
struct steer_session {
  core::session_id id;
  bool draining = true;
  std::string reason;
  std::string actor;
};
// One session, or all of them when the id is 0.
struct look_at_sessions {
  core::session_id id;
  bool gone_too = false;
};
struct session_view {
  core::session who;
  std::vector<core::run_head> leases;    // that it holds, by run
  std::vector<core::lease_signs> signs;  // of them, in the same order
  std::vector<core::estimate> rests;     // time that is left for their work, in the same order
  core::session_health health = core::session_health::live;
  core::instant stale_at =
      core::never;      // unless there is a sign of life before; never: it lives with the node
  bool renew = false;   // a lease is in the last third of its time
  bool report = false;  // a running run has shown no progress for long
};
struct sessions_seen {
  std::vector<session_view> sessions;
  core::span heartbeat_every{0};
};

// What keeps a session from work, and how much there is for it.
struct explain_session {
  core::session_id who;
  std::optional<core::requirement> needs;  // of one run
  core::handler_kind handler = core::handler_kind::none;
  core::run_head run = {};  // that one, when it is in line: its pauses, limits and turn too
};
struct session_explanation {
  std::vector<core::ineligible> reasons;
  std::uint32_t slots = 0, slots_used = 0;
  std::size_t ready = 0;  // queued runs that it may take, limits apart
  // What the claim hook refused it within the last minute, newest first; at most 20.
  std::vector<hook_refusal> hook_refusals = {};
};

// To the session registry: a session has spoken, whatever it said.
struct session_spoke {
  core::session_id id;
  core::instant at = core::never;
};
// To the lease desk: the signals of these leases.
struct ask_signs {
  std::vector<core::run_head> leases;
};
struct signs_told {
  std::vector<core::lease_signs> signs;
};

// The registry tells the dispatcher who is there; the dispatcher answers claims of known sessions only.
struct session_changed {
  core::session who;
};
struct session_gone {
  core::session_id id;
  std::string reason;
  bool crashed = false;
};  // crashed: its leases are lost at once

}  // namespace belfry::messages
