#include "actors/readers/simulation.hpp"

#include <map>
#include <memory>
#include <utility>

#include "core/schedule/canonical.hpp"

namespace belfry::actors {
namespace {

using core::errc;
using core::failure;

constexpr std::size_t most_simulated_jobs = 10'000;
constexpr std::size_t jobs_at_once = 500;

failure no_times(const std::string& name, std::string why) {
  failure f{errc::invalid, "job " + name + " cannot be simulated", {}, "belfry job show " + name};
  f.problems.push_back({"/jobs", name, "jobs with a schedule of times", std::move(why)});
  return f;
}

using calendars_by_name = std::map<std::string, std::shared_ptr<const core::calendar>, std::less<>>;

core::result<calendars_by_name> calendars_of(storage::reader& store) {
  const auto all = store.list_calendars({}, true);
  if (!all) return all.error();
  calendars_by_name found;
  for (const auto& c : *all) found.emplace(c.calendar.name, c.calendar.content);
  return found;
}

core::result<core::simulated_job> as_it_stands(const core::job& j, const calendars_by_name& calendars) {
  const auto& d = *j.definition;
  if (d.timing.schedule.empty()) return no_times(d.name, "it runs only by hand");
  core::schedule_context context;
  context.stored = true;
  context.calendars = [&](std::string_view name) {
    const auto c = calendars.find(name);
    return c == calendars.end() ? nullptr : c->second;
  };
  auto read = core::parse_canonical(d.timing.schedule, context);
  if (!read) return no_times(d.name, read.problem().why);
  if (core::on_event(*read)) return no_times(d.name, "it waits for an event");
  core::simulated_job s;
  s.id = j.id;
  s.name = d.name;
  s.workspace = d.spec.needs.workspace;
  s.when = std::make_shared<const core::schedule>(std::move(*read));
  s.policy = d.timing.policy;
  s.on_overlap = d.on_overlap;
  s.max_concurrent = d.max_concurrent;
  s.made = j.cursor.made;
  s.succeeded = j.cursor.succeeded;
  s.pauses = j.pauses;
  return s;
}

bool is_planned(const core::job& j) {
  return j.state == core::job_state::active || j.state == core::job_state::paused;
}

// Every job that has times. One that cannot be read is left out: it is paused, and nothing of it is planned.
core::result<void> take_all(storage::reader& store, const calendars_by_name& calendars,
                            std::vector<core::simulated_job>& into) {
  std::int64_t after = 0;
  do {
    const auto page = store.list_jobs(false, {}, jobs_at_once, after);
    if (!page) return page.error();
    for (const auto& j : page->jobs)
      if (j.definition && is_planned(j) && !j.definition->timing.schedule.empty())
        if (auto s = as_it_stands(j, calendars)) into.push_back(std::move(*s));
    if (into.size() > most_simulated_jobs)
      return failure{errc::limit_exceeded,
                     "more than " + std::to_string(most_simulated_jobs) + " jobs have a schedule; name some",
                     {},
                     "belfry simulate --job NAME"};
    after = page->next;
  } while (after != 0);
  return {};
}

// A definition that was sent along was read without the store: its calendars have names only.
core::result<void> fill_calendars(core::simulated_job& j, const calendars_by_name& calendars) {
  auto filled = *j.when;
  for (auto& e : filled.not_during)
    if (auto* named = std::get_if<core::excluded_calendar>(&e.what)) {
      const auto c = calendars.find(named->name);
      if (c == calendars.end()) {
        failure f{errc::invalid, "job " + j.name + " cannot be simulated", {}, "belfry calendar ls"};
        f.problems.push_back(
            {"/definitions", named->name, "the name of a calendar", "there is no such calendar"});
        return f;
      }
      named->content = c->second;
    }
  j.when = std::make_shared<const core::schedule>(std::move(filled));
  return {};
}

}  // namespace

core::result<core::simulation> simulate_with(storage::reader& store, const messages::simulate_schedules& q) {
  auto setup = q.setup;
  const auto calendars = calendars_of(store);
  if (!calendars) return calendars.error();
  for (auto& j : setup.jobs)
    if (const auto filled = fill_calendars(j, *calendars); !filled) return filled.error();
  for (const auto& name : q.jobs) {
    const auto j = store.find_job_by_text(name);
    if (!j) return j.error();
    if (!is_planned(*j)) return no_times(name, "it is " + std::string{core::to_text(j->state)});
    auto s = as_it_stands(*j, *calendars);
    if (!s) return s.error();
    setup.jobs.push_back(std::move(*s));
  }
  if (q.all)
    if (const auto taken = take_all(store, *calendars, setup.jobs); !taken) return taken.error();
  for (auto& j : setup.jobs) j.takes = q.each_takes;
  for (const auto& [name, takes] : q.takes) {
    bool known = false;
    for (auto& j : setup.jobs)
      if (j.name == name) {
        j.takes = takes;
        known = true;
      }
    if (known) continue;
    failure f{errc::invalid, "no job of that name is simulated", {}, "belfry job list"};
    f.problems.push_back(
        {"/run_times/" + name, "", "names of the jobs that are simulated", "it is none of them"});
    return f;
  }
  if (auto wrong = core::check(setup, {}); !wrong.empty())
    return failure{errc::invalid, "so it cannot be simulated", std::move(wrong), {}};
  return core::simulate(setup);
}

}  // namespace belfry::actors
