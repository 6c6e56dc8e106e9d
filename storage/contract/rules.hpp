// RULES that a node gives its store: what the store decides by itself, inside the transaction, by options of
// the configuration. Without them nothing is refused, and delays are learned with the usual numbers.
#pragma once

#include "core/pressure/backpressure.hpp"
#include "core/pressure/learned_delay.hpp"
#include "core/queue/board.hpp"

namespace belfry::storage {

struct store_rules {
  core::backpressure_options backpressure = {0, 0, core::pressure_mode::alert, core::priority::normal};
  core::delay_options delays = {};
  core::limit_options limits = {};  // while none have been stored
};

}  // namespace belfry::storage
