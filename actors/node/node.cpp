#include "actors/support/message_types.hpp"
// after the message types
#include "actors/node/node.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "actors/gateway/gateway.hpp"
#include "actors/gateway/intake.hpp"
#include "actors/gateway/port.hpp"
#include "actors/supervisor/supervisor.hpp"

namespace belfry::actors {

using core::errc;
using core::failure;

namespace {

std::uint32_t cores() {
  return std::max(1u, std::thread::hardware_concurrency());  // tidy-allow(thread): asks for a number
}

// What zero stands for.
node_options settle(node_options o) {
  if (o.threads == 0) o.threads = std::max(2u, cores() - 1);
  o.readers = std::clamp<std::uint32_t>(o.readers, 1, 16);
  if (o.executor.processes == 0) o.executor.processes = std::clamp<std::uint32_t>(4 * cores(), 4, 32);
  // Test only: the real binary can be told to crash its executor at a run of this name.
  if (const char* name = std::getenv("BELFRY_TEST_CRASH_EXECUTOR"); name != nullptr && !o.executor.fault)
    o.executor.fault = [crash = std::string{name}](const messages::claimed_run& run) {
      if (run.run.head.name == crash) throw std::runtime_error("BELFRY_TEST_CRASH_EXECUTOR");
    };
  return o;
}

// CAF's default of stealing sleeps between polls, which costs eight times the latency; without a bound on the
// throughput one busy actor starves another. Nothing is read from files or the command line.
struct configuration : caf::actor_system_config {
  explicit configuration(const node_options& o) {
    if (o.schedule == scheduling::testing) {
      set("scheduler.policy", caf::atom("testing"));
      return;
    }
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", static_cast<std::size_t>(o.threads));
    set("scheduler.max-throughput", static_cast<std::size_t>(100));
  }
};

}  // namespace

// The port and the handles go before the actor system does.
struct node::state {
  state(node_options o, node_parts p)
      : options{settle(std::move(o))},
        parts{std::move(p)},
        config{options},
        system{std::make_unique<caf::actor_system>(config)},
        shared{std::make_shared<port_state>()},
        gateway_handle{system->spawn<gateway>()},
        port{std::make_unique<gateway_port>(gateway_handle, shared)} {
    shared->submissions = std::make_shared<intake>();
    shared->max_open_calls = options.max_open_calls;
    shared->max_waiting_claims = options.max_waiting_claims;
    shared->max_waiting_polls = options.wakes.max_waiting;
  }

  node_options options;
  node_parts parts;
  configuration config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<port_state> shared;
  gateway_actor gateway_handle;
  std::unique_ptr<gateway_port> port;
  messages::supervisor_actor supervisor_handle;
  std::shared_future<bool> stopped;  // whether all actors ended
  bool started = false;

  bool testing() const { return options.schedule == scheduling::testing; }
  void end_all();
};

node::node(node_options options, node_parts parts)
    : s_{std::make_unique<state>(std::move(options), std::move(parts))} {}

node::~node() {
  if (!s_->testing() && s_->started && !stop(core::span{0})) {
    // The destructor of the actor system would wait for ever for an actor that does not end.
    static_cast<void>(s_.release());
    return;
  }
  s_->end_all();
}

// Kills what is left. Under the test coordinator somebody has to run those last messages, and timers that are
// still set would keep its destructor busy.
void node::state::end_all() {
  shared->passes = gate::closed;
  if (supervisor_handle) caf::anon_send_exit(supervisor_handle, caf::exit_reason::kill);
  caf::anon_send_exit(gateway_handle, caf::exit_reason::kill);
  supervisor_handle = nullptr;
  port.reset();
  gateway_handle = nullptr;
  if (testing()) {
    auto& coordinator = dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
    while (coordinator.try_run_once()) {
    }
    coordinator.clock().cancel_all();
  }
  system.reset();
}

core::result<void> node::start() {
  auto& s = *s_;
  if (s.started) return failure{errc::invalid_transition, "the node was started before", {}, {}};
  if (!s.parts.store || s.parts.clock == nullptr || s.parts.randomness == nullptr ||
      (s.parts.processes == nullptr && !s.options.executor.none))
    return failure{errc::invalid,
                   "a node needs a store, a clock, randomness, and processes unless it has no executors",
                   {},
                   {}};
  if (s.parts.processes == nullptr && !s.options.spawner.types.empty())
    return failure{errc::invalid, "a node that starts workers needs processes", {}, {}};
  const auto& hook = s.options.claim_hook;
  if (hook.on() && (!s.parts.hook_text || !s.parts.hook_verdict ||
                    (hook.command.empty() ? s.parts.hook_calls == nullptr : s.parts.processes == nullptr)))
    return failure{errc::invalid, "a node with a claim hook needs the means to ask it", {}, {}};
  s.started = true;
  s.shared->passes = gate::starting;
  auto ready = std::make_shared<std::promise<core::result<void>>>();
  auto ended = std::make_shared<std::promise<bool>>();
  s.stopped = ended->get_future().share();

  auto needs = std::make_shared<supervisor_deps>();
  needs->options = s.options;
  needs->store = std::move(s.parts.store);
  needs->clock = s.parts.clock;
  needs->randomness = s.parts.randomness;
  needs->processes = s.parts.processes;
  needs->webhooks = s.parts.webhooks;
  needs->wake_text = s.parts.wake_text;
  needs->links = s.parts.links;
  needs->admits = s.parts.admits;
  needs->hook_calls = s.parts.hook_calls;
  needs->hook_text = s.parts.hook_text;
  needs->hook_verdict = s.parts.hook_verdict;
  needs->says = {s.parts.note, s.parts.meter};
  needs->gateway = s.gateway_handle;
  needs->port = s.shared;
  needs->ready = [ready](core::result<void> how) { ready->set_value(std::move(how)); };
  needs->stopped = [ended](core::result<void> how) { ended->set_value(how.ok()); };
  needs->fatal = s.parts.fatal;
  needs->deliver_wakes = s.parts.deliver_wakes;
  needs->spawn_worker = s.parts.spawn_worker;
  if (!s.testing() && s.parts.processes != nullptr && !s.options.mark.empty())
    if (const auto found = platform::kill_marked(s.options.mark, s.options.patience);
        found > 0 && s.parts.note)
      s.parts.note(note_level::warning, "orphans-killed processes=" + std::to_string(found));
  s.supervisor_handle = s.system->spawn<supervisor>(std::move(needs));
  caf::anon_send(s.supervisor_handle, messages::boot_node{});
  if (s.testing()) return core::result<void>{};
  return ready->get_future().get();
}

messages::node_port& node::port() { return *s_->port; }

core::result<void> node::stop(core::span deadline) {
  auto& s = *s_;
  if (!s.started) return core::result<void>{};
  caf::anon_send(s.supervisor_handle, messages::stop_node{deadline});
  if (s.testing()) return core::result<void>{};
  // The drain, the stop of what did not drain, and four waves of actors.
  const auto longest = deadline + 8 * s.options.patience;
  const failure late{errc::timed_out, "the node did not stop in time", {}, {}};
  if (s.stopped.wait_for(longest) != std::future_status::ready) return late;
  if (!s.stopped.get()) return late;
  return core::result<void>{};
}

void node::listens(const std::string& url) {
  caf::anon_send(s_->gateway_handle, gateway_call{[url](gateway& g) {
                   if (g.open_doors().spawner)
                     caf::anon_send(g.open_doors().spawner, messages::address_told{url});
                 }});
}

caf::actor_system& node::system() { return *s_->system; }

}  // namespace belfry::actors
