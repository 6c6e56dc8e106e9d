// ALARM: at most one delayed message that counts. CAF cannot take a delayed message back, so each carries a
// generation and one that was superseded means nothing. Arming for a later time than what is armed does
// nothing: the early ring looks again and arms anew, so that a stream of new deadlines does not become a
// stream of timers.
//
// A wall clock can move without its timers (suspend, a set clock), therefore nobody sleeps longer than
// `longest`.
#pragma once

#include <caf/send.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/time/instant.hpp"
#include "messages/following.hpp"

namespace belfry::actors {

class alarm {
 public:
  explicit alarm(core::span longest = std::chrono::seconds{30}) : longest_{longest} {}

  // `to` is the handle of the actor itself.
  template <class Handle>
  void arm(const Handle& to, core::instant at, core::instant now) {
    auto when = std::min(at, core::later(now, longest_));
    // Overdue: the clock was set forward, and what was armed rings when its old delay is over. At once
    // instead.
    if (armed_ && *armed_ < now)
      when = now;
    else if (armed_ && *armed_ <= when)
      return;
    armed_ = when;
    const core::span delay = std::max(when - now, core::span{0});
    caf::delayed_anon_send(to, delay, messages::alarm_rang{++generation_});
  }
  // Whether this is the ring that was armed last; nothing is armed then.
  bool rang(const messages::alarm_rang& ring) {
    if (!armed_ || ring.generation != generation_) return false;
    armed_.reset();
    return true;
  }
  /// What was armed means nothing any more.
  void disarm() { armed_.reset(); }
  bool armed() const { return armed_.has_value(); }

 private:
  core::span longest_;
  std::optional<core::instant> armed_;
  std::uint64_t generation_ = 0;
};

}  // namespace belfry::actors
