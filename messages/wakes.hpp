// WAKE MESSAGES: how a session is told that there is work for it. A wake is a hint: it assigns nothing, and
// whoever polls without being woken still gets work.
//
// wake_coordinator → wake_desk: deliver_wakes, answered per target as soon as it is known whether the wake
// could be handed to the session's sink. wake_desk → wake_coordinator: wake_changed, later, exactly once per
// accepted wake: acknowledged, claimed (which counts as acknowledged), or failed, also because nobody
// acknowledged it in time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/run.hpp"
#include "core/run/spec.hpp"
#include "core/session/wake_log.hpp"
#include "core/time/instant.hpp"

namespace belfry::messages {

struct wake_target {
  core::run_id run;
  core::session_id session;
  core::priority prio = core::priority::normal;
  bool starved = false;   // part of the fan-out of a starved run
  std::string name = {};  // of the run, shown to the session; at most 200 characters count
};
struct deliver_wakes {  // each in its own right; at most 1,000
  std::vector<wake_target> targets;
};
struct wake_sent {
  core::wake_id id;  // a wake of this session for this run that is out already: that one again
};
// As many answers as targets, in their order. Codes: not_found (no such session), unavailable (it has no
// sink, or the sink refused), overloaded (too many wakes are under way).
struct wakes_delivered {
  std::vector<core::result<wake_sent>> answers;
};

enum class wake_fate : std::uint8_t { acknowledged = 1, claimed = 2, failed = 3 };
struct wake_changed {
  core::wake_id id;
  core::run_id run;
  core::session_id session;
  wake_fate fate = wake_fate::failed;
  std::string text;  // of a failure: why
};

// To the wake desk: these sessions have just been given these runs, whether they were woken or not.
struct run_taken {
  core::run_id run;
  core::session_id session;
};
struct runs_taken {
  std::vector<run_taken> taken;
};
// wake_desk → dispatcher: tell of claims by these sessions, of these runs at once if they hold them already;
// and no more of those. Nobody is told anything while no wake is out.
struct watch_claims {
  std::vector<run_taken> woken;
  std::vector<core::session_id> done;
};

// To the wake desk, from the threads of its sinks.
struct sink_spoke {
  core::wake_id id;
  bool heard = false;  // it acknowledged
  std::string text;    // why not
  bool command = false;
};

// ---- what a session asks

// The wakes that it has not acknowledged, behind `after`; waits for one if it is asked to. A sign of life.
struct await_wakes {
  core::session_id who;
  core::wake_id after;
  std::uint32_t max = 100;                     // 1 to 1,000
  core::span wait{0};                          // at most 60 s
  std::optional<core::token_hash> shown = {};  // of the session, where it has one
};
struct wake_view {
  core::wake_id id;
  core::run_id run;
  core::session_id session;
  core::priority prio = core::priority::normal;
  bool starved = false;
  std::string name;  // of the run; empty: not known
  core::instant sent_at = core::never;
  core::instant acknowledge_by = core::never;
};
struct waiting_wakes {
  std::vector<wake_view> wakes;  // oldest first
};

// At most 1,000, an answer each, in their order. Codes: not_found, invalid_transition (it was too late).
struct acknowledge_wakes {
  core::session_id who;
  std::vector<core::wake_id> wakes;
  std::optional<core::token_hash> shown = {};
};
struct wake_heard {
  core::wake_id id;
  core::run_id run;
  bool repeated = false;  // it was acknowledged, or its run claimed, before
};
struct wakes_heard {
  std::vector<core::result<wake_heard>> answers;
};

// Who was woken for a run lately, and what became of it. Of this life of the node.
struct look_at_wakes {
  core::run_id run;
};
struct wakes_seen {
  core::instant since = core::never;     // nothing is known of what was before
  std::uint64_t all = 0;                 // wakes of this run since then
  std::vector<core::logged_wake> wakes;  // the last of them, newest first; at most 10
};

// An operator tries the sink of a session. The coordinator hears nothing of such a wake.
struct wake_by_hand {
  wake_target target;
  std::string actor;
};

}  // namespace belfry::messages
