// NODE: one belfry node as a value: what it needs goes in, the port comes out. No word of CAF here.
//
// start() spawns the actors in the order recover → rebuild → serve and waits until the node is ready; stop()
// ends them in the opposite order, storage last. Whoever owns the node owns what it was given and keeps it
// alive longer than it. A node that lost its store cannot go on: it says so once, through node_parts::fatal,
// and the process has to end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/cluster/options.hpp"
#include "core/errors/result.hpp"
#include "core/hook/claim_hook.hpp"
#include "core/ladder/ladder.hpp"
#include "core/operators/allowance.hpp"
#include "core/queue/board.hpp"
#include "core/session/liveness.hpp"
#include "core/spawn/agent_type.hpp"
#include "core/supervision/intensity.hpp"
#include "core/time/instant.hpp"
#include "core/wake/cycle.hpp"
#include "messages/node_port.hpp"
#include "messages/spawns.hpp"
#include "messages/wakes.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/metrics.hpp"
#include "platform/ports/processes.hpp"
#include "platform/ports/webhooks.hpp"
#include "storage/contract/store.hpp"

namespace caf {
class actor_system;
}

namespace belfry::actors {

class admission;
class links;

struct commit_options {
  /// Change sets in one transaction before it is committed without waiting for the mailbox to be empty.
  /// Default 4,000; 1..100,000.
  std::size_t max_sets = 4000;
  /// Rough bytes in one transaction, likewise. Default 8 MiB.
  std::size_t max_bytes = 8u << 20;
  /// Test only, a planted bug: replies leave before the commit. Default false.
  bool answer_before_commit = false;
};

struct executor_options {
  /// Runs that the node performs as child processes at a time. Default 0: four times the cores, 4 to 32: a
  /// slot also waits for the commits before and after its process. 0..256 with `none`.
  std::uint32_t processes = 0;
  /// No executors at all: only outside sessions perform runs. Default false.
  bool none = false;
  /// Lease of a run in an executor; it is renewed at a third of it. Default 5 min; 3 s..1 h.
  core::span lease = std::chrono::minutes{5};
  /// Output kept per attempt, the tail of it. Default 1 MiB.
  std::uint64_t keep_output = 1u << 20;
  /// Output of one run that may wait for the store; beyond it lines are counted as dropped. Default 256 KiB.
  std::uint64_t output_in_flight = 256u << 10;
  /// How often and how fast an executor that crashed is started again.
  core::intensity_options restarts;
  /// Beyond its grace, how long a run that was told to stop may take before its attempt is ended over its
  /// head. Default 30 s.
  core::span overdue_after = std::chrono::seconds{30};
  /// Test only: called by the executor at the start of a run, and may throw. Default: nothing.
  std::function<void(const messages::claimed_run&)> fault;
};

struct retention_options {
  /// How long a finished run is kept. Default 14 days. 0: for ever.
  core::span keep = std::chrono::hours{24 * 14};
  /// How long a dead letter is kept that nobody has redriven or dismissed. Default 30 days.
  core::span keep_dead = std::chrono::hours{24 * 30};
  /// Finished runs kept per job, the newest. Default 100.
  std::uint32_t keep_per_job = 100;
  /// How long events are kept. Default 14 days.
  core::span keep_events = std::chrono::hours{24 * 14};
  /// How long an idempotency key is remembered. Default 24 h.
  core::span keep_keys = std::chrono::hours{24};
  /// Pause between two sweeps. Default 10 min. 0: no retention.
  core::span every = std::chrono::minutes{10};
  /// Runs removed by one change set: a few milliseconds. Default 200.
  std::uint32_t bite = 200;
  /// Pause between two bites, so that others come between. Default 20 ms.
  core::span pause = std::chrono::milliseconds{20};
};

struct alarm_options {
  /// Age at which a dead letter that nobody redrove or dismissed is told of, once. Default 24 h. 0: never.
  core::span dead_letter_age = std::chrono::hours{24};
};

struct spawner_options {
  /// Kinds of workers that the node may start by itself; names are unique. Default none.
  std::vector<core::agent_type> types;
  /// Where workers find the node. Empty: node::listens() will say; nobody is started before. Default empty.
  std::string url;
};

struct wake_delivery_options {
  /// How long a session has to acknowledge a wake; after that it has failed. Default 10 s; 1 s to 5 min.
  core::span acknowledge_within = std::chrono::seconds{10};
  /// Whether sessions that register may name a command of their own, which the node then runs as its own
  /// user. Default false.
  bool commands = false;
  /// Wakes that may be under way at a time. Default 10,000.
  std::uint32_t max_outstanding = 10'000;
  /// Polls and streams that may wait for wakes at a time. Default 12,000.
  std::uint32_t max_waiting = 12'000;
  /// Webhooks under way at a time; beyond it such wakes are refused as overloaded. Default 1,000.
  std::uint32_t max_webhooks = 1000;
  /// Commands under way at a time, likewise. Default 16.
  std::uint32_t max_commands = 16;
};

enum class scheduling : std::uint8_t {
  real,     // CAF's pool, storage and readers on threads of their own
  testing,  // CAF's test coordinator: nothing runs unless the test says so, all in its thread
};

struct node_options {
  /// Value of BELFRY_NODE in the environment of child processes, by which orphans are recognised: the store's
  /// identity. Required.
  std::string mark;
  /// Threads of the actor pool. Default 0: cores − 1, at least 2.
  std::uint32_t threads = 0;
  /// Connections for reads, each with a thread of its own. Default 1; 1..16.
  std::uint32_t readers = 1;
  /// Questions from the doors that may be open at a time; beyond it they are refused with `overloaded`.
  /// Default 4,096.
  std::uint32_t max_open_calls = 4096;
  /// Claims that may wait for work at a time. Default 10,000.
  std::uint32_t max_waiting_claims = 10'000;
  /// Order and limits of the queue; limits changed live and stored go before these.
  core::board_options board;
  /// Runs that may wait (queued, scheduled, retrying); beyond it submissions are refused with `overloaded`.
  /// Default 0: no limit.
  std::uint64_t max_queued = 0;
  /// When submitters are told that too much is queued, and whether they are refused then.
  core::backpressure_options backpressure = {};
  /// How far apart calls to a provider had better be, as its limits teach.
  core::delay_options delays = {};
  /// A wall clock that jumped further than this against the steady one gives every lease a grace period.
  /// Default 2 min.
  core::span clock_jump = std::chrono::minutes{2};
  /// Longest grace period after a jump. Default 5 min.
  core::span clock_grace = std::chrono::minutes{5};
  /// When silent sessions and runs without progress become suspect.
  core::liveness_options liveness;
  /// What agents may do to runs as operators.
  core::operator_options operators;
  /// Patience with actors that are told to end. Default 5 s.
  core::span patience = std::chrono::seconds{5};
  commit_options commit;
  executor_options executor;
  retention_options retention;
  alarm_options alarms = {};
  spawner_options spawner = {};
  /// Whether this node plans what is due by itself. Off: only what it is told to plan, and its start counts
  /// for no crash loop: a node that is started for one tick of the machine's own scheduler. Default true.
  bool plans = true;
  /// When cycles run and whom they wake.
  core::wake_options wake;
  /// What happens to runs that nobody takes.
  core::ladder_options ladder;
  wake_delivery_options wakes;
  /// Who is asked before runs are handed to a session. Default: nobody.
  core::claim_hook_options claim_hook = {};
  /// Whom it works together with, where node_parts has links.
  cluster_options cluster = {};
  scheduling schedule = scheduling::real;
};

enum class note_level : std::uint8_t { debug, info, warning, error };

// What a node is made of. Everything but the store stays the caller's and outlives the node.
struct node_parts {
  std::unique_ptr<storage::store> store;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;  // safe from any thread when scheduling is real
  platform::processes* processes = nullptr;    // may be null with executor.none
  platform::meter* meter = nullptr;            // may be null
  platform::webhooks* webhooks = nullptr;      // null: sessions with such a sink cannot be woken
  // What a webhook or a command is told of a wake, in JSON. Empty: neither can be used.
  std::function<std::string(const messages::wake_view&, core::wake_via)> wake_text;
  // Calls of the claim hook, of nobody else. Null: the hook cannot be an address.
  platform::webhooks* hook_calls = nullptr;
  // The question to the claim hook and its answer, in JSON. Empty: there is no hook.
  std::function<std::string(const core::hook_question&)> hook_text = {};
  std::function<core::result<core::hook_verdict>(std::string_view)> hook_verdict = {};
  actors::links* links = nullptr;                  // to the members of its cluster; null: it is alone
  std::shared_ptr<actors::admission> admits = {};  // told whom the TLS door must not let in; may be null
  std::function<void(note_level, const std::string&)>
      note;  // log lines: key first, then fields; may be empty; any thread
  std::function<void(const std::string&)>
      fatal;  // once, any thread: the node cannot go on; must not call stop() itself
  // For tests: who delivers wakes, and who starts workers.
  std::function<messages::wakes_delivered(const messages::deliver_wakes&)> deliver_wakes = {};
  std::function<core::result<messages::worker_spawned>(const messages::spawn_worker&)> spawn_worker = {};
};

class node {
 public:
  node(node_options options, node_parts parts);
  // Ends what still runs as stop() with no deadline does.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  // Blocks until the node serves, or says why it cannot. Under `testing` it only spawns: the test runs the
  // coordinator.
  core::result<void> start();
  // Questions may come from any thread, before start() and after stop() too: they are answered with
  // `unavailable`.
  messages::node_port& port();
  // Stops claiming, lets running processes end up to the deadline, then stops them and releases their runs;
  // storage last. May be called again, from another thread too: the deadline can only come nearer. timed_out
  // when an actor does not end: the destructor would block then, so leave the process with std::_Exit. Under
  // `testing` it only asks.
  core::result<void> stop(core::span deadline = std::chrono::seconds{10});
  // Where workers that the node starts find it.
  void listens(const std::string& url);
  // For tests: the actor system, with its coordinator.
  caf::actor_system& system();

 private:
  struct state;
  std::unique_ptr<state> s_;
};

}  // namespace belfry::actors
