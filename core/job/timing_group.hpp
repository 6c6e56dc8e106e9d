// TIMING GROUP: the jobs that have one schedule in common, bounds apart. It is derived: from the canonical
// texts that the jobs have anyway, whenever somebody asks. Nothing is stored of it, so it cannot be out of
// date, and a job belongs to it by its schedule alone (docs/decisions/0054).
//
// Identity is the key, which names the zone and the jitter. Its number is a hash of it: short enough to be
// typed and kept in memory per job. The label is for people; several groups may share one, and all of them
// can be named by id or by key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/job/job.hpp"
#include "core/run/state.hpp"

namespace belfry::core {

// The key in a canonical text: all of it but start and end. Equals timing_key() of the schedule that the text
// says, without reading it.
std::string timing_key_of(std::string_view canonical);
// Of the key, 1 to 2^63 - 1; 0 for no schedule.
std::uint64_t timing_number(std::string_view key);
inline std::uint64_t timing_number_of(std::string_view canonical) {
  return canonical.empty() ? 0 : timing_number(timing_key_of(canonical));
}
// 0 for a job without a schedule.
inline std::uint64_t group_of(const job& j) {
  return j.definition ? timing_number_of(j.definition->timing.schedule) : 0;
}
// "tim_" and sixteen hex digits.
std::string timing_id(std::uint64_t number);
std::optional<std::uint64_t> timing_number_from(std::string_view id);

// What a group wants to know of its members: active and paused jobs that have a schedule.
struct scheduled_job {
  job_id id;
  std::string name;
  job_state state = job_state::active;
  std::string schedule;   // canonical, with bounds
  instant due = never;    // never: paused, or nothing is left
  instant fired = never;  // the newest occurrence that became a run
  run_id last_run;        // the newest run, by hand or not; 0: none that is kept
  run_state last_state = run_state::queued;
  friend bool operator==(const scheduled_job&, const scheduled_job&) = default;
};
struct scheduled_page {
  std::vector<scheduled_job> jobs;  // by id
  job_id next;                      // go on after this one; 0: that is all
};

struct timing_group {
  std::string key;
  std::uint64_t number = 0;
  std::string label;
  std::string zone;
  std::size_t members = 0, active = 0, paused = 0;
  instant next_due = never;
  instant last_fired = never;
};
// The members wait for an event: they have no times in common.
bool by_event(const timing_group& g);
// Whether this is what the group is called: its id, its label, or its key.
bool called(const timing_group& g, std::string_view name);

// Groups are gathered page by page; memory is per group, not per job.
class timing_book {
 public:
  void add(const scheduled_page& page);
  // With their labels, by number, then key.
  std::vector<timing_group> take();

 private:
  std::map<std::string, timing_group, std::less<>> groups_;
};

}  // namespace belfry::core
