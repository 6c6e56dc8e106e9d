#include "actors/support/message_types.hpp"
// after the message types
#include "actors/readers/reader.hpp"
#include "actors/readers/simulation.hpp"

#include <utility>

#include "storage/contract/troubles.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

// One answer per question, in the order of messages/queries.hpp.
struct answering {
  storage::reader& store;

  core::result<query_answer> operator()(const get_run& q) const {
    return wrap(store.find_run_by_text(q.text));
  }
  core::result<query_answer> operator()(const get_names& q) const { return wrap(store.names_of(q.runs)); }
  core::result<query_answer> operator()(const get_run_details& q) const {
    auto run = store.find_run_by_text(q.text);
    if (!run) return run.error();
    auto attempts = store.attempts_of(run->head.id);
    if (!attempts) return attempts.error();
    auto late = store.evidence_of(run->head.id);
    if (!late) return late.error();
    run_details all;
    for (const auto& a : *attempts) {
      const auto holder = store.find_session(a.holder);
      all.holder_names.push_back(holder ? holder->name : std::string{});
    }
    all.run = std::move(*run);
    all.attempts = std::move(*attempts);
    all.late = std::move(*late);
    auto said = store.late_results_of(all.run.head.id);
    if (!said) return said.error();
    auto point = store.checkpoint_of(all.run.head.id);
    if (!point) return point.error();
    all.late_results = std::move(*said);
    all.checkpoint = std::move(*point);
    return query_answer{std::move(all)};
  }
  core::result<query_answer> operator()(const list_runs& q) const {
    return wrap(store.list_runs(q.filter, q.page));
  }
  core::result<query_answer> operator()(const list_ids& q) const {
    return wrap(store.ids_of(q.filter, q.limit));
  }
  core::result<query_answer> operator()(const get_logs& q) const {
    return wrap(store.logs(
        q.id, storage::log_request{q.attempt, q.after_attempt, q.after_number, q.limit, q.tail, q.least}));
  }
  core::result<query_answer> operator()(const get_job& q) const {
    return wrap(store.find_job_by_text(q.text));
  }
  core::result<query_answer> operator()(const list_jobs& q) const {
    return wrap(store.list_jobs(q.archived_too, q.name_contains, q.limit, q.after));
  }
  core::result<query_answer> operator()(const list_occurrences& q) const {
    return wrap(store.occurrences_of(q.job, q.before, q.limit));
  }
  core::result<query_answer> operator()(const list_event_waiters& q) const {
    return wrap(store.event_waiters(q.after, q.limit));
  }
  core::result<query_answer> operator()(const list_due_jobs& q) const {
    return wrap(store.due_jobs(q.after, q.limit));
  }
  core::result<query_answer> operator()(const list_scheduled& q) const {
    return wrap(store.scheduled_jobs(q.after, q.limit, q.key));
  }
  core::result<query_answer> operator()(const simulate_schedules& q) const {
    return wrap(simulate_with(store, q));
  }
  core::result<query_answer> operator()(const list_calendars& q) const {
    return wrap(store.list_calendars(q.names, q.content));
  }
  core::result<query_answer> operator()(const list_windows&) const { return wrap(store.list_windows()); }
  core::result<query_answer> operator()(const list_nodes&) const { return wrap(store.list_nodes()); }
  core::result<query_answer> operator()(const list_sessions& q) const {
    return wrap(store.list_sessions(q.gone_too));
  }
  core::result<query_answer> operator()(const list_leases& q) const { return wrap(store.leases_of(q.who)); }
  core::result<query_answer> operator()(const list_workers& q) const {
    return wrap(store.list_workers(storage::worker_filter{q.run, q.agent_type, q.ended_too, q.limit}));
  }
  core::result<query_answer> operator()(const get_events& q) const {
    return wrap(store.events_after(q.after, q.limit, q.filter));
  }
  core::result<query_answer> operator()(const get_batch& q) const { return wrap(store.find_batch(q.id)); }
  core::result<query_answer> operator()(const get_statistics& q) const {
    return wrap(store.statistics(q.filter));
  }
  core::result<query_answer> operator()(const get_facts&) const { return wrap(store.facts()); }
  core::result<query_answer> operator()(const copy_store& q) const { return wrap(store.copy_to(q.to)); }
  core::result<query_answer> operator()(const check_store&) const { return wrap(store.check()); }
  core::result<query_answer> operator()(const get_starvation& q) const {
    return wrap(store.starvation_of(q.run));
  }
  core::result<query_answer> operator()(const list_starvations& q) const {
    return wrap(store.starvations(q.after, q.limit));
  }
  core::result<query_answer> operator()(const get_ladder_clock&) const { return wrap(store.ladder_clock()); }
  core::result<query_answer> operator()(const get_cycle_statistics&) const {
    return wrap(store.cycle_statistics());
  }

  core::result<query_answer> operator()(const get_troubles& q) const {
    return wrap(storage::troubles_of(store, q.now, q.late_after));
  }

  template <class T>
  static core::result<query_answer> wrap(core::result<T> r) {
    if (!r) return std::move(r.error());
    return query_answer{std::move(*r)};
  }
};

}  // namespace

reader::reader(caf::actor_config& cfg, reader_deps deps) : reader_actor::base(cfg), deps_{std::move(deps)} {}

auto reader::make_behavior() -> behavior_type {
  return {[this](const query& q) { return std::visit(answering{*deps_.store}, q); }};
}

void reader::on_exit() { deps_.store.reset(); }

}  // namespace belfry::actors
