#include "core/job/import.hpp"

#include <algorithm>
#include <array>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::array<std::string_view, 5> verdicts{"none", "created", "replaced", "unchanged", "kept"};

// It went on by itself since the line was written: fired, planned.
bool went_on(const job& there, const job_past& line) {
  return there.cursor.covered > line.cursor.covered || there.cursor.made > line.cursor.made ||
         there.triggered > line.triggered ||
         (there.state == job_state::completed && line.state == job_state::active);
}

}  // namespace

std::string_view to_text(import_verdict v) {
  const auto i = static_cast<std::size_t>(v);
  return i < verdicts.size() ? verdicts[i] : std::string_view{"unknown"};
}

job_past past_of(const job& j) {
  return {j.id,         j.revision,   j.state,     j.pauses, j.created_at,
          j.updated_at, j.created_by, j.triggered, j.cursor};
}

bool same_job(const job& there, const job_past& line) {
  return there.id == line.id && there.created_at == line.created_at;
}

import_verdict decide_import(const job* there, const job_definition& wanted, const job_past& line,
                             bool replace, std::string& why) {
  if (there == nullptr) return import_verdict::created;
  const bool same = same_job(*there, line);
  const bool alike = *there->definition == wanted;
  if (same && alike && past_of(*there) == line) return import_verdict::unchanged;
  // The same revision that has only fired since: nothing to take over, and nothing to warn of.
  if (same && alike && there->updated_at == line.updated_at && went_on(*there, line))
    return import_verdict::unchanged;
  // It took the place of the line's job before.
  if (!same && alike && there->state == line.state && there->pauses == line.pauses &&
      there->cursor.covered >= line.cursor.covered)
    return import_verdict::unchanged;
  if (!replace && there->updated_at > line.updated_at) {
    why = "the job of this node was changed at " + to_rfc3339(there->updated_at) + ", after the line (" +
          (line.updated_at == never ? "which does not say when" : to_rfc3339(line.updated_at)) +
          "); --replace takes the line all the same";
    return import_verdict::kept;
  }
  return import_verdict::replaced;
}

job merged(const job& there, const job_definition& wanted, const job_past& line) {
  job j = there;
  const bool same = same_job(there, line);
  const bool edited = !(*there.definition == wanted);
  if (same && line.revision > there.revision)
    j.revision = line.revision;
  else if (edited)
    j.revision = there.revision + 1;
  j.state = line.state;
  j.pauses = line.pauses;
  j.updated_at = std::max(there.updated_at, line.updated_at);
  j.definition = std::make_shared<const job_definition>(wanted);
  if (line.cursor.covered > there.cursor.covered) j.cursor = line.cursor;
  j.cursor.succeeded = std::max(there.cursor.succeeded, line.cursor.succeeded);
  j.cursor.made = std::max(there.cursor.made, line.cursor.made);
  j.triggered = std::max(there.triggered, line.triggered);
  return j;
}

std::vector<field_problem> check(const job_past& line, const job_definition& d, const std::string& base) {
  std::vector<field_problem> found;
  const auto no = [&](std::string field, std::string value, std::string allowed, std::string why) {
    found.push_back({base + std::move(field), std::move(value), std::move(allowed), std::move(why)});
  };
  if (line.pauses.size() > pauses_per_target)
    no("/pauses", std::to_string(line.pauses.size()), "at most " + std::to_string(pauses_per_target),
       "there are too many");
  for (std::size_t i = 0; i < line.pauses.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (line.pauses[i].reason == line.pauses[k].reason && line.pauses[i].owner == line.pauses[k].owner)
        no("/pauses/" + std::to_string(i), line.pauses[i].reason, "one for each reason and owner",
           "it is there twice");
  if (line.state == job_state::active && !line.pauses.empty())
    no("/state", "active", "paused", "a job that has pauses is paused");
  if (line.state == job_state::paused && line.pauses.empty())
    no("/state", "paused", "active, or the pauses", "nothing says why it is paused");
  if (!std::is_sorted(line.cursor.recent.begin(), line.cursor.recent.end()))
    no("/cursor/recent", "", "ascending times", "they are not in order");
  if (d.timing.schedule.empty() && line.state == job_state::completed && line.cursor.covered == never &&
      line.cursor.made > 0)
    no("/cursor", "", "no planned runs", "the job has no schedule");
  return found;
}

}  // namespace belfry::core
