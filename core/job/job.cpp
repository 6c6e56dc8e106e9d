#include "core/job/job.hpp"

#include <algorithm>
#include <array>

#include "core/run/validate.hpp"
#include "core/text/utf8.hpp"
#include "core/text/word.hpp"

namespace belfry::core {
namespace {

constexpr std::array<std::string_view, 4> names{"active", "paused", "completed", "archived"};
constexpr std::size_t longest_name = 100;
constexpr std::size_t longest_description = 2000;
constexpr std::uint32_t most_at_a_time = 10'000;

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

void check_name(std::vector<field_problem>& found, const std::string& name, const std::string& pointer) {
  constexpr std::string_view allowed = "1 to 100 letters, digits, '-', '_' and '.'";
  const auto no = [&](std::string why) {
    found.push_back({pointer, shown(name, 80), std::string{allowed}, std::move(why)});
  };
  if (name.empty())
    no("a job needs a name");
  else if (name.size() > longest_name)
    no("it has " + std::to_string(name.size()) + " characters");
  else if (!std::all_of(name.begin(), name.end(), name_character))
    no("it has a character that is not allowed");
  // Jobs are found by name or by id with the same word, so that no name may look like an id.
  else if (parse_id<job_id>(name).ok())
    no("it would be taken for an id");
}

}  // namespace

std::string_view to_text(job_state s) {
  const auto i = static_cast<std::size_t>(s);
  return i < names.size() ? names[i] : std::string_view{"unknown"};
}

std::optional<job_state> job_state_from(std::string_view text) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return std::nullopt;
  return static_cast<job_state>(at - names.begin());
}

std::vector<field_problem> check(const job_definition& d, const std::string& base) {
  std::vector<field_problem> found;
  const std::string name_pointer = base + "/name";
  check_name(found, d.name, name_pointer);
  if (d.spec.name != d.name)
    found.push_back(
        {name_pointer, shown(d.spec.name, 80), shown(d.name, 80), "its runs must have the name of the job"});
  if (d.description.size() > longest_description)
    found.push_back({base + "/description", std::to_string(d.description.size()) + " bytes",
                     "at most 2000 bytes", "it is too long"});
  if (!valid_utf8(d.description))
    found.push_back({base + "/description", shown(d.description, 80), "UTF-8", "it is not valid UTF-8"});
  if (static_cast<std::size_t>(d.on_overlap) > static_cast<std::size_t>(overlap::allow))
    found.push_back({base + "/overlap", std::to_string(static_cast<unsigned>(d.on_overlap)),
                     "skip, queue_one, queue_all, replace, allow", "there is no such policy"});
  if (d.max_concurrent < 1 || d.max_concurrent > most_at_a_time)
    found.push_back(
        {base + "/max_concurrent", std::to_string(d.max_concurrent), "1 to 10000", "it is out of range"});
  else if (d.max_concurrent > 1 && d.on_overlap != overlap::allow)
    found.push_back({base + "/max_concurrent", std::to_string(d.max_concurrent),
                     "1, or the overlap policy allow", "only the policy allow has several runs at a time"});
  if (!d.source.empty() && d.source != "api" && d.source != "file")
    found.push_back({base + "/source", shown(d.source, 80), "api, file", "there is no such source"});
  if (d.timing.schedule.size() > longest_schedule)
    found.push_back({base + "/schedule", std::to_string(d.timing.schedule.size()) + " bytes",
                     "at most 8000 bytes in its canonical form", "it is too long"});
  for (auto& problem : check(d.timing.policy, base)) found.push_back(std::move(problem));
  if (d.timing.schedule.empty() && !(d.timing.policy == plan_policy{}))
    found.push_back({base + "/schedule", "", "a schedule, such as \"0 9 * * *\" or \"every 5 minutes\"",
                     "a policy for planned occurrences needs a schedule"});
  for (auto& problem : check(d.spec, spec_limits{}, base))
    if (problem.pointer != name_pointer)
      found.push_back(std::move(problem));  // the rule for names of jobs is the stricter one
  return found;
}

}  // namespace belfry::core
