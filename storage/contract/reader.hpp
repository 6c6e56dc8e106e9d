// READER: typed reads of what is committed. Never blocks the writer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/calendar/calendar.hpp"
#include "core/cluster/node.hpp"
#include "core/events/event.hpp"
#include "core/job/job.hpp"
#include "core/job/timing_group.hpp"
#include "core/ladder/ladder.hpp"
#include "core/queue/board.hpp"
#include "core/run/filter.hpp"
#include "core/run/run.hpp"
#include "core/run/views.hpp"
#include "core/session/session.hpp"
#include "core/spawn/worker.hpp"
#include "core/wake/result.hpp"
#include "core/window/window.hpp"

namespace belfry::storage {

// Rows that scheduled_jobs() looks at before it answers.
inline constexpr std::size_t schedules_looked_at = 5'000;

using core::batch_summary;
using core::event_filter;
using core::event_page;
using core::job_page;
using core::log_page;
using core::store_facts;

struct worker_filter {
  core::run_id run;        // 0: of all runs, and those by hand
  std::string agent_type;  // empty: of all
  bool ended_too = false;
  std::size_t limit = 1000;
};

struct log_request {
  std::uint32_t attempt = 0;        // 0: of all attempts
  std::uint32_t after_attempt = 0;  // only lines after (after_attempt, after_number)
  std::uint64_t after_number = 0;
  std::size_t limit = 1000;
  std::size_t tail = 0;  // above 0: only the last ones of what there is, at most `limit`
  core::log_level least = core::log_level::none;  // above none: only lines that say at least this
};

inline constexpr std::size_t calendar_users_told = 20;

class reader {
 public:
  virtual ~reader() = default;
  virtual core::result<core::run> find_run(core::run_id id) = 0;  // with spec; not_found
  // By id text, or unique prefix of an id text (at least 6 digits), or the newest run of exactly that name;
  // ambiguous lists candidates.
  virtual core::result<core::run> find_run_by_text(const std::string& text) = 0;
  // In their order; empty where there is no such run.
  virtual core::result<std::vector<std::string>> names_of(const std::vector<core::run_id>& runs) = 0;
  virtual core::result<core::run_page> list_runs(const core::run_filter& filter,
                                                 const core::page_request& page) = 0;  // without payloads
  virtual core::result<std::vector<core::attempt_record>> attempts_of(
      core::run_id id) = 0;  // oldest first, ended ones
  virtual core::result<std::vector<core::evidence>> evidence_of(core::run_id id) = 0;
  virtual core::result<std::vector<core::attempt_record>> late_results_of(
      core::run_id id) = 0;  // oldest first
  virtual core::result<std::optional<core::checkpoint>> checkpoint_of(core::run_id id) = 0;
  virtual core::result<log_page> logs(core::run_id id, const log_request& which) = 0;
  // Of one attempt, after a line of it; attempt 0: of all attempts, from the start.
  core::result<log_page> logs(core::run_id id, std::uint32_t attempt, std::uint64_t after, std::size_t limit,
                              std::size_t tail) {
    return logs(id, log_request{attempt, attempt, attempt == 0 ? 0 : after, limit, tail});
  }
  virtual core::result<core::job> find_job(core::job_id id) = 0;
  virtual core::result<core::job> find_job_by_text(const std::string& id_or_name_or_prefix) = 0;
  virtual core::result<job_page> list_jobs(bool archived_too, const std::string& name_contains,
                                           std::size_t limit, std::int64_t after) = 0;
  // What became of the job's occurrences, newest first: those before an instant, or the newest ones at never.
  virtual core::result<core::occurrence_page> occurrences_of(core::job_id id, core::instant before,
                                                             std::size_t limit) = 0;
  // Jobs that have something planned, by id, at most `limit`.
  virtual core::result<std::vector<core::job_due>> due_jobs(core::job_id after, std::size_t limit) = 0;
  // Jobs that wait for events, by id, at most `limit`.
  virtual core::result<std::vector<core::event_waiter>> event_waiters(core::job_id after,
                                                                      std::size_t limit) = 0;
  // Active and paused jobs with a schedule, by id: those of one timing group, or all of them when the key is
  // empty. At most `limit`, and no more rows than a reader may spend on one question: a page may be short, or
  // empty, and not the last.
  virtual core::result<core::scheduled_page> scheduled_jobs(core::job_id after, std::size_t limit,
                                                            const std::string& key) = 0;
  // Calendars by name: those named, or all. `content`: with what they exclude.
  virtual core::result<std::vector<core::calendar_facts>> list_calendars(
      const std::vector<std::string>& names, bool content) = 0;
  virtual core::result<std::vector<core::window>> list_windows() = 0;  // by name
  // Nodes of the cluster that were ever told of, by name; those removed too.
  virtual core::result<std::vector<core::cluster_node>> list_nodes() = 0;
  virtual core::result<std::vector<core::session>> list_sessions(bool gone_too) = 0;
  virtual core::result<core::session> find_session(core::session_id id) = 0;
  // Live leases of one session, of all sessions when the id is 0; by run. Without specs.
  virtual core::result<std::vector<core::run_head>> leases_of(core::session_id who) = 0;
  // Workers that the node started by itself, newest first.
  virtual core::result<std::vector<core::spawned_worker>> list_workers(const worker_filter& filter) = 0;
  virtual core::result<event_page> events_after(std::int64_t seq, std::size_t limit,
                                                const event_filter& filter) = 0;
  virtual core::result<batch_summary> find_batch(core::batch_id id) = 0;
  virtual core::result<core::run_statistics> statistics(const core::run_filter& filter) = 0;
  // The rows of the escalation ladder: of one run, and all of them by run, at most `limit`.
  virtual core::result<std::optional<core::starvation>> starvation_of(core::run_id id) = 0;
  virtual core::result<std::vector<core::starvation>> starvations(core::run_id after, std::size_t limit) = 0;
  virtual core::result<core::ladder_clock> ladder_clock() = 0;
  virtual core::result<core::cycle_statistics> cycle_statistics() = 0;  // all zero when none were kept
  virtual core::result<store_facts> facts() = 0;
  // Ids that a bulk operation by filter is about, at most `limit`, oldest first.
  virtual core::result<std::vector<core::run_id>> ids_of(const core::run_filter& filter,
                                                         std::size_t limit) = 0;
  // Everything that is committed, as a store in a new file that was checked before it got its name; writers
  // go on meanwhile. `path` is absolute. Codes: invalid (no such folder, or this store has no file),
  // already_exists, storage_full, storage_damaged.
  virtual core::result<core::store_copy> copy_to(const std::string& path) = 0;
  // Reads the whole store. A damaged one is an answer, not a failure.
  virtual core::result<core::store_check> check() = 0;
};

}  // namespace belfry::storage
