#include "storage/apply/tallies.hpp"

#include <chrono>

#include "core/ids/id.hpp"

namespace belfry::storage {
namespace {

constexpr int time_shift = 21;  // core/ids/id.hpp: node and sequence below the milliseconds
constexpr std::int64_t time_limit = std::int64_t{1} << 42;

// Whole milliseconds since the beginning of ids, rounded down.
std::int64_t id_milliseconds(core::instant at) {
  return std::chrono::floor<std::chrono::milliseconds>(at - core::made_at(0)).count();
}

}  // namespace

std::int64_t least_id_made(core::instant at) {
  auto ms = id_milliseconds(at);
  if (core::made_at(0) + std::chrono::milliseconds{ms} < at) ++ms;
  if (ms <= 0) return 0;
  return ms >= time_limit ? INT64_MAX : ms << time_shift;
}

std::int64_t greatest_id_made(core::instant at) {
  const auto ms = id_milliseconds(at) + 1;
  if (ms <= 0) return 0;
  return ms >= time_limit ? INT64_MAX : (ms << time_shift) - 1;
}

}  // namespace belfry::storage
