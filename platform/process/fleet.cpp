#include "platform/process/fleet.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace belfry::platform {

namespace {

// More would not start more: the kernel's own locks are next.
constexpr unsigned most_reactors = 4;

}  // namespace

fleet::fleet(std::size_t reactors, const process_options& options, const clock& time) {
  output_limits limits;
  limits.all /= reactors;
  for (std::size_t i = 0; i < reactors; ++i)
    all_.push_back(std::make_unique<reactor>(options, time, probe_processes, limits));
}

void fleet::start(std::string key, process_order order, process_events events) {
  auto& whose = of(key);
  whose.start(std::move(key), std::move(order), std::move(events));
}

std::size_t fleet::running() const {
  std::size_t n = 0;
  for (const auto& each : all_) n += each->running();
  return n;
}

std::unique_ptr<processes> real_processes(const process_options& options, const clock& time) {
  return std::make_unique<fleet>(std::clamp(std::thread::hardware_concurrency(), 1U, most_reactors), options,
                                 time);
}

}  // namespace belfry::platform
