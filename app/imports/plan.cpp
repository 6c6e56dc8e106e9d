#include "app/imports/plan.hpp"

#include <algorithm>
#include <map>

#include "api/json/jobs.hpp"
#include "core/schedule/canonical.hpp"

namespace belfry::app {
namespace {

constexpr std::size_t times_shown = 5;

struct living_job {
  std::string definition;
  std::uint32_t revision = 0;
  bool ours = false;
};

std::map<std::string, living_job> living_jobs(const import_source& source, const std::string& exported) {
  std::map<std::string, living_job> out;
  const auto tag = tag_of(source);
  for (const auto line : lines_of(exported)) {
    const auto parsed = json_text::parse(std::string{line});
    if (!parsed || (*parsed)["state"].text() == "archived") continue;
    const auto definition = (*parsed)["definition"];
    living_job job{std::string{definition.raw()}, static_cast<std::uint32_t>((*parsed)["revision"].number()),
                   false};
    bool tagged = false;
    definition["tags"].each([&](view t) { tagged = tagged || t.text() == tag; });
    job.ours = tagged && definition["metadata"]["import"]["origin"].text() == source.origin;
    out[definition["name"].text()] = std::move(job);
  }
  return out;
}

std::string definition_of(const imported_job& job) {
  api::json::writer w;
  api::json::write_definition(w, job.definition);
  return w.take();
}

}  // namespace

import_plan plan_import(import_source& source, const std::string& exported, core::instant now) {
  import_plan plan;
  const auto jobs = living_jobs(source, exported);
  std::vector<imported_job> wanted;
  std::swap(wanted, source.jobs);
  const auto no = [&](const imported_job& job, std::string why) {
    source.refused.push_back({job.from, job.says, std::move(why)});
  };
  for (auto& job : wanted) {
    import_step step;
    step.name = job.definition.name;
    const auto found = jobs.find(step.name);
    if (found != jobs.end() && !found->second.ours) {
      no(job, "there is a job " + step.name + " that no import of " + source.origin +
                  " made; another --prefix keeps them apart");
      continue;
    }
    if (const auto when = core::parse_canonical(job.definition.timing.schedule, {}); when.ok())
      step.next = core::preview(*when, now, times_shown);
    if (step.next.empty()) {
      no(job, "it has no time to come");
      continue;
    }
    const auto definition = definition_of(job);
    step.body = definition;
    if (found != jobs.end()) {
      step.revision = found->second.revision;
      step.changes = differences(found->second.definition, definition);
      // The entry itself is kept there: what it brought about says more.
      if (step.changes.size() > 1)
        step.changes.erase(std::remove_if(step.changes.begin(), step.changes.end(),
                                          [](const auto& c) { return c.path == "metadata"; }),
                           step.changes.end());
      step.what = step.changes.empty() ? planned_step::deed::unchanged : planned_step::deed::replace;
    } else if (job.paused) {
      step.body.insert(step.body.size() - 1, ",\"start_paused\":true");
    }
    source.jobs.push_back(job);
    step.job = std::move(job);
    plan.steps.push_back(std::move(step));
  }
  for (const auto& [name, job] : jobs) {
    const bool kept = !job.ours || std::any_of(wanted.begin(), wanted.end(), [&, &n = name](const auto& w) {
      return w.definition.name == n;
    }) || std::any_of(plan.steps.begin(), plan.steps.end(), [&, &n = name](const auto& s) {
      return s.name == n;
    });
    if (kept) continue;
    import_step step;
    step.what = planned_step::deed::archive;
    step.name = name;
    step.revision = job.revision;
    plan.steps.push_back(std::move(step));
    ++plan.gone;
  }
  return plan;
}

}  // namespace belfry::app
