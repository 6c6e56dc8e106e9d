// ESCALATION LADDER: the rows of those who starve, and what is done for them: rung by rung, each once per
// episode, until somebody takes the run or a person is asked.
//
// The cycle says who begins to starve, who does so no longer and that an interval has passed; the model
// (core/ladder) says what is to be written; it is written in bites of a thousand rows, the first before the
// cycle goes on, the rest one after the other. Memory follows the store. A worker is asked for again with
// every count until there is one: the spawner answers the same episode alike.
#pragma once

#include <optional>
#include <unordered_set>

#include "actors/storage/role.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/ladder/ladder.hpp"

namespace belfry::actors {

struct escalation_ladder_deps {
  storage_client store;
  messages::reader_actor reader;
  messages::worker_spawner spawner;  // may be nobody: no agent types are declared
  const platform::clock* clock = nullptr;
  voice says;
  core::ladder_options options;
  core::span interval{0};
};

class escalation_ladder : public messages::escalation_ladder_actor::base {
 public:
  escalation_ladder(caf::actor_config& cfg, escalation_ladder_deps deps);
  const char* name() const override { return "escalation-ladder"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct asked_climb {
    messages::climb what;
    std::shared_ptr<promise_guard<messages::climbed>> answer;
  };
  using known_answer = std::shared_ptr<promise_guard<messages::ladder_known>>;

  void load(core::run_id after, const known_answer& answer);
  void take(asked_climb asked);
  void write();
  void written(const core::ladder_bite& bite, commit_results& r);
  void landed(bool again);
  void answer_climb();
  void ask_for_workers();
  void ask_for_worker(const core::starvation& row, const core::run& run);
  core::result<messages::ladder_seen> look(const messages::look_at_ladder& asked) const;
  void measure() const;

  escalation_ladder_deps deps_;
  core::ladder ladder_;
  std::optional<asked_climb> climbing_, next_;
  messages::climbed told_;                   // since the last answer
  std::unordered_set<core::run_id> asking_;  // a worker for them is being asked for
  core::instant ticked_ = core::never;       // steady
  bool writing_ = false;
  bool counted_ = false;  // the climb under way counts
};

}  // namespace belfry::actors
