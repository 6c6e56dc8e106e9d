// SIM CLIENT: somebody who submits, repeats what got no answer under the same key, cancels, redrives, keeps
// jobs and asks.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/sim_town.hpp"

namespace belfry::tests {

class sim_client final : public sim_guest {
 public:
  /// `own_ids`: it gives some of its runs ids itself. (Not where retention may forget a run that it then
  /// submits again.)
  sim_client(std::string name, bool own_ids) : sim_guest(std::move(name)), own_ids_(own_ids) {}
  void act(sim_town& town) override;
  void life_ended(sim_town& town) override;
  /// Nothing of it is open that it would still repeat.
  bool content() const { return !busy_ && open_.empty() && (free_ || !name().ends_with('1')); }
  std::size_t triggers_asked() const { return triggers_; }

 private:
  struct wish {
    std::string name;  // the intent
    messages::submit_runs request;
  };

  void submit(sim_town& town);
  void send(sim_town& town, wish w);
  void repeat(sim_town& town);
  void other_content(sim_town& town);
  void control(sim_town& town);
  void redrive(sim_town& town);
  void keep_jobs(sim_town& town);
  void trigger(sim_town& town);
  void limit(sim_town& town);
  void look(sim_town& town);
  void rebuild(sim_town& town);
  void pause(sim_town& town);
  void lift_all(sim_town& town);
  void look_at_run(sim_town& town);
  void done(sim_town& town);
  std::optional<core::run_id> some_run(sim_town& town);

  bool own_ids_;
  bool busy_ = false;
  bool free_ = false;  // it has lifted every pause, in the end
  std::size_t count_ = 0, triggers_ = 0;
  std::optional<wish> sent_;   // on its way
  std::deque<wish> open_;      // keyed, without an answer: to be repeated
  std::deque<wish> answered_;  // keyed, acknowledged: may be repeated for the fun of it
  std::vector<core::run_id> runs_;
  std::vector<core::job> jobs_;
};

}  // namespace belfry::tests
