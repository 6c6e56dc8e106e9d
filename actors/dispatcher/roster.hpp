// ROSTER: which sessions are here and which runs each of them holds. Slots are never counted: what a session
// holds is a set that follows the heads, so a free slot cannot leak. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/run/run.hpp"
#include "core/session/session.hpp"

namespace belfry::actors {

struct seat {
  core::session who;
  bool here = false;                          // false: gone, or never heard of, but it still holds runs
  std::unordered_set<core::run_id> held;      // live leases
  std::unordered_set<core::run_id> reserved;  // claims on their way to the store

  std::uint32_t free_slots() const {
    const auto used = held.size() + reserved.size();
    return used >= who.slots ? 0 : who.slots - static_cast<std::uint32_t>(used);
  }
};

class roster {
 public:
  void arrive(const core::session& who);
  // Stays as long as it holds something.
  void leave(core::session_id id);
  // Nothing when the session is not here.
  seat* find(core::session_id id);
  std::vector<const seat*> here() const;                  // by id
  const core::session* known(core::session_id id) const;  // also one that is gone and still holds something

  void reserve(core::session_id id, core::run_id run);
  void unreserve(core::session_id id, core::run_id run);
  // A holder that may be gone; all that is known of it is its type.
  void heard_of(core::session_id id, const std::string& agent_type);
  void hold(core::session_id id, core::run_id run);
  void release(core::session_id id, core::run_id run);
  std::vector<core::run_id> held_by(core::session_id id) const;  // by id
  std::size_t held() const { return held_; }
  std::size_t outsiders() const { return outsiders_; }  // here, and not part of any node

 private:
  void forget_if_empty(core::session_id id);

  std::unordered_map<core::session_id, seat> seats_;
  std::size_t held_ = 0;
  std::size_t outsiders_ = 0;
};

}  // namespace belfry::actors
