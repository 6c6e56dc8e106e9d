// POLICY of retention: what its lengths of time mean.
#pragma once

#include "core/time/instant.hpp"

namespace belfry::actors {

// What ended before this is old. 0 means kept for ever: nothing is.
inline core::instant kept_since(core::instant now, core::span keep) {
  return keep == core::span{0} ? core::never : core::later(now, -keep);
}

}  // namespace belfry::actors
