// PAUSE: what holds work back, who set it, and who may lift it.
//
// Four things can be paused: the scheduler as a whole, a workspace, a job, an agent type. Each has a set of
// pauses, one per (reason, owner), and is held while any of them stands. A pause is lifted by naming its
// reason and its owner, or by its own `until`; nothing else ever lifts it. A drain is a pause with the reason
// `drain` that also waits until nothing runs any more. Rejected: one flag per scope, which whoever resumes
// last takes from everybody else; a pause found by its reason alone, because two who pause by hand would lift
// each other's.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/events/event.hpp"
#include "core/ids/id.hpp"
#include "core/pressure/learned_delay.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Numbers stand in rows: append only.
enum class pause_scope : std::uint8_t { scheduler = 0, workspace = 1, job = 2, agent_type = 3 };
std::string_view to_text(pause_scope s);

struct pause_target {
  pause_scope scope = pause_scope::scheduler;
  std::string name = {};  // of the workspace or the agent type
  job_id job = {};
  friend bool operator==(const pause_target&, const pause_target&) = default;
  friend bool operator<(const pause_target& a, const pause_target& b) {
    if (a.scope != b.scope) return a.scope < b.scope;
    return a.job.value != b.job.value ? a.job.value < b.job.value : a.name < b.name;
  }
};
inline pause_target whole_scheduler() { return {}; }
inline pause_target the_workspace(std::string name) { return {pause_scope::workspace, std::move(name), {}}; }
inline pause_target the_job(job_id id) { return {pause_scope::job, {}, id}; }
inline pause_target the_agent_type(std::string name) {
  return {pause_scope::agent_type, std::move(name), {}};
}
// "scheduler", "workspace \"blue\"", "job_…", "agent type \"claude\"".
std::string to_text(const pause_target& t);

namespace pause_reason {
inline constexpr std::string_view manual = "manual", drain = "drain", backoff = "backoff",
                                  throttle = "throttle", quota = "quota";
}
namespace pause_owner {
inline constexpr std::string_view operators = "operator";  // whoever works by hand
inline constexpr std::string_view node = "node";           // the node itself: backoff
}  // namespace pause_owner

struct pause_entry {
  std::string reason;          // manual, drain, backoff, quota, breaker, maintenance, ...
  std::string owner;           // who may lift it; empty: operator
  std::string text;            // why, in plain words
  instant since = never;       // never: from now on
  instant until = never;       // lifts itself at this instant; never: it does not
  std::string by = {};         // the actor that set it
  instant deadline = never;    // of a drain: how long somebody waits for it
  instant drained_at = never;  // of a drain: since when nothing runs any more
  bool probes = false;         // it does not lift itself at `until`: one run is let through first (probe.hpp)
  run_id probe = {};           // that run, while its lease lives
  bool ahead = false;          // `since` was to come when it was set: a maintenance window
  friend bool operator==(const pause_entry&, const pause_entry&) = default;
};
// It has not begun; it holds nothing yet. A clock that is set back does not make a plan of what stands.
inline bool planned(const pause_entry& e, instant now) { return e.ahead && now < e.since; }
inline bool stands(const pause_entry& e, instant now) {
  return !planned(e, now) && (e.until == never || now < e.until || e.probe.value != 0);
}
// Its time is over, and it waits for a probe or for what becomes of one.
inline bool probing(const pause_entry& e, instant now) {
  return e.probes && e.until != never && e.until <= now;
}
// When it stopped standing, as seen from now.
inline instant end_of(const pause_entry& e, instant now) {
  return e.until != never && e.until < now ? e.until : now;
}
inline bool draining(const pause_entry& e) { return e.deadline != never; }

struct pause {
  pause_target on;
  pause_entry why;
  friend bool operator==(const pause&, const pause&) = default;
};
// Time in which something was paused; [since, ended).
struct past_pause {
  pause_target on;
  instant since = never, ended = never;
  friend bool operator==(const past_pause&, const past_pause&) = default;
};
// Everything that a store knows of pauses.
struct pause_book {
  std::vector<pause> standing;  // by target, reason, owner
  std::vector<past_pause> past;
  std::vector<learned_delay> delays = {};  // of agent types whose provider has limits
};
// What a change made of one target.
struct target_pauses {
  pause_target on;
  std::vector<pause_entry> entries;  // all that there are now, by reason and owner
  std::vector<past_pause> ended;
};

// Whether the actor is a session: those may set and lift only what is their own.
bool is_agent(std::string_view actor);
// Whose a pause is when nothing is said: the session's own, else the operators'.
std::string owner_for(std::string_view actor);
// The command that lifts it.
std::string command_to_lift(const pause_target& on, std::string_view reason, std::string_view owner);
// "manual by cli:alice: until Monday".
std::string told(const pause_entry& e);

// Every mistake of a pause that somebody asks for, with JSON pointers.
std::vector<field_problem> check(const pause_target& on, const pause_entry& wanted, instant now);

// At most so many pauses per target.
inline constexpr std::size_t pauses_per_target = 32;

// What becomes of the pauses of one target. `changed` false: it was like that before.
struct pause_decision {
  std::vector<pause_entry> entries;
  std::vector<past_pause> ended;
  std::vector<event> events;  // without seq and actor
  bool changed = false;
};
// Set again: text, until and deadline are replaced, `since` is kept. Codes: forbidden (an agent for somebody
// else), limit_exceeded.
result<pause_decision> decide_pause(const pause_target& on, std::vector<pause_entry> there,
                                    pause_entry wanted, const std::string& actor, instant now);
// Not there: no change. `only_over`: only when its `until` has come. Codes: forbidden (an agent for somebody
// else).
result<pause_decision> decide_lift(const pause_target& on, std::vector<pause_entry> there,
                                   const std::string& reason, const std::string& owner, bool only_over,
                                   const std::string& actor, instant now);
// Nothing runs any more under these drains. Those that said so before stay as they are.
pause_decision decide_drained(const pause_target& on, std::vector<pause_entry> there, instant now);

}  // namespace belfry::core
