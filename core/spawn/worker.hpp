// WORKER: a process that the node started for an agent type, from the decision to the proof that nobody of it
// is left.
//
//   starting ── first sign of life ──► ready ── ttl ──► draining ── nothing held, or drain is over ─┐
//      │ │                               │                                                          ▼
//      │ └ start_timeout, misfit ────────┴ idle, session removed, node stops ──────────────────► stopping
//      └ could not be started, or ended by itself ──► ended ◄── ended by itself ─────────────────────┘
//
// It lives no longer than its node. What it holds is released before it is stopped; what it held when it died
// by itself is lost, like that of anybody who dies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ids/id.hpp"
#include "core/run/run.hpp"
#include "core/spawn/agent_type.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Numbers stand in rows: append only.
enum class worker_state : std::uint8_t { starting = 0, ready = 1, draining = 2, stopping = 3, ended = 4 };
std::string_view to_text(worker_state s);

// Why it ended, or is being stopped. Numbers stand in rows: append only.
enum class worker_end : std::uint8_t {
  none = 0,
  not_started = 1,       // no process came to be: no such program, no room
  died_at_start = 2,     // its process ended before it had said anything
  never_registered = 3,  // start_timeout passed without a sign of life
  misfit = 4,            // it registered as something else than was declared
  exited = 5,            // by itself, with exit code 0
  crashed = 6,           // by itself, in another way
  ttl = 7,               // its time was over
  idle = 8,              // it held nothing for idle_ttl
  session_ended = 9,     // its session was removed, or has been silent for too long
  node_stopped = 10,     // the node was told to end
  node_gone = 11,        // the node died, and the next one found it
};
std::string_view to_text(worker_end e);
// It was of no use: counts for the backoff of its type.
bool failed_to_start(worker_end e);
// The node ended it, rather than it itself.
bool reaped(worker_end e);

struct spawned_worker {
  session_id session;
  run_id run;                 // that it was started for; 0: by hand
  std::uint64_t episode = 0;  // of that run's starvation
  std::string agent_type;
  std::string workspace;
  worker_state state = worker_state::starting;
  worker_end end = worker_end::none;
  std::int64_t pid = 0;  // leader of its process group; 0: no process yet
  token_hash token{};    // SHA-256 of what it shows with every word of its session
  instant created_at = never;
  instant since = never;   // of the state
  instant ttl_at = never;  // when it is told to drain
  std::string text;        // of the end: exit code, and its last lines where that helps; at most 4 KiB
  friend bool operator==(const spawned_worker&, const spawned_worker&) = default;
};

// What stands in the row of one that has just been decided; the session is filled in by the store.
spawned_worker new_worker(const agent_type& t, const session& who, run_id run, std::uint64_t episode,
                          const token_hash& token, instant now);

// Deadlines of one worker, on a clock that never goes back: it does not outlive the process that runs it.
struct worker_clock {
  instant started = never;     // its process
  instant idle_since = never;  // it was last seen to hold a lease, or came to life
  instant looked = never;      // whether it holds one: four times in idle_ttl
};
enum class worker_due : std::uint8_t { nothing, never_registered, retire, ttl_over, look_whether_idle };
worker_due judge(const spawned_worker& w, const worker_clock& c, const agent_type& t, instant steady);
// Of one that was just seen to hold nothing.
bool idle_for_too_long(const worker_clock& c, const agent_type& t, instant steady);
// When to look again; end_of_time: nothing will come of time.
instant next_look(const spawned_worker& w, const worker_clock& c, const agent_type& t);

}  // namespace belfry::core
