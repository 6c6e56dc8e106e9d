// OCCURRENCES: the two kinds of lines of one list, merged. The same for every store.
#pragma once

#include <cstddef>
#include <vector>

#include "core/job/job.hpp"

namespace belfry::storage {

// Both newest first, each with one more than `limit` where there are more.
core::occurrence_page page_of(std::vector<core::occurrence_line> made,
                              std::vector<core::occurrence_line> skipped, std::size_t limit);

}  // namespace belfry::storage
