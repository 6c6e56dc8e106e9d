// TROUBLES: what a store alone tells the doctor, made of reads that are bounded and driven by an index, so
// that a million runs cost no more than a thousand.
#pragma once

#include "core/doctor/doctor.hpp"
#include "core/errors/result.hpp"
#include "storage/contract/reader.hpp"

namespace belfry::storage {

// `late_after`: how long a run that is due may wait before it is told of.
core::result<core::store_troubles> troubles_of(reader& rows, core::instant now, core::span late_after,
                                               const core::trouble_bounds& bounds = {});

}  // namespace belfry::storage
