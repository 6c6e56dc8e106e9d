// SESSION MESSAGES.
#pragma once

#include <string>
#include <vector>

#include "core/session/session.hpp"

namespace belfry::messages {

struct register_session {
  core::session who;
  std::string actor;
};  // id 0: new; else it comes back
struct session_answer {
  core::session who;
};
struct end_session {
  core::session_id id;
  std::string reason;
  bool crashed = false;
  std::string actor;
};
// The registry tells the dispatcher who is there; the dispatcher answers claims of known sessions only.
struct session_changed {
  core::session who;
};
struct session_gone {
  core::session_id id;
  std::string reason;
  bool crashed = false;
};  // crashed: its leases are lost at once

}  // namespace belfry::messages
