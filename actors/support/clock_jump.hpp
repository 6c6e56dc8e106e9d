// CLOCK JUMP: whether the wall clock moved by more than the steady one since the last look: the machine was
// suspended, or somebody set the clock.
#pragma once

#include <optional>

#include "core/time/instant.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::actors {

class clock_jump {
 public:
  clock_jump(const platform::clock& clock, core::span tolerated)
      : clock_{&clock}, tolerated_{tolerated}, wall_{clock.now()}, steady_{clock.steady()} {}

  struct jump {
    core::instant before = core::never;  // what time it would be now, had the clock gone on as before
    core::span by{0};                    // negative: backwards
  };
  // Looks, and remembers.
  std::optional<jump> look() {
    const auto wall = clock_->now();
    const auto steady = clock_->steady();
    const auto expected = wall_ + (steady - steady_);
    const jump seen{expected, wall - expected};
    wall_ = wall;
    steady_ = steady;
    if (seen.by > tolerated_ || seen.by < -tolerated_) return seen;
    return std::nullopt;
  }

 private:
  const platform::clock* clock_;
  core::span tolerated_;
  core::instant wall_;
  core::instant steady_;
};

}  // namespace belfry::actors
