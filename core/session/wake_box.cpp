#include "core/session/wake_box.hpp"

#include <algorithm>
#include <utility>

namespace belfry::core {

result<wake_box::placed> wake_box::put(open_wake what, instant now) {
  const auto mine = by_session_.find(what.session);
  if (mine != by_session_.end()) {
    for (const auto id : mine->second)
      if (const auto& known = out_.at(id); known.run == what.run) return placed{known, false};
    if (mine->second.size() >= bounds_.per_session)
      return failure{errc::overloaded,
                     to_string(what.session) + " has " + std::to_string(bounds_.per_session) +
                         " wakes that it has not acknowledged, the limit",
                     {},
                     "belfry session wakes " + to_string(what.session)};
  }
  if (out_.size() >= bounds_.total)
    return failure{errc::overloaded,
                   std::to_string(bounds_.total) + " wakes are under way, the limit of the node",
                   {},
                   {}};
  what.id = wake_id{ids_.next(now)};
  what.sent_at = now;
  what.acknowledge_by = later(now, bounds_.acknowledge_within);
  by_session_[what.session].push_back(what.id);
  due_.set(what.id.value, what.acknowledge_by);
  out_.emplace(what.id, what);
  return placed{std::move(what), true};
}

result<wake_box::acknowledged> wake_box::acknowledge(session_id who, wake_id id) {
  if (const auto it = out_.find(id); it != out_.end() && it->second.session == who)
    return acknowledged{end(id, fate::heard), false};
  const auto before = ended_.find(id);
  if (before == ended_.end() || before->second.session != who)
    return failure{errc::not_found,
                   to_string(who) + " has no wake " + to_string(id),
                   {},
                   "belfry session wakes " + to_string(who)};
  if (before->second.how == fate::failed)
    return failure{
        errc::invalid_transition,
        to_string(id) + " is over: it was not acknowledged in time; the run may be claimed all the same",
        {},
        "belfry claim " + to_string(who)};
  open_wake what;
  what.id = id;
  what.run = before->second.run;
  what.session = who;
  return acknowledged{std::move(what), true};
}

std::optional<open_wake> wake_box::claim(session_id who, run_id run) {
  const auto mine = by_session_.find(who);
  if (mine == by_session_.end()) return std::nullopt;
  for (const auto id : mine->second)
    if (out_.at(id).run == run) return end(id, fate::heard);
  return std::nullopt;
}

std::optional<open_wake> wake_box::fail(wake_id id) {
  if (!out_.contains(id)) return std::nullopt;
  return end(id, fate::failed);
}

std::vector<open_wake> wake_box::fail_all_of(session_id who) {
  std::vector<open_wake> all;
  const auto mine = by_session_.find(who);
  if (mine == by_session_.end()) return all;
  for (const auto id : std::vector<wake_id>(mine->second)) all.push_back(end(id, fate::failed));
  return all;
}

std::vector<open_wake> wake_box::overdue(instant now) {
  std::vector<open_wake> all;
  for (const auto key : due_.take_due(now, out_.size())) all.push_back(end(wake_id{key}, fate::failed));
  return all;
}

const open_wake* wake_box::find(wake_id id) const {
  const auto it = out_.find(id);
  return it == out_.end() ? nullptr : &it->second;
}

std::vector<open_wake> wake_box::waiting(session_id who, wake_id after, std::size_t most) const {
  std::vector<open_wake> all;
  const auto mine = by_session_.find(who);
  if (mine == by_session_.end()) return all;
  for (auto it = std::upper_bound(mine->second.begin(), mine->second.end(), after);
       it != mine->second.end() && all.size() < most; ++it)
    all.push_back(out_.at(*it));
  return all;
}

open_wake wake_box::end(wake_id id, fate how) {
  auto node = out_.extract(id);
  auto what = std::move(node.mapped());
  due_.clear(id.value);
  if (const auto mine = by_session_.find(what.session); mine != by_session_.end()) {
    std::erase(mine->second, id);
    if (mine->second.empty()) by_session_.erase(mine);
  }
  if (bounds_.remembered > 0) {
    if (ended_order_.size() >= bounds_.remembered) {
      ended_.erase(ended_order_.front());
      ended_order_.pop_front();
    }
    ended_.emplace(id, ended{what.run, what.session, how});
    ended_order_.push_back(id);
  }
  return what;
}

}  // namespace belfry::core
