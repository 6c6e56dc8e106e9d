// IMPORT: what becomes of a job that comes back from a file: from another node, or from an earlier day.
//
// A line of an export carries the whole job: what it is and how far it has come. A job of the same id and
// birth is the same job, whatever its name is by now; else one of the same name stands in its place. What was
// changed here after the line was written is kept, unless the caller insists. The cursor never goes back:
// what one of the two nodes has decided about an occurrence stays decided.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/job/job.hpp"

namespace belfry::core {

// What a line says beside the definition.
struct job_past {
  job_id id;  // kept where it is free; 0: a new one
  std::uint32_t revision = 1;
  job_state state = job_state::active;
  std::vector<pause_entry> pauses;
  instant created_at = never;
  instant updated_at = never;
  std::string created_by;
  std::int64_t triggered = 0;
  plan_cursor cursor = {};  // `covered` never: planned from now on
  friend bool operator==(const job_past&, const job_past&) = default;
};

struct import_terms {
  job_past past;
  bool replace = false;  // what is newer here too
  bool dry_run = false;
};

enum class import_verdict : std::uint8_t { none = 0, created = 1, replaced = 2, unchanged = 3, kept = 4 };
std::string_view to_text(import_verdict v);

// The job as a line of an export would say it.
job_past past_of(const job& j);
// Whether `there` is the job of the line, and not one that has only its id or its name.
bool same_job(const job& there, const job_past& line);
// `there`: the job that the line is about, if the node has one. `why`: of `kept`.
import_verdict decide_import(const job* there, const job_definition& wanted, const job_past& line,
                             bool replace, std::string& why);
// The job that stands in the place of `there` afterwards; spec and due are the caller's.
job merged(const job& there, const job_definition& wanted, const job_past& line);
// Mistakes of a line, with pointers below `base`.
std::vector<field_problem> check(const job_past& line, const job_definition& d, const std::string& base);

}  // namespace belfry::core
