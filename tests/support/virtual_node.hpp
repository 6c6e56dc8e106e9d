// VIRTUAL NODE: a whole node in the test's thread: memory store, CAF's test coordinator, one virtual clock,
// fake processes. Nothing moves unless the test says so: run() lets everybody do what is ready now, advance()
// lets time pass, with every timer and every end of a child at its exact instant, in order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "messages/following.hpp"
#include "storage/contract/open.hpp"
#include "tests/support/fake_processes.hpp"
#include "tests/support/fake_webhooks.hpp"
#include "tests/support/virtual_clock.hpp"

namespace caf::scheduler {
class test_coordinator;
}

namespace belfry::tests {

/// What a test can make a store do.
struct store_faults {
  std::optional<core::failure> next_commit;   // the next commit fails so, once
  std::optional<core::failure> every_commit;  // until it is taken away
  bool pauses_unreadable = false;
  std::size_t commits = 0;  // that were asked for
  // Sees every change set before the store does, and may change it: a planted fault.
  std::function<void(storage::change_set&)> touch = {};
  bool dead = false;  // the node has been killed: what its actors still say while they go is not written
  std::vector<storage::change_set> seen;  // sets that were applied, if `record`
  bool record = false;
};

/// Thrown by whatever runs the node when it was to die at that step; it has not been killed yet.
struct node_dies {};

/// An answer that comes when the node is run.
template <class T>
class pending {
 public:
  messages::reply<T> reply() {
    return [s = state_](core::result<T> r) {
      ++s->answers;
      s->answer.emplace(std::move(r));
    };
  }
  bool answered() const { return state_->answers > 0; }
  unsigned answers() const { return state_->answers; }
  core::result<T>& get() { return state_->answer.value(); }

 private:
  struct state {
    unsigned answers = 0;
    std::optional<core::result<T>> answer;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

class virtual_node {
 public:
  /// Two executors, no retention, no ladder, the usual limits.
  static actors::node_options usual_options();
  explicit virtual_node(actors::node_options options = usual_options(), bool start = true);
  ~virtual_node();
  virtual_node(const virtual_node&) = delete;
  virtual_node& operator=(const virtual_node&) = delete;

  void run();
  bool step();  // one message of whoever is first in line
  std::size_t steps_taken() const { return steps_; }
  void advance(core::span by);
  void jump(core::span wall) { time.jump(wall); }
  core::instant now() const { return time.now(); }

  messages::node_port& port() { return node_->port(); }
  actors::node& node() { return *node_; }
  caf::scheduler::test_coordinator& coordinator();
  /// Kills the actors of this name that live; false when there is none. Their last messages wait for the next
  /// run().
  bool kill(const std::string& actor_name);

  /// Tells the coordinator what became of a wake, as the desk does.
  void wake_became(messages::wake_changed news);
  /// From the next (re)start on wakes go to the real desk, and workers are started by the real spawner.
  bool real_desk = false, real_spawner = false;
  /// Which of so many that are ready is next; empty: whoever has waited longest.
  std::function<std::size_t(std::size_t)> next_of;
  /// The number of steps taken at which node_dies is thrown, once.
  std::optional<std::size_t> dies_at;
  /// Who delivers wakes, and who starts workers; nobody unless a test sets them before the (re)start.
  std::function<messages::wakes_delivered(const messages::deliver_wakes&)> deliver;
  std::function<core::result<messages::worker_spawned>(const messages::spawn_worker&)> spawn;

  /// Tells the dispatcher of commits that never were.
  void mislead(messages::runs_committed heads);

  /// What the escalation ladder asks; the answer comes when the node is run.
  pending<messages::worker_spawned> ask_spawner(messages::spawn_worker m, bool run_it = true);
  /// What the wake coordinator does, and everything that it was told since the node began.
  messages::wakes_delivered hand_to_desk(messages::deliver_wakes wakes);
  const std::vector<messages::wake_changed>& wake_news();

  /// Kill -9: nothing that is under way is finished, children become orphans. Then a new process on the same
  /// disk.
  void crash();
  void restart();
  /// An orderly stop, run to its end.
  void stop(core::span deadline = std::chrono::seconds{10});

  template <class A, class M>
  core::result<A> ask(M m) {
    auto p = send<A>(std::move(m));
    run();
    if (!p.answered()) return core::failure{core::errc::timed_out, "no answer yet", {}, {}};
    return std::move(p.get());
  }
  template <class A, class M>
  pending<A> send(M m) {
    pending<A> p;
    port().call(std::move(m), p.reply());
    return p;
  }
  template <class Q>
  core::result<typename Q::answer> read(Q q) {
    pending<typename Q::answer> p;
    port().ask(std::move(q), p.reply());
    run();
    if (!p.answered()) return core::failure{core::errc::timed_out, "no answer yet", {}, {}};
    return std::move(p.get());
  }

  // ---- everyday questions; each fails the test when it is refused
  static core::run_spec process(
      const std::string& name);  // argv {"true"}, no timeout jitter, no retry jitter
  static core::run_spec payload(const std::string& name);  // for outside sessions
  core::run submit(core::run_spec spec, core::span delay = core::span{0});
  core::run find(core::run_id id);
  core::run_state state_of(core::run_id id) { return find(id).head.state; }
  std::vector<core::attempt_record> attempts_of(core::run_id id);
  std::vector<std::string> events_of(core::run_id id);  // names, oldest first
  std::size_t count_events(core::event_kind kind);
  core::session_id worker(const std::string& name, std::uint32_t slots = 1,
                          const std::string& agent_type = "person");
  std::vector<messages::claimed_run> claim(core::session_id who, std::uint32_t max = 1,
                                           core::span lease = std::chrono::minutes{5});
  core::result<messages::settled_item> settle(const messages::claimed_run& run, core::settle_kind kind,
                                              core::failure_class klass = core::failure_class::none);
  core::result<messages::lease_status> renew(const messages::claimed_run& run,
                                             core::span lease = std::chrono::minutes{5});
  core::result<core::run_head> cancel(core::run_id id);
  messages::queue_state queue();
  messages::node_status status();
  messages::explanation explain(core::run_id id);
  std::string key_of(const core::run_head& head) const;  // of its child process

  virtual_clock time;
  std::shared_ptr<storage::memory_disk> disk = storage::make_memory_disk();
  store_faults faults;
  actors::links* links = nullptr;  // from the next (re)start on: to members of its cluster
  std::shared_ptr<actors::admission> admits = {};
  fake_processes processes{time};
  fake_webhooks webhooks;
  // Questions to a claim hook that is an address: "ask ses_… max 2: run_…=name run_…=name", answered by
  // "allow", "refuse WHY", "narrow run_… run_…" or "max 1"; anything else cannot be read.
  fake_webhooks hook_calls;
  std::unique_ptr<platform::randomness> chance = platform::seeded_randomness(1);
  std::unique_ptr<platform::meter> meter = platform::make_meter();
  std::vector<std::string> notes;
  std::vector<std::string> fatal;
  actors::node_options options;

 private:
  void open();

  struct cast;
  std::unique_ptr<cast> cast_;  // whoever has had mail
  std::unique_ptr<actors::node> node_;
  std::size_t steps_ = 0;
  std::shared_ptr<std::vector<messages::wake_changed>> wake_news_;
  std::int64_t coordinator_origin_ = 0;  // ns of CAF's clock where steady time was `steady_origin_`
  core::instant steady_origin_{};
};

core::lease_proof proof_of(const messages::claimed_run& run);

}  // namespace belfry::tests
