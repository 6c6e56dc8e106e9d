// WAKE BOX: the wakes that are under way, and for a while what became of the others.
//
// A wake is out from the moment it is given to a session's sink until the session acknowledges it, claims the
// run, or fails to do either in time; that is said exactly once. It is advice and lives in memory only: a
// node that starts anew has no wakes, and wakes again where work still waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/queue/deadlines.hpp"
#include "core/run/spec.hpp"

namespace belfry::core {

struct wake_bounds {
  /// Wakes that may be out at a time. Default 10,000.
  std::size_t total = 10'000;
  /// ... for one session. Default 100.
  std::size_t per_session = 100;
  /// Ended wakes that are remembered, so that an acknowledgement that comes again is told apart from one that
  /// means nothing. Default 10,000.
  std::size_t remembered = 10'000;
  /// How long a session has to acknowledge. Default 10 s; 1 s to 5 min.
  span acknowledge_within = std::chrono::seconds{10};
};

struct open_wake {
  wake_id id;
  run_id run;
  session_id session;
  priority prio = priority::normal;
  bool starved = false;
  bool by_hand = false;  // an operator tries a sink: nobody waits for what becomes of it
  std::string name;      // of the run, where it is known
  instant sent_at = never;
  instant acknowledge_by = never;
};

class wake_box {
 public:
  explicit wake_box(wake_bounds bounds) : bounds_{bounds}, ids_{0} {}

  struct placed {
    open_wake what;
    bool fresh = true;  // false: a wake of this session for this run was out already, and this is it
  };
  // `what` without id and times. Codes: overloaded.
  result<placed> put(open_wake what, instant now);

  struct acknowledged {
    open_wake what;         // where repeated: id, run and session only
    bool repeated = false;  // it was over before, by a word of the session
  };
  // Codes: not_found (no wake of this session, or it has been forgotten), invalid_transition (it has failed).
  result<acknowledged> acknowledge(session_id who, wake_id id);
  // The session was given the run.
  std::optional<open_wake> claim(session_id who, run_id run);
  std::optional<open_wake> fail(wake_id id);
  std::vector<open_wake> fail_all_of(session_id who);
  // Takes out those whose time is over, oldest first.
  std::vector<open_wake> overdue(instant now);
  std::optional<instant> next_overdue() { return due_.next(); }

  const open_wake* find(wake_id id) const;
  // Those of a session that are out, behind `after`, oldest first.
  std::vector<open_wake> waiting(session_id who, wake_id after, std::size_t most) const;
  bool any_of(session_id who) const { return by_session_.contains(who); }
  std::size_t size() const { return out_.size(); }

 private:
  enum class fate : std::uint8_t { heard, failed };
  struct ended {
    run_id run;
    session_id session;
    fate how = fate::heard;
  };
  open_wake end(wake_id id, fate how);

  wake_bounds bounds_;
  id_source ids_;
  std::unordered_map<wake_id, open_wake> out_;
  std::unordered_map<session_id, std::vector<wake_id>> by_session_;  // each in the order of its ids
  deadlines due_;
  std::unordered_map<wake_id, ended> ended_;
  std::deque<wake_id> ended_order_;
};

}  // namespace belfry::core
