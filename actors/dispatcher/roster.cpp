#include "actors/dispatcher/roster.hpp"

#include <algorithm>

namespace belfry::actors {

void roster::arrive(const core::session& who) {
  auto& s = seats_[who.id];
  if (s.here && !core::owned_by_node(s.who)) --outsiders_;
  s.who = who;
  s.here = true;
  if (!core::owned_by_node(who)) ++outsiders_;
}

void roster::leave(core::session_id id) {
  const auto it = seats_.find(id);
  if (it == seats_.end()) return;
  if (it->second.here && !core::owned_by_node(it->second.who)) --outsiders_;
  it->second.here = false;
  it->second.who.state = core::session_state::gone;
  forget_if_empty(id);
}

seat* roster::find(core::session_id id) {
  const auto it = seats_.find(id);
  return it == seats_.end() || !it->second.here ? nullptr : &it->second;
}

std::vector<const seat*> roster::here() const {
  std::vector<const seat*> all;
  for (const auto& [id, s] : seats_)
    if (s.here) all.push_back(&s);
  std::sort(all.begin(), all.end(), [](const seat* a, const seat* b) { return a->who.id < b->who.id; });
  return all;
}

const core::session* roster::known(core::session_id id) const {
  const auto it = seats_.find(id);
  return it == seats_.end() ? nullptr : &it->second.who;
}

void roster::reserve(core::session_id id, core::run_id run) { seats_[id].reserved.insert(run); }

void roster::unreserve(core::session_id id, core::run_id run) {
  const auto it = seats_.find(id);
  if (it == seats_.end()) return;
  it->second.reserved.erase(run);
  forget_if_empty(id);
}

void roster::heard_of(core::session_id id, const std::string& agent_type) {
  auto& s = seats_[id];
  if (s.here) return;
  s.who.id = id;
  s.who.agent_type = agent_type;
}

void roster::hold(core::session_id id, core::run_id run) {
  auto& s = seats_[id];
  s.who.id = id;
  s.reserved.erase(run);
  if (s.held.insert(run).second) ++held_;
}

void roster::release(core::session_id id, core::run_id run) {
  const auto it = seats_.find(id);
  if (it == seats_.end()) return;
  held_ -= it->second.held.erase(run);
  forget_if_empty(id);
}

std::vector<core::run_id> roster::held_by(core::session_id id) const {
  const auto it = seats_.find(id);
  if (it == seats_.end()) return {};
  std::vector<core::run_id> runs{it->second.held.begin(), it->second.held.end()};
  std::sort(runs.begin(),
            runs.end());  // the order of a hash table would differ from run to run of the simulator
  return runs;
}

void roster::forget_if_empty(core::session_id id) {
  const auto it = seats_.find(id);
  if (it != seats_.end() && !it->second.here && it->second.held.empty() && it->second.reserved.empty())
    seats_.erase(it);
}

}  // namespace belfry::actors
