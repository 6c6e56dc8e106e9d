// The boot of the supervisor: spawn, recover, rebuild, serve.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/supervisor/supervisor.hpp"

#include <caf/send.hpp>

#include <utility>

#include "actors/claim_hook/claim_hook.hpp"
#include "actors/cluster/desk.hpp"
#include "actors/dead_letter_watch/dead_letter_watch.hpp"
#include "actors/dispatcher/dispatcher.hpp"
#include "actors/escalation_ladder/escalation_ladder.hpp"
#include "actors/event_hub/event_hub.hpp"
#include "actors/executor_supervisor/executor_supervisor.hpp"
#include "actors/job_registry/job_registry.hpp"
#include "actors/lease_desk/lease_desk.hpp"
#include "actors/lease_sweeper/lease_sweeper.hpp"
#include "actors/operator_desk/operator_desk.hpp"
#include "actors/planner/planner.hpp"
#include "actors/readers/reader.hpp"
#include "actors/retention/retention.hpp"
#include "actors/session_registry/session_registry.hpp"
#include "actors/spawner/spawner.hpp"
#include "actors/storage/storage.hpp"
#include "actors/support/failures.hpp"
#include "actors/timekeeper/timekeeper.hpp"
#include "actors/wake_coordinator/wake_coordinator.hpp"
#include "actors/wake_desk/wake_desk.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

// Waves of the stop.
constexpr int executors_wave = 1, queue_wave = 2, readers_wave = 3, storage_wave = 4;

}  // namespace

template <class Handle>
Handle supervisor::adopt(std::string name, Handle who, int wave, duty what) {
  child c;
  c.name = std::move(name);
  c.who = caf::actor_cast<caf::strong_actor_ptr>(who);
  c.what = what;
  c.wave = wave;
  children_.push_back(std::move(c));
  return who;
}

void supervisor::boot() {
  auto& d = *deps_;
  started_at_ = d.clock->now();
  auto needs = std::make_shared<storage_deps>();
  needs->submissions = d.port->submissions;
  needs->store = std::move(d.store);
  needs->clock = d.clock;
  needs->says = d.says;
  needs->options = d.options.commit;
  needs->rules = {d.options.backpressure, d.options.delays, d.options.board.limits};
  needs->supervisor = child_listener{supervisor_actor{this}};
  storage_ = adopt("storage",
                   d.options.schedule == scheduling::real
                       ? spawn<storage_writer, caf::detached + caf::monitored>(std::move(needs))
                       : spawn<storage_writer, caf::monitored>(std::move(needs)),
                   storage_wave);
  open_readers(d.options.readers + 1);  // the last one for what takes long
}

void supervisor::open_readers(std::size_t left) {
  if (left == 0) {
    spawn_queue();
    return recover();
  }
  request(storage_, caf::infinite, open_connection{})
      .then(
          [this, left](connection& c) {
            doors_.readers.push_back(spawn_reader(doors_.readers.size(), std::move(c)));
            open_readers(left - 1);
          },
          [this](caf::error& e) { boot_failed(failure_of(e, "storage")); });
}

reader_actor supervisor::spawn_reader(std::size_t index, connection with) {
  reader_deps needs{std::move(with.reads)};
  auto made = deps_->options.schedule == scheduling::real
                  ? spawn<reader, caf::detached + caf::monitored>(std::move(needs))
                  : spawn<reader, caf::monitored>(std::move(needs));
  const auto name = "reader-" + std::to_string(index + 1);
  for (auto& c : children_)
    if (c.name == name) {
      c.who = caf::actor_cast<caf::strong_actor_ptr>(made);
      c.ended = false;
      return made;
    }
  return adopt(name, std::move(made), readers_wave, duty::reader);
}

void supervisor::spawn_queue() {
  const auto& d = *deps_;
  const auto& o = d.options;
  const storage_client store = storage_;
  doors_.hub =
      adopt("event-hub", spawn<event_hub, caf::monitored>(event_hub_deps{storage_, d.says}), queue_wave);
  if (!o.executor.none) {
    executor_supervisor_deps e;
    e.store = store;
    e.supervisor = child_listener{supervisor_actor{this}};
    e.processes = d.processes;
    e.clock = d.clock;
    e.randomness = d.randomness;
    e.says = d.says;
    e.options = o.executor;
    e.mark = o.mark;
    e.clock_jump = o.clock_jump;
    e.patience = o.patience;
    executors_head_ = adopt("executor-supervisor", spawn<executor_supervisor, caf::monitored>(std::move(e)),
                            executors_wave);
  }
  spawn_cluster_desk();
  // In a cluster the desk knows whose attempt it is.
  const attempt_stopper stopper =
      d.links != nullptr ? attempt_stopper{cluster_desk_} : attempt_stopper{executors_head_};
  timekeeper_ = adopt("timekeeper",
                      spawn<timekeeper, caf::monitored>(timekeeper_deps{store, stopper, d.clock, d.randomness,
                                                                        d.says, o.executor.overdue_after}),
                      queue_wave);
  sweeper_ = adopt("lease-sweeper",
                   spawn<lease_sweeper, caf::monitored>(
                       lease_sweeper_deps{store, d.clock, d.randomness, d.says, o.clock_jump, o.clock_grace}),
                   queue_wave);
  planner_ = adopt(
      "planner", spawn<planner, caf::monitored>(planner_deps{store, doors_.readers.front(), d.clock, d.says}),
      queue_wave);
  dispatcher_deps q;
  q.store = store;
  q.reads = storage_;
  q.timekeeper = timekeeper_;
  q.sweeper = sweeper_;
  q.planner = planner_;
  q.intake = d.port->submissions;
  q.executors = stopper;
  q.clock = d.clock;
  q.randomness = d.randomness;
  q.says = d.says;
  q.board = o.board;
  q.agent_types = o.spawner.types;
  q.max_waiting_claims = o.max_waiting_claims;
  q.max_queued = o.max_queued;
  q.hook = o.claim_hook;
  const auto made = adopt("dispatcher", spawn<dispatcher, caf::monitored>(std::move(q)), queue_wave);
  dispatcher_ = made;
  doors_.claims = made;
  if (o.claim_hook.on()) adopt("claim-hook", spawn_claim_hook(), queue_wave, duty::claim_hook);
  caf::anon_send(storage_, follow_with{dispatcher_});
  doors_.lease_desk = adopt("lease-desk",
                            spawn<lease_desk, caf::monitored>(lease_desk_deps{
                                store, sweeper_, d.clock, d.randomness, o.clock_jump, o.liveness}),
                            queue_wave);
  wake_desk_deps w;
  w.store = store;
  w.claims = dispatcher_;
  w.webhooks = d.webhooks;
  w.processes = d.processes;
  w.clock = d.clock;
  w.says = d.says;
  w.options = o.wakes;
  w.mark = o.mark;
  w.text_of = d.wake_text;
  wake_desk_ = adopt("wake-desk", spawn<wake_desk, caf::monitored>(std::move(w)), queue_wave);
  doors_.wakes = wake_desk_;
  registry_ = adopt("session-registry",
                    spawn<session_registry, caf::monitored>(session_registry_deps{
                        store, doors_.readers.front(), dispatcher_, doors_.lease_desk, d.clock, d.says,
                        o.liveness, o.clock_jump, wake_desk_, o.wakes.commands}),
                    queue_wave);
  doors_.operator_desk = adopt("operator-desk",
                               spawn<operator_desk, caf::monitored>(
                                   operator_desk_deps{store, d.clock, o.retention, o.operators, stopper}),
                               queue_wave);
  doors_.jobs =
      adopt("job-registry", spawn<job_registry, caf::monitored>(job_registry_deps{store, d.clock, d.says}),
            queue_wave);
  spawner_deps hands;
  hands.store = store;
  hands.reader = doors_.readers.front();
  hands.registry = registry_;
  hands.pauses = dispatcher_;
  hands.gateway = d.gateway;
  hands.processes = d.processes;
  hands.clock = d.clock;
  hands.randomness = d.randomness;
  hands.says = d.says;
  hands.options = o.spawner;
  hands.mark = o.mark;
  spawner_ = adopt("spawner", spawn<spawner, caf::monitored>(std::move(hands)), executors_wave);
  doors_.spawner = spawner_;
  spawn_waking();
  if (d.port->submissions)
    d.port->submissions->wake_with(
        [who = intake_taker{storage_}] { caf::anon_send(who, take_submissions{}); });
  doors_.sessions = registry_;
  doors_.dispatcher = dispatcher_;
  doors_.node = node_client{supervisor_actor{this}};
  caf::anon_send(d.gateway, gateway_call{[all = doors_](gateway& g) { g.use(all); }});
}

void supervisor::spawn_cluster_desk() {
  const auto& d = *deps_;
  cluster_desk_deps c;
  c.links = d.links;
  c.admits = d.admits;
  c.store = storage_;
  c.reader = doors_.readers.front();
  c.executors = executors_head_;
  c.supervisor = cluster_listener{supervisor_actor{this}};
  c.clock = d.clock;
  c.randomness = d.randomness;
  c.says = d.says;
  c.options = d.options.cluster;
  c.own_executors = d.options.executor.none ? 0 : d.options.executor.processes;
  cluster_desk_ = adopt("cluster-desk", spawn<cluster_desk, caf::monitored>(std::move(c)), executors_wave);
  doors_.nodes = cluster_desk_;
}

// Who delivers wakes. A test may do it itself.
wake_deliverer supervisor::deliverer() {
  if (!deps_->deliver_wakes) return wake_desk_;
  auto made = system().spawn([how = deps_->deliver_wakes]() -> wake_deliverer::behavior_type {
    return {[how](const deliver_wakes& asked) { return how(asked); }};
  });
  monitor(made);
  return adopt("wake-deliverer", std::move(made), queue_wave);
}

worker_spawner supervisor::worker_starter() {
  if (!deps_->spawn_worker) return spawner_;
  auto made = system().spawn([how = deps_->spawn_worker]() -> worker_spawner::behavior_type {
    return {[how](const spawn_worker& asked) { return how(asked); }};
  });
  monitor(made);
  return adopt("worker-spawner", std::move(made), queue_wave);
}

void supervisor::spawn_waking() {
  const auto& d = *deps_;
  const auto& o = d.options;
  ladder_ = adopt(
      "escalation-ladder",
      spawn<escalation_ladder, caf::monitored>(escalation_ladder_deps{
          storage_, doors_.readers.front(), worker_starter(), d.clock, d.says, o.ladder, o.wake.interval}),
      queue_wave);
  coordinator_ = adopt("wake-coordinator",
                       spawn<wake_coordinator, caf::monitored>(wake_coordinator_deps{
                           storage_, doors_.readers.front(), sweeper_, dispatcher_, ladder_, deliverer(),
                           d.clock, d.says, o.wake, o.ladder.minimum_age}),
                       queue_wave);
  caf::anon_send(dispatcher_, tell_waiting{coordinator_});
  caf::anon_send(wake_desk_, tell_wakes{coordinator_});
  doors_.cycles = coordinator_;
  doors_.ladder = ladder_;
}

void supervisor::recover() {
  const auto failed = [this](const char* whom) {
    return [this, whom](caf::error& e) { boot_failed(failure_of(e, whom)); };
  };
  request(registry_, caf::infinite, load_sessions{})
      .then(
          [this, failed](core::result<sessions_loaded>& sessions) {
            if (!sessions) return boot_failed(sessions.error());
            request(dispatcher_, caf::infinite, rebuild_queue{std::move(*sessions)})
                .then(
                    [this, failed](core::result<queue_rebuilt>& rebuilt) {
                      if (!rebuilt) return boot_failed(rebuilt.error());
                      request(sweeper_, caf::infinite, start_sweeping{})
                          .then(
                              [this, counts = *rebuilt](core::result<swept>& done_sweeping) {
                                if (!done_sweeping) return boot_failed(done_sweeping.error());
                                serve(counts);
                              },
                              failed("lease sweeper"));
                    },
                    failed("dispatcher"));
          },
          failed("session registry"));
}

void supervisor::serve(const queue_rebuilt& rebuilt) {
  if (stopping_) return;
  const auto text = "open=" + std::to_string(rebuilt.open) + " queued=" + std::to_string(rebuilt.queued) +
                    " delayed=" + std::to_string(rebuilt.delayed) +
                    " leased=" + std::to_string(rebuilt.leased) + " lost=" + std::to_string(rebuilt.lost);
  deps_->says.say(note_level::info, "node-started " + text);
  write_event(core::event_kind::node_started, text);
  caf::anon_send(timekeeper_, start_timers{});
  if (deps_->options.plans) caf::anon_send(planner_, start_timers{});
  caf::anon_send(spawner_, start_spawning{});
  caf::anon_send(coordinator_, start_cycles{});
  if (executors_head_) caf::anon_send(executors_head_, start_executors{dispatcher_, registry_, sweeper_});
  if (deps_->links != nullptr)
    caf::anon_send(cluster_desk_, begin_cluster{dispatcher_, registry_, doors_.lease_desk});
  if (deps_->options.retention.every > core::span{0})
    adopt("retention",
          spawn<retention, caf::monitored>(
              retention_deps{storage_, deps_->clock, deps_->says, deps_->options.retention}),
          executors_wave, duty::retention);
  if (deps_->options.alarms.dead_letter_age > core::span{0})
    adopt("dead-letter-watch", spawn_dead_letter_watch(), executors_wave, duty::dead_letter_watch);
  deps_->port->passes = gate::serving;
  if (auto ready = std::exchange(deps_->ready, nullptr)) ready(core::result<void>{});
}

dead_letter_watch_actor supervisor::spawn_dead_letter_watch() {
  return spawn<dead_letter_watch, caf::monitored>(
      dead_letter_watch_deps{storage_, deps_->clock, deps_->says, deps_->options.alarms.dead_letter_age});
}

// Whoever asked the one before is told that it died.
claim_hook_actor supervisor::spawn_claim_hook() {
  const auto& d = *deps_;
  claim_hook_deps h;
  h.options = d.options.claim_hook;
  h.reader = doors_.readers.front();
  h.calls = d.hook_calls;
  h.processes = d.processes;
  h.clock = d.clock;
  h.says = d.says;
  h.mark = d.options.mark;
  h.text_of = d.hook_text;
  h.verdict_of = d.hook_verdict;
  claim_hook_ = spawn<claim_hook, caf::monitored>(std::move(h));
  caf::anon_send(dispatcher_, judge_with{claim_hook_});
  return claim_hook_;
}

void supervisor::boot_failed(const core::failure& why) {
  if (!failed_.empty()) return;
  failed_ = why.text;
  deps_->says.say(note_level::error, "node-not-started " + why.text);
  deps_->port->passes = gate::failed;
  if (auto ready = std::exchange(deps_->ready, nullptr)) ready(why);
}

}  // namespace belfry::actors
