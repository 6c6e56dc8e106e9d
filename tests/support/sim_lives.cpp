// Lives of the simulated node: how one begins, and the two ways in which it ends.
#include "actors/support/message_types.hpp"
// after the message types
#include "tests/support/sim_world.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/support/sim_specs.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;

namespace {

constexpr const char* mark = "simulated";
constexpr core::span patience_to_stop = 20s;

}  // namespace

actors::node_options sim_world::options_for_node() {
  actors::node_options o;
  o.mark = mark;
  o.schedule = actors::scheduling::testing;
  o.alarms.dead_letter_age = core::span{0};
  o.retention.every = options_.retention ? core::span{3s} : core::span{0};
  o.retention.keep = 10s;
  o.ladder.minimum_age = core::span{0};  // has a simulation of its own
  o.retention.keep_dead = 20s;
  o.retention.keep_per_job = 2;
  o.retention.bite = static_cast<std::uint32_t>(luck.between(1, 5));
  o.commit.answer_before_commit = options_.answer_before_commit;
  if (luck.chance(0.2)) o.commit.max_sets = luck.between(1, 3);
  o.executor.processes = static_cast<std::uint32_t>(luck.between(1, 3));
  o.executor.lease = luck.chance(0.5) ? luck.between(3s, 10s) : core::span{60s};
  o.executor.overdue_after = 5s;
  o.executor.fault = [this](const messages::claimed_run&) {
    if (calm_ || dying_ || !luck.chance(options_.executor_throws)) return;
    ++out_.thrown;
    disturbed_ = clock.steady();
    trace_.line("==", "an executor throws");
    throw std::runtime_error("planted by the simulator");
  };
  o.board.limits = some_limits(luck);
  o.board.ageing_step = luck.chance(0.5) ? core::span{10min} : luck.between(0s, 10s);
  o.board.quantum = static_cast<std::uint32_t>(luck.between(1, 3));
  return o;
}

bool sim_world::begin_life() {
  ++life_;
  ++out_.lives;
  dying_ = false;
  fatal_ = served_ = false;
  disturbed_.reset();
  wire_->cut = false;
  wire_->open = false;
  trace_.line("==", "life " + std::to_string(life_));
  auto opened = disk_.open(clock.now());
  while (!opened && disk_.frozen()) {  // the power went again while the store was opened
    ++out_.crashes;
    disk_.lose_power();
    opened = disk_.open(clock.now());
  }
  if (!opened) {
    truth.report("open", "the store cannot be opened: " + opened.error().text);
    return false;
  }
  auto store = make_faulty(std::move(*opened), options_.bug, options_.seed);
  rows_ = store->open_reader();
  check_rows(*rows_, life_ > 1);
  if (truth.broken()) {
    rows_.reset();
    return false;
  }
  processes_.kill_marked(mark);
  setup_ = options_for_node();
  actors::node_parts parts;
  parts.store = std::make_unique<sim_store>(std::move(store), wire_);
  parts.clock = &clock;
  parts.randomness = chance_.get();
  parts.processes = &processes_;
  parts.note = [this](actors::note_level, const std::string& line) {
    trace_.remark("note", line);
    if (line.starts_with("node-started")) served_ = true;
    // Under the test coordinator nobody waits in start(): a boot that failed is only heard of.
    if (line.starts_with("node-not-started") && !dying_) fatal_ = true;
  };
  parts.fatal = [this](const std::string& why) {
    trace_.line("==", "fatal");
    trace_.remark("fatal", why);
    fatal_ = true;
  };
  node_ = std::make_unique<actors::node>(setup_, std::move(parts));
  coordinator_ = dynamic_cast<caf::scheduler::test_coordinator*>(&node_->system().scheduler());
  if (coordinator_ == nullptr) throw std::logic_error("the node does not run under the test coordinator");
  origin_ = clock.steady();
  caf_origin_ = coordinator_->clock().current_time.time_since_epoch().count();
  if (const auto started = node_->start(); !started)
    truth.report("start", "the node does not start: " + started.error().text);
  watch_journal();
  return true;
}

// Somebody follows the events: told of what is committed and of nothing else, and in the end of everything.
void sim_world::watch_journal() {
  watched_ = 0;
  watch_ = node_->port().watch_events([this, in = life_](messages::watched news) {
    if (in != life_ || cut_off()) return;
    if (news.last_event < watched_)
      truth.report("watch", "a watcher was told of event " + std::to_string(news.last_event) + " after " +
                                std::to_string(watched_));
    watched_ = std::max(watched_, news.last_event);
    if (oracle.strict && watched_ > truth.journal().last())
      truth.report("watch", "a watcher was told of event " + std::to_string(watched_) +
                                " before its commit; the last is " + std::to_string(truth.journal().last()));
  });
}

void sim_world::check_rows(storage::reader& rows, bool rebooted) {
  truth.compare(rows, clock.now(), rebooted && disk_.may_keep_more());
  if (rebooted) oracle.check(rows, false);
}

// The process is gone between two steps. What the dying actor system still does reaches neither the disk nor
// anybody.
void sim_world::crash(const char* why) {
  trace_.line("==", why);
  ++out_.crashes;
  dying_ = true;
  wire_->cut = true;
  disk_.freeze();
  processes_.crash_node();
  end_life();
  disk_.lose_power();
  if (const auto wrong = disk_.damage()) truth.report("damage", *wrong);
  if (!truth.broken()) begin_life();
}

void sim_world::end_life() {
  watch_.reset();
  rows_.reset();
  node_.reset();
  wire_->real.reset();
  coordinator_ = nullptr;
  // Also a node that dies answers: whoever asked hears that it is not known what became of it.
  if (const auto open = ledger.open(true))
    truth.report("answer", "never answered, not even by the end of the node: " + *open);
  ledger.forget();
  for (auto* g : guests_) g->life_ended(*this);
  truth.crashed();
}

// The orderly end: running children may finish, what is left is handed back, and the next life begins.
void sim_world::stop_in_order() {
  trace_.line("==", "stop");
  ++out_.stops;
  const bool was_calm = std::exchange(calm_, true);  // commits do not fail meanwhile
  const auto deadline = luck.between(0s, 5s);
  if (const auto asked = node_->stop(deadline); !asked)
    truth.report("stop", "the node does not stop: " + asked.error().text);
  const auto until = clock.steady() + deadline + patience_to_stop;
  while (!truth.broken() && !fatal_ && !disk_.frozen()) {
    ++out_.steps;
    trace_.at(out_.steps, clock.steady());
    if (!coordinator_->jobs.empty()) {
      deliver();
      continue;
    }
    const auto timer = next_timer();
    const auto child = processes_.next_due();
    const auto at = std::min(timer.value_or(core::end_of_time), child.value_or(core::end_of_time));
    if (at > until) break;
    move_to(at);
    if (timer && *timer == at)
      coordinator_->clock().trigger_timeout();
    else
      processes_.advance(clock.steady());
  }
  calm_ = was_calm;
  if (truth.broken()) return;
  if (disk_.frozen()) return crash("the disk lost its power");
  check_stopped();
  dying_ = true;
  wire_->cut = true;
  processes_.crash_node();
  end_life();
  if (!truth.broken()) begin_life();
}

}  // namespace belfry::tests
