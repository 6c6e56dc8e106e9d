// The choice of whom to wake for what.
#include <algorithm>
#include <map>
#include <tuple>

#include "core/wake/cycle.hpp"

namespace belfry::core {
namespace {

// What eligibility can depend on besides the session itself: few sessions differ in it.
struct profile {
  std::size_t example = 0;           // index of one of them
  std::vector<std::size_t> members;  // woken longest ago first
  session who = {};                  // the example, with what passes taken away
  session elsewhere = {};            // the same, wherever a kind asks for it
};

bool same_profile(const session& a, const session& b) {
  return a.agent_type == b.agent_type && a.workspace == b.workspace && a.channel == b.channel &&
         a.capabilities == b.capabilities && a.handlers == b.handlers && a.local == b.local;
}

bool takes_now(const seated_session& s) { return s.room && may_take_anything({&s.who, s.free_slots, false}); }

// What passes is taken away: the state. Slots are no rule of the run.
session at_its_best(session who) {
  who.state = session_state::active;
  who.prompting = false;
  return who;
}

std::vector<profile> profiles_of(const std::vector<seated_session>& all) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::vector<profile>> by_name;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& who = all[i].who;
    auto& near = by_name[{who.agent_type, who.workspace, who.channel}];
    const auto known = std::find_if(near.begin(), near.end(),
                                    [&](const profile& p) { return same_profile(all[p.example].who, who); });
    if (known == near.end())
      near.push_back({i, {i}});
    else
      known->members.push_back(i);
  }
  std::vector<profile> found;
  for (auto& [name, near] : by_name) found.insert(found.end(), near.begin(), near.end());
  return found;
}

// By the rules of the run alone. `elsewhere` is a copy of the session that may be changed: a copy for each
// question would be most of a cycle with a thousand kinds.
match judge(const session& who, session& elsewhere, const requirement& needs, handler_kind handler) {
  if (may_take(who, needs, handler)) return match::able;
  elsewhere.workspace = needs.workspace;
  elsewhere.channel = needs.channel.empty() ? who.channel : needs.channel;
  return may_take(elsewhere, needs, handler) ? match::wrong_scope : match::unfit;
}

match judge(const session& someone, const requirement& needs, handler_kind handler) {
  const auto who = at_its_best(someone);
  auto elsewhere = who;
  return judge(who, elsewhere, needs, handler);
}

// Whom a kind finds: able ones that are free, in the order in which they are to be woken.
struct candidates {
  std::vector<std::size_t> able;
  std::size_t next = 0;  // before it, everybody has been chosen in this cycle
  bool any_busy = false, any_elsewhere = false;
};

}  // namespace

match match_of(const seated_session& s, const waiting_kind& kind) {
  const auto m = judge(s.who, kind.needs, kind.handler);
  return m == match::able && !takes_now(s) ? match::busy : m;
}

namespace waking {

wake_choice choose(const waiting_snapshot& seen, const wake_memory& memory, const wake_options& options,
                   const std::vector<bool>& fanning) {
  wake_choice choice;
  choice.sessions_scanned = seen.sessions.size();
  auto profiles = profiles_of(seen.sessions);

  std::vector<bool> takes(seen.sessions.size()), told(seen.sessions.size());
  std::size_t free_sessions = 0;
  for (std::size_t i = 0; i < seen.sessions.size(); ++i) {
    takes[i] = can_be_woken(seen.sessions[i].who) && takes_now(seen.sessions[i]);
    told[i] = takes[i] && memory.under_way(seen.sessions[i].who.id);
    if (takes[i]) ++free_sessions;
  }
  // One order for everybody: woken longest ago first.
  std::vector<std::size_t> rank(seen.sessions.size());
  {
    std::vector<std::pair<std::pair<instant, session_id>, std::size_t>> order;
    order.reserve(rank.size());
    for (std::size_t i = 0; i < rank.size(); ++i) {
      const auto id = seen.sessions[i].who.id;
      order.push_back({{memory.last_woken(id), id}, i});
    }
    std::sort(order.begin(), order.end());
    for (std::size_t r = 0; r < order.size(); ++r) rank[order[r].second] = r;
  }

  const auto sooner = [&](std::size_t a, std::size_t b) { return rank[a] < rank[b]; };
  for (auto& p : profiles) {
    std::sort(p.members.begin(), p.members.end(), sooner);
    p.who = p.elsewhere = at_its_best(seen.sessions[p.example].who);
  }

  std::map<std::uint32_t, candidates> by_kind;
  for (const auto& kind : seen.kinds) {
    candidates c;
    std::size_t fitting = 0;
    for (auto& p : profiles) {
      // Only an owner rule tells the members of a profile apart.
      if (kind.needs.exact_session) {
        for (const auto i : p.members) {
          const auto m = judge(seen.sessions[i].who, kind.needs, kind.handler);
          if (m == match::wrong_scope) c.any_elsewhere = true;
          if (m != match::able) continue;
          if (takes[i])
            c.able.push_back(i);
          else
            c.any_busy = true;
        }
        continue;
      }
      const auto m = judge(p.who, p.elsewhere, kind.needs, kind.handler);
      if (m == match::wrong_scope) c.any_elsewhere = true;
      if (m != match::able) continue;
      ++fitting;
      for (const auto i : p.members) {
        if (takes[i])
          c.able.push_back(i);
        else
          c.any_busy = true;
      }
    }
    // One profile brings its members in order.
    if (fitting != 1 || kind.needs.exact_session) std::sort(c.able.begin(), c.able.end(), sooner);
    if (c.able.empty() && !c.any_busy && !kind.paused) {
      const auto waits = kind.ready - std::min(kind.held, kind.ready);
      (c.any_elsewhere ? choice.wrong_scope_runs : choice.no_capable_runs) += waits;
    }
    by_kind.emplace(kind.number, std::move(c));
  }

  std::size_t fans = 0;
  for (const bool f : fanning)
    if (f) ++fans;
  const std::size_t share = free_sessions * options.fan_out_share / 100;
  const std::size_t each = fans == 0 ? 0 : std::max<std::size_t>(1, share / fans);

  std::vector<bool> targeted(seen.sessions.size());
  for (std::size_t n = 0; n < seen.fronts.size(); ++n) {
    const auto& run = seen.fronts[n];
    const auto at = by_kind.find(run.kind);
    if (at == by_kind.end()) continue;
    auto& c = at->second;
    if (c.able.empty()) {
      (c.any_busy        ? choice.all_busy
       : c.any_elsewhere ? choice.wrong_scope
                         : choice.no_capable)
          .push_back(run.id);
      continue;
    }
    const bool fan = fanning[n];
    if (!fan && memory.under_way(run.id)) {  // somebody is being woken for it
      ++choice.recently_notified;
      choice.all_cooldown.push_back(run.id);
      continue;
    }
    const std::size_t wanted = fan ? each : 1;
    std::size_t got = 0, cooled = 0;
    while (c.next < c.able.size() && targeted[c.able[c.next]]) ++c.next;
    for (std::size_t k = c.next; k < c.able.size() && got < wanted; ++k) {
      const auto i = c.able[k];
      if (targeted[i]) continue;
      const auto who = seen.sessions[i].who.id;
      const bool refused =
          !seen.refused.empty() &&
          std::binary_search(seen.refused.begin(), seen.refused.end(), std::pair{run.id, who});
      if (refused || (!fan && (told[i] || memory.cooling(run.id, who, seen.at)))) {
        ++cooled;
        continue;
      }
      targeted[i] = true;
      choice.wakes.push_back({run.id, who, run.prio, fan});
      ++got;
    }
    choice.recently_notified += cooled;
    if (got == 0) (cooled > 0 ? choice.all_cooldown : choice.all_busy).push_back(run.id);
  }
  return choice;
}

}  // namespace waking
}  // namespace belfry::core
