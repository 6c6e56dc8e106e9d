// WAKE LOG: who was woken for a run lately, and what became of it. For people who ask why nobody takes it.
//
// Memory of the node that runs, like the wakes themselves: one that starts anew knows of none. The journal
// has the same facts for longer, but no index by run: reading the last wakes of a run from it would mean to
// read all of it, and an index would cost a page per row in every commit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/session/wake_box.hpp"

namespace belfry::core {

enum class wake_outcome : std::uint8_t {
  waiting = 0,       // sent, and nothing was heard of it yet
  acknowledged = 1,  // its session has heard it
  claimed = 2,       // its session took the run
  failed = 3,        // not heard in time, or the sink failed
  refused = 4,       // never sent: the sink could not be reached, or too many were under way
};
std::string_view to_text(wake_outcome o);

struct logged_wake {
  wake_id id;  // 0: refused
  session_id session;
  wake_outcome outcome = wake_outcome::waiting;
  bool starved = false;
  bool by_hand = false;
  instant sent_at = never;
  instant ended_at = never;  // never: it waits
  std::string text;          // why it failed; at most 200 bytes
};

class wake_log {
 public:
  /// Wakes of one run that are remembered, and of all runs: the oldest are forgotten first.
  explicit wake_log(std::size_t per_run = 10, std::size_t total = 20'000)
      : per_run_{per_run}, total_{total} {}

  void sent(const open_wake& what);
  void refused(const open_wake& what, const std::string& why, instant now);
  // One that has been forgotten changes nothing.
  void ended(const open_wake& what, wake_outcome how, const std::string& why, instant now);

  struct told {
    std::vector<logged_wake> wakes;  // newest first
    std::uint64_t all = 0;           // of this run, those that are forgotten too
  };
  told of(run_id run) const;
  std::size_t size() const { return order_.size(); }

 private:
  struct history {
    std::vector<logged_wake> wakes;  // oldest first
    std::uint64_t all = 0;
  };
  void put(run_id run, logged_wake one);

  std::size_t per_run_, total_;
  std::unordered_map<run_id, history> runs_;
  std::deque<run_id> order_;  // of each that is remembered, oldest first
};

}  // namespace belfry::core
