#include "core/job/outlook.hpp"

#include <algorithm>

#include "core/job/completion.hpp"
#include "core/schedule/canonical.hpp"
#include "core/schedule/plan.hpp"

namespace belfry::core {

std::string overlap_reason(overlap policy, const std::vector<open_run>& open) {
  if (open.empty()) return {};
  switch (policy) {
    case overlap::skip: return "overlap: " + to_string(open.back().id) + " is not finished (policy skip)";
    case overlap::queue_one: {
      const auto waiting =
          std::find_if(open.begin(), open.end(), [](const open_run& r) { return !r.leased; });
      if (waiting == open.end()) return {};
      return "overlap: " + to_string(waiting->id) + " is waiting already (policy queue_one)";
    }
    case overlap::queue_all:
    case overlap::replace:
    case overlap::allow: return {};
  }
  return {};
}

trigger_outlook outlook(const job& j, const std::vector<open_run>& open, instant now) {
  const auto& name = j.definition->name;
  if (j.state == job_state::archived)
    return {"job_archived", "it is archived; nothing triggers it any more", "belfry job list"};
  if (const auto paused =
          std::find_if(j.pauses.begin(), j.pauses.end(), [&](const auto& p) { return stands(p, now); });
      paused != j.pauses.end())
    return {"job_paused",
            "it is paused: " + paused->reason + " by " + paused->by +
                (paused->text.empty() ? "" : ": " + paused->text) + "; a trigger is refused",
            "belfry job resume " + name};
  if (j.state == job_state::completed)
    return {"job_completed", "it is completed; a trigger is refused", "belfry job show " + name};
  if (const auto& why = j.definition->spec.unreadable; !why.empty())
    return {"definition_unreadable", "its definition cannot be read: " + why, "belfry apply FILE"};
  if (auto why = overlap_reason(j.definition->on_overlap, open); !why.empty())
    return {"overlap_skip", "a trigger is recorded as skipped, " + why,
            "belfry job trigger " + name + " --force"};
  if (j.definition->on_overlap == overlap::replace && !open.empty())
    return {"replaces",
            "a trigger makes a run and cancels " + std::to_string(open.size()) + " that " +
                (open.size() == 1 ? "has" : "have") + " not ended (policy replace)",
            "belfry job trigger " + name};
  return {"made", "a trigger makes a run", "belfry job trigger " + name};
}

std::string ending_text(const job& j, const std::vector<open_run>& open) {
  if (!nothing_planned(j) || open.empty()) return {};
  return "no further runs are planned; it is completed when " +
         (open.size() == 1 ? to_string(open.front().id) + " has ended"
                           : "its " + std::to_string(open.size()) + " open runs have ended");
}

std::vector<skip_range> left_out_before_due(
    const job& j, const std::function<std::shared_ptr<const calendar>(std::string_view)>& calendars,
    instant now) {
  constexpr span looked_ahead = std::chrono::hours{24 * 31};
  if (j.state != job_state::active || j.definition->timing.schedule.empty()) return {};
  schedule_context context;
  context.calendars = calendars;
  const auto s = parse_canonical(j.definition->timing.schedule, context);
  if (!s || s->not_during.empty()) return {};
  const auto upto = j.due == never ? later(now, looked_ahead) : j.due;
  return upto > now ? left_out(*s, now, upto) : std::vector<skip_range>{};
}

}  // namespace belfry::core
