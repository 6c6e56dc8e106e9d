// JOB: a durable definition. Every edit makes a new revision; a run keeps the revision that it was made from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/pause/pause.hpp"
#include "core/run/machine.hpp"
#include "core/run/spec.hpp"

namespace belfry::core {

enum class job_state : std::uint8_t { active = 0, paused = 1, completed = 2, archived = 3 };
std::string_view to_text(job_state s);
std::optional<job_state> job_state_from(std::string_view text);

struct job_definition {
  std::string name;  // unique among jobs that are not archived; letters, digits, "-_.", 1..100, case is kept
                     // and matters
  std::string description;
  run_spec spec;  // spec.name equals name
  overlap on_overlap = overlap::skip;
  std::uint32_t max_concurrent = 1;  // with allow: live runs of the job; others imply 1. 1..10,000
  std::string source;                // "api", or "file" when applied from one
  friend bool operator==(const job_definition&, const job_definition&) = default;
};

struct job {
  job_id id;
  std::uint32_t revision = 1;
  spec_id spec;  // of this revision
  job_state state = job_state::active;
  std::vector<pause_entry> pauses;
  instant created_at = never;
  instant updated_at = never;
  std::string created_by;
  std::int64_t triggered = 0;  // runs made, skipped ones included
  std::shared_ptr<const job_definition> definition;
};

std::vector<field_problem> check(const job_definition& d, const std::string& base);

}  // namespace belfry::core
