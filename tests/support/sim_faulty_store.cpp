#include "tests/support/sim_faulty_store.hpp"

#include <utility>
#include <variant>

namespace belfry::tests {
namespace {

using core::result;
using namespace storage;

struct faults {
  planted bug = planted::none;
  std::uint64_t seed = 0;
  bool strikes(core::run_id run, std::uint32_t number) const {
    return ((static_cast<std::uint64_t>(run.value) * 31 + number + seed) * 0x9E3779B97F4A7C15ULL >> 32) % 4 ==
           0;
  }
  bool drops(const core::attempt_record& a) const {
    return bug == planted::drops_record && strikes(a.run, a.number);
  }
};

class faulty_reader final : public reader {
 public:
  faulty_reader(std::unique_ptr<reader> real, faults f) : real_{std::move(real)}, faults_{f} {}

  result<core::run> find_run(core::run_id id) override { return real_->find_run(id); }
  result<core::run> find_run_by_text(const std::string& text) override {
    return real_->find_run_by_text(text);
  }
  result<core::run_page> list_runs(const core::run_filter& f, const core::page_request& p) override {
    return real_->list_runs(f, p);
  }
  result<std::vector<core::attempt_record>> attempts_of(core::run_id id) override {
    auto all = real_->attempts_of(id);
    if (all) std::erase_if(*all, [&](const auto& a) { return faults_.drops(a); });
    return all;
  }
  result<std::vector<core::evidence>> evidence_of(core::run_id id) override { return real_->evidence_of(id); }
  result<std::vector<core::attempt_record>> late_results_of(core::run_id id) override {
    return real_->late_results_of(id);
  }
  result<std::optional<core::checkpoint>> checkpoint_of(core::run_id id) override {
    return real_->checkpoint_of(id);
  }
  result<log_page> logs(core::run_id id, const log_request& which) override { return real_->logs(id, which); }
  result<core::job> find_job(core::job_id id) override { return real_->find_job(id); }
  result<core::job> find_job_by_text(const std::string& text) override {
    return real_->find_job_by_text(text);
  }
  result<job_page> list_jobs(bool archived, const std::string& name, std::size_t limit,
                             std::int64_t after) override {
    return real_->list_jobs(archived, name, limit, after);
  }
  result<core::occurrence_page> occurrences_of(core::job_id id, core::instant before,
                                               std::size_t limit) override {
    return real_->occurrences_of(id, before, limit);
  }
  result<std::vector<core::job_due>> due_jobs(core::job_id after, std::size_t limit) override {
    return real_->due_jobs(after, limit);
  }
  result<std::vector<core::event_waiter>> event_waiters(core::job_id after, std::size_t limit) override {
    return real_->event_waiters(after, limit);
  }
  result<core::scheduled_page> scheduled_jobs(core::job_id after, std::size_t limit,
                                              const std::string& key) override {
    return real_->scheduled_jobs(after, limit, key);
  }
  result<std::vector<core::calendar_facts>> list_calendars(const std::vector<std::string>& names,
                                                           bool content) override {
    return real_->list_calendars(names, content);
  }
  result<std::vector<core::window>> list_windows() override { return real_->list_windows(); }
  result<std::vector<core::cluster_node>> list_nodes() override { return real_->list_nodes(); }
  result<std::vector<core::session>> list_sessions(bool gone) override { return real_->list_sessions(gone); }
  result<core::session> find_session(core::session_id id) override { return real_->find_session(id); }
  result<std::vector<core::run_head>> leases_of(core::session_id who) override {
    return real_->leases_of(who);
  }
  result<std::vector<std::string>> names_of(const std::vector<core::run_id>& r) override {
    return real_->names_of(r);
  }
  result<std::vector<core::spawned_worker>> list_workers(const worker_filter& f) override {
    return real_->list_workers(f);
  }
  result<event_page> events_after(std::int64_t seq, std::size_t limit, const event_filter& f) override {
    return real_->events_after(seq, limit, f);
  }
  result<batch_summary> find_batch(core::batch_id id) override { return real_->find_batch(id); }
  result<core::run_statistics> statistics(const core::run_filter& f) override { return real_->statistics(f); }
  result<std::optional<core::starvation>> starvation_of(core::run_id id) override {
    return real_->starvation_of(id);
  }
  result<std::vector<core::starvation>> starvations(core::run_id after, std::size_t limit) override {
    return real_->starvations(after, limit);
  }
  result<core::ladder_clock> ladder_clock() override { return real_->ladder_clock(); }
  result<core::cycle_statistics> cycle_statistics() override { return real_->cycle_statistics(); }
  result<store_facts> facts() override {
    auto f = real_->facts();
    if (f && faults_.bug == planted::miscounts) {
      auto& cancelled = f->runs_by_state.at(static_cast<std::size_t>(core::run_state::cancelled));
      if (cancelled > 0) --cancelled;
    }
    return f;
  }
  result<std::vector<core::run_id>> ids_of(const core::run_filter& f, std::size_t limit) override {
    return real_->ids_of(f, limit);
  }
  result<core::store_copy> copy_to(const std::string& path) override { return real_->copy_to(path); }
  result<core::store_check> check() override { return real_->check(); }

 private:
  std::unique_ptr<reader> real_;
  faults faults_;
};

class faulty_store final : public store {
 public:
  faulty_store(std::unique_ptr<store> real, faults f)
      : real_{std::move(real)}, rows_{real_->open_reader()}, faults_{f} {}

  result<receipt> apply(const change_set& set) override {
    auto wrong = set;
    for (auto& c : wrong.changes)
      if (auto* step = std::get_if<step_run>(&c)) spoil(*step);
    auto answer = real_->apply(wrong);
    if (answer) std::erase_if(answer->ended, [&](const auto& a) { return faults_.drops(a); });
    return answer;
  }
  result<void> commit() override { return real_->commit(); }
  void rollback() override { real_->rollback(); }
  result<open_page> scan_open(core::run_id after, std::size_t limit) override {
    return real_->scan_open(after, limit);
  }
  result<core::limit_options> limits(const core::limit_options& configured) override {
    return real_->limits(configured);
  }
  result<core::pause_book> pauses() override { return real_->pauses(); }
  result<std::vector<core::event>> events_between(std::int64_t first, std::int64_t last) override {
    return real_->events_between(first, last);
  }
  std::int64_t last_event() const override { return real_->last_event(); }
  void follow(const store_rules& rules) override { real_->follow(rules); }
  core::pressure pressure(core::instant now) const override { return real_->pressure(now); }
  void maintain() override { real_->maintain(); }
  std::unique_ptr<reader> open_reader() override {
    return std::make_unique<faulty_reader>(real_->open_reader(), faults_);
  }

 private:
  void spoil(step_run& step) {
    if (faults_.bug != planted::ignores_proof && faults_.bug != planted::forgets_loss) return;
    const auto row = rows_->find_run(step.id);
    if (!row || !leased(row->head.state)) return;
    const core::lease_proof right{row->head.fencing, row->head.held.hash};
    if (faults_.bug == planted::ignores_proof) {
      std::visit(
          [&](auto& command) {
            if constexpr (requires { command.proof; }) command.proof = right;
          },
          step.command);
      return;
    }
    const auto* expire = std::get_if<core::cmd_expire>(&step.command);
    const auto* lose = std::get_if<core::cmd_lose>(&step.command);
    if (expire == nullptr && lose == nullptr) return;
    core::cmd_settle back;
    back.proof = right;
    back.kind = core::settle_kind::released;
    step.command = back;
  }

  std::unique_ptr<store> real_;
  std::unique_ptr<reader> rows_;
  faults faults_;
};

}  // namespace

std::unique_ptr<storage::store> make_faulty(std::unique_ptr<storage::store> real, planted bug,
                                            std::uint64_t seed) {
  if (bug == planted::none) return real;
  return std::make_unique<faulty_store>(std::move(real), faults{bug, seed});
}

}  // namespace belfry::tests
