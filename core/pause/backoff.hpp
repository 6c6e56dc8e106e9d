// BACKOFF: three resource failures in a row stop the claims of the whole node for a moment, because the next
// start would fail as well and use up an attempt. A plain value; the rules of the store hold it.
#pragma once

#include <cstdint>

#include "core/run/run.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

class backoff {
 public:
  static constexpr std::uint32_t failures_in_a_row = 3;
  static constexpr span first{std::chrono::milliseconds{500}};
  static constexpr span longest{std::chrono::seconds{30}};

  // An attempt has ended. How long nothing is to start now; 0: no pause by this. The third resource failure
  // in a row answers 500 ms, each one after it twice as much, up to 30 s. A success begins anew; another
  // failure of the work itself shows that there were resources, and does so too. What says nothing of
  // resources (lost, cancelled, released, parked) changes nothing.
  span ended(const attempt_record& how);

 private:
  std::uint32_t failures_ = 0;
};

}  // namespace belfry::core
