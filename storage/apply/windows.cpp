// Maintenance windows: the next opening of each stands as a planned pause of its target. When that is over,
// or somebody lifts it, the same commit plans the one that follows.
#include <utility>

#include "core/schedule/canonical.hpp"
#include "core/time/text.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

const std::string node{core::pause_owner::node};

bool same_words(const core::window& a, const core::window& b) {
  return a.schedule == b.schedule && a.length == b.length && a.on == b.on && a.drain == b.drain &&
         a.text == b.text;
}

std::string text_of_window(const core::window& w) {
  auto text = w.name + " of " + core::to_text(w.on) + ": " + w.schedule + " for " + core::to_text(w.length);
  if (w.opens != core::never)
    text += ", from " + core::to_rfc3339(w.opens) + " until " + core::to_rfc3339(w.closes);
  return text;
}

}  // namespace

// The opening that now lies in, or the next; none that begins at or before `after`.
std::optional<failure> engine::plan_window(work& w, core::window& what, core::instant after) {
  what.opens = what.closes = core::never;
  std::string why;
  const auto s = read_schedule(what.schedule, why);
  if (!s) return failure{core::errc::invalid, "window " + what.name + " cannot be planned: " + why, {}, {}};
  const auto next = core::opening_at(*s, what.length, w.set.now, after);
  if (!next) return std::nullopt;
  auto d = core::decide_pause(what.on, paused_->of(what.on), core::entry_of(what, *next, w.set.now), node,
                              w.set.now);
  if (!d) return std::move(d).error();
  if (d->changed) pause(w, what.on, std::move(*d), nullptr);
  what.opens = next->begin;
  what.closes = next->end;
  return std::nullopt;
}

std::optional<failure> engine::lift_window(work& w, const core::window& what) {
  auto d = core::decide_lift(what.on, paused_->of(what.on), std::string{core::pause_reason::maintenance},
                             core::owner_of(what), false, node, w.set.now);
  if (!d) return std::move(d).error();
  if (d->changed) pause(w, what.on, std::move(*d), nullptr);
  return std::nullopt;
}

// A pause of a window has gone: the next opening, never the same again.
void engine::follow_window(work& w, const core::pause_target& on, const std::string& owner) {
  const auto name = core::window_of(owner);
  if (name.empty()) return;
  auto what = rows_.find_window(std::string{name});
  if (!what || !(what->on == on)) return;
  if (const auto no = plan_window(w, *what, what->opens))
    append(w, core::event_kind::window_changed, {}, {}, what->name + ": " + no->text);
  rows_.put_window(*what);
  w.out.windows.push_back(std::move(*what));
}

// Before the row of an opening that was missed has been planned anew, a claim asks the window itself.
std::optional<failure> engine::in_window(const core::run_head& head, core::instant now) {
  for (const auto& p : paused_->over(now)) {
    const auto name = core::window_of(p.why.owner);
    if (name.empty()) continue;
    const bool meant = p.on.scope == core::pause_scope::scheduler ||
                       (p.on.scope == core::pause_scope::workspace && p.on.name == head.needs.workspace);
    const auto what = meant ? rows_.find_window(std::string{name}) : std::nullopt;
    std::string why;
    const auto s = what ? read_schedule(what->schedule, why) : nullptr;
    const auto open = s ? core::opening_at(*s, what->length, now, what->opens) : std::nullopt;
    if (open && open->begin <= now)
      return failure{core::errc::paused,
                     "the maintenance window " + what->name + " is open",
                     {},
                     "belfry scheduler window ls"};
  }
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const storage::put_window& c) {
  if (auto no = unknown_calendar(c.what.schedule)) return no;
  std::string why;
  const auto s = read_schedule(c.what.schedule, why);
  if (!s) {
    failure f{core::errc::invalid, "the schedule of the window cannot be used", {}, "belfry schedule parse"};
    f.problems.push_back({"/schedule", c.what.schedule, "what belfry schedule parse understands", why});
    return f;
  }
  if (auto found = core::check(c.what, *s, w.set.now); !found.empty())
    return failure{core::errc::invalid, "the window is not valid", std::move(found),
                   "belfry scheduler window add --help"};
  const auto before = rows_.find_window(c.what.name);
  if (before && same_words(*before, c.what)) {
    w.repeated = true;
    w.out.windows.push_back(*before);
    return std::nullopt;
  }
  if (!before && rows_.all_windows().size() >= core::most_windows)
    return failure{core::errc::limit_exceeded,
                   "there are " + std::to_string(core::most_windows) + " windows already",
                   {},
                   "belfry scheduler window ls"};
  auto is = c.what;
  is.revision = before ? before->revision + 1 : 1;
  is.created_at = before ? before->created_at : w.set.now;
  is.created_by = before ? before->created_by : w.set.actor;
  is.changed_at = w.set.now;
  is.changed_by = w.set.actor;
  if (!core::opening_at(*s, is.length, w.set.now)) {
    failure f{core::errc::invalid, "the window would never open", {}, "belfry schedule preview"};
    f.problems.push_back({"/schedule", is.schedule, "at least one time to come", "its last time has passed"});
    return f;
  }
  // Where its target is full nothing is written: what stands for it now makes room only in the same target.
  const auto there = paused_->of(is.on);
  if (there.size() >= core::pauses_per_target && !(before && before->on == is.on))
    return failure{
        core::errc::limit_exceeded,
        core::to_text(is.on) + " has " + std::to_string(core::pauses_per_target) + " pauses already",
        {},
        "belfry scheduler pauses"};
  if (before)
    if (auto no = lift_window(w, *before)) return no;
  if (auto no = plan_window(w, is, core::never)) return no;
  rows_.put_window(is);
  append(w, core::event_kind::window_changed, {}, {}, text_of_window(is));
  w.changed = true;
  w.out.windows.push_back(std::move(is));
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const storage::remove_window& c) {
  const auto is = rows_.find_window(c.name);
  if (!is)
    return failure{core::errc::not_found, "there is no window " + c.name, {}, "belfry scheduler window ls"};
  rows_.remove_window(c.name);
  if (auto no = lift_window(w, *is)) return no;
  append(w, core::event_kind::window_changed, {}, {}, "removed " + c.name);
  w.changed = true;
  w.out.windows.push_back(*is);
  return std::nullopt;
}

}  // namespace belfry::storage
