// WAKE MESSAGES: how a session is told that there is work for it. A wake is a hint: it assigns nothing, and
// whoever polls without being woken still gets work.
//
// wake_coordinator → wake_desk: deliver_wakes, answered per target as soon as it is known whether the wake
// could be handed to the session's sink. wake_desk → wake_coordinator: wake_changed, later, exactly once per
// accepted wake: acknowledged, claimed (which counts as acknowledged), or failed, also because nobody
// acknowledged it in time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/spec.hpp"
#include "core/time/instant.hpp"

namespace belfry::messages {

struct wake_target {
  core::run_id run;
  core::session_id session;
  core::priority prio = core::priority::normal;
  bool starved = false;  // part of the fan-out of a starved run
};
struct deliver_wakes {  // each in its own right; at most 1,000
  std::vector<wake_target> targets;
};
struct wake_sent {
  core::wake_id id;
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

}  // namespace belfry::messages
