// OCCURRENCE: one planned instant of one job. Its id is made of nothing but the two, so that two processes
// that plan the same instant make the same id, and a store that keeps ids unique keeps occurrences unique.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct occurrence_id {
  job_id job;
  instant at;  // the planned instant, without jitter or delay
  friend auto operator<=>(const occurrence_id&, const occurrence_id&) = default;
};

// "occ_" and 26 digits of Crockford's base 32: the job, then the instant. Sorted as text they are in order of
// time within a job. No two occurrences share one.
std::string to_string(const occurrence_id& id);
result<occurrence_id> parse_occurrence_id(std::string_view text);

}  // namespace belfry::core
