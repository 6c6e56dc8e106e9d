// SIM ORACLE: what the outside was told, and therefore may rely on. Whatever was acknowledged has to be there
// after any crash; whatever was refused must not have happened; what got no answer happened once or not at
// all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/queue/board.hpp"
#include "core/run/run.hpp"
#include "storage/contract/reader.hpp"
#include "tests/support/sim_invariants.hpp"

namespace belfry::tests {

class sim_oracle {
 public:
  explicit sim_oracle(sim_invariants& truth) : truth_(truth) {}

  // Submissions. Each intent has a name of its own, which its runs bear.
  void intends(const std::string& name, std::size_t runs);
  void acknowledged(const std::string& name, const std::vector<core::run>& runs);
  void refused(const std::string& name);     // nothing was done
  void unanswered(const std::string& name);  // it may have been done

  void settled(core::run_id run, std::uint64_t fencing, core::run_state became);
  void cancelled(core::run_id run) { cancelled_.insert(run); }
  void discarded(core::run_id run) { discarded_.insert(run); }
  void redriven(core::run_id run, core::run_id successor) { successors_[run] = successor; }
  void job_stored(const core::job& j);
  void session_stored(core::session_id id) { sessions_.insert(id); }
  void limits_asked(const core::limit_options& l) { limits_maybe_.push_back(l); }
  void limits_stored(const core::limit_options& l);

  /// One token for one claim, ever.
  void granted(core::run_id run, std::uint64_t fencing, const std::string& token);
  /// A child process was started under this fencing number.
  void process_started(core::run_id run, std::uint64_t fencing);

  /// Everything that was promised, against the rows. `over`: nothing is under way any more.
  void check(storage::reader& rows, bool over);
  /// Raw tokens stand in no event and no log. (Catalogue, invariant 12.)
  void check_secrets(storage::reader& rows);

  std::size_t promises() const { return promises_; }

 private:
  struct intent {
    std::size_t runs = 1;
    bool acked = false, refused = false, maybe = false;
    std::vector<core::run_id> ids;
  };
  struct end {
    core::run_state became = core::run_state::succeeded;
  };

  void must_be_committed(core::run_id id, const char* what);
  void check_intents(storage::reader& rows, bool over);
  void check_runs(storage::reader& rows);

  sim_invariants& truth_;
  std::map<std::string, intent> intents_;
  std::map<std::pair<core::run_id, std::uint64_t>, end> settled_;
  std::set<core::run_id> cancelled_, discarded_;
  std::map<core::run_id, core::run_id> successors_;
  std::map<core::job_id, std::uint32_t> jobs_;
  std::set<core::session_id> sessions_;
  std::optional<core::limit_options> limits_;
  std::vector<core::limit_options> limits_maybe_;
  std::set<std::pair<core::run_id, std::uint64_t>> granted_, started_;
  std::set<std::string> tokens_;
  std::size_t promises_ = 0;

 public:
  /// Whether an answer may leave only after its commit is checked at once, and not only at the next crash.
  bool strict = true;
};

}  // namespace belfry::tests
