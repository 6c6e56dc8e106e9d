// FIRE LINE: the starts of planned runs that a limit of a workspace or of the node counts, and where the next
// one finds its place: at the earliest instant at which no window of time has more starts than it may have.
//
// Starts may lie ahead, because they were moved there. Whoever asks later is never put before one that asked
// earlier and wanted no more: order is kept. Once the window has passed the starts are forgotten, so that
// nothing comes in a heap. What cannot be put within bounds is not moved for ever, it is skipped.
// Rejected: the same for what a job's own limit counts (core/schedule/plan.hpp) - one job has one order, and
// its row keeps no more than it must.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/schedule/plan.hpp"

namespace belfry::core {

struct fire_line {
  fire_scope scope = fire_scope::none;
  fire_limit limit;             // most > 0
  std::vector<instant> starts;  // in order; some may lie ahead
  std::string name;             // of its row
};
// So many may wait ahead; one more is not put into the line.
inline constexpr std::size_t most_put_off = 1'000;

// The first instant from `from` on at which one more may start.
instant earliest(const fire_limit& limit, const std::vector<instant>& starts, instant from);
// Moves the start until every line has a place for it. False: one of them is full.
bool keep_limits(const std::vector<fire_line>& lines, planned_time& p, instant now);
// It starts then. What no window reaches any more is forgotten.
void note_start(fire_line& line, instant start, instant now);

// As text for a row, and back; a text that is none gives nothing.
std::string write_starts(const std::vector<instant>& starts);
std::vector<instant> read_starts(std::string_view text);

}  // namespace belfry::core
