// DOCTOR: from facts to findings. Pure: who gathers the facts, and from where, is somebody else's business,
// so the same rules judge a node that answers and a store whose node does not run.
//
// A finding has a stable code (core/diagnostics/catalogue.hpp), a severity, a sentence, evidence and the
// command that helps. The health word follows from the worst of them: critical makes a node unhealthy,
// warnings and errors degraded, information leaves it healthy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/job/job.hpp"
#include "core/pause/pause.hpp"
#include "core/pressure/backpressure.hpp"
#include "core/run/run.hpp"
#include "core/run/views.hpp"
#include "core/session/liveness.hpp"
#include "core/session/session.hpp"

namespace belfry::core {

struct doctor_options {
  /// A run that is due, or a lease that has run out, may wait so long for timer or sweeper. Default 15 s.
  span late_after = std::chrono::seconds{15};
  /// A scheduler without a finished cycle for so long is stale. Default 60 s.
  span cycle_within = std::chrono::seconds{60};
  /// A claimable run that waits longer is told of. Default 2 min.
  span starved_after = std::chrono::minutes{2};
  /// A dead letter older than this is old. Default 24 h.
  span dead_letter_age = std::chrono::hours{24};
  /// Runs of a job in a row that ended badly: a warning, an error. Default 3 and 10.
  std::uint32_t failing_warning = 3;
  std::uint32_t failing_error = 10;
  /// Share of queue.max_queued from which it is told of. Default 0.8.
  double queue_share = 0.8;
  /// A wall clock that moved further than this against the steady one. Default 1 min.
  span clock_jump = std::chrono::minutes{1};
};

// How many of one kind are looked at and told of.
struct trouble_bounds {
  std::size_t samples = 5;      // runs named per kind
  std::size_t counted = 1000;   // of a kind, beyond which it is "or more"
  std::size_t jobs = 1000;      // looked at for failures in a row
  std::size_t queued = 50;      // oldest waiting runs judged against the sessions
  std::uint32_t in_a_row = 20;  // runs of a job looked at
};

struct failing_job {
  job_id id;
  std::string name;
  std::uint32_t in_a_row = 0;
  run_id last;
  std::string reason;  // of the last one
};
struct held_job {
  job_id id;
  std::string name;
  std::vector<pause_entry> pauses;
};
struct some_runs {
  std::int64_t count = 0;
  bool more = false;
  std::vector<run_head> first;  // the oldest
};
struct unclaimed_run {
  run_head head;
  handler_kind handler = handler_kind::process;
};
// What the store alone tells.
struct store_troubles {
  store_facts facts;
  some_runs overdue, attention, dead;
  std::vector<failing_job> failing;
  std::vector<held_job> held;
  std::vector<unclaimed_run> oldest;  // queued, by id
};

struct doctor_part {
  std::string name, state, note;
  std::uint32_t restarts = 0;
};
struct doctor_session {
  session who;
  session_health health = session_health::live;
  std::vector<run_id> stalled;  // runs without progress for too long
};
struct overdue_lease {
  run_id run;
  session_id holder;
  instant expired_at = never;
};

// What a node tells of itself. A part that could not be asked is absent.
struct doctor_facts {
  instant now = never;
  bool offline = false;  // the node does not answer; what follows is from its folder
  bool ready = true, stopping = false;
  std::vector<std::string> issues;  // "code: text"
  bool unhealthy = false;           // the node says so itself
  std::vector<doctor_part> parts;
  std::vector<std::string> silent;  // parts of the node that did not answer, and why
  std::optional<store_troubles> store;
  std::string disk_path;
  std::uint64_t disk_free = 0, disk_alarm = 0, disk_reserve = 0;  // 0: not known, not watched
  span clock_drift{0};  // wall clock against steady clock since the start
  std::optional<instant> last_cycle;
  span cycle_interval{0};                     // a cycle runs at least this often
  std::uint64_t starving = 0;                 // runs on the ladder
  std::uint64_t waiting = 0, max_queued = 0;  // 0: no limit
  std::optional<instant> oldest_waiting;
  std::vector<pause> pauses;  // that stand; those of jobs come from the store
  std::vector<doctor_session> sessions;
  std::vector<overdue_lease> leases;
  core::pressure pressure = {};
  instant hook_failing_since = never;  // the claim hook; never: it works, or there is none
  std::string hook_failure = {};       // the last one
  bool hook_open = false;              // claims go on without it
};

enum class severity : std::uint8_t { info = 0, warning = 1, error = 2, critical = 3 };
std::string_view to_text(severity s);

struct finding {
  std::string code;
  severity grade = severity::info;
  std::string text;
  std::vector<std::string> evidence;
  std::string command;
};
struct diagnosis {
  std::string health;             // healthy, degraded, unhealthy
  std::vector<finding> findings;  // the worst first
};
diagnosis diagnose(const doctor_facts& f, const doctor_options& o = {});
// A finding of somebody else, with the command of the catalogue.
finding found(std::string_view code, severity s, std::string text, std::vector<std::string> evidence = {});
// The word and the order, for findings that were added.
diagnosis concluded(std::vector<finding> findings);

}  // namespace belfry::core
