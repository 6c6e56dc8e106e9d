#include "core/events/event_listeners.hpp"

#include <algorithm>

#include "core/events/event.hpp"

namespace belfry::core {

event_listeners::shelf& event_listeners::shelf_of(const event_trigger& on) {
  if (!on.name.ends_with('*')) return by_name_[on.name];
  const auto beginning = on.name.substr(0, on.name.size() - 1);
  return by_beginning_[beginning.size()][beginning];
}

void event_listeners::count(const event_trigger& on, int by) {
  if (const auto k = event_kind_from(on.name)) kinds_.at(static_cast<std::size_t>(*k)) += by;
  if (on.name != run_ended_event) return;
  for (const auto k : all_event_kinds())
    if (ends_a_run(k)) kinds_.at(static_cast<std::size_t>(k)) += by;
}

void event_listeners::add(job_id job, const event_trigger& on) {
  auto& mine = of_job_[job];
  if (std::find(mine.begin(), mine.end(), on) != mine.end()) return;
  mine.push_back(on);
  shelf_of(on).push_back({job, on});
  count(on, 1);
}

void event_listeners::only(job_id job, const event_trigger* on) {
  if (const auto mine = of_job_.find(job); mine != of_job_.end()) {
    for (const auto& before : mine->second) {
      std::erase_if(shelf_of(before), [&](const listener& l) { return l.job == job; });
      count(before, -1);
    }
    of_job_.erase(mine);
  }
  if (on != nullptr) add(job, *on);
}

std::vector<job_id> event_listeners::who(const outside_event& e) const {
  std::vector<job_id> found;
  const auto look = [&](const auto& shelves, const std::string& key) {
    const auto there = shelves.find(key);
    if (there == shelves.end()) return;
    for (const auto& l : there->second)
      if (matches(l.on, e)) found.push_back(l.job);
  };
  const std::string name{e.name};
  look(by_name_, name);
  if (!e.own)
    for (const auto& [size, shelves] : by_beginning_)
      if (size <= name.size()) look(shelves, name.substr(0, size));
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace belfry::core
