// SCHEDULES in JSON: an expression to be understood, what was understood, and what became of occurrences.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/job/job.hpp"
#include "core/schedule/phrase.hpp"

namespace belfry::api::json {

// What a body says about a schedule beside the expression itself.
struct schedule_words {
  bool given = false;
  std::string expression;
  std::string zone;
  std::optional<core::instant> starts, ends;
  std::optional<core::span> jitter;
};
// The schedule, or notes at `v` (members schedule, zone, starts, …) what is wrong. `name`: of the job, for H.
std::optional<core::schedule> read_words(const value& v, const schedule_words& words, std::string_view member,
                                         std::string_view name, core::instant now);

struct expression_draft {
  schedule_words words;
  std::string name;  // of a job, for H
  std::optional<core::instant> from;
  std::uint32_t count = 5;
  core::understanding meaning;
};
// {"expression", …}: what it means, with the next `count` instants after `from`, or after `now`.
core::result<expression_draft> read_expression(std::string_view body, core::instant now);
void write_expression(writer& w, const expression_draft& d);

void write_occurrence(writer& w, const core::occurrence_line& line);

}  // namespace belfry::api::json
