// WRITER: the rows of the rules, in SQLite. By noun: writer_runs, writer_jobs, writer_calendars, writer_logs,
// writer_retention.
#pragma once

#include <memory>
#include <unordered_map>

#include <SQLiteCpp/Database.h>

#include "storage/apply/rows.hpp"
#include "storage/contract/store.hpp"
#include "storage/sqlite/held_runs.hpp"
#include "storage/sqlite/pending_rows.hpp"
#include "storage/sqlite/row_mapping.hpp"
#include "storage/sqlite/statements.hpp"

namespace belfry::storage::sqlite {

class writer final : public rows {
 public:
  explicit writer(SQLite::Database& db);

  // Of the store, besides the rules.
  void begin() { s_.begin.run(); }
  void commit() {
    write_pending();
    s_.commit.run();
  }
  void forget();  // the transaction was rolled back
  void put_counter(std::int64_t id, std::int64_t value);
  std::vector<core::event> events_between(std::int64_t first, std::int64_t last);
  open_page open_runs(core::run_id after, std::size_t limit);

  void mark() override {
    write_pending();
    s_.mark.run();
  }
  void keep() override { s_.keep.run(); }
  void undo() override;

  std::optional<run_row> find_run(core::run_id id) override;
  bool has_run(core::run_id id) override;
  void insert_run(const run_row& row, const std::vector<std::string>& tags) override;
  void update_run(const run_row& before, const run_row& after) override;
  void remove_run(const run_row& row) override;
  std::vector<run_row> open_runs_of(core::job_id job) override;
  std::optional<core::attempt_record> attempt_by_fencing(core::run_id run, std::uint64_t fencing) override;
  void insert_attempt(const core::attempt_record& record) override;
  std::size_t evidence_count(core::run_id run) override;
  void insert_evidence(const core::evidence& late, std::size_t number) override;
  std::vector<core::attempt_record> last_attempts(core::run_id run, std::size_t limit) override;
  void insert_late(const core::attempt_record& said) override;
  std::optional<core::attempt_record> newest_late(core::run_id run, std::uint64_t fencing) override;
  std::optional<core::checkpoint> find_checkpoint(core::run_id run) override;
  void put_checkpoint(core::run_id run, const core::checkpoint& c) override;
  std::shared_ptr<const core::run_spec> find_spec(core::spec_id id, owner whose) override;
  void insert_spec(core::spec_id id, const core::run_spec& spec) override;

  std::optional<core::job> find_job(core::job_id id) override;
  std::optional<core::job_id> job_named(const std::string& name) override;
  void insert_job(const core::job& j) override;
  void update_job(const core::job& j) override;
  void insert_revision(const core::job& j) override;

  bool has_occurrence(core::job_id job, core::instant at) override;
  void insert_occurrence(const core::occurrence& o) override;
  void insert_skip(const core::skip_record& s, std::size_t keep) override;

  std::vector<core::job_id> ending_jobs() override;
  std::vector<core::job_id> event_jobs() override;
  std::optional<core::event_hold> find_hold(core::job_id job) override;
  void put_hold(core::job_id job, const core::event_hold& hold) override;
  void remove_hold(core::job_id job) override;
  std::uint16_t depth_of(core::run_id run) override;
  void put_depth(core::run_id run, std::uint16_t depth) override;
  std::optional<core::named_calendar> find_calendar(const std::string& name) override;
  void put_calendar(const core::named_calendar& c) override;
  void remove_calendar(const std::string& name) override;
  std::size_t count_calendars() override;
  std::optional<std::uint32_t> calendar_use(const std::string& name, core::job_id job) override;
  void put_calendar_use(const std::string& name, core::job_id job, std::uint32_t revision) override;
  void remove_calendar_uses(core::job_id job) override;
  std::vector<core::job_id> calendar_users(const std::string& name, std::uint32_t below,
                                           std::size_t limit) override;
  std::optional<core::window> find_window(const std::string& name) override;
  void put_window(const core::window& w) override;
  void remove_window(const std::string& name) override;
  std::vector<core::window> all_windows() override;
  std::optional<core::cluster_node> find_node(const std::string& name) override;
  void put_node(const core::cluster_node& n) override;

  std::optional<core::session> find_session(core::session_id id) override;
  void put_session(const core::session& s) override;
  bool holds_lease(core::session_id id) override;
  std::optional<core::spawned_worker> find_worker(core::session_id id) override;
  void put_worker(const core::spawned_worker& w) override;
  void insert_event(const core::event& e) override;

  bool insert_log(const core::log_line& line) override;
  log_size find_log_size(core::run_id run, std::uint32_t attempt) override;
  void put_log_size(core::run_id run, std::uint32_t attempt, const log_size& size) override;
  std::vector<line_size> oldest_lines(core::run_id run, std::uint32_t attempt, std::size_t limit) override;
  void remove_lines(core::run_id run, std::uint32_t attempt, std::uint64_t up_to) override;

  std::optional<core::starvation> find_starvation(core::run_id run) override;
  void put_starvation(const core::starvation& row) override;
  void remove_starvation(core::run_id run) override;
  std::vector<core::run_id> starving() override;
  std::string find_note(const std::string& name) override;
  void put_note(const std::string& name, const std::string& text) override;

  std::optional<remembered> find_once(const std::string& key) override;
  void insert_once(const std::string& key, const remembered& answer) override;
  std::optional<core::limit_options> find_limits() override;
  void put_limits(const core::limit_options& limits) override;
  core::pause_book find_pauses() override;
  void put_pauses(const core::pause_target& on, const std::vector<core::pause_entry>& entries) override;
  void insert_past_pause(const core::past_pause& over, std::size_t keep) override;

  std::vector<run_row> runs_between(core::run_id after, std::int64_t up_to, std::size_t limit) override;
  std::vector<core::job_id> jobs_after(core::job_id after, std::size_t limit) override;
  std::optional<core::run_id> newest_finished(core::job_id job, std::size_t skip) override;
  std::vector<run_row> finished_of(core::job_id job, core::run_id up_to, std::size_t limit) override;
  std::optional<core::run_id> latest_result(core::job_id job) override;
  std::vector<run_row> dead_letters(core::instant before, std::size_t limit) override;
  bool has_open_hook(core::run_id parent) override;
  bool spec_in_use(core::job_id job, core::spec_id spec) override;
  void remove_revision(core::job_id job, core::spec_id spec) override;
  std::vector<std::pair<std::int64_t, core::instant>> oldest_events(std::size_t limit) override;
  void remove_events(std::int64_t up_to) override;
  std::size_t remove_once(core::instant before, std::size_t at_most) override;
  std::size_t remove_gone_sessions(core::instant before, std::size_t at_most) override;

 private:
  void write_pending();
  // What is asked of a table is asked with everything in it.
  statements& with_runs() {
    runs_.write();
    return s_;
  }
  statements& with_specs() {
    specs_.write();
    return s_;
  }
  statements& with_events() {
    events_.write();
    return s_;
  }
  void write_job(query& q, const core::job& j);
  void write_pauses(const core::job& j);
  std::shared_ptr<const core::run_spec> read_spec(core::spec_id id);

  statements s_;
  pending_rows<new_run> runs_;
  pending_rows<new_spec> specs_;
  pending_rows<core::event> events_;
  held_runs held_;
  // Specs of job revisions, shared by many runs and immutable. An id is never used for another one.
  std::unordered_map<core::spec_id, std::shared_ptr<const core::run_spec>> shared_specs_;
};

}  // namespace belfry::storage::sqlite
