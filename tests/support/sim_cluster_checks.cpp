// What must hold in a cluster, beside what sim_invariants and sim_oracle say of the store.
#include "tests/support/sim_cluster.hpp"

#include <algorithm>
#include <utility>

#include "tests/support/sim_specs.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;
using core::event_kind;

namespace {

// In calm, how long a lease may be without its child, or a child without its lease: a question that was lost
// is asked again after at most ten seconds, a child takes up to three to be killed, and what nobody asks for
// any more runs out.
constexpr core::span longest_disagreement = 60s;

const core::attempt_record* record_of(const shadow_run& run, std::uint64_t fencing) {
  for (const auto& a : run.attempts)
    if (a.fencing == fencing) return &a;
  return nullptr;
}

}  // namespace

// ---- what the store does

void sim_cluster::applied(const storage::change_set& set, const core::result<storage::receipt>& answer) {
  truth.applied(set, answer);
  if (!answer) return;
  for (const auto& change : set.changes) {
    const auto* step = std::get_if<storage::step_run>(&change);
    const auto* taken = step != nullptr ? std::get_if<core::cmd_claim>(&step->command) : nullptr;
    const auto* row = taken != nullptr ? truth.shadow().runs.find(step->id) : nullptr;
    if (row != nullptr) claims_.push_back({step->id, row->head.fencing, taken->holder});
  }
}

void sim_cluster::committed(const std::vector<core::event>& events) {
  truth.committed(events);
  for (const auto& c : std::exchange(claims_, {})) check_claim(c);
  check_successes(events);
  if (options_.fault != cluster_fault::gives_away_lost) return;
  for (const auto& e : events)
    if (e.kind == event_kind::node_lost) later(core::span{0}, [this, name = e.text] { give_away(name); });
}

// A planted fault: what a lost node holds is lost at once.
void sim_cluster::give_away(const std::string& node) {
  if (!node_ || home_.frozen) return;
  for (const auto& [id, s] : truth.shadow().sessions.all())
    if (s.state != core::session_state::gone && node_of(id) == node.substr(0, node.find(':')))
      ask<messages::session_answer>("planted", "end " + s.name,
                                    messages::end_session{id, "its node is lost", true, "planted"},
                                    [](const core::result<messages::session_answer>&) {});
}

void sim_cluster::lost() {
  claims_.clear();
  truth.lost();
}

std::string sim_cluster::node_of(core::session_id holder) const {
  const auto* s = truth.shadow().sessions.find(holder);
  if (s == nullptr || s->local) return {};
  const auto slash = s->name.find('/');
  const auto name = slash == std::string::npos ? std::string{} : s->name.substr(0, slash);
  return book_.contains(name) ? name : std::string{};
}

bool sim_cluster::lives(const cluster_child& c) const {
  if (c.node == home_.name()) return processes_.is_running(c.key);
  for (const auto& m : members_)
    if (m->name() == c.node) return m->processes.is_running(c.key);
  return false;
}

// At this true instant the coordinator has handed out a run: whoever worked on it before is dead by now.
void sim_cluster::check_claim(const claim& c) {
  if (std::exchange(handed_out_[c.run], c.fencing) >= c.fencing) return;
  const auto node = node_of(c.holder);
  if (!node.empty()) {
    ++out_.at_members;
    const auto& word = book_.at(node);
    if ((word.drained || word.removed) && home_.clock.steady() > word.since)
      truth.report("drain", to_string(c.run) + " is given to " + node + ", which was " +
                                (word.removed ? "removed" : "drained"));
  }
  const auto* row = truth.shadow().runs.find(c.run);
  for (const auto* child : log_.of(c.run)) {
    if (child->fencing >= c.fencing || child->node == home_.name() || !lives(*child)) continue;
    // An operator's force is his own risk: it does not wait for the process.
    const auto* record = row != nullptr ? record_of(*row, child->fencing) : nullptr;
    if (record != nullptr && record->stopped_with == "operator") continue;
    truth.report("fence", to_string(c.run) + " is handed out with fencing number " +
                              std::to_string(c.fencing) + " while its child of " +
                              std::to_string(child->fencing) + " lives on " + child->node);
  }
}

// A success is what the child of that attempt did, and of no other.
void sim_cluster::check_successes(const std::vector<core::event>& events) {
  for (const auto& e : events) {
    if (e.kind != event_kind::run_succeeded) continue;
    const auto* row = truth.shadow().runs.find(e.run);
    if (row == nullptr || row->handler != core::handler_kind::process || row->attempts.empty()) continue;
    const auto fencing = row->attempts.back().fencing;
    const auto* child = log_.find(e.run, fencing);
    if (child == nullptr || !child->ended || child->ended->exit_code != 0)
      truth.report("success", to_string(e.run) + " is said to have succeeded with fencing number " +
                                  std::to_string(fencing) + ", and no child of it has");
  }
}

// A child begins: it is the one of a committed claim, on the node of its holder, and the only one.
void sim_cluster::check_child(const cluster_child& c) {
  trace_.line(c.node, "starts " + c.key);
  if (!c.run || c.fencing == 0 || c.mark.empty())
    return truth.report("process", "a child was started without its run, its fencing number or its mark");
  oracle.process_started(c.run, c.fencing);
  const auto* row = truth.committed_run(c.run);
  if (row == nullptr) return;
  if (row->handler != core::handler_kind::process)
    truth.report("eligible", "a child was started for a run of outside sessions: " + to_string(c.run));
  if (row->head.fencing == c.fencing && leased(row->head.state)) {
    const auto node = node_of(row->head.held.holder);
    if ((node.empty() ? home_.name() : node) != c.node)
      truth.report("process", c.key + " is held by " + node + " and started on " + c.node);
  }
}

child_plan sim_cluster::plan_of(const platform::process_order& order) {
  auto plan = a_plan(luck, order, calm_);
  // Long enough to outlive a lease.
  if (!calm_ && plan.after && !plan.report.end.spawn_failed && luck.chance(0.4))
    plan.after = luck.between(5s, 40s);
  return plan;
}

// ---- calm

// Who holds what: both sides say the same, but for what is under way.
void sim_cluster::check_agreement() {
  if (!node_) return;
  ++out_.agreements;
  std::map<std::string, core::instant> still;
  const auto differs = [&](const std::string& what) {
    const auto known = disagreed_.find(what);
    const auto since = known == disagreed_.end() ? now_ : known->second;
    still[what] = since;
    // A lease lasts longer by as much as the wall clock of the store is set back.
    if (now_ - since > longest_disagreement + set_back_)
      truth.report("agree", "for " + std::to_string(core::millis(now_ - since)) + " ms of calm " + what);
  };
  for (const auto& [id, run] : truth.shadow().runs.all()) {
    const auto& h = run.head;
    if (!leased(h.state)) continue;
    const auto node = node_of(h.held.holder);
    if (node.empty()) continue;
    const auto* child = log_.find(id, h.fencing);
    if (child == nullptr || !lives(*child))
      differs(to_string(id) + " is leased to " + node + " with fencing number " + std::to_string(h.fencing) +
              ", and has no child there");
  }
  for (const auto& m : members_)
    for (const auto& key : m->processes.living()) {
      const auto slash = key.find('/');
      const auto id = core::parse_id<core::run_id>(key.substr(0, slash));
      const auto* row = id ? truth.shadow().runs.find(*id) : nullptr;
      if (row == nullptr || !leased(row->head.state) ||
          key != to_string(*id) + "/" + std::to_string(row->head.fencing))
        differs(key + " lives on " + m->name() + " without a lease");
    }
  disagreed_ = std::move(still);
}

// In the end every node is as it should be, and holds nothing.
void sim_cluster::check_nodes(core::node_state expected) {
  if (truth.broken() || !node_) return;
  const auto told = std::make_shared<std::optional<core::result<messages::nodes_seen>>>();
  ask<messages::nodes_seen>("check", "nodes", messages::look_at_nodes{},
                            [told](core::result<messages::nodes_seen> answer) { *told = std::move(answer); });
  drain();
  if (truth.broken()) return;
  if (!*told || !**told) return truth.report("nodes", "no answer to who is in the cluster");
  std::map<std::string, messages::node_view> seen;
  for (const auto& v : (*told)->value().nodes) seen[v.node.name] = v;
  if (!seen.contains(home_.name())) truth.report("nodes", "the coordinator is not among its nodes");
  for (const auto& m : members_) {
    const auto it = seen.find(m->name());
    if (it == seen.end()) return truth.report("nodes", m->name() + " is not known");
    const auto& v = it->second;
    if (v.node.state != expected)
      truth.report("nodes", m->name() + " is " + std::string{to_text(v.node.state)} + " and should be " +
                                std::string{to_text(expected)});
    if (v.leases != 0)
      truth.report("nodes",
                   m->name() + " is said to hold " + std::to_string(v.leases) + " leases, nothing is open");
    if (m->node && expected == core::node_state::up && m->node->status().draining != v.node.draining)
      truth.report("nodes", m->name() + (v.node.draining ? " does not know that it is drained"
                                                         : " believes that it is drained, and is not"));
    if (v.node.draining != book_.at(m->name()).drained || v.node.removed)
      truth.report("nodes", m->name() +
                                (v.node.removed    ? " is removed"
                                 : v.node.draining ? " is drained"
                                                   : " is not drained") +
                                ", and the operator was told otherwise");
  }
}

void sim_cluster::check_stopped() {
  if (processes_.running() != 0)
    truth.report("stop",
                 "the coordinator has stopped, and children of it still run: " + processes_.living().front());
}

}  // namespace belfry::tests
