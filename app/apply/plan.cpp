#include "app/apply/plan.hpp"

#include <algorithm>
#include <map>

#include "api/json/jobs.hpp"
#include "app/cli/context.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

// Leaves by their path. A list is a leaf: nobody wants to read that its third element became the second.
void flatten(view at, const std::string& path, std::map<std::string, std::string>& out) {
  if (at.is(api::json::kind::object) && at.size() > 0 && path != "payload" && path != "metadata") {
    at.members([&](const std::string& key, view member) {
      flatten(member, path.empty() ? key : path + "." + key, out);
    });
    return;
  }
  out[path] = compact(at.raw());
}

std::map<std::string, std::string> leaves(const std::string& json) {
  std::map<std::string, std::string> out;
  if (const auto parsed = json_text::parse(json)) flatten(parsed->root(), "", out);
  return out;
}

// In the node's own words of this version, whatever version wrote it.
std::string canonical(const std::string& definition, core::instant now = core::never) {
  const auto read = api::json::read_job(definition, {}, now);
  if (!read) return definition;
  api::json::writer w;
  api::json::write_definition(w, read->definition);
  return w.take();
}

planned_step plan_job(const declared_job& job, node_client& node) {
  planned_step step{planned_step::deed::create, job.name, job.body, {}, 0, 1, {}};
  json_text now;
  try {
    now = node.get("/v1/jobs/" + percent_encoded(job.name));
  } catch (const refusal& r) {
    if (r.exit == exit_code::not_found) return step;
    throw;
  }
  // A lookup also answers to ids and their beginnings.
  if (now["name"].text() != job.name || now["state"].text() == "archived") return step;
  step.revision = static_cast<std::uint32_t>(now["revision"].number());
  const auto stored = canonical(std::string(now["definition"].raw()));
  step.changes = differences(stored, job.definition);
  // "every 2 days" counts from when it is said: said again it is what is stored.
  for (const auto* then : {"created_at", "updated_at"})
    if (const auto at = core::parse_instant(now[then].text()); at && canonical(job.body, *at) == stored)
      step.changes.clear();
  step.what = step.changes.empty() ? planned_step::deed::unchanged : planned_step::deed::replace;
  return step;
}

}  // namespace

std::vector<changed_field> differences(const std::string& before, const std::string& after) {
  const auto old_leaves = leaves(before), new_leaves = leaves(after);
  std::vector<changed_field> out;
  for (const auto& [path, value] : old_leaves) {
    const auto found = new_leaves.find(path);
    if (found == new_leaves.end())
      out.push_back({path, value, {}});
    else if (found->second != value)
      out.push_back({path, value, found->second});
  }
  for (const auto& [path, value] : new_leaves)
    if (old_leaves.count(path) == 0) out.push_back({path, {}, value});
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return out;
}

std::vector<planned_step> make_plan(const declarations& wanted, node_client& node, bool prune,
                                    bool with_runs) {
  std::vector<planned_step> plan;
  for (const auto& job : wanted.jobs) plan.push_back(plan_job(job, node));
  if (prune)
    for (const auto& page : read_pages(node, "/v1/jobs", {}, "jobs", 0))
      page["jobs"].each([&](view job) {
        const std::string name = job["name"].text();
        const bool declared = std::any_of(wanted.jobs.begin(), wanted.jobs.end(),
                                          [&](const auto& j) { return j.name == name; });
        if (job["source"].text() == "file" && !declared && job["state"].text() != "archived")
          plan.push_back({planned_step::deed::archive,
                          name,
                          {},
                          {},
                          static_cast<std::uint32_t>(job["revision"].number()),
                          1,
                          {}});
      });
  if (with_runs)
    for (const auto& run : wanted.runs)
      plan.push_back({planned_step::deed::submit, run.name, run.body, {}, 0, run.times, run.once});
  return plan;
}

std::string sign_of(planned_step::deed d) {
  switch (d) {
    case planned_step::deed::create: return "+";
    case planned_step::deed::replace: return "~";
    case planned_step::deed::unchanged: return "=";
    case planned_step::deed::archive: return "-";
    case planned_step::deed::submit: return ">";
  }
  return "?";
}

std::string word_of(planned_step::deed d) {
  switch (d) {
    case planned_step::deed::create: return "create";
    case planned_step::deed::replace: return "replace";
    case planned_step::deed::unchanged: return "unchanged";
    case planned_step::deed::archive: return "archive";
    case planned_step::deed::submit: return "submit";
  }
  return "?";
}

}  // namespace belfry::app
