// Calendars: excluded time under a name, and what becomes of the jobs that name it when it changes.
// Everything that is planned up to now is settled by the content before; then the job goes on by the new one,
// in the same commit. A calendar of many jobs is followed in bites, each a commit of its own: until its turn
// has come a job stands in the rows as one that is planned by the content before, and that content is kept.
#include <algorithm>
#include <limits>
#include <utility>

#include "core/schedule/canonical.hpp"
#include "core/schedule/plan.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

constexpr std::uint32_t jobs_at_once = 100;
constexpr std::uint32_t any_revision = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t users_named = 5;

failure no_calendar(const std::string& name) {
  return {core::errc::not_found, "there is no calendar " + name, {}, "belfry calendar ls"};
}

std::size_t periods_of(const core::calendar& c) { return c.local.size() + c.fixed.size(); }

core::named_calendar without_content(core::named_calendar c) {
  c.content = c.previous = nullptr;
  return c;
}

}  // namespace

const core::named_calendar* engine::known_calendar(std::string_view name) {
  const std::string key{name};
  if (const auto known = calendars_.find(key); known != calendars_.end()) return known->second.get();
  auto found = rows_.find_calendar(key);
  if (!found) return nullptr;
  return calendars_.emplace(key, std::make_shared<const core::named_calendar>(std::move(*found)))
      .first->second.get();
}

core::schedule_context engine::calendars_now() {
  core::schedule_context context;
  context.stored = true;
  context.calendars = [this](std::string_view name) {
    const auto* known = known_calendar(name);
    return known == nullptr ? nullptr : known->content;
  };
  return context;
}

void engine::forget_calendars() {
  schedules_.clear();
  calendars_.clear();
}

std::optional<failure> engine::unknown_calendar(const std::string& schedule) {
  for (const auto& name : core::calendars_named_in(schedule)) {
    if (known_calendar(name) != nullptr) continue;
    failure f{core::errc::invalid, "there is no calendar " + name, {}, "belfry calendar ls"};
    f.problems.push_back(
        {"/schedule", name, "a name that belfry calendar ls shows", "there is no such calendar"});
    return f;
  }
  return std::nullopt;
}

// Which calendars the job goes by from now on. `before`: the text of its schedule until now.
void engine::note_uses(const core::job& j, const std::string& before) {
  const auto is = j.state == core::job_state::archived
                      ? std::vector<std::string>{}
                      : core::calendars_named_in(j.definition->timing.schedule);
  if (is.empty() && core::calendars_named_in(before).empty()) return;
  rows_.remove_calendar_uses(j.id);
  for (const auto& name : is)
    if (const auto* c = known_calendar(name)) rows_.put_calendar_use(name, j.id, c->revision);
}

// Nothing where its calendars are those that it was planned by.
void engine::replan(work& w, core::job& j) {
  const auto& text = j.definition->timing.schedule;
  if (text.find("calendar ") == std::string::npos) return;
  std::string why;
  const auto after = schedule_of(j, why);
  if (!after) return;
  auto then = calendars_now();
  std::unordered_map<std::string, std::shared_ptr<const core::calendar>> old;
  for (const auto& name : core::calendars_of(*after)) {
    const auto* c = known_calendar(name);
    const auto used = c == nullptr ? std::nullopt : rows_.calendar_use(name, j.id);
    if (!used || *used >= c->revision) continue;
    if (c->previous) old[name] = c->previous;
    rows_.put_calendar_use(name, j.id, c->revision);
    w.changed = true;
  }
  if (old.empty()) return;
  then.calendars = [&old, now = std::move(then.calendars)](std::string_view name) {
    const auto it = old.find(std::string{name});
    return it == old.end() ? now(name) : it->second;
  };
  const auto before = core::parse_canonical(text, then);
  const bool paused = !j.pauses.empty();
  if (j.state == core::job_state::archived || j.state == core::job_state::completed) return;
  if (!j.definition->spec.unreadable.empty()) return;  // its next plan says so
  if (before && paused)
    take_plan(w, j, core::set_aside(*before, j.cursor, w.set.now, core::skip_reason::paused));
  else if (before)
    advance(w, j, *before, false);
  j.cursor = take_over(w, j, before ? *before : *after, *after);
  // The new content may leave nothing of it, or give one that waits for its last run more to do.
  const bool over = paused || core::used_up(j.definition->timing.policy, j.cursor);
  j.due = over ? core::never : core::wake_after(*after, j.cursor).value_or(core::never);
  if (j.due == core::never) may_end(w, j.id);
}

// The next bite, and whether one is left.
void engine::replan_some(work& w, core::named_calendar c, std::size_t at_most) {
  const auto behind = rows_.calendar_users(c.name, c.revision, at_most);
  for (const auto id : behind) {
    auto j = rows_.find_job(id);
    if (!j || j->state == core::job_state::archived) {
      rows_.remove_calendar_uses(id);
      continue;
    }
    replan(w, *j);
    rows_.put_calendar_use(c.name, id, c.revision);
    rows_.update_job(*j);
    w.out.jobs.push_back(std::move(*j));
  }
  w.out.replanned += behind.size();
  if (!behind.empty()) w.changed = true;
  if (behind.size() == at_most) {
    w.out.replan.push_back(c.name);
  } else if (c.previous) {
    c.previous = nullptr;
    rows_.put_calendar(c);
    calendars_.erase(c.name);
    calendars_touched_ = true;
    w.changed = true;
  }
}

std::optional<failure> engine::apply_one(work& w, const storage::put_calendar& c) {
  if (auto found = core::check(c.what); !found.empty())
    return failure{core::errc::invalid, "the calendar is not valid", std::move(found), "belfry calendar set"};
  const auto before = rows_.find_calendar(c.what.name);
  if (before && before->source == c.what.source && *before->content == *c.what.content) {
    w.repeated = true;
    w.out.calendars.push_back(without_content(*before));
    return std::nullopt;
  }
  if (!before && rows_.count_calendars() >= core::most_calendars)
    return failure{core::errc::limit_exceeded,
                   "there are " + std::to_string(core::most_calendars) + " calendars already",
                   {},
                   "belfry calendar ls"};
  if (before && !rows_.calendar_users(c.what.name, before->revision, 1).empty())
    return failure{core::errc::conflict,
                   "the jobs of calendar " + c.what.name + " still follow its last change; try again soon",
                   {},
                   "belfry calendar show " + c.what.name};
  auto is = c.what;
  is.revision = before ? before->revision + 1 : 1;
  is.previous = before ? before->content : nullptr;
  is.periods = periods_of(*is.content);
  is.created_at = before ? before->created_at : w.set.now;
  is.created_by = before ? before->created_by : w.set.actor;
  is.changed_at = w.set.now;
  is.changed_by = w.set.actor;
  rows_.put_calendar(is);
  forget_calendars();
  calendars_touched_ = true;
  append(w, core::event_kind::calendar_changed, {}, {},
         is.name + " revision=" + std::to_string(is.revision) +
             " source=" + std::string{core::to_text(is.source)} + " periods=" + std::to_string(is.periods));
  w.changed = true;
  w.out.calendars.push_back(without_content(is));
  if (!before) return std::nullopt;
  replan_windows(w, is.name);
  replan_some(w, std::move(is), jobs_at_once);
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const replan_calendar& c) {
  auto is = rows_.find_calendar(c.name);
  if (is) replan_some(w, std::move(*is), std::max<std::size_t>(1, c.at_most));
  if (!w.changed) w.repeated = true;
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const storage::remove_calendar& c) {
  const auto is = rows_.find_calendar(c.name);
  if (!is) return no_calendar(c.name);
  std::string by;
  const auto users = rows_.calendar_users(c.name, any_revision, users_named + 1);
  for (std::size_t i = 0; i < users.size() && i < users_named; ++i)
    if (const auto j = rows_.find_job(users[i])) by += (by.empty() ? "job " : ", job ") + j->definition->name;
  if (users.size() > users_named) by += " and more";
  for (const auto& window : rows_.all_windows()) {
    if (core::names_calendar(window.schedule, c.name))
      by += (by.empty() ? "window " : ", window ") + window.name;
  }
  if (!by.empty())
    return failure{core::errc::conflict,
                   "calendar " + c.name + " is used by " + by + "; change these first",
                   {},
                   "belfry calendar show " + c.name};
  rows_.remove_calendar(c.name);
  forget_calendars();
  calendars_touched_ = true;
  append(w, core::event_kind::calendar_removed, {}, {}, c.name);
  w.changed = true;
  w.out.calendars.push_back(without_content(*is));
  return std::nullopt;
}

void engine::replan_windows(work& w, const std::string& calendar) {
  for (auto& window : rows_.all_windows()) {
    if (!core::names_calendar(window.schedule, calendar)) continue;
    if (lift_window(w, window)) continue;
    if (const auto no = plan_window(w, window, core::never))
      append(w, core::event_kind::window_changed, {}, {}, window.name + ": " + no->text);
    rows_.put_window(window);
    w.out.windows.push_back(std::move(window));
  }
}

}  // namespace belfry::storage
