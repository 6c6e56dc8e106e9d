// MEMORY ROWS: the rows of the rules, in containers.
#pragma once

#include "core/job/completion.hpp"
#include "storage/memory/tables.hpp"

namespace belfry::storage::memory {

class memory_rows final : public rows {
 public:
  tables now;  // with what the open transaction did

  void mark() override { marked_ = now; }
  void keep() override { marked_ = {}; }
  void undo() override { now = std::exchange(marked_, {}); }

  std::optional<run_row> find_run(core::run_id id) override;
  bool has_run(core::run_id id) override { return now.runs.contains(id); }
  void insert_run(const run_row& row, const std::vector<std::string>& tags) override;
  void update_run(const run_row& before, const run_row& after) override;
  void remove_run(const run_row& row) override;
  std::vector<run_row> open_runs_of(core::job_id job) override;
  std::optional<core::attempt_record> attempt_by_fencing(core::run_id run, std::uint64_t fencing) override;
  void insert_attempt(const core::attempt_record& record) override;
  std::size_t evidence_count(core::run_id run) override;
  void insert_evidence(const core::evidence& late, std::size_t number) override {
    now.evidence.set({late.run, number}, late);
  }
  std::vector<core::attempt_record> last_attempts(core::run_id run, std::size_t limit) override;
  void insert_late(const core::attempt_record& said) override {
    if (!now.late.contains({said.run, said.number})) now.late.set({said.run, said.number}, said);
  }
  std::optional<core::attempt_record> newest_late(core::run_id run, std::uint64_t fencing) override;
  std::optional<core::checkpoint> find_checkpoint(core::run_id run) override;
  void put_checkpoint(core::run_id run, const core::checkpoint& c) override { now.checkpoints.set(run, c); }
  std::shared_ptr<const core::run_spec> find_spec(core::spec_id id, owner) override {
    return now.specs.find(id);
  }
  void insert_spec(core::spec_id id, const core::run_spec& spec) override { now.specs.set(id, spec); }

  std::optional<core::job> find_job(core::job_id id) override;
  std::optional<core::job_id> job_named(const std::string& name) override;
  void insert_job(const core::job& j) override { now.jobs.set(j.id, j); }
  void update_job(const core::job& j) override { now.jobs.set(j.id, j); }
  void insert_revision(const core::job&) override {}

  bool has_occurrence(core::job_id job, core::instant at) override;
  void insert_occurrence(const core::occurrence& o) override;
  void insert_skip(const core::skip_record& s, std::size_t keep) override;
  std::vector<core::job_id> ending_jobs() override {
    std::vector<core::job_id> all;
    now.jobs.up({}, [&](core::job_id id, const core::job& j) {
      const bool counts = core::counts_successes(j.definition->timing.policy) &&
                          (j.state == core::job_state::active || j.state == core::job_state::paused);
      if (counts || core::nothing_planned(j)) all.push_back(id);
      return true;
    });
    return all;
  }
  std::vector<core::job_id> event_jobs() override {
    std::vector<core::job_id> all;
    now.holds.up([&](core::job_id job, const core::event_hold&) {
      all.push_back(job);
      return true;
    });
    return all;
  }
  std::optional<core::event_hold> find_hold(core::job_id job) override {
    const auto hold = now.holds.find(job);
    return hold ? std::optional{*hold} : std::nullopt;
  }
  void put_hold(core::job_id job, const core::event_hold& hold) override { now.holds.set(job, hold); }
  void remove_hold(core::job_id job) override { now.holds.erase(job); }
  std::uint16_t depth_of(core::run_id run) override {
    const auto depth = now.depths.find(run);
    return depth ? *depth : std::uint16_t{0};
  }
  void put_depth(core::run_id run, std::uint16_t depth) override { now.depths.set(run, depth); }
  std::optional<core::named_calendar> find_calendar(const std::string& name) override {
    const auto c = now.calendars.find(name);
    return c ? std::optional{*c} : std::nullopt;
  }
  void put_calendar(const core::named_calendar& c) override { now.calendars.set(c.name, c); }
  void remove_calendar(const std::string& name) override { now.calendars.erase(name); }
  std::size_t count_calendars() override;
  std::optional<std::uint32_t> calendar_use(const std::string& name, core::job_id job) override {
    const auto revision = now.calendar_uses.find({name, job});
    return revision ? std::optional{*revision} : std::nullopt;
  }
  void put_calendar_use(const std::string& name, core::job_id job, std::uint32_t revision) override {
    now.calendar_uses.set({name, job}, revision);
  }
  void remove_calendar_uses(core::job_id job) override;
  std::vector<core::job_id> calendar_users(const std::string& name, std::uint32_t below,
                                           std::size_t limit) override;
  std::optional<core::window> find_window(const std::string& name) override {
    const auto w = now.windows.find(name);
    return w ? std::optional{*w} : std::nullopt;
  }
  void put_window(const core::window& w) override { now.windows.set(w.name, w); }
  void remove_window(const std::string& name) override { now.windows.erase(name); }
  std::vector<core::window> all_windows() override;
  std::optional<core::cluster_node> find_node(const std::string& name) override;
  void put_node(const core::cluster_node& n) override { now.nodes.set(n.name, n); }
  std::optional<core::session> find_session(core::session_id id) override;
  void put_session(const core::session& s) override { now.sessions.set(s.id, s); }
  bool holds_lease(core::session_id id) override;
  std::optional<core::spawned_worker> find_worker(core::session_id id) override;
  void put_worker(const core::spawned_worker& w) override { now.workers.set(w.session, w); }
  void insert_event(const core::event& e) override { now.events.set(e.seq, e); }

  bool insert_log(const core::log_line& line) override;
  log_size find_log_size(core::run_id run, std::uint32_t attempt) override;
  void put_log_size(core::run_id run, std::uint32_t attempt, const log_size& size) override {
    now.log_sizes.set({run, attempt}, size);
  }
  std::vector<line_size> oldest_lines(core::run_id run, std::uint32_t attempt, std::size_t limit) override;
  void remove_lines(core::run_id run, std::uint32_t attempt, std::uint64_t up_to) override;

  std::optional<remembered> find_once(const std::string& key) override;
  void insert_once(const std::string& key, const remembered& answer) override;
  std::optional<core::starvation> find_starvation(core::run_id run) override {
    const auto row = now.starving.find(run);
    return row ? std::optional{*row} : std::nullopt;
  }
  void put_starvation(const core::starvation& row) override { now.starving.set(row.run, row); }
  void remove_starvation(core::run_id run) override { now.starving.erase(run); }
  std::vector<core::run_id> starving() override {
    std::vector<core::run_id> all;
    now.starving.up([&](core::run_id run, const core::starvation&) {
      all.push_back(run);
      return true;
    });
    return all;
  }
  std::string find_note(const std::string& name) override {
    const auto text = now.notes.find(name);
    return text ? *text : std::string{};
  }
  void put_note(const std::string& name, const std::string& text) override { now.notes.set(name, text); }

  std::optional<core::limit_options> find_limits() override { return now.limits; }
  void put_limits(const core::limit_options& limits) override { now.limits = limits; }
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
  void remove_revision(core::job_id, core::spec_id spec) override { now.specs.erase(spec); }
  std::vector<std::pair<std::int64_t, core::instant>> oldest_events(std::size_t limit) override;
  void remove_events(std::int64_t up_to) override;
  std::size_t remove_once(core::instant before, std::size_t at_most) override;
  std::size_t remove_gone_sessions(core::instant before, std::size_t at_most) override;

 private:
  // Runs of a job, newest first, until `each` answers false.
  template <class Each>
  void newest_of(core::job_id job, Each each);

  tables marked_;
};

}  // namespace belfry::storage::memory
