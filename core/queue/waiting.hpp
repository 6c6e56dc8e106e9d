// WAITING: what the board tells of runs that nobody has taken: whom a wake could bring here, and which of
// them starve.
//
// A run starves when for the minimum age nobody took any run of its kind, that is, of equal needs: who stands
// behind others in a line that moves waits for its turn, and nothing is wrong. Counted from the latest of:
// eligible since, the last run of its kind that was taken, and the last time that a limit or a pause was seen
// to hold it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>
#include <vector>

#include "core/ids/id.hpp"
#include "core/run/spec.hpp"
#include "core/run/state.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Runs with equal needs.
struct waiting_kind {
  std::uint32_t number = 0;  // for as long as anybody of it waits
  requirement needs;
  handler_kind handler = handler_kind::none;
  std::size_t ready = 0;  // runs in line
  std::size_t held = 0;   // of them, known to be held by a limit or by the pause of a job
  bool paused = false;    // all of them: their workspace is
};

// A run that is next, or soon, for whoever may take its kind. Sorted by these, the runs stand in the order in
// which claims would take them.
struct waiting_run {
  std::uint8_t effective = 0;  // priority class, aged
  std::uint32_t round = 0;     // the how manieth of its lane
  std::uint64_t turn = 0;      // of its lane
  instant since = never;
  run_id id;
  std::uint32_t kind = 0;
  priority prio = priority::normal;
  bool starving = false;
};

inline bool comes_first(const waiting_run& a, const waiting_run& b) {
  return std::tie(a.effective, a.round, a.turn, a.since, a.id) <
         std::tie(b.effective, b.round, b.turn, b.since, b.id);
}

struct judging {
  instant now = never;
  span minimum_age{0};
  std::size_t at_most = 1000;
  // Kinds whose sessions come by themselves: they are busy, and nobody sleeps.
  std::function<bool(const requirement&, handler_kind)> excused;
  // Whether a pause holds all who could take the kind.
  std::function<bool(const requirement&)> paused;
};
struct judged_run {
  run_id id;
  std::uint32_t kind = 0;
  instant since = never;  // eligible
};
struct starving_news {
  std::vector<judged_run> begun;
  std::vector<run_id> over;  // somebody took it or one of its kind, or it left the line
  bool more = false;         // there may be more at once
};
struct hold_change {
  run_id id;
  bool held = false;
};

}  // namespace belfry::core
