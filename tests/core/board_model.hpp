// The board's rules said slowly: plain lists, everything recounted for every question.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/core/board_parts.hpp"

namespace belfry::core::test {

class slow_board {
 public:
  struct held {
    line_entry entry{0};
    std::string agent_type;
    bool outside = true, live = false, wanted_back = false;
  };

  explicit slow_board(board_options o) : options(o) {}

  void put(const line_entry& e) {
    if (const auto it = leases.find(e.head.id.value); it != leases.end()) {
      if (it->second.live && e.head.fencing < it->second.entry.head.fencing) return;
      job_limits[e.head.job.value] = e.job_limit;
      if (!it->second.live) {
        it->second.entry = e;
        it->second.wanted_back = true;
        return;
      }
      leases.erase(it);
    }
    job_limits[e.head.job.value] = e.job_limit;
    ready.insert_or_assign(e.head.id.value, e);
  }
  void drop(std::int64_t id) {
    ready.erase(id);
    if (const auto it = leases.find(id); it != leases.end() && !it->second.live) leases.erase(it);
  }
  void reserve(std::int64_t id, const session& who) {
    leases.insert_or_assign(
        id, held{ready.at(id), who.agent_type, !belfry::core::owned_by_node(who), false, false});
    ready.erase(id);
  }
  void unreserve(std::int64_t id, bool again) {
    const auto it = leases.find(id);
    if (it == leases.end() || it->second.live) return;
    if (again || it->second.wanted_back) ready.insert_or_assign(id, it->second.entry);
    leases.erase(it);
  }
  void live(const line_entry& e, const std::string& agent_type) {
    ready.erase(e.head.id.value);
    const auto it = leases.find(e.head.id.value);
    const bool outside = it == leases.end() || it->second.live || it->second.outside;
    leases.insert_or_assign(e.head.id.value, held{e, agent_type, outside, true, false});
  }
  void ended(std::int64_t id) { leases.erase(id); }

  template <class Which>
  std::uint32_t held_where(Which which) const {
    return static_cast<std::uint32_t>(
        std::count_if(leases.begin(), leases.end(), [&](const auto& l) { return which(l.second); }));
  }
  static bool below(std::uint32_t used, std::uint32_t limit) { return limit == 0 || used < limit; }

  bool node_open(const session& who) const {
    return below(static_cast<std::uint32_t>(leases.size()), options.limits.global) &&
           (belfry::core::owned_by_node(who) ||
            below(held_where([&](const held& h) { return h.outside && h.agent_type == who.agent_type; }),
                  options.limits.per_agent_type));
  }
  // The limits that hold it: lane, batch, key, job.
  std::vector<std::string> limits_on(const run_head& r) const {
    std::vector<std::string> codes;
    const auto same = [&](auto member) {
      return held_where([&](const held& h) { return h.entry.head.*member == r.*member; });
    };
    if (!r.lane.empty() && !below(same(&run_head::lane), options.limits.per_lane))
      codes.push_back("lane_limit");
    if (r.batch && !below(same(&run_head::batch), options.limits.per_batch)) codes.push_back("batch_limit");
    if (!r.concurrency_key.empty() && !below(same(&run_head::concurrency_key), r.concurrency_limit))
      codes.push_back("key_limit");
    if (r.job && !below(same(&run_head::job), job_limits.at(r.job.value))) codes.push_back("job_limit");
    return codes;
  }
  int effective(const run_head& r, instant now) const {
    const int own = static_cast<int>(r.prio);
    if (options.ageing_step.count() == 0 || now < r.eligible_since) return own;
    return static_cast<int>(std::max<std::int64_t>(0, own - (now - r.eligible_since) / options.ageing_step));
  }
  static bool earlier(const run_head& a, const run_head& b) {
    return a.eligible_since != b.eligible_since ? a.eligible_since < b.eligible_since : a.id < b.id;
  }
  // Within a lane and an effective class.
  static bool goes_before(const session& who, const run_head& a, const run_head& b) {
    const auto x = preference(who, a.needs), y = preference(who, b.needs);
    return x != y ? x > y : earlier(a, b);
  }
  // The runs that may be picked now: of the best effective class, the first of each lane.
  std::map<std::string, run_head> candidates(const claim_wish& w, instant now) const {
    std::map<std::string, run_head> first;
    if (!node_open(w.who)) return first;
    int best = static_cast<int>(priority_count);
    for (const auto& [id, e] : ready) {
      if (e.head.prio > w.at_least || !may_take(w.who, e.head.needs, e.handler) || !limits_on(e.head).empty())
        continue;
      const int its = effective(e.head, now);
      if (its > best) continue;
      if (its < best) first.clear();
      best = its;
      const auto it = first.find(e.head.lane);
      if (it == first.end())
        first.emplace(e.head.lane, e.head);
      else if (goes_before(w.who, e.head, it->second))
        it->second = e.head;
    }
    return first;
  }
  std::size_t position(std::int64_t id) const {
    const run_head& r = ready.at(id).head;
    return 1 + static_cast<std::size_t>(std::count_if(ready.begin(), ready.end(), [&](const auto& x) {
             return x.second.head.lane == r.lane && x.second.head.prio == r.prio && earlier(x.second.head, r);
           }));
  }
  board_counts counts() const {
    board_counts c;
    c.ready = ready.size();
    c.live = held_where([](const held& h) { return h.live; });
    c.reserved = leases.size() - c.live;
    for (const auto& [id, e] : ready) {
      ++c.ready_by_priority[static_cast<std::size_t>(e.head.prio)];
      if (!c.oldest || e.head.eligible_since < *c.oldest) c.oldest = e.head.eligible_since;
    }
    return c;
  }
  template <class Name>
  std::map<std::string, std::size_t> live_by(Name name) const {
    std::map<std::string, std::size_t> by;
    for (const auto& [id, h] : leases)
      if (h.live) ++by[name(h)];
    return by;
  }

  board_options options;
  std::map<std::int64_t, line_entry> ready;
  std::map<std::int64_t, held> leases;
  std::map<std::int64_t, std::uint32_t> job_limits;
};

}  // namespace belfry::core::test
