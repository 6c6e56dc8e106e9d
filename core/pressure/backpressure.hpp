// BACKPRESSURE: when too many runs are queued, whoever submits more is told, or refused, until the queue is
// short again.
//
// An episode begins when `at` runs are queued and ends when fewer than `until` are: between the two it goes
// on, so that a queue that breathes around one number does not begin an episode with every breath. Queued are
// the runs that could be claimed now; delayed and retrying ones press on nobody. The store counts them inside
// the transaction, in the order in which submissions are applied, so that the run that fills the queue and
// the first one that is refused are neighbours. Work that the node makes by itself (retries, delays that are
// over, schedules, hooks) and what operators do to single runs is never refused: it was promised before.
// Rejected: refusing at one number (on, off, on with every claim); a limit at the door, which looks at an old
// count and lets everything in that is under way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/run/state.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

enum class pressure_mode : std::uint8_t { alert = 0, reject = 1, shed = 2 };
std::string_view to_text(pressure_mode m);

struct backpressure_options {
  /// Queued runs at which an episode begins. Default 10,000; 0 turns it off.
  std::uint64_t at = 10'000;
  /// It ends when fewer than this are queued. Default 0: four fifths of `at`.
  std::uint64_t until = 0;
  /// alert: tells. reject: refuses every submission. shed: refuses those below `shed_below`. Default alert.
  pressure_mode mode = pressure_mode::alert;
  /// With shed: submissions of a lower class are refused. Default normal.
  priority shed_below = priority::normal;
};
/// The number of queued runs below which an episode ends; at least 1, at most `at`.
std::uint64_t end_of(const backpressure_options& o);
/// What is wrong, with the key as pointer.
std::vector<field_problem> check(const backpressure_options& o);

enum class pressure_change : std::uint8_t { none, began, ended };
pressure_change decide_pressure(const backpressure_options& o, bool on, std::uint64_t queued);

/// How fast the queue has emptied lately: what left it within the last minute, in bites of six seconds. It
/// says nothing rather than a wrong number when nothing left it.
class departures {
 public:
  void left(instant at);
  /// How long so many runs take at that speed.
  std::optional<span> time_for(std::uint64_t runs, instant now) const;

 private:
  static constexpr std::int64_t bite_us = 6'000'000;
  static constexpr std::size_t bites = 10;
  std::array<std::uint64_t, bites> counts_{};
  std::int64_t newest_ = 0;  // number of the newest bite since the epoch; 0: none yet
  instant first_ = never;    // of those that are still counted, or later
};

/// The queue as it presses, at one commit.
struct pressure {
  backpressure_options rule = {0, 0, pressure_mode::alert, priority::normal};
  std::uint64_t queued = 0;
  instant since = never;            // of the episode; never: there is none
  std::optional<span> wait = {};    // of a run that is submitted now; nothing: not known
  std::optional<span> relief = {};  // until it ends at the present speed; nothing: not known
};
inline bool pressing(const pressure& p) { return p.since != never; }

/// Why a submission with a run of this class (the lowest of it) is refused, or nothing. Code: overloaded,
/// with retry_ms between 1 s and 5 min (30 s when nothing is known).
std::optional<failure> refuse_submission(const pressure& p, priority lowest);
/// "12000 runs are queued (backpressure.at 10000), a new one waits about 4m".
std::string told(const pressure& p);
/// For machines: "reject; queued=12000; wait_ms=240000".
std::string signal_of(const pressure& p);

}  // namespace belfry::core
