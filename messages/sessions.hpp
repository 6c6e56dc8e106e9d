// SESSION MESSAGES.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/session/session.hpp"
#include "messages/runs.hpp"

namespace belfry::messages {

struct register_session {
  core::session who;  // id 0: new; else it comes back
  std::string actor;
  std::optional<once_key> once;
};
struct session_answer {
  core::session who;
  bool replayed = false;  // an earlier request with this key had registered it
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
