#include "platform/ports/clock.hpp"

#include <chrono>
#include <ctime>

namespace belfry::platform {

namespace {

class real_clock final : public clock {
 public:
  core::instant now() const override {
    return std::chrono::time_point_cast<core::span>(std::chrono::system_clock::now());
  }
  core::instant steady() const override {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return core::instant{std::chrono::duration_cast<core::span>(since)};
  }
  core::instant through_sleep() const override {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return core::instant{std::chrono::duration_cast<core::span>(std::chrono::seconds{t.tv_sec} +
                                                                std::chrono::nanoseconds{t.tv_nsec})};
  }
};

}  // namespace

std::unique_ptr<clock> system_clock() { return std::make_unique<real_clock>(); }

}  // namespace belfry::platform
