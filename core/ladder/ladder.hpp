// LADDER: what happens to a run that nobody takes: all who may take it are woken, a worker is spawned, the
// journal says it, a person is asked.
//
// A run that starves has a row: its episode, its count, the highest rung that fired. The count rises by one
// with each tick of the ladder, at most one per interval, however many cycles changes cause; the ticks are
// numbered in the store, and a row only says at which tick its count was zero. So nothing is written between
// rungs, a restart loses nothing, another interval changes the pace and fires nothing again, and a clock that
// jumps is one tick at most. A pause or a limit that holds the run freezes its count.
//
// The bound: without holds, a run of which nobody takes any of its kind needs attention no later than
//   minimum_age + needs_attention × interval + one bite of the store per thousand starved runs
// after it became eligible, of which only time counts in which the node ran; one minimum_age more for each
// restart before its row was written, one interval more for each time that the wall clock was set.
//
// A plain value. It proposes; what the store has written is told back, and only then it is so.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Numbers stand in rows. A rung is what fires when the count reaches its threshold.
enum class rung : std::uint8_t { none = 0, fan_out = 1, spawn = 2, event = 3, needs_attention = 4 };
inline constexpr std::size_t rung_count = 5;
std::string_view to_text(rung r);

struct ladder_options {
  /// A run of whose kind nobody took any for this long is starved. Default 2 min. 0 turns the ladder off.
  span minimum_age = std::chrono::minutes{2};
  /// Counts at which the rungs fire; positive and non-decreasing. Default 2, 4, 6, 10.
  std::uint32_t fan_out = 2;
  std::uint32_t spawn = 4;
  std::uint32_t event = 6;
  std::uint32_t needs_attention = 10;
  friend bool operator==(const ladder_options&, const ladder_options&) = default;
};
// Every mistake, as problems below `base`: a threshold of zero, or one below the rung before it.
std::vector<field_problem> check(const ladder_options& o, const std::string& base);
// The count at which this rung fires; of `none`: 0.
std::uint32_t threshold(const ladder_options& o, rung r);
// The highest rung that a run with this count has reached.
rung reached(const ladder_options& o, std::uint64_t count);
// The longest that a run can wait before it needs attention, while nothing holds it and the node runs.
span longest_wait(const ladder_options& o, span interval);

// The row of a starved run.
struct starvation {
  run_id run;
  std::uint64_t episode = 0;  // grows with every episode of any run; 0: the store gives it
  instant began = never;
  std::uint64_t base = 0;  // tick at which its count was zero
  rung fired = rung::none;
  bool spawned = false;               // a worker was started for this episode
  std::optional<std::uint64_t> held;  // its count, while something holds it
  friend bool operator==(const starvation&, const starvation&) = default;
};
std::uint64_t count_of(const starvation& s, std::uint64_t tick);

// The clock of the ladder, durable.
struct ladder_clock {
  std::uint64_t tick = 0;
  std::uint64_t episodes = 0;  // that began, ever
  instant ticked_at = never;
  friend bool operator==(const ladder_clock&, const ladder_clock&) = default;
};

// One bite: what is to be written next.
struct ladder_bite {
  std::uint64_t tick = 0;
  std::vector<starvation> rows;  // begun, changed, or with a rung that fired
  std::vector<starvation> over;  // to be removed while it is the same episode
  std::vector<run_id> give_up;   // the last rung
  bool more = false;             // there is more to be written at once
  bool empty() const { return rows.empty() && over.empty() && give_up.empty(); }
};

class ladder {
 public:
  explicit ladder(ladder_options options, ladder_clock clock = {}) : options_(options), clock_(clock) {}

  void know(const starvation& row);  // from the store, at boot
  // News of the board. Runs that are known already are passed over.
  void begin(run_id run, instant now);
  void end(run_id run);
  void hold(run_id run, bool held);
  // One interval has passed: everybody's count rises by one. Nothing is written when nobody starves.
  void tick() { ticking_ = true; }

  // What is to be written now, at most so many rows.
  ladder_bite bite(std::size_t at_most) const;
  // It was written: `rows` as they stand there; a row that was proposed and is not among them is gone.
  void written(const ladder_bite& proposed, const std::vector<starvation>& rows, const ladder_clock& clock);
  // The last rung: it needs attention now, or somebody had taken it.
  void gave_up(run_id run) { drop(run); }
  // The store could not; it is proposed again by the next bite.
  void spawned(run_id run);

  // Due for a worker: the rung fired, and none was started yet; at most so many, the longest starving first.
  std::vector<starvation> wanting_worker(std::size_t at_most) const;
  bool fans_out(run_id run) const;

  const ladder_clock& clock() const { return clock_; }
  std::uint64_t now_tick() const { return clock_.tick + (ticking_ ? 1 : 0); }
  const ladder_options& options() const { return options_; }
  std::optional<starvation> find(run_id run) const;
  std::size_t size() const { return rows_.size(); }
  bool nobody() const { return rows_.empty() && fresh_.empty(); }
  // Runs by the highest rung that fired.
  const std::array<std::size_t, rung_count>& by_rung() const { return by_rung_; }
  std::vector<run_id> runs() const;  // with a row, by id

 private:
  std::uint64_t due_tick(const starvation& s) const;  // of its next rung
  void put(const starvation& row);
  void drop(run_id run);

  ladder_options options_;
  ladder_clock clock_;
  bool ticking_ = false;
  std::unordered_map<run_id, starvation> rows_;
  std::map<run_id, instant> fresh_;                       // begun, no row yet
  std::set<run_id> changed_;                              // hold changes that are not written
  std::set<run_id> over_;                                 // rows to be removed
  std::set<std::pair<std::uint64_t, run_id>> due_;        // by tick of the next rung; not those held
  std::set<std::pair<std::uint64_t, run_id>> unspawned_;  // by episode
  std::array<std::size_t, rung_count> by_rung_{};
};

}  // namespace belfry::core
