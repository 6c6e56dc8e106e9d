#include "app/work/retry_pace.hpp"

#include <algorithm>

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

constexpr core::span first_pause = 100ms;
constexpr core::span longest_pause = 2s;
constexpr core::span longest_obeyed = 30s;

}  // namespace

std::optional<core::span> retry_pace::failed(core::instant now, std::optional<core::span> asked_for,
                                             double unit) {
  if (!failing()) since_ = now;
  if (patience_ > core::span{0} && now - since_ >= patience_) return std::nullopt;
  next_ = next_ == core::span{0} ? first_pause : std::min(next_ * 2, longest_pause);
  const auto scattered =
      core::span{static_cast<std::int64_t>(static_cast<double>(next_.count()) * (0.7 + 0.6 * unit))};
  return std::max(scattered, std::min(asked_for.value_or(core::span{0}), longest_obeyed));
}

void retry_pace::succeeded() {
  since_ = core::never;
  next_ = core::span{0};
}

}  // namespace belfry::app
