// PAUSES: everything that is paused now, and how long things were paused before. A plain value: the store
// judges claims with it inside the transaction, the dispatcher holds another one that follows the commits.
//
// Before it is loaded nothing is known, and what is not known counts as paused. Time in pauses is not waiting
// time; it is calculated when somebody asks, from the intervals of the scheduler, the workspace and the job
// of a run, so that lifting a pause of everything costs the same whether ten runs wait or a million.
//
// A run that was forced through the pause of its job is held by no pause of the job.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/pause/pause.hpp"
#include "core/run/machine.hpp"
#include "core/run/run.hpp"
#include "core/session/session.hpp"

namespace belfry::core {

// Intervals of one target: disjoint, oldest first, the last thousand.
class pause_history {
 public:
  static constexpr std::size_t kept = 1000;
  void add(instant from, instant to);
  // Those that reach into [from, to), cut to it.
  void append_to(std::vector<std::pair<instant, instant>>& found, instant from, instant to) const;
  instant last_end() const { return intervals_.empty() ? never : intervals_.back().second; }

 private:
  std::vector<std::pair<instant, instant>> intervals_;
};

class pauses {
 public:
  bool known() const { return known_; }
  void load(const pause_book& book);
  void forget() { known_ = false; }  // the state could not be read: everything is held
  void set(const pause_target& on, std::vector<pause_entry> entries);
  void ended(const past_pause& over);
  void follow(const target_pauses& news);

  // Known, and nothing is paused anywhere.
  bool nothing() const { return known_ && standing_.empty(); }
  std::vector<pause_entry> of(const pause_target& on) const;  // also those that are over and not lifted yet
  std::vector<pause> all() const;
  // What stands for the scheduler as a whole.
  std::vector<pause_entry> scheduler(instant now) const;

  // Why the run cannot be claimed by anybody, and why the session gets nothing; empty: no pause holds it.
  // Codes: scheduler_paused, workspace_paused, job_paused, agent_type_paused. The text names who paused it,
  // since when and the command that lifts it.
  std::vector<wait_reason> why(const run_head& head, instant now) const;
  std::vector<ineligible> why(const session& who, instant now) const;
  // The same answers without the texts.
  bool holds(const run_head& head, instant now) const;
  bool holds(const session& who, instant now) const;
  bool holds_all(instant now) const;
  bool any_agent_type() const;
  // The targets of which this run is the probe.
  std::vector<pause_target> probed_by(run_id run) const;

  std::vector<std::string> held_workspaces(instant now) const;
  std::set<job_id> held_jobs(instant now) const;
  // Those whose `until` has come and that nobody has lifted yet.
  std::vector<pause> over(instant now) const;
  // The next instant at which a pause begins or lifts itself; never: none does.
  instant next_change(instant now) const;

  // Whether anything was paused at some time after `since`: what follows need not be asked else.
  bool any_since(instant since) const { return !standing_.empty() || since < last_end_; }
  // How long a run of this workspace and job was held between two instants.
  span held_between(const std::string& workspace, job_id job, instant from, instant to) const;
  // How long the run has waited since it is eligible, pauses not counted.
  span waited(const run_head& head, instant now) const;

 private:
  using entries = std::vector<pause_entry>;
  const entries* find(const pause_target& on) const;
  bool stands_for(const pause_target& on, instant now) const;
  const pause_entry* first_for(const pause_target& on, instant now) const;
  void collect(const pause_target& on, instant from, instant to,
               std::vector<std::pair<instant, instant>>& found) const;

  bool known_ = false;
  std::map<pause_target, entries> standing_;
  std::map<pause_target, pause_history> past_;
  instant last_end_ = never;  // of all that is over
};

}  // namespace belfry::core
