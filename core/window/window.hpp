// WINDOW: a maintenance window that comes back: a schedule that says when it opens, and how long it stays
// open.
//
// While it is open, claims of its target are held by a pause of the reason `maintenance` whose owner is the
// window; running work goes on. The next opening stands in that pause already before it begins, as a plan:
// there is no timer of its own that could be missed, and a node that was down finds in the row whether now
// lies in an opening. When one is over, or lifted by hand, the store plans the next.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pause/pause.hpp"
#include "core/schedule/schedule.hpp"

namespace belfry::core {

struct window {
  std::string name;      // as a calendar's
  std::string schedule;  // canonical text, with its zone
  span length{0};        // 1 s to 31 d
  pause_target on;       // the scheduler, a workspace or an agent type
  bool drain = false;    // says when nothing runs any more under it
  std::string text;      // why
  std::uint32_t revision = 1;
  instant created_at = never, changed_at = never;
  std::string created_by, changed_by;
  // The opening that it is in, or the next one; never: there is none to come.
  instant opens = never, closes = never;
  friend bool operator==(const window&, const window&) = default;
};

inline constexpr std::size_t most_windows = 200;
namespace pause_reason {
inline constexpr std::string_view maintenance = "maintenance";
}

struct opening {
  instant begin, end;
  friend bool operator==(const opening&, const opening&) = default;
};
// The one that `now` lies in, else the next; none that begins at or before `after`.
std::optional<opening> opening_at(const schedule& s, span length, instant now, instant after = never);

// Everything that is wrong with what somebody asks for. It has to close before it opens again.
std::vector<field_problem> check(const window& w, const schedule& s, instant now);

// Whose the pause is: "window:NAME"; and back, empty when it is of no window.
std::string owner_of(const window& w);
std::string_view window_of(std::string_view owner);
// The pause of one opening, as it is set at `now`.
pause_entry entry_of(const window& w, const opening& o, instant now);

}  // namespace belfry::core
