// The rows against the shadow: every run, attempt, job and session, and every figure that summarises them.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "tests/support/sim_invariants.hpp"

namespace belfry::tests {

using core::run_state;
using state_counts = std::array<std::int64_t, core::run_state_count>;

namespace {

std::string text_of(const core::run_head& h) {
  return to_string(h.id) + " " + std::string{to_text(h.state)} + " fencing=" + std::to_string(h.fencing) +
         " attempt=" + std::to_string(h.attempt) + " due=" + std::to_string(core::micros(h.due_at)) +
         " lease=" + std::to_string(core::micros(h.held.expires_at)) +
         " prio=" + std::string{to_text(h.prio)} + " progress=" + std::to_string(h.progress) +
         " successor=" + std::to_string(h.successor.value) + " \"" + h.reason + "\"";
}

std::string text_of(const core::attempt_record& a) {
  return "attempt " + std::to_string(a.number) + " fencing=" + std::to_string(a.fencing) + " " +
         std::string{to_text(a.outcome)} + " \"" + a.message + "\"";
}

bool same(const core::job& a, const core::job& b) {
  const bool definitions =
      a.definition && b.definition ? *a.definition == *b.definition : a.definition == b.definition;
  return a.id == b.id && a.revision == b.revision && a.spec == b.spec && a.state == b.state &&
         a.pauses == b.pauses && a.triggered == b.triggered && a.created_at == b.created_at &&
         a.updated_at == b.updated_at && definitions;
}

bool same(const core::session& a, const core::session& b) {
  return a.id == b.id && a.name == b.name && a.agent_type == b.agent_type && a.workspace == b.workspace &&
         a.channel == b.channel && a.capabilities == b.capabilities && a.handlers == b.handlers &&
         a.slots == b.slots && a.state == b.state && a.local == b.local;
}

state_counts counted(const kept_map<core::run_id, shadow_run>& runs) {
  state_counts n{};
  for (const auto& [id, run] : runs.all()) ++n.at(static_cast<std::size_t>(run.head.state));
  return n;
}

std::string differs(const std::string& what, const state_counts& said, const state_counts& true_ones) {
  for (std::size_t i = 0; i < said.size(); ++i)
    if (said[i] != true_ones[i])
      return what + " says " + std::to_string(said[i]) + " runs are " +
             std::string{to_text(static_cast<run_state>(i))} + ", there are " + std::to_string(true_ones[i]);
  return {};
}

}  // namespace

void sim_invariants::compare(storage::reader& rows, core::instant now, bool reboot) {
  if (broken_) return;
  ++comparisons_;
  const auto facts = rows.facts();
  if (!facts) return report("rows", "the store does not tell its facts: " + facts.error().text);
  if (reboot && undecided_ && facts->last_event > journal_.last()) {
    // The power went in the middle of a commit, and all of it had reached the disk.
    auto page = rows.events_after(journal_.last(), 500, {});
    if (!page) return report("rows", "the store does not tell its events: " + page.error().text);
    shadow_.was_kept();
    committed(page->events);
  }
  if (facts->last_event < journal_.last())
    return report("lost", "the store ends at event " + std::to_string(facts->last_event) + ", but " +
                              std::to_string(journal_.last()) + " was committed");
  if (facts->last_event > journal_.last())
    return report("rows", "the store ends at event " + std::to_string(facts->last_event) + ", but only " +
                              std::to_string(journal_.last()) + " were told");
  auto wrong = mismatch(rows, now);
  if (!wrong.empty() && reboot && undecided_) {  // the same with a transaction that wrote no event
    shadow_.was_kept();
    wrong = mismatch(rows, now);
  }
  if (!wrong.empty()) return report("rows", wrong);
  if (reboot) {
    undecided_ = false;
    shadow_.commit();
  }
  check_reasons(now);
}

std::string sim_invariants::mismatch(storage::reader& rows, core::instant now) {
  (void)now;
  for (const auto part : {&sim_invariants::run_mismatch, &sim_invariants::attempts_mismatch,
                          &sim_invariants::other_mismatch, &sim_invariants::count_mismatch})
    if (auto wrong = (this->*part)(rows); !wrong.empty()) return wrong;
  return {};
}

std::string sim_invariants::run_mismatch(storage::reader& rows) {
  std::map<core::run_id, core::run_head> there;
  core::page_request page{500, 0, core::run_sort::oldest};
  do {
    const auto got = rows.list_runs({}, page);
    if (!got) return "the runs cannot be listed: " + got.error().text;
    for (const auto& run : got->runs)
      if (!there.emplace(run.head.id, run.head).second) return "listed twice: " + to_string(run.head.id);
    page.after = got->next;
  } while (page.after != 0);
  std::vector<core::run_id> gone;
  for (const auto& [id, run] : shadow_.runs.all()) {
    const auto it = there.find(id);
    if (it == there.end()) {
      if (!pruned_ || !terminal(run.head.state)) return "a committed run is not there: " + text_of(run.head);
      gone.push_back(id);
    } else if (it->second != run.head) {
      return "the row is      " + text_of(it->second) + "\n  it should be    " + text_of(run.head);
    }
  }
  for (const auto id : gone) {
    gone_[id] = shadow_.runs.find(id)->head;
    shadow_.runs.erase(id);
  }
  if (!gone.empty() && !undecided_) shadow_.commit();
  if (there.size() != shadow_.runs.all().size())
    return std::to_string(there.size()) + " rows, " + std::to_string(shadow_.runs.all().size()) +
           " were made";
  return {};
}

std::string sim_invariants::attempts_mismatch(storage::reader& rows) {
  for (const auto& [id, run] : shadow_.runs.all()) {
    const auto there = rows.attempts_of(id);
    if (!there) return "the attempts of " + to_string(id) + " cannot be read: " + there.error().text;
    if (*there == run.attempts) continue;
    for (std::size_t i = 0; i < std::min(there->size(), run.attempts.size()); ++i)
      if ((*there)[i] != run.attempts[i])
        return to_string(id) + " has " + text_of((*there)[i]) + ", it was " + text_of(run.attempts[i]);
    return to_string(id) + " has " + std::to_string(there->size()) + " attempt records, there were " +
           std::to_string(run.attempts.size());
  }
  return {};
}

std::string sim_invariants::other_mismatch(storage::reader& rows) {
  for (const auto& [id, job] : shadow_.jobs.all()) {
    const auto there = rows.find_job(id);
    if (!there) return "a committed job is not there: " + to_string(id) + ", " + there.error().text;
    if (!same(*there, job))
      return "job " + to_string(id) + " is at revision " + std::to_string(there->revision) + ", triggered " +
             std::to_string(there->triggered) + "; it should be at " + std::to_string(job.revision) + ", " +
             std::to_string(job.triggered);
  }
  const auto sessions = rows.list_sessions(true);
  if (!sessions) return "the sessions cannot be listed: " + sessions.error().text;
  std::map<core::session_id, const core::session*> there;
  for (const auto& s : *sessions) there[s.id] = &s;
  for (const auto& [id, session] : shadow_.sessions.all()) {
    const auto it = there.find(id);
    if (it == there.end()) {
      if (!pruned_) return "a committed session is not there: " + to_string(id);
    } else if (!same(*it->second, session)) {
      return "session " + to_string(id) + " is " + std::string{to_text(it->second->state)} +
             ", it should be " + std::string{to_text(session.state)};
    }
  }
  return {};
}

std::string sim_invariants::count_mismatch(storage::reader& rows) {
  const auto counts = counted(shadow_.runs);
  const auto facts = rows.facts();
  if (!facts) return "the store does not tell its facts: " + facts.error().text;
  if (auto wrong = differs("status", facts->runs_by_state, counts); !wrong.empty()) return wrong;
  for (const auto& [name, n] : facts->totals) {
    const auto kind = core::event_kind_from(name);
    if (!kind) return "a total of an unknown kind: " + name;
    if (n != journal_.total(*kind))
      return "the total of " + name + " is " + std::to_string(n) + ", the journal tells of " +
             std::to_string(journal_.total(*kind));
  }
  for (const auto kind : core::all_event_kinds()) {
    const auto it = std::find_if(facts->totals.begin(), facts->totals.end(),
                                 [&](const auto& t) { return t.first == to_text(kind); });
    if (it == facts->totals.end() && journal_.total(kind) != 0)
      return "there is no total of " + std::string{to_text(kind)};
  }
  const auto statistics = rows.statistics({});
  if (!statistics) return "there are no statistics: " + statistics.error().text;
  if (auto wrong = differs("statistics", statistics->by_state, counts); !wrong.empty()) return wrong;

  std::map<core::batch_id, state_counts> batches;
  std::array<std::int64_t, core::priority_count> waiting{};
  for (const auto& [id, run] : shadow_.runs.all()) {
    if (run.head.batch) ++batches[run.head.batch].at(static_cast<std::size_t>(run.head.state));
    if (run.head.state == run_state::queued) ++waiting.at(static_cast<std::size_t>(run.head.prio));
  }
  if (waiting != statistics->queued_by_priority)
    return "statistics count the queued runs by priority wrongly";
  for (const auto& [id, by_state] : batches) {
    const auto batch = rows.find_batch(id);
    if (!batch) return "a committed batch is not there: " + to_string(id) + ", " + batch.error().text;
    if (auto wrong = differs("batch " + to_string(id), batch->by_state, by_state); !wrong.empty())
      return wrong;
  }
  return {};
}

// [10] Nobody waits silently: here for all but queued runs, whose reasons only the node can tell.
void sim_invariants::check_reasons(core::instant now) {
  for (const auto& [id, run] : shadow_.runs.all()) {
    const auto& h = run.head;
    if (terminal(h.state) || h.state == run_state::queued) continue;
    const auto why = core::wait_reason_of(h, now);
    if (!why || why->code.empty())
      return report("reason", "there is no reason why this one waits: " + text_of(h));
  }
}

}  // namespace belfry::tests
