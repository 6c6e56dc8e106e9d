// What must hold when nothing is under way: figures of the node equal the rows [8], nobody who could work is
// idle while there is work for him, whoever waits has a reason [10], and nothing is overdue [4].
#include "tests/support/sim_world.hpp"

#include <algorithm>
#include <utility>

namespace belfry::tests {

using namespace std::chrono_literals;
using core::run_head;
using core::run_state;

namespace {

// How long after a fault the node may still be busy with it: its own pauses before it tries again, and a
// restart.
constexpr core::span recovery = 40s;
// Nobody who waits for an instant of the wall clock sleeps longer than this.
constexpr core::span longest_sleep = 35s;

std::string name_of(const run_head& h) {
  return to_string(h.id) + " \"" + h.name + "\" (" + std::string{to_text(h.state)} + ")";
}

template <class Key>
void drop_nothing(std::map<Key, std::size_t>& counts) {
  for (auto it = counts.begin(); it != counts.end();)
    it = it->second == 0 || it->first == Key{} ? counts.erase(it) : std::next(it);
}

}  // namespace

bool sim_world::undisturbed(core::span since) const {
  return !disturbed_ || clock.steady() - *disturbed_ > since;
}

void sim_world::check_quiet() {
  if (truth.broken() || !node_ || fatal_) return;
  // Shared with the answer, which may come only when the node dies.
  const auto answered = std::make_shared<std::optional<messages::queue_state>>();
  ask<messages::queue_state>("check", "queue", messages::ask_queue{},
                             [answered](core::result<messages::queue_state> answer) {
                               if (answer) *answered = std::move(*answer);
                             });
  drain();
  const auto& told = *answered;
  if (truth.broken() || fatal_ || disk_.frozen() || !told || !told->ready || truth.shadow().open()) return;
  ++out_.quiet_checks;
  if (watched_ != truth.journal().last() && !truth.broken())
    return truth.report("watch", "a watcher was told of " + std::to_string(watched_) + " events, there are " +
                                     std::to_string(truth.journal().last()));
  check_queue(*told);
  if (!truth.broken() && undisturbed(recovery)) check_idle_hands(*told);
  if (!truth.broken() && undisturbed(recovery)) check_delays();
  if (!truth.broken()) check_explanations();
}

// [8] What the dispatcher counts is what the rows say.
void sim_world::check_queue(const messages::queue_state& told) {
  std::size_t queued = 0, live = 0;
  std::array<std::size_t, core::priority_count> by_priority{};
  std::map<std::string, std::size_t> by_lane, by_type;
  for (const auto& [id, run] : truth.shadow().runs.all()) {
    const auto& h = run.head;
    if (h.state == run_state::queued) ++queued, ++by_priority.at(static_cast<std::size_t>(h.prio));
    if (!leased(h.state)) continue;
    ++live;
    ++by_lane[h.lane];
    const auto* holder = truth.shadow().sessions.find(h.held.holder);
    if (holder != nullptr) ++by_type[holder->agent_type];
  }
  const auto& c = told.counts;
  if (c.reserved != 0)
    return truth.report("counts",
                        std::to_string(c.reserved) + " runs are reserved, and nothing is under way");
  if (c.ready != queued)
    return truth.report("counts", "the board has " + std::to_string(c.ready) + " runs in line, " +
                                      std::to_string(queued) + " are queued");
  if (c.ready_by_priority != by_priority)
    return truth.report("counts", "the board counts its runs by priority wrongly");
  if (c.live != live)
    return truth.report("counts", "the board knows of " + std::to_string(c.live) +
                                      " live leases, there are " + std::to_string(live));
  auto lanes = told.live_by_lane;
  auto types = told.live_by_agent_type;
  drop_nothing(lanes), drop_nothing(by_lane), drop_nothing(types), drop_nothing(by_type);
  if (lanes != by_lane) return truth.report("counts", "live leases by lane are counted wrongly");
  if (types != by_type) return truth.report("counts", "live leases by agent type are counted wrongly");
  if (const auto* limits = truth.shadow().limits.find(0); limits != nullptr && *limits != told.limits)
    return truth.report("counts", "other limits are in force than are stored");
  std::vector<core::pause> paused;
  for (const auto& [on, entries] : truth.shadow().pauses.all())
    for (const auto& e : entries)
      if (stands(e, clock.now())) paused.push_back({on, e});
  if (paused != told.pauses) truth.report("counts", "other pauses are in force than are stored");
}

// Whoever waits for work and may take a run that no limit holds would have been given it.
void sim_world::check_idle_hands(const messages::queue_state& told) {
  const auto& l = told.limits;
  std::size_t live = 0;
  std::map<std::string, std::size_t> by_lane, by_type, by_key;
  std::map<core::batch_id, std::size_t> by_batch;
  std::map<core::job_id, std::size_t> by_job;
  std::map<core::session_id, std::size_t> by_holder;
  for (const auto& [id, run] : truth.shadow().runs.all()) {
    const auto& h = run.head;
    if (!leased(h.state)) continue;
    const auto* holder = truth.shadow().sessions.find(h.held.holder);
    ++live, ++by_lane[h.lane], ++by_key[h.concurrency_key], ++by_batch[h.batch], ++by_job[h.job],
        ++by_holder[h.held.holder];
    if (holder != nullptr && !holder->local) ++by_type[holder->agent_type];
  }
  // An executor whose lease was lost has its hands full until the child is gone.
  for (const auto& [key, fate] : fates_) {
    const auto* row = processes_.is_running(key) ? truth.committed_run(fate.run) : nullptr;
    if (row == nullptr) continue;
    for (const auto& a : row->attempts)
      if (a.fencing == fate.fencing) ++by_holder[a.holder];
  }
  const auto below = [](std::size_t n, std::uint32_t limit) { return limit == 0 || n < limit; };
  struct hand {
    const core::session* who;
    core::priority at_least;
  };
  std::vector<hand> hands;
  for (const auto& [id, s] : truth.shadow().sessions.all())
    if (s.local && s.state == core::session_state::active && by_holder[id] == 0)
      hands.push_back({&s, core::priority::low});
  for (const auto& w : workers_)
    if (w->waiting())
      if (const auto* s = truth.shadow().sessions.find(w->waiting()->who);
          s != nullptr && s->state == core::session_state::active && by_holder[s->id] < s->slots)
        hands.push_back({s, w->waiting()->at_least});
  for (const auto& [id, run] : truth.shadow().runs.all()) {
    const auto& h = run.head;
    if (h.state != run_state::queued || !below(live, l.global) ||
        (!h.lane.empty() && !below(by_lane[h.lane], l.per_lane)) ||
        (h.batch && !below(by_batch[h.batch], l.per_batch)) ||
        (!h.concurrency_key.empty() && by_key[h.concurrency_key] >= h.concurrency_limit) ||
        (h.job && by_job[h.job] != 0) || truth.shadow().paused(h, nullptr, clock.now()))
      continue;
    for (const auto& [who, at_least] : hands) {
      if (h.prio > at_least || (!who->local && !below(by_type[who->agent_type], l.per_agent_type))) continue;
      if (!core::may_take(*who, h.needs, run.handler) || truth.shadow().paused(h, who, clock.now())) continue;
      const auto said = std::make_shared<std::string>();
      ask<messages::explanation>("check", "explain", messages::explain_run{h},
                                 [said](core::result<messages::explanation> answer) {
                                   if (answer)
                                     for (const auto& r : answer->reasons)
                                       *said += " [" + r.code + "] " + r.text;
                                 });
      const auto text = to_string(who->id) + " " + who->name + " waits for work, and nothing keeps it from " +
                        name_of(h) + "; the node says:";
      drain();
      return truth.report("idle", text + *said);
    }
  }
}

// [10] The node says of each queued run what keeps it.
void sim_world::check_explanations() {
  struct question {
    run_head head;
    std::optional<messages::explanation> answer;
  };
  std::vector<std::shared_ptr<question>> told;
  for (const auto& [id, run] : truth.shadow().runs.all())
    if (run.head.state == run_state::queued && told.size() < 6)
      told.push_back(std::make_shared<question>(question{run.head, std::nullopt}));
  for (const auto& q : told)
    ask<messages::explanation>("check", "explain", messages::explain_run{q->head},
                               [q](core::result<messages::explanation> said) {
                                 if (said) q->answer = std::move(*said);
                               });
  drain();
  for (const auto& q : told) {
    const auto& [head, answer] = *q;
    if (truth.broken() || fatal_) return;
    if (!answer) return truth.report("reason", "no answer to why this one waits: " + name_of(head));
    const auto nobody_says =
        answer->reasons.empty() || std::any_of(answer->reasons.begin(), answer->reasons.end(),
                                               [](const auto& r) { return r.code.empty(); });
    if (nobody_says) return truth.report("reason", "nobody says why this one waits: " + name_of(head));
    if (std::any_of(answer->reasons.begin(), answer->reasons.end(),
                    [](const auto& r) { return r.code == "being_claimed"; }))
      return truth.report("reason", "it is said to be under way, and nothing is: " + name_of(head));
  }
}

// [4] What time should have done is done: delays over, leases taken back, deadlines enforced.
void sim_world::check_delays() {
  const bool walked = !jumped_ || clock.steady() - *jumped_ > setup_.clock_grace + longest_sleep;
  const auto now = clock.now();
  const auto slack = walked ? core::span{2s} : longest_sleep + setup_.clock_grace;
  for (const auto& [id, run] : truth.shadow().runs.all()) {
    const auto& h = run.head;
    const bool waits =
        h.state == run_state::scheduled || h.state == run_state::retrying || h.state == run_state::parked;
    if (waits && walked && h.due_at + slack < now)
      return truth.report(
          "late", "due for more than " + std::to_string(core::millis(now - h.due_at)) + " ms: " + name_of(h));
    if (!leased(h.state) || !walked) continue;
    if (h.held.expires_at + slack < now)
      return truth.report("late", "its lease ended " + std::to_string(core::millis(now - h.held.expires_at)) +
                                      " ms ago: " + name_of(h));
    const auto enforced = run.spec->grace + setup_.executor.overdue_after + slack;
    if (h.held.deadline_at != core::never && h.held.deadline_at + enforced < now)
      return truth.report("late", "its deadline was " +
                                      std::to_string(core::millis(now - h.held.deadline_at)) +
                                      " ms ago: " + name_of(h));
  }
}

// After an orderly stop nothing of the node's own runs, and nothing was lost by it.
void sim_world::check_stopped() {
  if (processes_.running() != 0)
    return truth.report("stop",
                        "the node has stopped, and children of it still run: " + processes_.living().front());
  if (!served_) return;  // it was told to stop before it had taken over from the life before
  if (jumped_) return;   // a lease that ran out by a jump, and got grace by the next one, may be nobody's
  for (const auto& [id, run] : truth.shadow().runs.all()) {
    const auto& h = run.head;
    // With an expired lease an executor cannot hand anything back; the run waits for the sweeper of the next
    // life.
    if (!leased(h.state) || h.held.expires_at <= clock.now()) continue;
    const auto* holder = truth.shadow().sessions.find(h.held.holder);
    if (holder != nullptr && holder->local && holder->state == core::session_state::active)
      return truth.report("stop", "the node has stopped, and an executor of it still holds " + name_of(h));
  }
}

// What a child wrote before it ended by itself is kept with its attempt.
void sim_world::check_output() {
  if (out_.failed_commits != 0) return;  // then output is what is given up first
  truth.compare(*rows_, clock.now());    // what retention has removed is known after that
  if (truth.broken()) return;
  for (const auto& [key, fate] : fates_) {
    const auto* run = truth.shadow().runs.find(fate.run);
    if (run == nullptr || fate.output.empty()) continue;
    for (const auto& a : run->attempts) {
      if (a.fencing != fate.fencing || !a.exit_code || !a.stopped_with.empty()) continue;
      const auto page = rows_->logs(fate.run, a.number, 0, 100, 0);
      std::vector<std::string> lines;
      if (page)
        for (const auto& line : page->lines)
          if (line.stream != core::log_stream::node) lines.push_back(line.text);
      if (lines != fate.output)
        return truth.report("output", std::to_string(lines.size()) + " of " +
                                          std::to_string(fate.output.size()) + " lines are kept of " + key);
    }
  }
}

}  // namespace belfry::tests
