// PLANNER: jobs whose next occurrence is due. One timer per timing group and instant, one delayed message,
// nothing in between.
//
// It decides nothing: what is due becomes a change set of its own, and the store plans inside its transaction
// (storage/apply/schedules.cpp). At most one bite is on its way at a time, and groups take turns in it, so
// that ten thousand jobs of one group delay nobody else by more than a bite. What it knows comes from the
// rows at boot and from the stream of committed jobs; what the store could not write is tried again a second
// later.
//
// A calendar of many jobs that has changed is followed by them in bites of the store; one at a time is asked
// for here, between the bites of what is due. Those that a former process has left are found at boot.
//
// Crash-loop guard: a node that was started too often in a short time does not make up for what was missed
// before it came; a job that kills its node is not given back to it by the restart.
#pragma once

#include <set>
#include <string>
#include <unordered_set>

#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"
#include "core/queue/group_timers.hpp"

namespace belfry::actors {

struct planner_deps {
  storage_client store;
  messages::reader_actor reader;
  const platform::clock* clock = nullptr;
  voice says;
  std::size_t crash_loop_boots = 4;                         // so many starts …
  core::span crash_loop_within = std::chrono::minutes{10};  // … in this time
};

class planner : public messages::planner_actor::base {
 public:
  planner(caf::actor_config& cfg, planner_deps deps);
  const char* name() const override { return "planner"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void watch(const messages::watch_jobs& news);
  void begin();
  void read_from(core::job_id after);
  void read_calendars();
  void not_read(const std::string& why);
  void look();
  bool follow_calendar();
  void written(const std::vector<core::job_due>& asked, const commit_results& r);

  planner_deps deps_;
  core::group_timers due_;
  alarm alarm_;
  std::unordered_set<core::job_id> told_;        // while the rows are read: the stream is newer
  std::unordered_set<core::job_id> due_before_;  // in a crash loop: what another process has missed
  std::set<std::string> replan_;                 // calendars
  core::instant began_ = core::never;
  bool crash_loop_ = false;
  bool reading_ = false;
  bool started_ = false;
  bool biting_ = false;
};

}  // namespace belfry::actors
