// Lives of the coordinator and of the members: how they begin, and the ways in which they end.
#include "tests/support/sim_cluster.hpp"

#include <utility>

#include "tests/support/sim_specs.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;

namespace {

constexpr const char* mark_of_home = "simulated";
constexpr std::uint32_t open_questions = 64;
// How long after its deadline a process that was told to stop is waited for.
constexpr core::span patience_to_stop = 15s;

constexpr core::span longest_lease = 40s;
core::span some_lease(dice& luck) {
  return luck.chance(0.7) ? luck.between(3s, 12s) : luck.between(20s, longest_lease);
}

}  // namespace

// ---- the coordinator

actors::node_options sim_cluster::options_for_home() {
  actors::node_options o;
  o.mark = mark_of_home;
  o.schedule = actors::scheduling::testing;
  o.alarms.dead_letter_age = core::span{0};
  o.retention.every = core::span{0};
  o.ladder.minimum_age = core::span{0};  // has a simulation of its own
  o.executor.processes = 1;              // for the work of workspaces, which no member does
  // A restart gives no lease more than that: it has to be as long as any.
  o.clock_grace = longest_lease;
  o.executor.lease = some_lease(luck);
  o.executor.overdue_after = 5s;
  o.board.limits = some_limits(luck);
  o.cluster.node = home_.name();
  o.cluster.name = "simulated";
  o.cluster.version = "1";
  o.cluster.membership = membership_;
  o.cluster.max_open = open_questions;
  return o;
}

bool sim_cluster::begin_home() {
  ++life_;
  dying_ = fatal_ = stopping_ = false;
  wire_->cut = wire_->open = false;
  trace_.line("==", "life " + std::to_string(life_));
  auto opened = disk_.open(home_.clock.now());
  if (!opened) {
    truth.report("open", "the store cannot be opened: " + opened.error().text);
    return false;
  }
  rows_ = (*opened)->open_reader();
  truth.compare(*rows_, home_.clock.now());
  if (life_ > 1) oracle.check(*rows_, false);
  if (truth.broken()) return false;
  processes_.kill_marked(mark_of_home);
  actors::node_parts parts;
  parts.store = std::make_unique<sim_store>(std::move(*opened), wire_);
  parts.clock = &home_.clock;
  parts.randomness = chance_.get();
  parts.processes = &children_;
  parts.links = &network_.party(home_.name());
  parts.note = [this](actors::note_level, const std::string& line) {
    trace_.remark("note hq", line);
    if (line.starts_with("node-not-started") && !dying_) fatal_ = true;
  };
  parts.fatal = [this](const std::string& why) {
    trace_.remark("fatal hq", why);
    if (!dying_) fatal_ = true;
  };
  node_ = std::make_unique<actors::node>(options_for_home(), std::move(parts));
  home_.boot(node_->system());
  if (const auto started = node_->start(); !started)
    truth.report("start", "the coordinator does not start: " + started.error().text);
  return !truth.broken();
}

void sim_cluster::crash_home(const char* why) {
  trace_.line("==", why);
  ++out_.crashes;
  dying_ = true;
  wire_->cut = true;
  network_.crash(home_.name(), luck.chance(0.8));
  processes_.crash_node();
  end_home();
}

void sim_cluster::end_home() {
  home_.halt();
  processes_.freeze(false);
  rows_.reset();
  node_.reset();
  wire_->real.reset();
  // Also a node that dies answers: whoever asked hears that it is not known what became of it.
  if (const auto open = ledger.open(true))
    truth.report("answer", "never answered, not even by the end of the coordinator: " + *open);
  ledger.forget();
  for (auto* g : guests_) g->life_ended(*this);
  claims_.clear();
  truth.crashed();
}

// The orderly end; the next life begins at once.
void sim_cluster::stop_home() {
  trace_.line("==", "the coordinator stops");
  const auto deadline = luck.between(0s, 5s);
  const auto in = life_;
  stopping_ = true;
  if (const auto asked = node_->stop(deadline); !asked)
    truth.report("stop", "the coordinator does not stop: " + asked.error().text);
  live_for(deadline + patience_to_stop);
  stopping_ = false;
  if (truth.broken() || in != life_ || !node_) return;
  check_stopped();
  dying_ = true;
  wire_->cut = true;
  network_.crash(home_.name(), true);
  processes_.crash_node();
  end_home();
  if (!truth.broken()) begin_home();
}

// ---- members

actors::member_options sim_cluster::options_for(member& m) {
  actors::member_options o;
  o.node = m.name();
  o.mark = "mark of " + m.name();
  o.coordinators = {"hq:7700"};
  if (luck.chance(0.5)) o.coordinators.insert(o.coordinators.begin(), "nowhere:1");
  o.labels = {"site=" + m.name()};
  o.version = "1";
  o.membership = membership_;
  o.executor.processes = static_cast<std::uint32_t>(luck.between(1, 3));
  o.executor.lease = some_lease(luck);
  o.executor.overdue_after = 5s;
  o.max_open = open_questions;
  o.patience = luck.between(2s, 10s);
  o.schedule = actors::scheduling::testing;
  return o;
}

void sim_cluster::begin_member(member& m) {
  if (m.node || truth.broken()) return;
  ++m.life;
  trace_.line("==", m.name() + " begins life " + std::to_string(m.life));
  const auto options = options_for(m);
  m.processes.kill_marked(options.mark);
  m.doomed = core::never;
  m.refused = false;
  wire_rules_.began(m.name());
  actors::member_parts parts;
  parts.links = &network_.party(m.name());
  parts.clock = &m.machine.clock;
  parts.randomness = m.chance.get();
  parts.processes = &m.children;
  parts.note = [this, &m](actors::note_level, const std::string& line) {
    trace_.remark("note " + m.name(), line);
  };
  parts.fatal = [this, &m](const core::failure& why) {
    trace_.remark("fatal " + m.name(), why.text);
    m.refused = true;
  };
  parts.doomed_at = [&m](core::instant steady) { m.doomed = steady; };
  m.node = std::make_unique<actors::member_node>(options, std::move(parts));
  m.machine.boot(m.node->system());
  if (const auto started = m.node->start(); !started)
    truth.report("start", m.name() + " does not start: " + started.error().text);
}

// Kill -9. Its guard sees that at once, unless it has been killed with it: then the children live on until
// the next life begins, and nobody may rely on anything.
void sim_cluster::crash_member(member& m, const char* why) {
  const bool guarded = luck.chance(0.8) || calm_;
  trace_.line("==", m.name() + " " + why + (guarded ? "" : ", its guard too"));
  ++out_.member_crashes;
  network_.crash(m.name(), luck.chance(0.7));
  m.processes.crash_node();
  if (guarded) m.processes.kill_marked("mark of " + m.name());
  end_member(m);
}

void sim_cluster::end_member(member& m) {
  m.machine.halt();
  m.processes.freeze(false);
  network_.crash(m.name(), true);
  m.processes.crash_node();
  m.node.reset();
  m.doomed = core::never;
  m.refused = false;
}

void sim_cluster::stop_member(member& m) {
  if (!m.node) return;
  trace_.line("==", m.name() + " stops");
  const auto deadline = luck.between(0s, 5s);
  if (const auto asked = m.node->stop(deadline); !asked)
    truth.report("stop", m.name() + " does not stop: " + asked.error().text);
  if (calm_) return;
  later(deadline + patience_to_stop, [this, &m, in = m.life] {
    if (!m.node || m.life != in) return;
    m.processes.kill_marked("mark of " + m.name());
    end_member(m);
    begin_member(m);
  });
}

// ---- SIGSTOP, and the guard

void sim_cluster::freeze(sim_machine& machine, fake_processes& processes, core::span how_long) {
  ++out_.freezes;
  trace_.line("==", machine.name() + " is frozen");
  machine.frozen = true;
  network_.freeze(machine.name());
  processes.freeze(true);
  later(how_long, [this, &machine, &processes] { thaw(machine, processes); });
}

void sim_cluster::thaw(sim_machine& machine, fake_processes& processes) {
  if (!machine.frozen) return;
  trace_.line("==", machine.name() + " goes on");
  machine.frozen = false;
  network_.thaw(machine.name());
  processes.freeze(false);
}

// Nothing was heard of the member up to the instant that it had named itself.
void sim_cluster::guard(member& m) {
  if (m.children.deaf) {
    m.doomed = core::never;
    return;
  }
  trace_.line("==", "the guard of " + m.name() + " kills its children");
  ++out_.guarded;
  m.doomed = core::never;
  platform::process_report killed = killed_by(9);
  for (const auto& key : m.processes.living()) m.processes.finish(key, killed);
}

}  // namespace belfry::tests
