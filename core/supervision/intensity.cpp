#include "core/supervision/intensity.hpp"

#include <algorithm>

namespace belfry::core {

std::optional<span> restart_record::died(const intensity_options& options, instant now) {
  deaths_.push_back(now);
  while (!deaths_.empty() && deaths_.front() <= now - options.window) deaths_.pop_front();
  // A child that dies for ever must not grow the record: one more than allowed says everything.
  while (deaths_.size() > std::size_t{options.restarts} + 1) deaths_.pop_front();
  if (deaths_.size() > options.restarts || deaths_.empty()) return std::nullopt;
  span delay = std::min(options.base, options.cap);
  for (std::size_t i = 1; i < deaths_.size() && delay < options.cap; ++i)
    delay = delay > options.cap / 2 ? options.cap : delay * 2;
  return std::max(delay, span{0});
}

}  // namespace belfry::core
