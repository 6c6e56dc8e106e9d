// SIGNS OF LIFE: whoever hears of a session tells the session registry, but not of every word: once in a
// while is enough to know that it lives, and a fleet says much.
#pragma once

#include <caf/send.hpp>

#include <unordered_map>

#include "core/time/instant.hpp"
#include "messages/interfaces.hpp"

namespace belfry::actors {

class life_signs {
 public:
  void tell_to(messages::life_listener who) { who_ = std::move(who); }
  void heard(core::session_id id, core::instant now) {
    auto& last = last_[id];
    // A clock that was set back makes the last time the later one.
    if (last != core::never && now >= last && now - last < seldom) return;
    last = now;
    if (who_) caf::anon_send(who_, messages::session_spoke{id, now});
  }
  // The next word is told at once.
  void forget(core::session_id id) { last_.erase(id); }
  void clear() {
    who_ = nullptr;
    last_.clear();
  }

 private:
  static constexpr core::span seldom = std::chrono::seconds{5};
  messages::life_listener who_;
  std::unordered_map<core::session_id, core::instant> last_;
};

}  // namespace belfry::actors
