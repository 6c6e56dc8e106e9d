// SCHEDULES in JSON: an expression to be understood, what was understood, and what became of occurrences.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/job/job.hpp"
#include "core/schedule/phrase.hpp"
#include "core/schedule/plan.hpp"

namespace belfry::api::json {

// What a body says about a schedule beside the expression itself.
struct schedule_words {
  bool given = false;
  std::string expression;
  std::string zone;
  std::optional<core::instant> starts, ends;
  std::optional<core::span> jitter;
  // Excluded besides what the expression excludes: dates, times such as 22:00-06:00, names of calendars.
  std::optional<std::vector<std::string>> not_on, not_between, not_in;
  std::optional<core::excluded_are> excluded;  // what becomes of these; skipped when it is not said
  bool excludes() const { return not_on || not_between || not_in; }
  bool instead = false;  // of what the expression excludes
};
void read_excluded(const value& m, schedule_words& words);
using calendar_finder = std::function<std::shared_ptr<const core::calendar>(std::string_view)>;
// The schedule, or notes at `v` (members schedule, zone, starts, …) what is wrong. `name`: of the job, for H.
// Without `calendars` any name of one will do; the store knows better.
std::optional<core::schedule> read_words(const value& v, const schedule_words& words, std::string_view member,
                                         std::string_view name, core::instant now,
                                         const calendar_finder& calendars = core::any_calendar);

struct expression_draft {
  schedule_words words;
  std::string name;  // of a job, for H
  std::optional<core::instant> from;
  std::uint32_t count = 5;
  core::understanding meaning;
  std::vector<core::skip_range> left_out = {};  // up to the last of the next times
};
// {"expression", …}: what it means, with the next `count` instants after `from`, or after `now`.
core::result<expression_draft> read_expression(std::string_view body, core::instant now,
                                               const calendar_finder& calendars = core::any_calendar);
// The members of a range of what was skipped: reason, exclusion, first, last, count, at_least, moved_to.
void write_range(writer& w, const core::skip_range& r);
void write_expression(writer& w, const expression_draft& d);

void write_occurrence(writer& w, const core::occurrence_line& line);

}  // namespace belfry::api::json
