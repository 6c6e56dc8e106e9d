// TIMING in columns: when a job is due, what became of an occurrence, when the last ones were made. A
// version, then what `bytes` writes. Append only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/job/job.hpp"

namespace belfry::storage::codec {

std::string encode_timing(const core::job_timing& t);    // empty: only by hand
core::job_timing decode_timing(std::string_view bytes);  // throws `damaged`
// Only the schedule, for those who look at many; empty for none, and for one that cannot be read.
std::string schedule_in_timing(std::string_view bytes);
std::string encode_instants(const std::vector<core::instant>& list);  // empty for none
std::vector<core::instant> decode_instants(std::string_view bytes);
std::int64_t flags_of(const core::occurrence& o);
void read_flags(std::int64_t flags, core::occurrence& o);

}  // namespace belfry::storage::codec
