// FAILURES: what an error of the actor runtime means for the one who asked.
#pragma once

#include <caf/error.hpp>

#include <string_view>

#include "core/errors/result.hpp"

namespace belfry::actors {

// unavailable when the question never reached anybody (safe to ask again); aborted when its effect is not
// known. `whom` names the actor that was asked.
core::failure failure_of(const caf::error& e, std::string_view whom);

}  // namespace belfry::actors
