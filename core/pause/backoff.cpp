#include "core/pause/backoff.hpp"

#include <algorithm>

namespace belfry::core {

span backoff::ended(const attempt_record& how) {
  if (how.klass == failure_class::resource) {
    if (++failures_ < failures_in_a_row) return span{0};
    constexpr std::uint32_t most_doublings = 6;  // 500 ms · 2^6 is beyond the cap
    const auto doublings = std::min(failures_ - failures_in_a_row, most_doublings);
    return std::min(first * (std::int64_t{1} << doublings), longest);
  }
  if (how.outcome == run_state::succeeded || how.outcome == run_state::failed ||
      how.outcome == run_state::timed_out)
    failures_ = 0;
  return span{0};
}

}  // namespace belfry::core
