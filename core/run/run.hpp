// RUN: one piece of work to be done, and the immutable record of each attempt at it.
//
// `run_head` is everything that changes, plus what the queue must know without reading the spec. The live
// attempt and its lease stand in the head; when the attempt ends, an `attempt_record` is written once and
// never changed, keyed by (run, attempt number): that is how "exactly one terminal record per attempt" is
// held by the store itself.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ids/id.hpp"
#include "core/run/spec.hpp"
#include "core/run/state.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

using token_hash =
    std::array<std::uint8_t, 32>;  // SHA-256 of the 256-bit token; the token itself is never stored

struct lease {
  session_id holder;
  token_hash hash{};
  instant claimed_at = never;
  instant started_at = never;   // the worker said that it began
  instant expires_at = never;   // an expiry equal to now is expired
  instant deadline_at = never;  // started (or claimed) + timeout; never: no timeout
  friend bool operator==(const lease&, const lease&) = default;
};

struct run_head {
  run_id id;
  spec_id spec;                // of the run itself (same number as id), or of the job's revision
  job_id job;                  // 0: direct submission
  std::uint32_t revision = 0;  // of the job
  batch_id batch;              // 0: none
  run_id parent;               // the run whose hook this is; 0: none
  run_id predecessor;          // this run is the redrive of that one
  run_id successor;            // ... and that one names its only successor
  run_state state = run_state::queued;
  priority prio = priority::normal;
  std::string name;  // copied from the spec, for lists
  std::string lane;  // lane_of(spec)
  requirement needs;
  std::string concurrency_key;
  std::uint32_t concurrency_limit = 1;
  span timeout{0};
  bool manual = false;        // made by a trigger by hand
  std::uint32_t attempt = 0;  // attempts begun, the live one included
  std::uint32_t used = 0;     // attempts that count against max_attempts
  std::uint32_t losses = 0;   // attempts that count against max_losses
  std::uint64_t fencing = 0;  // grows by one with every claim, never decreases
  instant created_at = never;
  instant eligible_since = never;  // queued since; restarts after delays, kept after a reclaim
  instant due_at = never;          // scheduled, retrying, parked: when it becomes queued
  instant ended_at = never;
  lease held;  // meaningful while leased(state)
  bool cancel_requested = false;
  bool discarded = false;   // a dead letter that somebody dismissed
  std::uint16_t chain = 0;  // how many redrives led here; at most 10
  failure_class last_class = failure_class::none;
  std::string reason;  // why it stands where it stands, in plain words: last error, skip reason, park reason
  std::string created_by;  // actor
  double progress = 0;     // 0..1, said by the worker
  std::string progress_text;
  bool forced = false;  // triggered although its job was paused: no pause of the job holds it
  bool trial = false;   // of a new job, which waits for it to succeed
  bool aged = false;    // a dead letter that somebody was told of, because nobody dealt with it in time
  friend bool operator==(const run_head&, const run_head&) = default;
};

struct run_past;  // below

struct run {
  run_head head;
  std::shared_ptr<const run_spec> spec;  // shared: immutable once made
  std::shared_ptr<const run_past> past =
      nullptr;  // in the receipt of a claim, when there was an attempt before
};

// Resource use of a child process.
struct usage {
  span user_cpu{0};
  span system_cpu{0};
  std::uint64_t peak_memory = 0;  // bytes
  friend bool operator==(const usage&, const usage&) = default;
};

struct attempt_record {
  run_id run;
  std::uint32_t number = 0;
  std::uint64_t fencing = 0;
  session_id holder;
  instant claimed_at = never;
  instant started_at = never;
  instant ended_at = never;
  // succeeded, failed, timed_out, lost, cancelled; or queued for released, parked for parked: what became of
  // it.
  run_state outcome = run_state::succeeded;
  failure_class klass = failure_class::none;
  std::string message;
  std::optional<int> exit_code;
  std::optional<int> signal;  // that ended the process
  // "TERM" or "KILL" when belfry ended the process; "operator" when somebody took the run from its holder.
  std::string stopped_with;
  usage used;
  std::string result;              // opaque JSON text, at most 64 KiB
  std::uint64_t output_bytes = 0;  // everything that the process wrote
  bool output_truncated = false;   // more than was kept
  friend bool operator==(const attempt_record&, const attempt_record&) = default;
};

// What a worker stored for whoever has the run next; the last one counts.
struct checkpoint {
  std::uint32_t attempt = 0;  // that stored it
  instant at = never;
  std::string value;  // opaque JSON text, at most 64 KiB
  friend bool operator==(const checkpoint&, const checkpoint&) = default;
};

// What the next attempt is told of the ones before.
struct run_past {
  std::vector<attempt_record> attempts;  // the last ones that ended, oldest first; without results
  std::optional<checkpoint> last;
};

enum class log_stream : std::uint8_t { out = 0, err = 1, node = 2 };
std::string_view to_text(log_stream s);
// How serious a line is, said by whoever wrote it. Output of processes says nothing. Numbers stand in rows.
enum class log_level : std::uint8_t { none = 0, debug = 1, info = 2, warn = 3, error = 4 };
std::string_view to_text(log_level l);                           // "" for none
std::optional<log_level> log_level_from(std::string_view text);  // debug, info, warn, error
struct log_line {
  run_id run;
  std::uint32_t attempt = 0;
  std::uint64_t number = 0;  // grows by one per line of the attempt, from 1
  instant at = never;
  log_stream stream = log_stream::out;
  std::string text;  // valid UTF-8, without the line end
  log_level level = log_level::none;
  friend bool operator==(const log_line&, const log_line&) = default;
};

// A write that came too late, kept on the attempt.
struct evidence {
  run_id run;
  std::uint64_t fencing = 0;
  instant at = never;
  std::string kind;  // for example "stale_complete"
  std::string text;
};

}  // namespace belfry::core
