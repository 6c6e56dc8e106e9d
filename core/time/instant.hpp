// TIME: one vocabulary. `instant` is UTC in microseconds, `span` a duration in microseconds. Zones appear
// only in triggers and in display. Nothing in core reads a clock: `now` is always an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace belfry::core {

using span = std::chrono::microseconds;
using instant = std::chrono::time_point<std::chrono::system_clock, span>;

inline constexpr instant never{};  // the epoch stands for "not set"; no run is that old

constexpr std::int64_t micros(instant t) { return t.time_since_epoch().count(); }
constexpr instant from_micros(std::int64_t us) { return instant{span{us}}; }
constexpr std::int64_t millis(span s) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(s).count();
}

inline constexpr instant end_of_time = from_micros(253'402'300'799'999'999);  // 9999-12-31T23:59:59.999999Z

// t + s, kept within [never, end_of_time]: a delay of any size leads to an instant that can be stored and
// printed.
constexpr instant later(instant t, span s) {
  if (t > end_of_time || (s > span{0} && s > end_of_time - t)) return end_of_time;
  if (t < never || (s < span{0} && s < never - t)) return never;
  return t + s;
}

}  // namespace belfry::core
