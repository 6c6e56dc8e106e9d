// CYCLE: one pass of the scheduler: sweep → snapshot → pause check → ladder's count → select → wake → result.
//
// A wake is a hint to a session that sleeps: it assigns nothing. Each run wakes one session, each session is
// woken for one run per cycle; the one that was woken longest ago comes first, ties by id. A starved run
// wakes all that may take it, cooldown or not, but of the sessions that are free in the cycle all starved
// runs together take at most their share, and each of them at least one. The node's own executors are never
// woken: they come by themselves.
//
// Values in, values out. What was woken when is remembered in WAKE MEMORY; losing it costs a repeated wake.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/errors/result.hpp"
#include "core/queue/waiting.hpp"
#include "core/session/session.hpp"

namespace belfry::core {

struct wake_options {
  /// A cycle runs when something changed, and at least this often; the count of a starved run rises at most
  /// once per interval. Default 15 s; 100 ms..10 min.
  span interval = std::chrono::seconds{15};
  /// Least pause between two wakes of one session for one run, after a wake that was acknowledged. Default
  /// 60 s. 0 turns it off.
  span cooldown = std::chrono::seconds{60};
  /// Of the sessions that are free in a cycle, how many per cent starved runs may wake together; each of them
  /// at least one. Default 50; 1..100.
  std::uint32_t fan_out_share = 50;
  friend bool operator==(const wake_options&, const wake_options&) = default;
};

// The node's own executors come by themselves, and so does whoever registered without a sink.
inline bool can_be_woken(const session& who) { return !who.local && who.wake.via != wake_via::none; }

struct seated_session {
  session who;
  std::uint32_t free_slots = 1;
  bool room = true;  // neither the limit of the node nor that of its agent type is reached
};

// What the queue and the sessions look like at one moment. Linear in the sessions, in the kinds of needs and
// in what is next, not in what is queued.
struct waiting_snapshot {
  instant at = never;
  bool paused = false;                   // the whole scheduler
  std::size_t present = 0;               // sessions that are here
  std::vector<seated_session> sessions;  // all of them, or none where no run waits
  std::vector<waiting_kind> kinds;
  std::vector<waiting_run> fronts;  // in order
  std::size_t pending = 0, active = 0;
  std::size_t delayed = 0;      // open, but neither queued nor leased
  std::size_t paused_runs = 0;  // queued, and held by a pause
  // The claim hook has just refused the run to the session: a wake would be for nothing. Sorted.
  std::vector<std::pair<run_id, session_id>> refused = {};
};

class wake_memory {
 public:
  explicit wake_memory(wake_options options = {}) : options_(options) {}
  // Handed to the session's sink; nobody knows yet whether it has heard it.
  void sent(run_id run, session_id who, instant now);
  // It has heard: the cooldown begins.
  void acknowledged(run_id run, session_id who, instant now);
  // It could not be handed over: nothing is remembered but that others are tried before.
  void tried(session_id who, instant now) { last_[who] = now; }
  // As if it had never been.
  void failed(run_id run, session_id who);

  bool under_way(run_id run) const { return runs_sent_.contains(run); }
  bool under_way(session_id who) const { return sessions_sent_.contains(who); }
  bool cooling(run_id run, session_id who, instant now) const;
  instant last_woken(session_id who) const;
  // Cooldowns that are over are dropped; of the others the oldest, when there are more than allowed. Sessions
  // that are gone are forgotten once they outnumber those here.
  void tidy(instant now, const std::vector<seated_session>& here);
  std::size_t cooldowns() const { return cooling_.size(); }
  void clear();  // everything; answers nothing, harms nobody

 private:
  struct pair_hash {
    std::size_t operator()(const std::pair<run_id, session_id>& p) const noexcept {
      return std::hash<run_id>{}(p.first) * 31 + std::hash<session_id>{}(p.second);
    }
  };
  using pair = std::pair<run_id, session_id>;
  void end_sent(run_id run, session_id who);

  wake_options options_;
  std::unordered_map<pair, instant, pair_hash> cooling_;  // since when
  std::unordered_set<pair, pair_hash> sent_;
  std::unordered_map<run_id, std::uint32_t> runs_sent_;
  std::unordered_map<session_id, std::uint32_t> sessions_sent_;
  std::unordered_map<session_id, instant> last_;
};

struct chosen_wake {
  run_id run;
  session_id who;
  priority prio = priority::normal;
  bool starved = false;
};
struct wake_choice {
  std::vector<chosen_wake> wakes;
  // Runs that wake nobody, by why. Of the runs that are next; those behind them have not been looked at.
  std::vector<run_id> no_capable, all_busy, all_cooldown, wrong_scope;
  std::uint64_t no_capable_runs = 0;    // all runs of such kinds, those further back too
  std::uint64_t wrong_scope_runs = 0;   // likewise
  std::uint64_t recently_notified = 0;  // sessions passed over because they have just heard of the run
  std::size_t sessions_scanned = 0;
};
// `fans_out`: whether this starved run wakes all that may take it in this cycle.
template <class FansOut>
wake_choice choose_wakes(const waiting_snapshot& seen, const wake_memory& memory, const wake_options& options,
                         FansOut fans_out);

// Why a kind finds nobody, or whom it finds.
enum class match : std::uint8_t { able, busy, wrong_scope, unfit };
match match_of(const seated_session& s, const waiting_kind& kind);

namespace waking {
// For its own files: the choice with the starved runs already told.
wake_choice choose(const waiting_snapshot& seen, const wake_memory& memory, const wake_options& options,
                   const std::vector<bool>& fanning);
}  // namespace waking

template <class FansOut>
wake_choice choose_wakes(const waiting_snapshot& seen, const wake_memory& memory, const wake_options& options,
                         FansOut fans_out) {
  std::vector<bool> fanning(seen.fronts.size());
  for (std::size_t i = 0; i < fanning.size(); ++i)
    fanning[i] = seen.fronts[i].starving && fans_out(seen.fronts[i].id);
  return waking::choose(seen, memory, options, fanning);
}

}  // namespace belfry::core
