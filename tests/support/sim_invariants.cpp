#include "tests/support/sim_invariants.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace belfry::tests {

using core::errc;
using core::run_head;
using core::run_state;
using storage::change_set;
using storage::receipt;

namespace {

std::string name_of(const run_head& h) {
  return to_string(h.id) + " (" + std::string{to_text(h.state)} + ", fencing " + std::to_string(h.fencing) +
         ", attempt " + std::to_string(h.attempt) + ", used " + std::to_string(h.used) + ", losses " +
         std::to_string(h.losses) + ")";
}

bool says_where_store_stands(errc e) {
  return e == errc::storage_full || e == errc::storage_damaged || e == errc::unavailable ||
         e == errc::internal;
}

// The fencing number and, where it is shown, the token of a command.
struct shown_proof {
  std::uint64_t fencing = 0;
  const core::token_hash* hash = nullptr;
};
std::optional<shown_proof> proof_of(const core::run_command& c) {
  return std::visit(
      [](const auto& cmd) -> std::optional<shown_proof> {
        if constexpr (requires { cmd.proof; })
          return shown_proof{cmd.proof.fencing, &cmd.proof.hash};
        else if constexpr (requires { cmd.fencing; })
          return shown_proof{cmd.fencing, nullptr};
        else
          return std::nullopt;
      },
      c);
}

// A change of pauses tells of a job where it is about one.
bool names_job(const storage::change& c) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.on.scope; })
          return one.on.scope == core::pause_scope::job;
        else
          return false;
      },
      c);
}

const core::attempt_record* record_of(const shadow_run& run, std::uint64_t fencing) {
  for (const auto& a : run.attempts)
    if (a.fencing == fencing) return &a;
  return nullptr;
}

}  // namespace

void sim_invariants::report(std::string rule, std::string text) {
  if (!broken_) broken_ = violation{std::move(rule), std::move(text)};
}

std::size_t sim_invariants::open_runs() const {
  const auto& runs = shadow_.runs.all();
  return static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [](const auto& r) { return !terminal(r.second.head.state); }));
}

void sim_invariants::applied(const change_set& set, const core::result<receipt>& answer) {
  ++steps_;
  if (broken_) return;
  if (answer)
    walk(set, *answer);
  else
    check_refusal(set, answer.error());
}

// Receipts are read in the order of the changes: each change adds a known number of heads.
void sim_invariants::walk(const change_set& set, const receipt& answer) {
  if (set.once && answer.replayed) {
    for (const auto& r : answer.runs)
      if (const auto* known = shadow_.runs.find(r.head.id); known == nullptr || known->head != r.head)
        return report("replay", "a repeated request was answered with " + name_of(r.head) +
                                    ", which is not how the run stands");
    return;
  }
  auto run = answer.runs.begin();
  auto job = answer.jobs.begin();
  auto session = answer.sessions.begin();
  const auto next_run = [&]() -> const core::run* {
    if (run == answer.runs.end()) {
      report("receipt", "the receipt has fewer runs than its change set tells of");
      return nullptr;
    }
    return &*run++;
  };
  const auto take_job = [&] {
    if (job == answer.jobs.end())
      return report("receipt", "the receipt has fewer jobs than its change set tells of");
    shadow_.jobs.put(job->id, *job);
    ++job;
  };
  for (const auto& change : set.changes) {
    if (const auto* insert = std::get_if<storage::insert_runs>(&change)) {
      for (std::size_t i = 0; i < insert->runs.size(); ++i)
        if (const auto* r = next_run()) check_made(*r);
    } else if (const auto* step = std::get_if<storage::step_run>(&change); step && step->dry_run) {
      continue;
    } else if (step != nullptr) {
      if (const auto* r = next_run()) check_step(r->head, step, set, answer);
    } else if (std::holds_alternative<storage::trigger_job>(change)) {
      if (const auto* r = next_run()) check_made(*r);
      take_job();
    } else if (std::holds_alternative<storage::redrive_run>(change) ||
               std::holds_alternative<storage::recover_run>(change)) {
      if (const auto* r = next_run()) check_made(*r);
      if (const auto* r = next_run()) check_step(r->head, nullptr, set, answer);
    } else if (std::holds_alternative<storage::put_job>(change) ||
               std::holds_alternative<storage::archive_job>(change) ||
               std::holds_alternative<storage::pause_job>(change) ||
               std::holds_alternative<storage::resume_job>(change)) {
      take_job();
    } else if (names_job(change)) {
      if (job != answer.jobs.end()) take_job();
    } else if (std::holds_alternative<storage::put_session>(change) ||
               std::holds_alternative<storage::end_session>(change) ||
               std::holds_alternative<storage::change_session>(change)) {
      if (session == answer.sessions.end())
        report("receipt", "the receipt has fewer sessions than its change set tells of");
      else
        shadow_.sessions.put(session->id, *session), ++session;
    } else if (const auto* limits = std::get_if<storage::put_limits>(&change)) {
      shadow_.limits.put(0, limits->limits);
    } else if (const auto* prune = std::get_if<storage::prune_history>(&change)) {
      pruned_ = pruned_ || !prune->dry_run;
    }
  }
  for (const auto& p : answer.pauses) shadow_.pauses.put(p.on, p.entries);
  for (const auto& r : answer.also) {
    if (shadow_.runs.find(r.head.id) == nullptr)
      check_made(r);
    else
      check_step(r.head, nullptr, set, answer);
  }
}

void sim_invariants::check_made(const core::run& made) {
  const auto& h = made.head;
  if (const auto* known = shadow_.runs.find(h.id)) {  // the id was given by the caller, again
    if (known->head != h)
      report("replay",
             "a repeated submission was answered with " + name_of(h) + ", but it is " + name_of(known->head));
    return;
  }
  if (!made.spec) return report("receipt", "a new run was told without its spec: " + name_of(h));
  shadow_run row{h, made.spec, made.spec->handler, {}};
  const bool fresh =
      h.state == run_state::queued || h.state == run_state::scheduled || h.state == run_state::skipped;
  if (!fresh || h.fencing != 0 || h.attempt != 0) report("legal", "a run begins as " + name_of(h));
  check_head(row);
  shadow_.runs.put(h.id, std::move(row));
}

void sim_invariants::check_step(const run_head& after, const storage::step_run* asked, const change_set& set,
                                const receipt& answer) {
  const auto* known = shadow_.runs.find(after.id);
  if (known == nullptr) return report("rows", "a step on a run that was never made: " + name_of(after));
  const shadow_run old = *known;
  const auto& before = old.head;
  if (before.state != after.state && !core::legal(before.state, after.state))
    report("legal", "from " + name_of(before) + " to " + name_of(after));
  if (after.fencing < before.fencing || after.fencing > before.fencing + 1 ||
      after.attempt < before.attempt || after.used < before.used || after.losses < before.losses)
    report("fencing", "from " + name_of(before) + " to " + name_of(after));
  const bool claimed = after.fencing != before.fencing;
  if (claimed &&
      (before.state != run_state::queued || after.attempt != before.attempt + 1 || !leased(after.state)))
    report("fencing", "a claim led from " + name_of(before) + " to " + name_of(after));
  if (!claimed && after.attempt != before.attempt)
    report("fencing", "an attempt without a claim: " + name_of(after));
  if (asked != nullptr) {
    const auto* claim = std::get_if<core::cmd_claim>(&asked->command);
    if (claim != nullptr && claimed && shadow_.paused(before, shadow_.sessions.find(claim->holder), set.now))
      report("pause", "a claim went through a pause: " + name_of(after));
    check_proof(before, after, asked->command, set.now);
    check_decision(old, after, *asked, set);
  }
  auto& row = shadow_.runs.change(after.id);
  take_record(row, before, answer);
  row.head = after;
  check_head(row);
}

// [2] Nothing is changed by a write whose proof is not that of the live lease.
void sim_invariants::check_proof(const run_head& before, const run_head& after,
                                 const core::run_command& command, core::instant now) {
  const auto shown = proof_of(command);
  if (!shown || before == after) return;
  if (!leased(before.state) || shown->fencing != before.fencing)
    return report("proof", "a write with fencing number " + std::to_string(shown->fencing) + " changed " +
                               name_of(before) + " to " + name_of(after));
  if (shown->hash != nullptr && *shown->hash != before.held.hash)
    return report("proof", "a write with a wrong token changed " + name_of(before) + " to " + name_of(after));
  if (shown->hash != nullptr && before.held.expires_at <= now)
    return report("proof",
                  "a write under an expired lease changed " + name_of(before) + " to " + name_of(after));
  if (std::holds_alternative<core::cmd_expire>(command) && before.held.expires_at > now)
    report("proof", "a lease was taken before its end from " + name_of(before));
}

// The store has to do what the machine says to the row as it stands.
void sim_invariants::check_decision(const shadow_run& before, const run_head& after,
                                    const storage::step_run& asked, const change_set& set) {
  const auto shown = proof_of(asked.command);
  const auto said =
      core::decide(before.head, {before.spec.get(), shown ? record_of(before, shown->fencing) : nullptr},
                   asked.command, set.actor, set.now);
  const auto* step = std::get_if<core::run_step>(&said);
  if (step == nullptr)
    return report("rows", "the store accepted what the machine refuses (" +
                              std::get<core::run_refusal>(said).why.text + ") and made " + name_of(after));
  if (step->next != after)
    report("rows", "the store made " + name_of(after) + " where the machine says " + name_of(step->next));
}

void sim_invariants::check_refusal(const change_set& set, const core::failure& why) {
  if (set.changes.size() != 1 || set.once || says_where_store_stands(why.code)) return;
  const auto* asked = std::get_if<storage::step_run>(&set.changes.front());
  if (asked == nullptr) return;
  const auto* row = shadow_.runs.find(asked->id);
  if (row == nullptr) {
    if (why.code != errc::not_found) report("rows", "a step on an unknown run was refused with: " + why.text);
    return;
  }
  if (pruned_ && why.code == errc::not_found && terminal(row->head.state)) return;
  const auto* claim = std::get_if<core::cmd_claim>(&asked->command);
  if (claim != nullptr && row->head.state == run_state::queued &&
      shadow_.paused(row->head, shadow_.sessions.find(claim->holder), set.now)) {
    if (why.code != errc::paused) report("pause", "a claim of what is paused was refused with: " + why.text);
    return;
  }
  const auto shown = proof_of(asked->command);
  const auto said =
      core::decide(row->head, {row->spec.get(), shown ? record_of(*row, shown->fencing) : nullptr},
                   asked->command, set.actor, set.now);
  const auto* no = std::get_if<core::run_refusal>(&said);
  if (no == nullptr)
    report("rows", "the store refused (" + why.text + ") what the machine does to " + name_of(row->head));
  else if (no->why.code != why.code)
    report("rows", "the store refused with \"" + why.text + "\", the machine with \"" + no->why.text + "\"");
}

// Each attempt that ends leaves one record, in the same set, and no other step leaves any.
void sim_invariants::take_record(shadow_run& row, const run_head& before, const receipt& answer) {
  for (const auto& record : answer.ended) {
    if (record.run != before.id || (!row.attempts.empty() && record.number <= row.attempts.back().number))
      continue;
    if (record.number != before.attempt || record.fencing != before.fencing ||
        record.holder != before.held.holder)
      report("attempts", "the record of attempt " + std::to_string(record.number) + " does not belong to " +
                             name_of(before));
    row.attempts.push_back(record);
    return;
  }
}

// What must hold of every row in itself.
void sim_invariants::check_head(const shadow_run& run) {
  const auto& h = run.head;
  const auto no = [&](const char* what) { report("head", std::string{what} + ": " + name_of(h)); };
  const auto count = [&](run_state a, run_state b) {
    return std::count_if(run.attempts.begin(), run.attempts.end(),
                         [&](const auto& r) { return r.outcome == a || r.outcome == b; });
  };
  if (terminal(h.state) != (h.ended_at != core::never)) no("ended or not");
  if (leased(h.state) != static_cast<bool>(h.held.holder))
    no("a lease without a holder, or a holder without a lease");
  const bool waits =
      h.state == run_state::scheduled || h.state == run_state::retrying || h.state == run_state::parked;
  if (waits && h.due_at == core::never) no("a delay without an end");
  if (h.state == run_state::queued && h.eligible_since == core::never) no("queued since never");
  if (h.attempt != run.attempts.size() + (leased(h.state) ? 1 : 0))
    report("attempts", std::to_string(run.attempts.size()) + " records of ended attempts: " + name_of(h));
  if (h.used != count(run_state::failed, run_state::timed_out)) no("used attempts are not those that failed");
  if (h.losses != count(run_state::lost, run_state::lost)) no("losses are not the attempts that were lost");
  const auto& budget = run.spec->retry;
  if (!terminal(h.state) && h.losses >= budget.max_losses)
    no("lost as often as is allowed, and still open");  // [5]
  if (!terminal(h.state) && h.used >= budget.max_attempts) no("out of attempts, and still open");
}

void sim_invariants::committed(const std::vector<core::event>& events) {
  undecided_ = false;
  for (const auto& e : events) {
    if (const auto wrong = journal_.take(e)) report("journal", *wrong);
    for (const auto word : {static_cast<std::uint64_t>(e.kind), static_cast<std::uint64_t>(e.run.value),
                            e.fencing, static_cast<std::uint64_t>(core::micros(e.at))})
      digest_ = (digest_ ^ word) * 1099511628211ULL;
  }
  if (!broken_)
    for (const auto& [id, old] : shadow_.runs.changed()) check_journal(id);
  shadow_.commit();
}

void sim_invariants::check_journal(core::run_id id) {
  const auto* row = shadow_.runs.find(id);
  const auto* told = journal_.find(id);
  if (row == nullptr) return;
  if (told == nullptr) return report("journal", "no event tells of " + name_of(row->head));
  const auto& h = row->head;
  if (!told->may_be(h.state) || told->fencing != h.fencing || told->attempt != h.attempt ||
      told->losses != h.losses)
    report("journal", "the events do not tell of " + name_of(h) + ": fencing " +
                          std::to_string(told->fencing) + ", attempt " + std::to_string(told->attempt) +
                          ", losses " + std::to_string(told->losses));
}

void sim_invariants::lost() {
  shadow_.lose(false);
  undecided_ = true;
}

void sim_invariants::crashed() {
  if (!shadow_.open()) return;
  shadow_.lose(undecided_);
  undecided_ = true;
}

}  // namespace belfry::tests
