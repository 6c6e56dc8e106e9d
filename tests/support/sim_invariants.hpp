// SIM INVARIANTS: what must hold after every step, whatever happened before. Pure: it is told what the store
// did and reads the store; it knows nothing of actors.
//
// Three accounts of the same history are compared: the shadow (heads as the store answered them, each step
// checked against the rules), the journal (events alone), and the rows as a reader sees them. The numbers in
// brackets are those of the invariants in the design's catalogue.
//   each step   legal change of state; a write that carries a proof had the one of the live lease [2]; one
//   winner per
//               fencing number, which only grows [1]; exactly one record per attempt, never changed; a run
//               whose losses are used up is not queued again [5]; what is terminal stays what it is [4]
//   each commit events without gaps, each a legal continuation; they tell what the rows say
//   compare()   rows, attempts, jobs, sessions, counts, totals, batches and statistics equal the shadow [8];
//   each open run
//               has a reason [10]
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/contract/reader.hpp"
#include "tests/support/sim_journal.hpp"
#include "tests/support/sim_shadow.hpp"
#include "tests/support/sim_store.hpp"

namespace belfry::tests {

struct violation {
  std::string rule;  // one word: "legal", "fencing", "proof", "attempts", "journal", "rows", "counts",
                     // "acknowledged", ...
  std::string text;
};

class sim_invariants final : public store_watcher {
 public:
  void applied(const storage::change_set& set, const core::result<storage::receipt>& answer) override;
  void committed(const std::vector<core::event>& events) override;
  void lost() override;

  /// Everything against the rows. With `reboot`, a transaction that was lost in the middle of its commit may
  /// be there.
  void compare(storage::reader& rows, core::instant now, bool reboot = false);
  /// A transaction that was under way when the node died: it may not be there any more.
  void crashed();

  const std::optional<violation>& broken() const { return broken_; }
  void report(std::string rule, std::string text);

  const sim_shadow& shadow() const { return shadow_; }
  const sim_journal& journal() const { return journal_; }
  /// As of the last commit.
  const shadow_run* committed_run(core::run_id id) const { return shadow_.runs.committed(id); }
  /// What retention has removed, as it was. Whether it is gone is seen at the next comparison.
  const std::map<core::run_id, core::run_head>& removed() const { return gone_; }
  bool prunes() const { return pruned_; }
  std::size_t steps() const { return steps_; }
  std::size_t comparisons() const { return comparisons_; }
  std::size_t open_runs() const;
  /// A digest of everything that was committed: equal for equal histories.
  std::uint64_t digest() const { return digest_; }

 private:
  void walk(const storage::change_set& set, const storage::receipt& answer);
  void check_refusal(const storage::change_set& set, const core::failure& why);
  void check_made(const core::run& made);
  void check_step(const core::run_head& after, const storage::step_run* asked, const storage::change_set& set,
                  const storage::receipt& answer);
  void check_proof(const core::run_head& before, const core::run_head& after,
                   const core::run_command& command, core::instant now);
  void check_decision(const shadow_run& before, const core::run_head& after, const storage::step_run& asked,
                      const storage::change_set& set);
  void take_record(shadow_run& run, const core::run_head& before, const storage::receipt& answer);
  void check_head(const shadow_run& run);
  void check_journal(core::run_id id);

  std::string mismatch(storage::reader& rows, core::instant now);
  std::string run_mismatch(storage::reader& rows);
  std::string attempts_mismatch(storage::reader& rows);
  std::string other_mismatch(storage::reader& rows);
  std::string count_mismatch(storage::reader& rows);
  void check_reasons(core::instant now);

  sim_shadow shadow_;
  sim_journal journal_;
  std::optional<violation> broken_;
  std::size_t steps_ = 0, comparisons_ = 0;
  std::uint64_t digest_ = 1469598103934665603ULL;
  bool undecided_ = false;                       // the last transaction was lost, or maybe not
  bool pruned_ = false;                          // retention was at work: finished rows may be gone
  std::map<core::run_id, core::run_head> gone_;  // ... and these are
};

}  // namespace belfry::tests
