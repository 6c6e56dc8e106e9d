// What was woken when.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/wake/cycle.hpp"
#include "core/wake/result.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t most_cooldowns = 200'000;
constexpr std::size_t gone_tolerated = 1000;

}  // namespace

void wake_memory::sent(run_id run, session_id who, instant now) {
  last_[who] = now;
  if (!sent_.emplace(run, who).second) return;
  ++runs_sent_[run];
  ++sessions_sent_[who];
}

void wake_memory::end_sent(run_id run, session_id who) {
  if (sent_.erase({run, who}) == 0) return;
  if (const auto it = runs_sent_.find(run); --it->second == 0) runs_sent_.erase(it);
  if (const auto it = sessions_sent_.find(who); --it->second == 0) sessions_sent_.erase(it);
}

void wake_memory::acknowledged(run_id run, session_id who, instant now) {
  end_sent(run, who);
  if (options_.cooldown > span{0}) cooling_[{run, who}] = now;
}

void wake_memory::failed(run_id run, session_id who) { end_sent(run, who); }

bool wake_memory::cooling(run_id run, session_id who, instant now) const {
  const auto it = cooling_.find({run, who});
  // A clock that was set back: what was noted in the future is over.
  return it != cooling_.end() && it->second <= now && now - it->second < options_.cooldown;
}

instant wake_memory::last_woken(session_id who) const {
  const auto it = last_.find(who);
  return it == last_.end() ? never : it->second;
}

void wake_memory::tidy(instant now, const std::vector<seated_session>& here) {
  if (last_.size() > 2 * here.size() + gone_tolerated) {
    std::unordered_map<session_id, instant> left;
    for (const auto& s : here)
      if (const auto it = last_.find(s.who.id); it != last_.end()) left.insert(*it);
    last_ = std::move(left);
  }
  if (cooling_.empty()) return;
  std::erase_if(cooling_,
                [&](const auto& c) { return c.second > now || now - c.second >= options_.cooldown; });
  if (cooling_.size() <= most_cooldowns) return;
  std::vector<instant> since;
  since.reserve(cooling_.size());
  for (const auto& [which, at] : cooling_) since.push_back(at);
  const auto keep = since.begin() + static_cast<std::ptrdiff_t>(since.size() - most_cooldowns);
  std::nth_element(since.begin(), keep, since.end());
  std::erase_if(cooling_, [&](const auto& c) { return c.second < *keep; });
}

void wake_memory::clear() {
  cooling_.clear();
  sent_.clear();
  runs_sent_.clear();
  sessions_sent_.clear();
}

void add(cycle_statistics& to, const cycle_result& one) {
  ++to.cycles;
  if (one.paused) ++to.paused_cycles;
  if (one.asked) ++to.asked;
  to.recovered_leases += one.recovered_leases.count;
  to.wakes_attempted += one.wakes_attempted;
  to.wakes_succeeded += one.wakes_succeeded;
  to.wakes_failed += one.wakes_failed;
  to.no_capable += one.no_capable.count;
  to.all_busy += one.all_busy.count;
  to.all_cooldown += one.all_cooldown.count;
  to.wrong_scope += one.wrong_scope.count;
  to.recently_notified += one.recently_notified;
  to.fanned_out += one.fanned_out.count;
  to.spawns_requested += one.spawns_requested.count;
  to.spawns_refused += one.spawns_refused.count;
  to.needs_attention += one.needs_attention.count;
  to.longest = std::max(to.longest, one.took);
  to.total += one.took;
  to.last_cycle = one.began;
  if (one.wakes_succeeded > 0) to.last_wake = one.began;
  if (!one.error.empty()) {
    ++to.errors;
    to.last_error = one.error;
    to.last_error_at = one.began;
  }
}

}  // namespace belfry::core
