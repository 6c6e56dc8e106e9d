#include "core/pause/pauses.hpp"

#include <algorithm>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

// Of targets without an end for so long nothing waits any more; looked at only when there are many.
constexpr span remembered = std::chrono::hours{24 * 30};
constexpr std::size_t many_targets = 1000;

std::string_view code_for(pause_scope s) {
  switch (s) {
    case pause_scope::scheduler: return "scheduler_paused";
    case pause_scope::workspace: return "workspace_paused";
    case pause_scope::job: return "job_paused";
    case pause_scope::agent_type: return "agent_type_paused";
  }
  return "scheduler_paused";
}

std::string text_for(const pause_target& on, const pause_entry& e) {
  std::string text = to_text(on) + " is paused: " + told(e) + "; since " + to_rfc3339(e.since);
  text += e.until == never ? "" : ", until " + to_rfc3339(e.until);
  if (e.probe) text += ", " + to_string(e.probe) + " tries whether it is over";
  return text + "; " + command_to_lift(on, e.reason, e.owner);
}

constexpr const char* unknown_text = "the pause state could not be read, which counts as paused";

}  // namespace

void pause_history::add(instant from, instant to) {
  if (to <= from) return;
  // Everything that touches it becomes one interval.
  const auto first = std::lower_bound(intervals_.begin(), intervals_.end(), from,
                                      [](const auto& i, instant t) { return i.second < t; });
  auto last = first;
  for (; last != intervals_.end() && last->first <= to; ++last) {
    from = std::min(from, last->first);
    to = std::max(to, last->second);
  }
  intervals_.insert(intervals_.erase(first, last), {from, to});
  if (intervals_.size() > kept) intervals_.erase(intervals_.begin());
}

void pause_history::append_to(std::vector<std::pair<instant, instant>>& found, instant from,
                              instant to) const {
  auto at = std::upper_bound(intervals_.begin(), intervals_.end(), from,
                             [](instant t, const auto& i) { return t < i.second; });
  for (; at != intervals_.end() && at->first < to; ++at)
    found.emplace_back(std::max(from, at->first), std::min(to, at->second));
}

void pauses::load(const pause_book& book) {
  standing_.clear();
  past_.clear();
  for (const auto& p : book.standing) standing_[p.on].push_back(p.why);
  last_end_ = never;
  for (const auto& p : book.past) ended(p);
  known_ = true;
}

void pauses::set(const pause_target& on, std::vector<pause_entry> all) {
  if (all.empty())
    standing_.erase(on);
  else
    standing_[on] = std::move(all);
}

void pauses::ended(const past_pause& over) {
  past_[over.on].add(over.since, over.ended);
  last_end_ = std::max(last_end_, over.ended);
  if (past_.size() > many_targets)
    std::erase_if(past_, [&](const auto& p) { return p.second.last_end() + remembered < over.ended; });
}

void pauses::follow(const target_pauses& news) {
  set(news.on, news.entries);
  for (const auto& over : news.ended) ended(over);
}

const pauses::entries* pauses::find(const pause_target& on) const {
  if (standing_.empty()) return nullptr;
  const auto it = standing_.find(on);
  return it == standing_.end() ? nullptr : &it->second;
}

const pause_entry* pauses::first_for(const pause_target& on, instant now) const {
  const auto* all = find(on);
  if (all == nullptr) return nullptr;
  const auto it = std::find_if(all->begin(), all->end(), [&](const auto& e) { return stands(e, now); });
  return it == all->end() ? nullptr : &*it;
}

bool pauses::stands_for(const pause_target& on, instant now) const { return first_for(on, now) != nullptr; }

std::vector<pause_entry> pauses::of(const pause_target& on) const {
  const auto* all = find(on);
  return all == nullptr ? entries{} : *all;
}

std::vector<pause> pauses::all() const {
  std::vector<pause> found;
  for (const auto& [on, all] : standing_)
    for (const auto& e : all) found.push_back({on, e});
  return found;
}

std::vector<pause_entry> pauses::scheduler(instant now) const {
  auto found = of(whole_scheduler());
  std::erase_if(found, [&](const auto& e) { return !stands(e, now); });
  return found;
}

bool pauses::holds_all(instant now) const { return !known_ || stands_for(whole_scheduler(), now); }

std::vector<wait_reason> pauses::why(const run_head& head, instant now) const {
  std::vector<wait_reason> reasons;
  if (!known_) reasons.push_back({"scheduler_paused", unknown_text});
  const auto add = [&](const pause_target& on) {
    const auto* all = find(on);
    if (all == nullptr) return;
    for (const auto& e : *all)
      if (stands(e, now)) reasons.push_back({std::string{code_for(on.scope)}, text_for(on, e)});
  };
  if (standing_.empty()) return reasons;
  add(whole_scheduler());
  add(the_workspace(head.needs.workspace));
  if (head.job && !head.forced) add(the_job(head.job));
  // Without an allow-list any type will do.
  const auto& types = head.needs.agent_types;
  const auto held = [&](const std::string& t) { return stands_for(the_agent_type(t), now); };
  if (!types.empty() && std::all_of(types.begin(), types.end(), held))
    for (const auto& t : types) add(the_agent_type(t));
  return reasons;
}

std::vector<ineligible> pauses::why(const session& who, instant now) const {
  std::vector<ineligible> reasons;
  if (!known_) reasons.push_back({"scheduler_paused", unknown_text});
  const auto add = [&](const pause_target& on) {
    const auto* all = find(on);
    if (all == nullptr) return;
    for (const auto& e : *all)
      if (stands(e, now)) reasons.push_back({std::string{code_for(on.scope)}, text_for(on, e)});
  };
  if (standing_.empty()) return reasons;
  add(whole_scheduler());
  if (!who.agent_type.empty()) add(the_agent_type(who.agent_type));
  // Executors serve every workspace.
  if (!owned_by_node(who)) add(the_workspace(who.workspace));
  return reasons;
}

bool pauses::holds(const run_head& head, instant now) const {
  if (nothing()) return false;
  if (holds_all(now) || stands_for(the_workspace(head.needs.workspace), now)) return true;
  if (head.job && !head.forced && stands_for(the_job(head.job), now)) return true;
  const auto& types = head.needs.agent_types;
  return !types.empty() && std::all_of(types.begin(), types.end(), [&](const std::string& t) {
    return stands_for(the_agent_type(t), now);
  });
}

bool pauses::holds(const session& who, instant now) const {
  if (nothing()) return false;
  return holds_all(now) || (!who.agent_type.empty() && stands_for(the_agent_type(who.agent_type), now)) ||
         (!owned_by_node(who) && stands_for(the_workspace(who.workspace), now));
}

bool pauses::any_agent_type() const {
  return !standing_.empty() && std::prev(standing_.end())->first.scope == pause_scope::agent_type;
}

std::vector<pause_target> pauses::probed_by(run_id run) const {
  std::vector<pause_target> found;
  for (const auto& [on, all] : standing_)
    if (std::any_of(all.begin(), all.end(), [&](const auto& e) { return e.probe == run; }))
      found.push_back(on);
  return found;
}

std::vector<std::string> pauses::held_workspaces(instant now) const {
  std::vector<std::string> held;
  for (const auto& [on, all] : standing_)
    if (on.scope == pause_scope::workspace && stands_for(on, now)) held.push_back(on.name);
  return held;
}

std::set<job_id> pauses::held_jobs(instant now) const {
  std::set<job_id> held;
  for (const auto& [on, all] : standing_)
    if (on.scope == pause_scope::job && stands_for(on, now)) held.insert(on.job);
  return held;
}

std::vector<pause> pauses::over(instant now) const {
  std::vector<pause> found;
  for (const auto& [on, all] : standing_)
    for (const auto& e : all)
      if (!stands(e, now) && !planned(e, now) && !e.probes) found.push_back({on, e});
  return found;
}

instant pauses::next_change(instant now) const {
  instant next = never;
  for (const auto& [on, all] : standing_)
    for (const auto& e : all)
      for (const auto at : {e.since, e.until})
        if (at != never && now < at && (next == never || at < next)) next = at;
  return next;
}

void pauses::collect(const pause_target& on, instant from, instant to,
                     std::vector<std::pair<instant, instant>>& found) const {
  if (const auto it = past_.find(on); it != past_.end()) it->second.append_to(found, from, to);
  const auto* all = find(on);
  if (all == nullptr) return;
  for (const auto& e : *all) {
    const auto begin = std::max(e.since, from), end = e.until == never ? to : std::min(e.until, to);
    if (begin < end) found.emplace_back(begin, end);
  }
}

span pauses::held_between(const std::string& workspace, job_id job, instant from, instant to) const {
  if (!any_since(from) || to <= from) return span{0};
  std::vector<std::pair<instant, instant>> held;
  collect(whole_scheduler(), from, to, held);
  collect(the_workspace(workspace), from, to, held);
  if (job) collect(the_job(job), from, to, held);
  std::sort(held.begin(), held.end());
  span sum{0};
  instant counted = from;
  for (const auto& [begin, end] : held) {
    if (end <= counted) continue;
    sum += end - std::max(begin, counted);
    counted = end;
  }
  return sum;
}

span pauses::waited(const run_head& head, instant now) const {
  if (head.eligible_since == never || now <= head.eligible_since) return span{0};
  return now - head.eligible_since - held_between(head.needs.workspace, head.job, head.eligible_since, now);
}

}  // namespace belfry::core
