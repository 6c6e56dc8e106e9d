// SESSION: a registered worker. The node's own executors are sessions like any other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/spec.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

enum class session_state : std::uint8_t { active = 0, draining = 1, paused = 2, stale = 3, gone = 4 };
std::string_view to_text(session_state s);

struct session {
  session_id id;
  std::string name;
  std::string agent_type;  // "process" for the node's process executors
  std::string workspace;
  std::string channel;
  std::vector<std::string> capabilities;
  std::vector<handler_kind> handlers;  // which kinds it can perform; outside sessions: none (payload) only
  std::uint32_t slots = 1;
  session_state state = session_state::active;
  bool prompting = false;
  bool local = false;  // lives and dies with this node process
  instant created_at = never;
  instant last_seen = never;
};

struct ineligible {
  std::string code;
  std::string text;
};
// Every rule that keeps the session from a run with these needs, slots and limits apart; empty when it may
// take it. Local process executors serve every workspace: the node owns them. Claim, wake selection and
// explain all use this.
std::vector<ineligible> why_not(const session& s, const requirement& needs, handler_kind handler);
// The same answer without the texts: what a claim asks for each class of requirement.
bool may_take(const session& s, const requirement& needs, handler_kind handler);

// At the door: words trimmed, capabilities lower case, sorted, unique.
void normalise(session& s);
// Every mistake of a registration, as problems with JSON pointers below `base`.
std::vector<field_problem> check(const session& s, const std::string& base);

}  // namespace belfry::core
