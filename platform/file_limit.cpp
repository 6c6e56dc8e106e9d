#include "platform/file_limit.hpp"

#include <atomic>

#include "platform/ports/files.hpp"

namespace belfry::platform {

namespace {
std::atomic<rlim_t> soft_before{RLIM_INFINITY};  // infinity: not raised
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) soft_before = before;
}

std::optional<rlimit> file_limit_of_children() {
  const rlim_t soft = soft_before.load(std::memory_order_relaxed);
  rlimit limit{};
  if (soft == RLIM_INFINITY || getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  limit.rlim_cur = soft;
  return limit;
}

}  // namespace belfry::platform
