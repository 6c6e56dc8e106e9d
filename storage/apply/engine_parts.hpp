// PARTS of the engine, for its own files only.
#pragma once

#include <map>
#include <string>

#include "storage/apply/engine.hpp"

namespace belfry::storage {

struct engine::work {
  const change_set& set;
  receipt out;
  std::optional<core::run_refusal> refused;  // evidence that outlives the refusal of the set
  core::run_id refused_run;
  bool changed = false;   // something was done ...
  bool repeated = false;  // ... something had been done before
  // Events of this set that jobs wait for, with how deep the chain is that they belong to. They are looked at
  // when all changes of the set have been applied.
  std::vector<std::pair<core::event, std::uint16_t>> heard = {};
  std::uint16_t depth = 0;  // while an event has its consequences: theirs
  std::size_t started = 0;  // runs by events
  // Jobs that may be over, with how many of their planned runs have succeeded in this set. They are looked at
  // when all changes of the set have been applied.
  std::map<core::job_id, std::int64_t> ending = {};
  std::vector<core::job_id> unwatched = {};
};

// Of a change, for the journal: the old schedule and the new one, as canonical texts; empty: it is the same.
std::string schedules_told(const core::job_definition& was, const core::job_definition& is);

namespace refusal {

inline core::failure no_run(core::run_id id) {
  return {core::errc::not_found, "there is no run " + core::to_string(id), {}, "belfry run list"};
}
inline core::failure no_job(core::job_id id) {
  return {core::errc::not_found, "there is no job " + core::to_string(id), {}, "belfry job list"};
}
inline core::failure no_session(core::session_id id) {
  return {core::errc::not_found, "there is no session " + core::to_string(id), {}, "belfry session list"};
}
inline core::failure bad_id(core::run_id id, core::instant) {
  core::failure f{core::errc::invalid, "the given id cannot be used for a run", {}, {}};
  f.problems.push_back(
      {"/id", core::to_string(id), "an id made at most a day from now", "it lies too far in the future"});
  return f;
}

}  // namespace refusal
}  // namespace belfry::storage
