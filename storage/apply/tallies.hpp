// TALLIES: the few numbers that a store keeps beside its rows. Held in memory, written once per commit.
#pragma once

#include <array>
#include <cstdint>

#include "core/events/event.hpp"
#include "core/run/state.hpp"
#include "core/time/instant.hpp"

namespace belfry::storage {

inline constexpr std::size_t event_kind_room = 160;  // event kinds are numbered below this

struct tallies {
  std::int64_t last_event = 0;
  std::int64_t last_id = 0;                                  // greatest id ever given by the store itself
  std::array<std::int64_t, core::run_state_count> states{};  // always equal to the rows
  std::array<std::int64_t, core::priority_count> queued{};   // of those in state queued
  // Cumulative. One `batch_submitted` counts its runs as run_submitted too, so that the figure does not
  // depend on how runs came.
  std::array<std::int64_t, event_kind_room> totals{};
  // How far the time within a run's id was ever ahead of, or behind, the run's creation: turns a range of
  // creation times into a range of ids. A millisecond is the grain of an id.
  std::int64_t id_ahead = 0;
  std::int64_t id_behind = 1000;
  // The longest and the (negative, when the clock went back) shortest time from creation to end of any run
  // ever: turns a range of ends into one of creations.
  std::int64_t longest_life = 0;
  std::int64_t shortest_life = 0;
  friend bool operator==(const tallies&, const tallies&) = default;
};

std::int64_t least_id_made(core::instant at);     // smallest id whose time is not before `at`
std::int64_t greatest_id_made(core::instant at);  // greatest id whose time is not after `at`

}  // namespace belfry::storage
