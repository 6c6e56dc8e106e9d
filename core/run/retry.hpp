// RETRY: budgets and the delay before the next attempt.
//
// Delay before attempt n+1 after n used attempts: fixed base; linear base·n; exponential
// base·multiplier^(n−1); capped, then jittered by ±jitter with a seeded unit value. Calculated once, when the
// attempt ends, and stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time/instant.hpp"

namespace belfry::core {

enum class backoff_kind : std::uint8_t { fixed = 0, linear = 1, exponential = 2 };
std::string_view to_text(backoff_kind k);
std::optional<backoff_kind> backoff_kind_from(std::string_view text);

struct retry_policy {
  std::uint16_t max_attempts = 4;  // 1 + retries, 1..1000; 1 means no retry
  std::uint16_t max_losses = 3;    // attempts lost before the run is given up as lost, 1..100
  backoff_kind kind = backoff_kind::exponential;
  span base = std::chrono::seconds{1};  // 0..24h
  double multiplier = 2.0;              // 1..10
  span cap = std::chrono::hours{1};     // base..7d
  double jitter = 0.3;                  // 0..1 (±30 %)
  friend bool operator==(const retry_policy&, const retry_policy&) = default;
};

// `used` >= 1: attempts that count against max_attempts so far. `unit` in [0,1): the seeded random value.
span retry_delay(const retry_policy& policy, std::uint32_t used, double unit);

}  // namespace belfry::core
