// SIM FAULTY STORE: a store with a planted bug, for the question whether the simulator would notice.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/contract/store.hpp"

namespace belfry::tests {

enum class planted : std::uint8_t {
  none,
  ignores_proof,  // an old token or fencing number is taken for the live one
  drops_record,   // now and then the record of an ended attempt is not written
  forgets_loss,   // a lease that ran out is handed back without being counted
  miscounts,      // the counts by state forget about cancelled runs
};

/// `seed` says when a bug of the "now and then" kind strikes.
std::unique_ptr<storage::store> make_faulty(std::unique_ptr<storage::store> real, planted bug,
                                            std::uint64_t seed);

}  // namespace belfry::tests
