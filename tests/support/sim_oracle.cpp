#include "tests/support/sim_oracle.hpp"

#include <algorithm>
#include <utility>

namespace belfry::tests {

using core::run_state;

void sim_oracle::intends(const std::string& name, std::size_t runs) { intents_[name].runs = runs; }

void sim_oracle::acknowledged(const std::string& name, const std::vector<core::run>& runs) {
  auto& i = intents_.at(name);
  ++promises_;
  std::vector<core::run_id> ids;
  for (const auto& r : runs) {
    ids.push_back(r.head.id);
    must_be_committed(r.head.id, "a submission");
  }
  if (truth_.prunes() && i.acked) return;  // what is repeated may be gone by now
  if (runs.size() != i.runs && !truth_.prunes())
    truth_.report("answer", name + " was answered with " + std::to_string(runs.size()) + " runs, " +
                                std::to_string(i.runs) + " were asked for");
  if (i.acked && i.ids != ids)
    truth_.report("idempotency", name + " was answered with other runs the second time");
  i.acked = true;
  i.ids = std::move(ids);
}

void sim_oracle::refused(const std::string& name) { intents_.at(name).refused = true; }
void sim_oracle::unanswered(const std::string& name) { intents_.at(name).maybe = true; }

void sim_oracle::must_be_committed(core::run_id id, const char* what) {
  if (strict && truth_.committed_run(id) == nullptr)
    truth_.report("early", std::string{what} + " was acknowledged before its commit: " + to_string(id));
}

void sim_oracle::settled(core::run_id run, std::uint64_t fencing, run_state became) {
  ++promises_;
  if (!settled_.emplace(std::pair{run, fencing}, end{became}).second)
    return truth_.report("attempts", "two ends of one attempt were accepted: " + to_string(run) +
                                         " fencing " + std::to_string(fencing));
  const auto* row = truth_.committed_run(run);
  if (!strict || row == nullptr) return must_be_committed(run, "the end of an attempt");
  for (const auto& a : row->attempts)
    if (a.fencing == fencing) return;
  truth_.report("early", "the end of an attempt was acknowledged before its commit: " + to_string(run));
}

void sim_oracle::job_stored(const core::job& j) {
  ++promises_;
  auto& revision = jobs_[j.id];
  revision = std::max(revision, j.revision);
}

void sim_oracle::limits_stored(const core::limit_options& l) {
  ++promises_;
  limits_ = l;
  limits_maybe_.clear();
}

void sim_oracle::granted(core::run_id run, std::uint64_t fencing, const std::string& token) {
  ++promises_;
  if (!granted_.emplace(run, fencing).second)
    truth_.report("fencing",
                  "two winners of one claim: " + to_string(run) + " fencing " + std::to_string(fencing));
  if (!tokens_.insert(token).second) truth_.report("fencing", "one token was given twice");
  const auto* row = truth_.committed_run(run);
  if (strict && (row == nullptr || row->head.fencing < fencing))
    truth_.report("early", "a claim was answered before its commit: " + to_string(run));
}

void sim_oracle::process_started(core::run_id run, std::uint64_t fencing) {
  if (!started_.emplace(run, fencing).second)
    return truth_.report(
        "again", "an attempt was started twice: " + to_string(run) + " fencing " + std::to_string(fencing));
  const auto* row = truth_.committed_run(run);
  if (row == nullptr || row->head.fencing < fencing) {
    if (strict)
      truth_.report("early", "a process was started before its claim was committed: " + to_string(run));
    return;
  }
  // Between the claim and the start the attempt may have been lost or taken away by an operator, but nobody
  // else can have ended it.
  for (const auto& a : row->attempts)
    if (a.fencing == fencing && a.outcome != run_state::lost && a.outcome != run_state::timed_out &&
        a.stopped_with != "operator")
      truth_.report("again", "a finished attempt was started: " + to_string(run) + " fencing " +
                                 std::to_string(fencing));
}

void sim_oracle::check(storage::reader& rows, bool over) {
  if (truth_.broken()) return;
  check_intents(rows, over);
  check_runs(rows);
  for (const auto& [id, revision] : jobs_) {
    const auto j = rows.find_job(id);
    if (!j || j->revision < revision)
      truth_.report("acknowledged",
                    "revision " + std::to_string(revision) + " of " + to_string(id) + " is not there");
  }
  for (const auto id : sessions_)
    if (!truth_.prunes() && !rows.find_session(id))
      truth_.report("acknowledged", "the session is not there: " + to_string(id));
  const auto* limits = truth_.shadow().limits.find(0);
  if (limits_ &&
      (limits == nullptr || (*limits != *limits_ && std::find(limits_maybe_.begin(), limits_maybe_.end(),
                                                              *limits) == limits_maybe_.end())))
    truth_.report("acknowledged", "limits that were set are not there");
}

void sim_oracle::check_intents(storage::reader& rows, bool over) {
  std::map<std::string, std::size_t> made;
  for (const auto& [id, run] : truth_.shadow().runs.all())
    if (!run.head.predecessor && !run.head.parent && !run.head.job) ++made[run.head.name];
  for (const auto& [id, head] : truth_.removed())
    if (!head.predecessor && !head.parent && !head.job) ++made[head.name];
  for (const auto& [name, i] : intents_) {
    const auto it = made.find(name);
    const auto there = it == made.end() ? 0 : it->second;
    if (i.acked) {
      for (const auto id : i.ids) {
        const auto run = rows.find_run(id);
        if (!run && truth_.removed().contains(id)) continue;
        if (!run)
          return truth_.report("acknowledged", name + " was acknowledged as " + to_string(id) +
                                                   ", which is not there: " + run.error().text);
        if (!run->spec || run->spec->name != name)
          return truth_.report("acknowledged", to_string(id) + " is not what was submitted as " + name);
      }
      if (there != i.runs)
        return truth_.report("idempotency", std::to_string(there) + " runs named " + name + ", " +
                                                std::to_string(i.runs) + " were asked for");
    } else if (i.maybe || !i.refused) {
      const bool under_way = !i.maybe && !i.refused && !over;
      if (there != 0 && there != i.runs && !under_way)
        return truth_.report("atomic",
                             std::to_string(there) + " of " + std::to_string(i.runs) + " runs named " + name);
    } else if (there != 0) {
      return truth_.report("refused",
                           name + " was refused, but " + std::to_string(there) + " runs of it are there");
    }
  }
}

void sim_oracle::check_runs(storage::reader& rows) {
  for (const auto& [key, how] : settled_) {
    if (truth_.removed().contains(key.first)) continue;
    const auto attempts = rows.attempts_of(key.first);
    // clang 14 does not let a lambda capture a structured binding by itself.
    const auto* found = attempts ? [&attempts, fencing = key.second]() -> const core::attempt_record* {
      for (const auto& a : *attempts)
        if (a.fencing == fencing) return &a;
      return nullptr;
    }()
        : nullptr;
    if (found == nullptr)
      return truth_.report("acknowledged", "the end of attempt " + std::to_string(key.second) + " of " +
                                               to_string(key.first) + " is not there");
    const auto* row = truth_.shadow().runs.find(key.first);
    if (terminal(how.became) && (row == nullptr || row->head.state != how.became))
      return truth_.report("acknowledged",
                           to_string(key.first) + " had ended as " + std::string{to_text(how.became)});
  }
  const auto state_of = [&](core::run_id id) -> const core::run_head* {
    const auto* row = truth_.shadow().runs.find(id);
    if (const auto it = truth_.removed().find(id); row == nullptr && it != truth_.removed().end())
      return &it->second;
    if (row == nullptr) truth_.report("acknowledged", "the run is not there: " + to_string(id));
    return row == nullptr ? nullptr : &row->head;
  };
  for (const auto id : cancelled_)
    if (const auto* h = state_of(id); h != nullptr && !terminal(h->state) && !h->cancel_requested)
      truth_.report("acknowledged", "a cancel was acknowledged, but " + to_string(id) + " is " +
                                        std::string{to_text(h->state)});
  for (const auto id : discarded_)
    if (const auto* h = state_of(id); h != nullptr && !h->discarded)
      truth_.report("acknowledged", "not discarded: " + to_string(id));
  for (const auto& [id, next] : successors_)
    if (const auto* h = state_of(id); h != nullptr && (h->successor != next || state_of(next) == nullptr))
      truth_.report("acknowledged", to_string(id) + " was redriven as " + to_string(next));
}

void sim_oracle::check_secrets(storage::reader& rows) {
  const auto clean = [&](const std::string& text, const char* where) {
    constexpr std::size_t length = 43;
    if (text.size() < length) return;
    for (std::size_t i = 0; i + length <= text.size(); ++i)
      if (tokens_.contains(text.substr(i, length)))
        truth_.report("secret", std::string{"a token stands in "} + where);
  };
  std::int64_t after = 0;
  for (;;) {
    const auto page = rows.events_after(after, 500, {});
    if (!page || page->events.empty()) break;
    for (const auto& e : page->events) clean(e.text, "an event"), clean(e.actor, "an event");
    after = page->last_scanned;
  }
  for (const auto& [id, run] : truth_.shadow().runs.all())
    if (const auto late = rows.evidence_of(id))
      for (const auto& e : *late) clean(e.text, "evidence");
}

}  // namespace belfry::tests
