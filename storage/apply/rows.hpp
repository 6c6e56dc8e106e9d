// ROWS: how the rules reach what is stored. The rules are written once, in storage/apply; the stores differ
// only in how rows are read and written. All of it happens inside one open transaction. A failing disk
// throws; the store catches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/calendar/calendar.hpp"
#include "core/job/job.hpp"
#include "core/ladder/ladder.hpp"
#include "core/queue/board.hpp"
#include "core/run/run.hpp"
#include "core/schedule/event_hold.hpp"
#include "core/session/session.hpp"
#include "core/window/window.hpp"
#include "storage/contract/change.hpp"

namespace belfry::storage {

// A run's head, and what the store wants to know of its spec without reading it.
struct run_row {
  core::run_head head;
  core::handler_kind handler = core::handler_kind::process;
  bool hooked = false;          // the spec has a hook
  bool tagged = false;          // the spec has tags
  std::string unreadable = {};  // why a part of the row cannot be read; the part is left empty
};

// What an idempotency key was answered with.
struct remembered {
  std::array<std::uint8_t, 32> fingerprint{};
  core::instant at = core::never;
  core::batch_id batch;
  std::vector<core::run_id> runs;
  std::vector<core::job_id> jobs;
  std::vector<core::session_id> sessions;
  core::emitted emitted = {};
};

// Log lines that one attempt has; those dropped are always its oldest.
struct log_size {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::uint64_t dropped = 0;
  friend bool operator==(const log_size&, const log_size&) = default;
};
inline std::uint64_t log_bytes(const core::log_line& line) { return line.text.size() + 1; }
struct line_size {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
};

class rows {
 public:
  virtual ~rows() = default;

  // A point to which the open transaction can go back. One at a time.
  virtual void mark() = 0;
  virtual void keep() = 0;
  virtual void undo() = 0;

  // Runs. A row is inserted with its tags; `update` writes what a step can change, `remove` takes everything
  // that belongs to the run (spec of its own, tags, attempts, evidence, late results, checkpoint, logs).
  virtual std::optional<run_row> find_run(core::run_id id) = 0;
  virtual bool has_run(core::run_id id) = 0;
  virtual void insert_run(const run_row& row, const std::vector<std::string>& tags) = 0;
  virtual void update_run(const run_row& before, const run_row& after) = 0;
  virtual void remove_run(const run_row& row) = 0;
  virtual std::vector<run_row> open_runs_of(core::job_id job) = 0;  // by id
  virtual std::optional<core::attempt_record> attempt_by_fencing(core::run_id run, std::uint64_t fencing) = 0;
  virtual void insert_attempt(
      const core::attempt_record& record) = 0;  // refuses (throws on) a second one of the same number
  virtual std::size_t evidence_count(core::run_id run) = 0;
  virtual void insert_evidence(const core::evidence& late, std::size_t number) = 0;

  virtual std::vector<core::attempt_record> last_attempts(core::run_id run,
                                                          std::size_t limit) = 0;  // oldest first
  virtual void insert_late(const core::attempt_record& said) = 0;  // the first of an attempt stays
  virtual std::optional<core::attempt_record> newest_late(core::run_id run,
                                                          std::uint64_t fencing) = 0;  // 0: any
  virtual std::optional<core::checkpoint> find_checkpoint(core::run_id run) = 0;
  virtual void put_checkpoint(core::run_id run, const core::checkpoint& c) = 0;

  enum class owner { run, job };  // a job's is shared by many runs, and worth remembering
  virtual std::shared_ptr<const core::run_spec> find_spec(core::spec_id id,
                                                          owner whose) = 0;  // null: not there
  virtual void insert_spec(core::spec_id id, const core::run_spec& spec) = 0;

  // Jobs, with the current definition.
  virtual std::optional<core::job> find_job(core::job_id id) = 0;
  virtual std::optional<core::job_id> job_named(const std::string& name) = 0;  // that is not archived
  virtual void insert_job(const core::job& j) = 0;       // its first revision too, the spec apart
  virtual void update_job(const core::job& j) = 0;       // everything but the definition
  virtual void insert_revision(const core::job& j) = 0;  // the definition, under j.revision and j.spec
  // Those to whom the end of a run may matter: nothing of them may be due any more, or they count successes.
  // Perhaps a few others.
  virtual std::vector<core::job_id> ending_jobs() = 0;

  // An occurrence is there once, and goes with its run. Of the ranges of skips the newest `keep` of the job
  // stay; the store numbers them.
  virtual bool has_occurrence(core::job_id job, core::instant at) = 0;
  virtual void insert_occurrence(const core::occurrence& o) = 0;
  virtual void insert_skip(const core::skip_record& s, std::size_t keep) = 0;

  // Jobs that wait for events: a row for each, also when it holds nothing back.
  virtual std::vector<core::job_id> event_jobs() = 0;
  virtual std::optional<core::event_hold> find_hold(core::job_id job) = 0;
  virtual void put_hold(core::job_id job, const core::event_hold& hold) = 0;
  virtual void remove_hold(core::job_id job) = 0;
  // How many event-triggered runs led to this one, itself included; goes with the run.
  virtual std::uint16_t depth_of(core::run_id run) = 0;
  virtual void put_depth(core::run_id run, std::uint16_t depth) = 0;

  // Calendars, with their content and the one before; and which jobs name them, with the revision of the
  // calendar that they are planned by.
  virtual std::optional<core::named_calendar> find_calendar(const std::string& name) = 0;
  virtual void put_calendar(const core::named_calendar& c) = 0;
  virtual void remove_calendar(const std::string& name) = 0;
  virtual std::size_t count_calendars() = 0;
  virtual std::optional<std::uint32_t> calendar_use(const std::string& name, core::job_id job) = 0;
  virtual void put_calendar_use(const std::string& name, core::job_id job, std::uint32_t revision) = 0;
  virtual void remove_calendar_uses(core::job_id job) = 0;
  // By a revision below this one, at most `limit`.
  virtual std::vector<core::job_id> calendar_users(const std::string& name, std::uint32_t below,
                                                   std::size_t limit) = 0;
  virtual std::optional<core::window> find_window(const std::string& name) = 0;
  virtual void put_window(const core::window& w) = 0;
  virtual void remove_window(const std::string& name) = 0;
  virtual std::vector<core::window> all_windows() = 0;  // by name

  virtual std::optional<core::cluster_node> find_node(const std::string& name) = 0;
  virtual void put_node(const core::cluster_node& n) = 0;

  virtual std::optional<core::session> find_session(core::session_id id) = 0;
  virtual void put_session(const core::session& s) = 0;
  virtual bool holds_lease(core::session_id id) = 0;

  virtual std::optional<core::spawned_worker> find_worker(core::session_id id) = 0;
  virtual void put_worker(const core::spawned_worker& w) = 0;

  virtual void insert_event(const core::event& e) = 0;

  virtual bool insert_log(const core::log_line& line) = 0;  // false: there already
  virtual log_size find_log_size(core::run_id run, std::uint32_t attempt) = 0;
  virtual void put_log_size(core::run_id run, std::uint32_t attempt, const log_size& size) = 0;
  virtual std::vector<line_size> oldest_lines(core::run_id run, std::uint32_t attempt, std::size_t limit) = 0;
  virtual void remove_lines(core::run_id run, std::uint32_t attempt, std::uint64_t up_to) = 0;

  virtual std::optional<remembered> find_once(const std::string& key) = 0;
  virtual void insert_once(const std::string& key, const remembered& answer) = 0;

  virtual std::optional<core::starvation> find_starvation(core::run_id run) = 0;
  virtual void put_starvation(const core::starvation& row) = 0;
  virtual void remove_starvation(core::run_id run) = 0;
  virtual std::vector<core::run_id> starving() = 0;  // every run that has a row
  // A few named values, each a text that its owner reads.
  virtual std::string find_note(const std::string& name) = 0;  // empty: none
  virtual void put_note(const std::string& name, const std::string& text) = 0;

  virtual std::optional<core::limit_options> find_limits() = 0;
  virtual void put_limits(const core::limit_options& limits) = 0;

  // Pauses of all targets; those of a job are written with the job.
  virtual core::pause_book find_pauses() = 0;
  virtual void put_pauses(const core::pause_target& on, const std::vector<core::pause_entry>& entries) = 0;
  // Keeps the newest ones of the target, at most `keep`.
  virtual void insert_past_pause(const core::past_pause& over, std::size_t keep) = 0;

  // Retention.
  virtual std::vector<run_row> runs_between(core::run_id after, std::int64_t up_to,
                                            std::size_t limit) = 0;  // (after, up_to], by id
  virtual std::vector<core::job_id> jobs_after(core::job_id after, std::size_t limit) = 0;
  virtual std::optional<core::run_id> newest_finished(core::job_id job,
                                                      std::size_t skip) = 0;  // the newest but `skip`
  virtual std::vector<run_row> finished_of(core::job_id job, core::run_id up_to,
                                           std::size_t limit) = 0;  // by id, up_to included
  virtual std::optional<core::run_id> latest_result(
      core::job_id job) = 0;  // newest finished one that was not skipped
  virtual std::vector<run_row> dead_letters(
      core::instant before,
      std::size_t limit) = 0;  // ended before, not aged; oldest end first
  virtual bool has_open_hook(core::run_id parent) = 0;
  virtual bool spec_in_use(core::job_id job, core::spec_id spec) = 0;      // by a run of the job
  virtual void remove_revision(core::job_id job, core::spec_id spec) = 0;  // and its spec
  virtual std::vector<std::pair<std::int64_t, core::instant>> oldest_events(
      std::size_t limit) = 0;  // seq, at
  virtual void remove_events(std::int64_t up_to) = 0;
  virtual std::size_t remove_once(
      core::instant before, std::size_t at_most) = 0;  // oldest first, up to the first that is not older
  virtual std::size_t remove_gone_sessions(core::instant before,
                                           std::size_t at_most) = 0;  // gone, not seen since; their workers
                                                                      // too
};

}  // namespace belfry::storage
