// TABLES: everything that a memory store knows, as one value. A copy is a state that nobody can change any
// more.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/apply/rows.hpp"
#include "storage/apply/tallies.hpp"
#include "storage/contract/open.hpp"
#include "storage/memory/persistent_map.hpp"

namespace belfry::storage::memory {

struct nothing {};

struct tables {
  persistent_map<core::run_id, run_row> runs;
  persistent_map<core::spec_id, core::run_spec> specs;
  persistent_map<std::pair<core::run_id, std::uint32_t>, core::attempt_record> attempts;
  persistent_map<std::pair<core::run_id, std::size_t>, core::evidence> evidence;
  persistent_map<std::pair<core::run_id, std::uint32_t>, core::attempt_record> late;
  persistent_map<core::run_id, core::checkpoint> checkpoints;
  persistent_map<std::tuple<core::run_id, std::uint32_t, std::uint64_t>, core::log_line> logs;
  persistent_map<std::pair<core::run_id, std::uint32_t>, log_size> log_sizes;
  persistent_map<std::int64_t, core::event> events;
  persistent_map<core::job_id, core::job> jobs;
  persistent_map<core::session_id, core::session> sessions;
  persistent_map<core::session_id, core::spawned_worker> workers;
  persistent_map<std::string, remembered> once;
  persistent_map<std::int64_t, std::string> once_order;
  std::int64_t once_number = 0;
  std::optional<core::limit_options> limits;
  persistent_map<core::pause_target, std::vector<core::pause_entry>> pauses;  // but for those of jobs
  persistent_map<std::int64_t, core::past_pause> past_pauses;
  std::int64_t past_pause_number = 0;
  persistent_map<core::run_id, core::starvation> starving;
  persistent_map<std::string, std::string> notes;
  persistent_map<std::pair<core::job_id, core::instant>, core::occurrence> occurrences;
  persistent_map<std::pair<core::job_id, std::int64_t>, core::skip_record> skips;
  std::int64_t skip_number = 0;
  persistent_map<core::job_id, core::event_hold> holds;
  persistent_map<core::run_id, std::uint16_t> depths;
  persistent_map<std::string, core::named_calendar> calendars;
  persistent_map<std::pair<std::string, core::job_id>, std::uint32_t> calendar_uses;
  persistent_map<std::string, core::window> windows;
  persistent_map<std::string, core::cluster_node> nodes;

  // What would take too long to look for.
  persistent_map<core::run_id, nothing> open;
  persistent_map<std::pair<core::job_id, core::run_id>, nothing> of_job;
  persistent_map<std::pair<core::run_id, core::run_id>, nothing> hooks;  // of the parent

  tallies counted;
  std::uint32_t boots = 0;
  std::vector<core::instant> booted_at;  // the last ten, newest first
  core::instant created_at = core::never;
};

}  // namespace belfry::storage::memory

namespace belfry::storage {

class memory_disk {
 public:
  std::shared_ptr<const memory::tables> read() const { return std::atomic_load(&committed_); }
  void write(std::shared_ptr<const memory::tables> state) {
    std::atomic_store(&committed_, std::move(state));
  }
  bool take() { return !held_.exchange(true); }
  void give_back() { held_ = false; }

 private:
  std::shared_ptr<const memory::tables> committed_ = std::make_shared<const memory::tables>();
  std::atomic<bool> held_{false};
};

}  // namespace belfry::storage
