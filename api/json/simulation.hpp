// SIMULATION in JSON: what is to be simulated, and what came of it.
#pragma once

#include <string_view>

#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "messages/queries.hpp"

namespace belfry::api::json {

// `now`: where a simulation begins that names no beginning.
core::result<messages::simulate_schedules> read_simulation(std::string_view body, core::instant now);
void write_simulation(writer& w, const core::simulation& s, core::instant from, core::instant until);

}  // namespace belfry::api::json
