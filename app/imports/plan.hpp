// IMPORT PLAN: what a source would make of the jobs of a node, worked out before anything is changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/apply/plan.hpp"
#include "app/imports/source.hpp"

namespace belfry::app {

struct import_step {
  planned_step::deed what = planned_step::deed::create;
  std::string name;
  std::string body;  // for PUT
  std::uint32_t revision = 0;
  std::vector<changed_field> changes;
  std::optional<imported_job> job;  // nothing: it came from an earlier import, and is gone from the source
  std::vector<core::coming> next;
};

struct import_plan {
  std::vector<import_step> steps;
  std::size_t gone = 0;  // of the steps
};

// `exported`: the lines of GET /v1/export. What cannot be done becomes a refusal of `source`: a job that
// would never run, a name that belongs to a job that no import made.
import_plan plan_import(import_source& source, const std::string& exported, core::instant now);

}  // namespace belfry::app
