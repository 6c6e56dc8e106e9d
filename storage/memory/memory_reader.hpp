// MEMORY READER: typed reads by plain looking. Each read takes the committed state of that moment.
#pragma once

#include <memory>

#include "storage/contract/reader.hpp"
#include "storage/memory/tables.hpp"

namespace belfry::storage::memory {

class memory_reader final : public reader {
 public:
  explicit memory_reader(std::shared_ptr<const memory_disk> disk) : disk_{std::move(disk)} {}

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
  std::shared_ptr<const memory_disk> disk_;
};

}  // namespace belfry::storage::memory
