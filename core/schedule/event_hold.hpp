// EVENT HOLD: what one job that waits for events keeps back: a burst that is gathered, what the fire limit
// does not let through yet, and what came while the job was paused. Plain values, a row of the store.
#pragma once

#include <cstdint>

#include "core/events/named_event.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Where the debouncing of one job stands. Both `never` when nothing is held.
struct debounce_state {
  instant first_held = never;
  instant fires_at = never;
  std::int64_t held = 0;  // events that the coming firing stands for
  friend bool operator==(const debounce_state&, const debounce_state&) = default;
};

struct event_hold {
  debounce_state wait;
  std::uint16_t depth = 0;  // the greatest of those held
  bool limited = false;     // the fire limit is what they wait for
  named_event newest;       // of those held: the one that the run is told of
  instant newest_at = never;
  std::int64_t aside = 0;  // came while the job was paused: they become a range of skips when it goes on
  instant aside_first = never;
  instant aside_last = never;
  friend bool operator==(const event_hold&, const event_hold&) = default;
};

}  // namespace belfry::core
