// PACE: how fast a line has moved lately, and what that means for somebody who waits in it. It says what the
// figure rests on, and nothing rather than a wrong number.
//
// The mean time between the newest starts (up to 32), as long as the line still moves: when it has stood for
// longer than those starts took together, they tell nothing about now.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/run/state.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct estimate {
  std::optional<span> in;  // from now; nothing: unknown
  std::string basis;       // what it rests on, or why it is unknown
};

/// Time left for `left` things when `done` of them took `took`. Unknown before three are done.
estimate estimate_rest(std::size_t done, std::size_t left, span took);

/// Time left for work that was begun at `started` and was said at `said` to be done by `value` (0 to 1).
/// Unknown rather than wrong: before two hundredths are done or a second has passed, without a word since the
/// node runs, when the last word is older than the work was then, and when it takes longer than it promised.
estimate estimate_end(double value, instant started, instant said, instant now);

class pace {
 public:
  void started(instant at);
  /// When the one at `position` (from 1) starts.
  estimate start_of(std::size_t position, instant now) const;

 private:
  std::array<instant, 32> starts_{};  // a ring
  std::size_t count_ = 0;             // ever
};

// The paces of all lanes and priorities. Bounded: those that have stood longest go first.
class paces {
 public:
  void started(const std::string& lane, priority prio, instant at);
  estimate start_of(const std::string& lane, priority prio, std::size_t position, instant now) const;

 private:
  struct kept {
    pace of;
    instant last = never;
  };
  std::map<std::pair<std::string, priority>, kept> all_;
};

}  // namespace belfry::core
