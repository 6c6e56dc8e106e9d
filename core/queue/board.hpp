// BOARD: which queued run is next for whom, and what holds the others.
//
// Order: priority class (aged) → lanes in deficit round robin → preferred capabilities that the session has,
// more first → eligible since → id. Runs with equal needs
// share one interned class, so a claim looks at classes, not at runs: a million queued runs cost a claim no
// more than ten. Limits are calculated from the live leases that the board has been told of; there is no
// counter that could leak. A picked run is reserved until the store confirms or refuses the claim. The board
// is derived: rebuilt at boot, it may be wrong about a run for a moment, and the store's refusal then
// corrects it. At most 128 bytes of memory per queued run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/queue/waiting.hpp"
#include "core/run/machine.hpp"
#include "core/run/run.hpp"
#include "core/session/session.hpp"

namespace belfry::core {

class pauses;

struct limit_options {
  /// Live leases in the whole node. 0: no limit. Default 0.
  std::uint32_t global = 0;
  /// Live leases per lane that has a name. 0: no limit. Default 3.
  std::uint32_t per_lane = 3;
  /// Live leases per batch. 0: no limit. Default 5.
  std::uint32_t per_batch = 5;
  /// Live leases per agent type (the node's own executors are bounded by their number). 0: no limit.
  /// Default 4.
  std::uint32_t per_agent_type = 4;
  /// Occurrences of schedules that start in the whole node within `fire_window`; more of them start later.
  /// 0 to 1000, 0: no limit. Default 0.
  std::uint32_t fires = 0;
  /// The same for each workspace. Default 0.
  std::uint32_t fires_per_workspace = 0;
  /// 1 s to 7 days. Default 1 h.
  span fire_window = std::chrono::hours{1};
  friend bool operator==(const limit_options&, const limit_options&) = default;
};

struct board_options {
  /// A run that waits this long is treated as one priority class higher; again after each further step.
  /// Default 10 min. 0 turns ageing off.
  span ageing_step = std::chrono::minutes{10};
  /// Runs that a lane may take per round of its priority class. Default 1.
  std::uint32_t quantum = 1;
  limit_options limits;
};

struct claim_wish {
  session who;  // with its true number of free slots in `free_slots`
  std::uint32_t free_slots = 1;
  std::uint32_t max = 1;              // 1..1000
  priority at_least = priority::low;  // takes only this priority or a more urgent one (unaged)
  // Runs that this session is not to have now, whatever the rules say. For `next_for`, `reasons_for` and
  // `candidates`; empty: none.
  std::function<bool(run_id)> refused = {};
  std::size_t refusals = 0;  // how many there are at most
};

// A run that a claim could get, with what a claim hook asks of it.
struct claim_candidate {
  run_id id;
  job_id job;  // 0: none
  handler_kind handler = handler_kind::none;
  friend bool operator==(const claim_candidate&, const claim_candidate&) = default;
};

// Where the board has a run.
enum class board_place : std::uint8_t { nowhere, line, reserved, live };

struct board_counts {
  std::size_t ready = 0, reserved = 0, live = 0;
  std::array<std::size_t, priority_count> ready_by_priority{};
  std::optional<instant> oldest;  // eligible since of the longest waiting ready run
};

class board {
 public:
  explicit board(board_options options = {});
  ~board();
  board(board&&) noexcept;
  board& operator=(board&&) noexcept;

  // The head is in state queued: it enters the line (again) at its eligible_since. Replaces an older entry of
  // the run. `job_limit` is the job's max_concurrent (0: none). Whether this changed anything.
  // `now`: by the clock of those who judge patience: it has not been waiting for longer; never: it has been
  // since it is eligible.
  bool put(const run_head& head, handler_kind handler, std::uint32_t job_limit, instant now = never);
  // Leaves the line: cancelled, or not there any more. Unknown ids are fine.
  void drop(run_id id);
  // The runs that this claim gets, in order, at most min(max, free_slots); each is reserved. Empty: nothing
  // for this session now.
  std::vector<run_id> pick(const claim_wish& wish, instant now);
  // The store confirmed: the run is live under this lease. Also for leases found at boot. `now`: by the clock
  // of those who judge patience; never: as in the lease.
  void live(const run_head& head, const std::string& agent_type, instant now = never);
  // The store refused: the reservation is given up; `again` puts the run back at its place.
  void unreserve(run_id id, bool again);
  // The lease ended, however.
  void ended(run_id id);

  // What keeps this queued run from being picked, besides sessions: global_limit, agent_type_limit,
  // lane_limit, batch_limit, key_limit, job_limit, behind_others (with its position). Empty: it is next for
  // whoever may take it. Unknown run: empty.
  std::vector<wait_reason> reasons(run_id id, instant now) const;
  // What this claim would get first, limits and turns included; nothing: nothing. Reserves nothing.
  std::optional<run_id> next_for(const claim_wish& wish, instant now);
  // What this claim could get, in the order in which it would, at most `most`, which may be more than it
  // wants. Reserves nothing. A limit that would be reached on the way is not looked ahead to.
  std::vector<claim_candidate> candidates(const claim_wish& wish, instant now, std::size_t most);
  // Reserves this very run for the claim, if it still stands in line and every rule allows it, limits
  // included; only its turn is not asked for.
  bool take(run_id id, const claim_wish& wish, instant now);
  // What keeps a claim of one run by this session, which may take the run as far as rules go, from getting
  // this one: the limits that hold it, agent_type_limit of the session's own type, behind_others. Empty if
  // and only if `pick` would choose it first. Unknown run: empty.
  std::vector<wait_reason> reasons_for(run_id id, const claim_wish& wish, instant now);
  // Place in its lane and priority class, from 1; nothing when it is not in the line.
  std::optional<std::size_t> position(run_id id) const;
  bool contains(run_id id) const;
  board_place place_of(run_id id) const;
  // Every run that it has anywhere, by id.
  std::vector<run_id> all() const;
  board_counts counts() const;
  // What is paused holds its runs in the line; and its time does not age them: `p` must outlive the board,
  // and this is called again whenever something stands or does not stand any more. The scheduler as a whole
  // and agent types are judged by whoever asks.
  void follow(const pauses& p, instant now);
  const limit_options& limits() const;
  void set_limits(const limit_options& l);
  // Live leases per lane, batch, agent type, as calculated: for status, and for the test that compares them
  // with the rows.
  std::map<std::string, std::size_t> live_by_lane() const;
  std::map<std::string, std::size_t> live_by_agent_type() const;
  // Runs in line: what `counts` says, without the rest of it.
  std::size_t ready() const;
  // ---- who waits too long, and whom a wake could bring (core/queue/waiting.hpp)
  // Nobody could take anything until now: what waits begins anew.
  void wait_anew(instant since);
  // Who has begun to starve since the last time, at most `at_most`, and who does so no longer.
  starving_news judge(const judging& by);
  // Of those who starve: whom a limit or a pause holds now, or does not hold any more.
  std::vector<hold_change> holds(const judging& by);
  // It has been starving since before this board was made, and may have been held; false: it is not in the
  // line.
  bool starve(run_id id, bool held = false);
  std::vector<waiting_kind> kinds() const;
  // The next runs of each kind that no limit holds, at most `per_kind`; all of them in order.
  std::vector<waiting_run> fronts(std::size_t per_kind, instant now);
  // Whether neither the limit of the node nor that of its agent type keeps the session from a run.
  bool room_for(const session& s) const;

  // Whether any ready run could be taken by a session like this (limits apart): cheap, by class. Used to wake
  // waiting claims.
  bool anything_for(const session& s) const;
  // How many ready runs that are.
  std::size_t ready_for(const session& s) const;

 private:
  struct state;
  std::unique_ptr<state> s_;
};

}  // namespace belfry::core
