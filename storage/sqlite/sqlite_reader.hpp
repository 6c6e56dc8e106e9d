// SQLITE READER: typed reads on a connection of their own, which cannot write. Each read sees one committed
// state.
#pragma once

#include <memory>
#include <string>

#include "storage/contract/open.hpp"
#include "storage/contract/reader.hpp"
#include "storage/sqlite/row_mapping.hpp"

namespace belfry::storage::sqlite {

class sqlite_reader final : public reader {
 public:
  // The connection is opened by the first read, so that a failure is an answer.
  explicit sqlite_reader(sqlite_options options) : options_{std::move(options)} {}
  // On the writer's connection, for a VFS that cannot share: one thread only.
  sqlite_reader(sqlite_options options, SQLite::Database& shared)
      : options_{std::move(options)}, db_{&shared}, shared_{true} {}

  core::result<core::run> find_run(core::run_id id) override;
  core::result<core::run> find_run_by_text(const std::string& text) override;
  core::result<core::run_page> list_runs(const core::run_filter& filter,
                                         const core::page_request& page) override;
  core::result<std::vector<core::attempt_record>> attempts_of(core::run_id id) override;
  core::result<std::vector<core::evidence>> evidence_of(core::run_id id) override;
  core::result<std::vector<core::attempt_record>> late_results_of(core::run_id id) override;
  core::result<std::optional<core::checkpoint>> checkpoint_of(core::run_id id) override;
  using reader::logs;
  core::result<log_page> logs(core::run_id id, const log_request& which) override;
  core::result<core::job> find_job(core::job_id id) override;
  core::result<core::job> find_job_by_text(const std::string& text) override;
  core::result<job_page> list_jobs(bool archived_too, const std::string& name_contains, std::size_t limit,
                                   std::int64_t after) override;
  core::result<core::occurrence_page> occurrences_of(core::job_id id, core::instant before,
                                                     std::size_t limit) override;
  core::result<std::vector<core::job_due>> due_jobs(core::job_id after, std::size_t limit) override;
  core::result<std::vector<core::event_waiter>> event_waiters(core::job_id after, std::size_t limit) override;
  core::result<core::scheduled_page> scheduled_jobs(core::job_id after, std::size_t limit,
                                                    const std::string& key) override;
  core::result<std::vector<core::calendar_facts>> list_calendars(const std::vector<std::string>& names,
                                                                 bool content) override;
  core::result<std::vector<core::window>> list_windows() override;
  core::result<std::vector<core::cluster_node>> list_nodes() override;
  core::result<std::vector<core::session>> list_sessions(bool gone_too) override;
  core::result<core::session> find_session(core::session_id id) override;
  core::result<std::vector<std::string>> names_of(const std::vector<core::run_id>& runs) override;
  core::result<std::vector<core::spawned_worker>> list_workers(const worker_filter& filter) override;
  core::result<std::vector<core::run_head>> leases_of(core::session_id who) override;
  core::result<event_page> events_after(std::int64_t seq, std::size_t limit,
                                        const event_filter& filter) override;
  core::result<batch_summary> find_batch(core::batch_id id) override;
  core::result<core::run_statistics> statistics(const core::run_filter& filter) override;
  core::result<std::optional<core::starvation>> starvation_of(core::run_id id) override;
  core::result<std::vector<core::starvation>> starvations(core::run_id after, std::size_t limit) override;
  core::result<core::ladder_clock> ladder_clock() override;
  core::result<core::cycle_statistics> cycle_statistics() override;
  core::result<store_facts> facts() override;
  core::result<std::vector<core::run_id>> ids_of(const core::run_filter& filter, std::size_t limit) override;
  core::result<core::store_copy> copy_to(const std::string& path) override;
  core::result<core::store_check> check() override;

 private:
  class snapshot;
  // Runs `read` on one committed state; what SQLite throws becomes a failure.
  template <class T, class Read>
  core::result<T> reading(const char* what, Read read);
  core::result<SQLite::Database*> connection();

  core::job complete(job_row row);
  std::shared_ptr<const core::run_spec> spec_of(core::spec_id id, bool with_payload);
  std::vector<std::int64_t> numbers(std::string_view sql, std::int64_t first, std::int64_t last);

  sqlite_options options_;
  std::unique_ptr<SQLite::Database> own_;
  SQLite::Database* db_ = nullptr;
  bool shared_ = false;
};

}  // namespace belfry::storage::sqlite
