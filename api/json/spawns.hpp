// AGENT TYPES and their workers in JSON. Values of variables are never among it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "messages/pauses.hpp"
#include "messages/spawns.hpp"

namespace belfry::api::json {

// With `workers` and `held`: the details, else a row of the list.
void write_agent_type(writer& w, const messages::agent_type_status& t,
                      const std::vector<core::spawned_worker>* workers,
                      const messages::pauses_seen* held = nullptr);
struct spawn_request {
  std::string workspace;
};
core::result<spawn_request> read_spawn(std::string_view body);

}  // namespace belfry::api::json
