#include "actors/gateway/intake.hpp"

#include "actors/support/limits.hpp"

namespace belfry::actors {

std::optional<core::failure> intake::refuses(const messages::submit_runs& asked) const {
  if (auto no = refuse_length(asked.runs.size(), "/runs")) return no;
  if (open_) return std::nullopt;
  return core::failure{core::errc::overloaded,
                       "the queue is full: " + std::to_string(queued_) + " runs are waiting",
                       {},
                       "belfry status"};
}

}  // namespace belfry::actors
