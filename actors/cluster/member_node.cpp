#include "actors/support/message_types.hpp"
// after the message types
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "actors/cluster/member.hpp"
#include "actors/cluster/member_desk.hpp"

namespace belfry::actors {

using core::errc;
using core::failure;

namespace {

constexpr core::span orphans_patience = std::chrono::seconds{5};

// What zero stands for. A member's actors do little: they pass on questions and start processes. A second
// thread for them costs more in waking each other than it does (docs/decisions/0066).
constexpr std::uint32_t cores_per_thread = 4;

member_options settled_options(member_options o) {
  const auto cores =
      std::max(1u, std::thread::hardware_concurrency());  // tidy-allow(thread): asks for a number
  if (o.threads == 0) o.threads = std::max(1u, cores / cores_per_thread);
  if (o.executor.processes == 0) o.executor.processes = std::clamp<std::uint32_t>(4 * cores, 4, 32);
  return o;
}

struct member_configuration : caf::actor_system_config {
  explicit member_configuration(const member_options& o) {
    if (o.schedule == scheduling::testing) {
      set("scheduler.policy", caf::atom("testing"));
      return;
    }
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", static_cast<std::size_t>(o.threads));
    set("scheduler.max-throughput", static_cast<std::size_t>(100));
  }
};

std::vector<core::field_problem> problems_of(const member_options& o) {
  auto found = core::check_node_name(o.node, "/node");
  for (auto& p : core::check(o.membership, "/membership")) found.push_back(std::move(p));
  if (o.coordinators.empty())
    found.push_back({"/coordinators", "", "HOST:PORT", "a member needs at least one coordinator"});
  if (o.mark.empty()) found.push_back({"/mark", "", "a text of its own", "orphans could not be recognised"});
  return found;
}

}  // namespace

struct member_node::state {
  state(member_options o, member_parts p)
      : options{settled_options(std::move(o))},
        parts{std::move(p)},
        config{options},
        system{std::make_unique<caf::actor_system>(config)},
        board{std::make_shared<member_board>()} {
    member_status known;
    known.node = options.node;
    board->show(std::move(known));
  }

  member_options options;
  member_parts parts;
  member_configuration config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<member_board> board;
  member_desk_actor desk;
  std::shared_future<void> left;
  bool started = false;

  bool testing() const { return options.schedule == scheduling::testing; }
  void end_all();
};

member_node::member_node(member_options options, member_parts parts)
    : s_{std::make_unique<state>(std::move(options), std::move(parts))} {}

member_node::~member_node() {
  if (!s_->testing() && s_->started && !stop(core::span{0})) {
    // The destructor of the actor system would wait for ever for an actor that does not end.
    s_->parts.links->silence();
    static_cast<void>(s_.release());
    return;
  }
  s_->end_all();
}

// Kills what is left. Under the test coordinator somebody has to run those last messages, and timers that are
// still set would keep its destructor busy.
void member_node::state::end_all() {
  if (started) parts.links->silence();
  if (desk) caf::anon_send_exit(desk, caf::exit_reason::kill);
  desk = nullptr;
  if (testing()) {
    auto& coordinator = dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
    while (coordinator.try_run_once()) {
    }
    coordinator.clock().cancel_all();
  }
  system.reset();
}

core::result<void> member_node::start() {
  auto& s = *s_;
  if (s.started) return failure{errc::invalid_transition, "the member was started before", {}, {}};
  if (s.parts.links == nullptr || s.parts.clock == nullptr || s.parts.randomness == nullptr ||
      s.parts.processes == nullptr)
    return failure{errc::invalid, "a member needs links, a clock, randomness and processes", {}, {}};
  if (auto found = problems_of(s.options); !found.empty())
    return failure{errc::invalid, "a member cannot be started like this", std::move(found), {}};
  s.started = true;
  // Before hello: a boot of ours that is new says that everything of the one before is dead.
  if (!s.testing())
    if (const auto found = platform::kill_marked(s.options.mark, orphans_patience); found > 0 && s.parts.note)
      s.parts.note(note_level::warning, "orphans-killed processes=" + std::to_string(found));
  const auto high = s.parts.randomness->bits();
  const auto boot = core::boot_uuid(high, s.parts.randomness->bits());
  auto known = s.board->read();
  known.boot = boot;
  known.since = s.parts.clock->now();
  s.board->show(std::move(known));
  auto ended = std::make_shared<std::promise<void>>();
  s.left = ended->get_future().share();

  member_desk_deps deps;
  deps.options = s.options;
  deps.wire = s.parts.links;
  deps.clock = s.parts.clock;
  deps.randomness = s.parts.randomness;
  deps.processes = s.parts.processes;
  deps.says = {s.parts.note, s.parts.meter};
  deps.boot = boot;
  deps.board = s.board;
  deps.fatal = s.parts.fatal;
  deps.doomed_at = s.parts.doomed_at;
  deps.left = [ended] { ended->set_value(); };
  auto mailbox = std::make_shared<caf::weak_actor_ptr>();
  const auto tell = [mailbox](auto news) {
    if (const auto to = caf::actor_cast<member_desk_actor>(*mailbox))
      caf::anon_send(to, member_link_news{std::move(news)});
  };
  link_listener to;
  to.up = [tell](link_id id, std::string node, std::string address) {
    tell(member_link_up{id, std::move(node), std::move(address)});
  };
  to.came = [tell](link_id id, envelope e) { tell(member_link_said{id, std::move(e)}); };
  to.down = [tell](link_id id, std::string why) { tell(member_link_down{id, std::move(why)}); };
  // Nothing is dialled before the actor runs, so the links are silent until the mailbox is known.
  s.parts.links->listen(std::move(to));
  s.desk = s.system->spawn<member_desk, caf::lazy_init>(std::move(deps));
  *mailbox = caf::actor_cast<caf::weak_actor_ptr>(s.desk);
  caf::anon_send(s.desk, messages::alarm_rang{});
  return core::result<void>{};
}

core::result<void> member_node::stop(core::span deadline) {
  auto& s = *s_;
  if (!s.started) return core::result<void>{};
  caf::anon_send(s.desk, leave_cluster{deadline});
  if (s.testing()) return core::result<void>{};
  // The drain, the stop of what did not drain, and the last words.
  const auto longest = deadline + 8 * std::chrono::seconds{5};
  if (s.left.wait_for(longest) != std::future_status::ready)
    return failure{errc::timed_out, "the member did not stop in time", {}, {}};
  return core::result<void>{};
}

member_status member_node::status() const { return s_->board->read(); }

caf::actor_system& member_node::system() { return *s_->system; }

}  // namespace belfry::actors
