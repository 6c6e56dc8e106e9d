// OPERATOR DESK: an operator's word on runs: cancel, run now, reprioritise, discard, redrive, force, recover.
// Each in its own right.
//
// An agent that acts as an operator is held back here: so many actions a minute on one run, and force only on
// the runs that it may touch (core/operators/allowance.hpp). The executor that had a run which was taken from
// it is told at once, and not when it next renews its lease.
#pragma once

#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "core/operators/allowance.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::actors {

struct operator_desk_deps {
  storage_client store;
  const platform::clock* clock = nullptr;
  retention_options policy;  // of retention, where a request says nothing else
  core::operator_options operators = {};
  messages::attempt_stopper executors = {};  // may be nobody
};

class operator_desk : public messages::operator_desk_actor::base {
 public:
  operator_desk(caf::actor_config& cfg, operator_desk_deps deps);
  const char* name() const override { return "operator-desk"; }
  behavior_type make_behavior() override;
  void on_exit() override { deps_ = {}; }

 private:
  // What came of each run, in the order that was asked for: a refusal, or nothing yet.
  using verdicts = std::vector<std::optional<core::failure>>;

  caf::result<core::result<messages::controlled>> control(const messages::control_runs& asked);
  caf::result<core::result<messages::redriven>> recover(const messages::recover_runs& asked);
  caf::result<core::result<messages::redriven>> redrive(const messages::redrive_runs& asked);
  caf::result<core::result<messages::redriven>> linked(std::vector<storage::change_set> sets, verdicts told,
                                                       std::vector<core::run_id> ids);
  verdicts vet(const std::vector<core::run_id>& ids, const std::string& actor, bool dry_run);
  // What force the actor may use; nothing when it may use none.
  std::optional<core::failure> limit_force(const std::string& actor, core::expectation& expected) const;
  void stop_holders(const commit_results& r);

  operator_desk_deps deps_;
  core::allowance allowance_;
};

}  // namespace belfry::actors
