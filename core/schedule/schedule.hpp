// SCHEDULE: any of several triggers, not during the excluded times, in one zone, between two instants.
//
// The one question that is asked of it a million times is `next(schedule, after)`. It is pure, has no memory,
// and visits no instant that it does not give: answers for expressions that fire once in 28 years cost
// microseconds. All other parts (preview, planning, timing groups) are built on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/schedule/exclusion.hpp"
#include "core/schedule/trigger.hpp"
#include "core/schedule/zone.hpp"

namespace belfry::core {

struct schedule {
  std::vector<trigger> any_of;        // 1..16; an event trigger stands alone
  std::vector<exclusion> not_during;  // at most 16
  zone in;
  gap_rule gap = gap_rule::first_valid;
  overlap_rule overlap = overlap_rule::first;
  instant starts = never;      // the first instant that may be fired at
  instant ends = end_of_time;  // the last one; both inclusive
  // Each job fires at a point of its own within so long after the planned instant, see `jitter_for`. At most
  // a day. The planned instants themselves do not move.
  span jitter{0};
  friend bool operator==(const schedule&, const schedule&) = default;
};

inline constexpr std::size_t most_triggers = 16;
inline constexpr std::size_t most_exclusions = 16;

// Everything that is wrong, each with its JSON pointer below `base`; empty when it is fine.
std::vector<field_problem> check(const schedule& s, const std::string& base);
// The same, but for whether it would ever fire.
std::vector<field_problem> check_parts(const schedule& s, const std::string& base);

// The first instant after `after` at which it fires, with exclusions and bounds. Nothing for events, after
// the end, or when everything within 40 years is excluded.
std::optional<fire_time> next(const schedule& s, instant after);
// The same without exclusions: what the triggers say. Bounds are kept.
std::optional<fire_time> next_of_triggers(const schedule& s, instant after);
// The last instant in (after, upto] at which it fires, found by bisection.
std::optional<fire_time> last(const schedule& s, instant after, instant upto);
// How many instants it fires at in (after, upto], counted no further than `at_most`.
std::int64_t count_between(const schedule& s, instant after, instant upto, std::int64_t at_most);

// What becomes of an instant that the triggers say.
struct exclusion_verdict {
  bool excluded = false;
  bool postponed = false;  // to `until`; otherwise skipped
  instant until;           // the end of all the excluded time that it lies in; end_of_time: there is none
  std::size_t which = 0;   // the exclusion, as an index
};
exclusion_verdict judge(const schedule& s, instant t);
// The first instant at or before `t` that an exclusion has postponed beyond t.
std::optional<instant> held_back(const schedule& s, instant t);
// Whether any of its exclusions postpones.
bool postpones(const schedule& s);

bool on_event(const schedule& s);
// Fires at most once, at a known instant.
std::optional<instant> only_once(const schedule& s);

// How long after the planned instant `at` a job fires: the same share of the window for the same seed, at
// most half the time to `following` (`end_of_time` when there is none). Whole milliseconds.
span jitter_for(span window, std::uint64_t seed, instant at, instant following);

struct coming {
  instant at;
  std::string local;   // "2026-03-29 03:00:00"
  std::string offset;  // "+02:00"
  clock_shift shift = clock_shift::none;
};
// The next `count` instants after `after`, at most 1000.
std::vector<coming> preview(const schedule& s, instant after, std::size_t count);

}  // namespace belfry::core
