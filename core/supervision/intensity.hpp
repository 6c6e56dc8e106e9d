// RESTART INTENSITY: whether a child that died is started again, and when. At most `restarts` in `window`;
// each restart within the window waits twice as long as the one before, up to `cap`. (The rule of Erlang/OTP
// supervisors, with backoff.)
#pragma once

#include <deque>
#include <optional>

#include "core/time/instant.hpp"

namespace belfry::core {

struct intensity_options {
  /// Restarts allowed within the window. Default 5; range 0..1000.
  std::uint32_t restarts = 5;
  /// Default 30 s.
  span window = std::chrono::seconds{30};
  /// Delay before the first restart; doubles. Default 100 ms.
  span base = std::chrono::milliseconds{100};
  /// Default 5 s.
  span cap = std::chrono::seconds{5};
};

class restart_record {
 public:
  // Delay before the restart, or nothing when the child is given up.
  std::optional<span> died(const intensity_options& options, instant now);

 private:
  std::deque<instant> deaths_;
};

}  // namespace belfry::core
