#include "core/queue/group_timers.hpp"

namespace belfry::core {
namespace {

std::uint64_t hash_of_job(std::int64_t job) { return queueing::mixed(1, static_cast<std::uint64_t>(job)); }
std::uint64_t hash_of_timer(std::uint64_t group, instant at) {
  return queueing::mixed(group, static_cast<std::uint64_t>(micros(at)));
}

}  // namespace

group_timers::slot group_timers::find(std::int64_t job) const {
  return jobs_.find(hash_of_job(job), [&](slot s) { return entries_[s].job == job; });
}

group_timers::slot group_timers::timer_for(std::uint64_t group, instant at) {
  const auto hash = hash_of_timer(group, at);
  const auto there =
      groups_.find(hash, [&](slot s) { return timers_[s].group == group && timers_[s].at == at; });
  if (there != none) return there;
  const auto made = timers_.add();
  auto& t = timers_[made];
  t.group = group;
  t.at = at;
  groups_.insert(hash, made);
  heap_.push(made, by_instant{&timers_});
  return made;
}

void group_timers::set(std::int64_t job, std::uint64_t group, instant at) {
  if (const auto known = find(job); known != none) {
    const auto& t = timers_[entries_[known].timer];
    if (t.at == at && t.group == group) return;
    forget(known);
  }
  if (at == never) return;
  const auto where = timer_for(group, at);
  const auto made = entries_.add();
  auto& e = entries_[made];
  auto& t = timers_[where];
  e.job = job;
  e.timer = where;
  e.before = t.last;
  (t.last == none ? t.first : entries_[t.last].after) = made;
  t.last = made;
  jobs_.insert(hash_of_job(job), made);
}

void group_timers::forget(slot at) {
  const auto e = entries_[at];
  auto& t = timers_[e.timer];
  (e.before == none ? t.first : entries_[e.before].after) = e.after;
  (e.after == none ? t.last : entries_[e.after].before) = e.before;
  jobs_.erase(hash_of_job(e.job), at);
  entries_.remove(at);
  if (t.first == none && !t.ready) drop(e.timer);  // one that is ready goes when its turn comes
}

void group_timers::drop(slot at) {
  const auto& t = timers_[at];
  if (!t.ready) heap_.remove(t.place, by_instant{&timers_});
  groups_.erase(hash_of_timer(t.group, t.at), at);
  timers_.remove(at);
}

std::optional<instant> group_timers::next() const {
  std::optional<instant> first;
  for (const auto s : ready_)
    if (timers_[s].first != none && (!first || timers_[s].at < *first)) first = timers_[s].at;
  if (first) return first;
  return heap_.empty() ? std::nullopt : std::optional{timers_[heap_.top()].at};
}

std::vector<job_due> group_timers::take_due(instant now, std::size_t limit) {
  while (!heap_.empty() && timers_[heap_.top()].at <= now) {
    const auto s = heap_.top();
    heap_.remove(timers_[s].place, by_instant{&timers_});
    timers_[s].ready = true;
    ready_.push_back(s);
  }
  std::vector<job_due> due;
  while (due.size() < limit && !ready_.empty()) {
    const auto s = ready_.front();
    ready_.pop_front();
    if (const auto first = timers_[s].first; first != none) {
      due.push_back({job_id{entries_[first].job}, timers_[s].at, timers_[s].group});
      forget(first);
    }
    if (timers_[s].first == none)
      drop(s);
    else
      ready_.push_back(s);
  }
  return due;
}

}  // namespace belfry::core
