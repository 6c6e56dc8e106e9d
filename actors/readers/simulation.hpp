// SIMULATION: what would be planned, for jobs as they stand in the store or as they were given. Reads only.
#pragma once

#include "core/errors/result.hpp"
#include "messages/queries.hpp"
#include "storage/contract/reader.hpp"

namespace belfry::actors {

// Codes: not_found, ambiguous (a job that was named), invalid (one that has no times, a wrong setup),
// limit_exceeded (too many jobs).
core::result<core::simulation> simulate_with(storage::reader& store, const messages::simulate_schedules& q);

}  // namespace belfry::actors
