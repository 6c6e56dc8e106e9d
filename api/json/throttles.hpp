// THROTTLES in JSON: a provider has a limit until a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "core/pause/probe.hpp"
#include "core/pressure/backpressure.hpp"
#include "messages/pauses.hpp"

namespace belfry::api::json {

struct throttle_request {
  std::optional<std::string> resource, agent_type;  // at least one of them
  core::limit_kind kind = core::limit_kind::throttle;
  std::optional<core::span> retry_after;  // or until: exactly one of them
  std::optional<core::instant> until;
  std::string text;
};
core::result<throttle_request> read_throttle(std::string_view body);

// The pauses of these agent types that the limit is part of now.
void write_throttled(writer& w, const messages::pauses_seen& seen,
                     const std::vector<std::string>& agent_types, const core::pause_entry& limit);

void write_delays(writer& w, const std::vector<core::learned_delay>& delays);
void write_pressure(writer& w, const core::pressure& p);

}  // namespace belfry::api::json
