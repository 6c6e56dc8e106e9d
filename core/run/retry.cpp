#include "core/run/retry.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace belfry::core {
namespace {

constexpr std::array<std::string_view, 3> names{"fixed", "linear", "exponential"};

}  // namespace

std::string_view to_text(backoff_kind k) {
  const auto i = static_cast<std::size_t>(k);
  return i < names.size() ? names[i] : std::string_view{"unknown"};
}

std::optional<backoff_kind> backoff_kind_from(std::string_view text) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return std::nullopt;
  return static_cast<backoff_kind>(at - names.begin());
}

span retry_delay(const retry_policy& policy, std::uint32_t used, double unit) {
  const std::uint32_t n = std::max(used, 1U);
  const auto base = static_cast<double>(std::max(policy.base, span{0}).count());
  const auto cap = static_cast<double>(std::max(policy.cap, span{0}).count());
  double delay = base;
  if (policy.kind == backoff_kind::linear) delay = base * n;
  if (policy.kind == backoff_kind::exponential && base > 0) {
    // Ends as soon as the cap is passed: the power itself may be greater than any number.
    const double factor = std::isfinite(policy.multiplier) ? std::max(policy.multiplier, 1.0) : 1.0;
    for (std::uint32_t i = 1; i < n && delay < cap && factor > 1.0; ++i) delay *= factor;
  }
  delay = std::min(delay, cap);
  const double width = std::isfinite(policy.jitter) ? std::clamp(policy.jitter, 0.0, 1.0) : 0.0;
  const double where = std::isfinite(unit) ? std::clamp(unit, 0.0, 1.0) : 0.5;
  delay *= 1.0 + width * (2.0 * where - 1.0);
  return span{std::llround(delay)};
}

}  // namespace belfry::core
